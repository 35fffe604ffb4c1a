"""The `driftloop` command."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli import show
from cli.errors import Problem

app = typer.Typer(
    help="Keeps a machine-learning model in production good, by itself. On AWS, or on the local "
    "cloud: AWS_ENDPOINT_URL decides, else AWS credentials, else the local cloud that is up.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
run_app = typer.Typer(help="Start a run, or look at one.", invoke_without_command=True)
app.add_typer(run_app, name="run", rich_help_panel="The loop")

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Limit = Annotated[int, typer.Option(min=1, help="How many, newest first.")]
CLOUD, LOOP, LOOK = "The cloud", "The loop", "Look"


class _Chosen:
    stack: str | None = None


@app.callback()
def options(
    stack: Annotated[
        str | None,
        typer.Option(envvar="DRIFTLOOP_STACK", help="CloudFormation stack [driftloop-<pipeline>]."),
    ] = None,
) -> None:
    _Chosen.stack = stack


def stack() -> str:
    from cli import deploy

    return _Chosen.stack or deploy.stack_name()


@app.command(rich_help_panel=CLOUD)
def up(port: Annotated[int | None, typer.Option(help="4566, or any free one.")] = None) -> None:
    """Start the local cloud; what an earlier one remembered is still there."""
    from cli import local

    found = local.start(port)
    show.console.print(f"the local cloud is up at {found.endpoint} (process {found.pid})")
    show.console.print("other AWS tools:  source .driftloop/activate")


@app.command(rich_help_panel=CLOUD)
def down() -> None:
    """Stop the local cloud; its state is kept."""
    from cli import local

    was = local.stop()
    show.console.print("the local cloud is down" if was else "the local cloud was not up")


@app.command(rich_help_panel=CLOUD)
def deploy(
    schedule: Annotated[
        str | None, typer.Option(help="How often the monitor looks, e.g. 'rate(15 minutes)'.")
    ] = None,
    email: Annotated[str | None, typer.Option(help="Who gets notifications.")] = None,
) -> None:
    """Package the project and bring the stack to what it says."""
    from cli import deploy as deployment

    given = {"MonitorSchedule": schedule, "NotificationEmail": email}
    chosen = {name: value for name, value in given.items() if value is not None}
    made = deployment.deploy(_Chosen.stack, chosen, _progress)
    show.console.print(f"[green]{made.stack}[/green] is deployed in {show.seconds(made.seconds)}")
    show.console.print(f"drop files:  driftloop drop FILE\nREST API:    {made.outputs['ApiUrl']}")


@app.command(rich_help_panel=CLOUD)
def destroy(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete the stack with its data, models and endpoint."""
    from cli import teardown

    if not yes:
        typer.confirm(f"Delete {stack()} and all its data?", abort=True)
    teardown.delete(_Chosen.stack, _progress)


@app.command(rich_help_panel=CLOUD)
def status(json: Json = False) -> None:
    """What is up, deployed and in service."""
    from cli import local, records, target

    running = local.running()
    answer: dict[str, Any] = {
        "local_cloud": running.endpoint if running else None,
        "target": target.choose(),
        "stack": stack(),
        "api": target.outputs(stack())["ApiUrl"],
    }
    champion = records.champion(stack()) or {}
    latest = next(iter(records.runs(stack(), 1)), {})
    answer["model_version"] = champion.get("model_version")
    answer["in_service_at"] = champion.get("in_service_at")
    answer["latest_run"] = latest.get("run_id")
    answer["latest_run_status"] = latest.get("status")
    if json:
        show.as_json(answer)
        return
    for name, value in show.plain(answer).items():
        words = "-" if value is None else str(value)
        show.console.print(f"{name.replace('_', ' '):<18} {escape(words)}")


@app.command(rich_help_panel=LOOP)
def drop(
    files: Annotated[list[Path], typer.Argument(help="Files of the dataset.")],
    into: Annotated[str | None, typer.Option("--dataset", help="Another dataset.")] = None,
    follow: Annotated[bool, typer.Option(help="Show the run that follows.")] = True,
    timeout: Annotated[int, typer.Option(help="Seconds to wait for intake and start.")] = 120,
) -> None:
    """Drop files into incoming/: the model retrains."""
    from cli import drop as dropping
    from cli import follow as following
    from cli import records

    before = {str(run["run_id"]) for run in records.runs(stack(), 20)}
    put = dropping.upload(stack(), files, into)
    fates = dropping.fates(stack(), put, into, timeout)
    for fate in fates:
        show.console.print(f"{escape(fate.name)}: {fate.status}, {escape(fate.words)}")
    if not any(fate.status == "accepted" for fate in fates):
        raise typer.Exit(1 if any(fate.status == "quarantined" for fate in fates) else 0)
    if follow:
        run_id = dropping.run_of(stack(), before, timeout)
        if run_id is None:
            raise Problem("no run has begun yet", "A run may be active: driftloop runs")
        record, _ = following.run(stack(), run_id)
        raise typer.Exit(record["status"] == "failed")


@app.command(rich_help_panel=LOOP)
def predict(
    text: Annotated[str, typer.Argument(help="The first required input, e.g. a review.")],
    field: Annotated[
        list[str] | None, typer.Option("--field", help="Another input as name=value.")
    ] = None,
    json: Json = False,
) -> None:
    """Ask the REST API for a prediction."""
    from cli import api, project

    model = project.pipeline()["model"]
    record = {(model.get("required") or model["inputs"])[0]: text}
    for pair in field or []:
        name, equals, value = pair.partition("=")
        if not equals:
            raise Problem(f"--field {pair}: write it as name=value")
        record[name] = value
    answer = api.call(stack(), "POST", "/predictions", record)
    if json:
        show.as_json(answer)
        return
    for prediction in answer["predictions"]:
        shares = sorted(prediction["probabilities"].items())
        told = "  ".join(f"{label} {share:.0%}" for label, share in shares)
        show.console.print(f"[bold]{prediction['label']}[/bold]   {told}")
        show.console.print(
            f"model version {answer['model_version']}, inference id {prediction['inference_id']}"
        )


@app.command(rich_help_panel=LOOP)
def feedback(inference_id: str, label: str) -> None:
    """Tell the true label of an earlier prediction: the next run learns from it."""
    from cli import api

    body = {"inference_id": inference_id, "label": int(label) if label.isdigit() else label}
    answer = api.call(stack(), "POST", "/feedback", body)
    show.console.print(f"{answer['accepted']} label taken")


@run_app.callback()
def start_run(
    context: typer.Context,
    cause: Annotated[str, typer.Option(help="Why, in words.")] = "asked for on the command line",
    follow: Annotated[bool, typer.Option(help="Show it until it ends.")] = True,
) -> None:
    """Without a subcommand: train on all data there is, and deploy if the gate allows."""
    if context.invoked_subcommand is not None:
        return
    from cli import api
    from cli import follow as following

    started = api.call(stack(), "POST", "/runs", {"cause": cause})
    if not follow:
        show.console.print(f"run {started['run_id']} starts")
        return
    record, _ = following.run(stack(), started["run_id"])
    raise typer.Exit(record["status"] == "failed")


@run_app.command("show")
def show_run(run_id: str = "latest", json: Json = False) -> None:
    """One run: what it did, how long each state took, and why it failed."""
    from cli import describe

    describe.run(stack(), run_id, as_json=json)


@app.command(rich_help_panel=LOOK)
def runs(limit: Limit = 20, json: Json = False) -> None:
    """Runs, newest first."""
    from cli import records

    found = records.runs(stack(), limit)
    if json:
        show.as_json(found)
        return
    columns = ("run_id", "reason", "status", "outcome", "model_version", "dataset_rows", "cause")
    show.table(found, columns)


@app.command(rich_help_panel=LOOK)
def models(limit: Limit = 20, json: Json = False) -> None:
    """Versions in the registry, newest first, and what each measured."""
    from cli import api

    found = api.call(stack(), "GET", f"/models?limit={min(limit, 100)}")["models"]
    if json:
        show.as_json(found)
        return
    for model in found:
        model["accuracy"] = (model.get("evaluation") or {}).get("accuracy")
        model["state"] = "in service" if model["in_service"] else model["status"]
    show.table(found, ("model_version", "state", "accuracy", "run_id", "created_at"))


@app.command(rich_help_panel=LOOK)
def drift(limit: Limit = 10, json: Json = False) -> None:
    """What the monitor found in live traffic, and what was decided."""
    from cli import describe, records

    found = records.drift(stack(), limit)
    if json:
        show.as_json(found)
        return
    describe.drift(found)


@app.command(rich_help_panel=LOOK)
def notifications(limit: Limit = 20, json: Json = False) -> None:
    """What people were told, newest first."""
    from cli import records

    found = records.notifications(stack(), limit)
    if json:
        show.as_json(found)
        return
    show.table(found, ("time", "kind", "subject"))


@app.command(rich_help_panel=LOOK)
def logs(
    run_id: Annotated[str | None, typer.Argument(help="A run; `latest` is one.")] = None,
    function: Annotated[str | None, typer.Option(help="intake, run_step, api, ...")] = None,
    endpoint: Annotated[bool, typer.Option("--endpoint", help="The model's own log.")] = False,
    minutes: Annotated[int, typer.Option(help="How far back, for functions.")] = 60,
) -> None:
    """Logs of a run's jobs, of a function, or of the endpoint."""
    from cli import describe

    describe.logs(stack(), run_id, function, endpoint, minutes)


@app.command(rich_help_panel=LOOK)
def generate(
    path: Path,
    count: Annotated[int, typer.Option(min=1, help="How many reviews.")] = 10_000,
    seed: int = 42,
    drifted: Annotated[bool, typer.Option("--drifted", help="From another world.")] = False,
) -> None:
    """Write made-up reviews (TSV, gzip) to try things with."""
    from cli import reviews

    made = reviews.write(path, count, seed, drifted)
    show.console.print(f"{count} reviews in {made}")


@app.command(rich_help_panel=LOOP)
def demo(
    data: Annotated[Path | None, typer.Option(help="Reviews to drop; else generated.")] = None,
    drift: Annotated[Path | None, typer.Option(help="Reviews to send as live traffic.")] = None,
    keep: Annotated[bool, typer.Option(help="Leave the local cloud up.")] = True,
) -> None:
    """The whole loop on a fresh local cloud: drop, train, serve, drift, retrain."""
    from cli import demo as whole

    raise typer.Exit(not whole.run(data, drift, keep))


def _progress(line: str) -> None:
    show.console.print(f"  [dim]{escape(line)}[/dim]")


def told(command: Callable[[], None]) -> Callable[[], None]:
    """Problems in words, without a traceback."""

    @functools.wraps(command)
    def run() -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            command()
        except Problem as problem:
            show.errors.print(f"[red]{escape(problem.headline)}[/red]")
            if problem.remedy:
                show.errors.print(escape(problem.remedy))
            sys.exit(1)
        except (BotoCoreError, ClientError) as error:
            show.errors.print(f"[red]AWS refused: {escape(str(error))}[/red]")
            sys.exit(1)
        except KeyboardInterrupt:
            sys.exit(130)

    return run


@told
def main() -> None:
    app()


if __name__ == "__main__":
    main()
