"""Commands about the cloud: the local one, and the stack on either."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from cli import show
from cli.application import Json, app, chosen, stack

PANEL = "The cloud"


@app.command(rich_help_panel=PANEL)
def up(port: Annotated[int | None, typer.Option(help="4566, or any free one.")] = None) -> None:
    """Start the local cloud; what an earlier one remembered is still there."""
    from cli import local

    found = local.start(port)
    show.console.print(f"the local cloud is up at {found.endpoint} (process {found.pid})")
    show.console.print("other AWS tools:  source .driftloop/activate")


@app.command(rich_help_panel=PANEL)
def down() -> None:
    """Stop the local cloud; its state is kept."""
    from cli import local

    was = local.stop()
    show.console.print("the local cloud is down" if was else "the local cloud was not up")


@app.command(rich_help_panel=PANEL)
def deploy(
    schedule: Annotated[
        str | None, typer.Option(help="How often the monitor looks, e.g. 'rate(15 minutes)'.")
    ] = None,
    email: Annotated[str | None, typer.Option(help="Who gets notifications.")] = None,
) -> None:
    """Package the project and bring the stack to what it says."""
    from cli import deploy as deployment

    given = {"MonitorSchedule": schedule, "NotificationEmail": email}
    parameters = {name: value for name, value in given.items() if value is not None}
    made = deployment.deploy(chosen.stack, parameters, show.progress)
    show.console.print(f"[green]{made.stack}[/green] is deployed in {show.seconds(made.seconds)}")
    show.console.print(f"drop files:  driftloop drop FILE\nREST API:    {made.outputs['ApiUrl']}")


@app.command(rich_help_panel=PANEL)
def destroy(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete the stack with its data, models and endpoint."""
    from cli import teardown

    if not yes:
        typer.confirm(f"Delete {stack()} and all its data?", abort=True)
    teardown.delete(chosen.stack, show.progress)


@app.command(rich_help_panel=PANEL)
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
