"""Commands that make the loop turn: drop files, ask, tell, start a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cli import show
from cli.application import Json, app, stack
from cli.errors import Problem

PANEL = "The loop"
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Run every job, whatever an earlier run has done.")
]
run_app = typer.Typer(help="Start a run, or look at one.", invoke_without_command=True)
app.add_typer(run_app, name="run", rich_help_panel=PANEL)


@app.command(rich_help_panel=PANEL)
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
        show.console.print(escape(fate.line))
    if not any(fate.status == "accepted" for fate in fates):
        raise typer.Exit(1 if any(fate.status == "quarantined" for fate in fates) else 0)
    if follow:
        run_id = dropping.run_of(stack(), before, timeout)
        if run_id is None:
            raise Problem("no run has begun yet", "A run may be active: driftloop runs")
        record, _ = following.run(stack(), run_id)
        raise typer.Exit(record["status"] == "failed")


@app.command(rich_help_panel=PANEL)
def predict(
    text: Annotated[str, typer.Argument(help="The first required input, e.g. a review.")],
    field: Annotated[
        list[str] | None, typer.Option("--field", help="Another input as name=value.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Tell what mattered.")] = False,
    json: Json = False,
) -> None:
    """Ask the REST API for a prediction."""
    from cli import api, project, typed

    model = project.pipeline()["model"]
    first = (model.get("required") or model["inputs"])[0]
    record = {first: typed.value(first, text)}
    for pair in field or []:
        name, equals, value = pair.partition("=")
        if not equals:
            raise Problem(f"--field {pair}: write it as name=value")
        record[name] = typed.value(name, value)
    path = "/predictions?explain=true" if explain else "/predictions"
    answer = api.call(stack(), "POST", path, record)
    if json:
        show.as_json(answer)
        return
    for prediction in answer["predictions"]:
        shares = sorted(prediction.get("probabilities", {}).items())
        told = "  ".join(f"{label} {share:.0%}" for label, share in shares)
        show.console.print(f"[bold]{show.prediction(prediction)}[/bold]   {told}")
        for term in prediction.get("explanation", {}).get("terms", []):
            show.console.print(f"  {term['weight']:+.3f}  {escape(term['term'])}")
        show.console.print(
            f"model version {answer['model_version']}, inference id {prediction['inference_id']}"
        )


@app.command(rich_help_panel=PANEL)
def feedback(inference_id: str, label: str) -> None:
    """Tell the true label of an earlier prediction: the next run learns from it."""
    from cli import api, typed

    body = {"inference_id": inference_id, "label": typed.label(label)}
    answer = api.call(stack(), "POST", "/feedback", body)
    show.console.print(f"{answer['accepted']} label taken")


@run_app.callback()
def start_run(
    context: typer.Context,
    cause: Annotated[str, typer.Option(help="Why, in words.")] = "asked for on the command line",
    no_cache: NoCache = False,
    follow: Annotated[bool, typer.Option(help="Show it until it ends.")] = True,
) -> None:
    """Without a subcommand: train on all data there is, and deploy if the gate allows."""
    if context.invoked_subcommand is not None:
        return
    from cli import api
    from cli import follow as following

    started = api.call(stack(), "POST", "/runs", {"cause": cause, "no_cache": no_cache})
    if not follow:
        show.console.print(f"run {started['run_id']} starts")
        return
    record, _ = following.run(stack(), started["run_id"])
    raise typer.Exit(record["status"] == "failed")


@run_app.command("show")
def show_run(
    run_id: Annotated[str, typer.Argument(help="Its id, or the beginning of it.")] = "latest",
    json: Json = False,
) -> None:
    """One run: what it did, how long each state took, and why it failed."""
    from cli import describe

    describe.run(stack(), run_id, as_json=json)


@run_app.command("retry")
def retry_run(
    run_id: Annotated[str, typer.Argument(help="A run that failed, or the beginning of its id.")],
    accept_quality: Annotated[
        bool, typer.Option("--accept-quality", help="Take the data although checks broke.")
    ] = False,
    why: Annotated[str, typer.Option(help="Kept with the new run.")] = "",
    no_cache: NoCache = False,
    follow: Annotated[bool, typer.Option(help="Show it until it ends.")] = True,
) -> None:
    """Run a failed run's cause again, with the same files."""
    from cli import api, records
    from cli import follow as following

    if accept_quality and not why.strip():
        raise Problem("accepting broken checks needs a reason", 'Add: --why "..."')
    found = records.run(stack(), run_id)
    body = {"accept_quality": accept_quality, "why": why, "no_cache": no_cache}
    started = api.call(stack(), "POST", f"/runs/{found['run_id']}/retry", body)
    if not follow:
        show.console.print(f"run {started['run_id']} starts")
        return
    record, _ = following.run(stack(), started["run_id"])
    raise typer.Exit(record["status"] == "failed")


@run_app.command("stop")
def stop_run(
    run_id: Annotated[str, typer.Argument(help="Its id, or the beginning of it.")] = "latest",
    why: Annotated[str, typer.Option(help="Kept with the run.")] = "",
) -> None:
    """End an active run. Its files wait for a person: driftloop run retry."""
    from cli import api, records

    found = records.run(stack(), run_id)
    api.call(stack(), "POST", f"/runs/{found['run_id']}/stop", {"why": why})
    show.console.print(f"run {found['run_id']} is stopping")


@app.command(rich_help_panel=PANEL)
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


@app.command(rich_help_panel=PANEL)
def demo(
    data: Annotated[Path | None, typer.Option(help="Reviews to drop; else generated.")] = None,
    drift: Annotated[Path | None, typer.Option(help="Reviews to send as live traffic.")] = None,
    keep: Annotated[bool, typer.Option(help="Leave the local cloud up.")] = True,
) -> None:
    """The whole loop on a fresh local cloud: drop, train, serve, drift, retrain."""
    from cli import demo as whole

    raise typer.Exit(not whole.run(data, drift, keep))
