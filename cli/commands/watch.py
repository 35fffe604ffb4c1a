"""Commands that watch: what ran, what serves, what drifted, what was said."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import show
from cli.application import Json, Limit, app, stack

PANEL = "Watch"
drift_app = typer.Typer(help="What the monitor found.", invoke_without_command=True)
app.add_typer(drift_app, name="drift", rich_help_panel=PANEL)


@app.command(rich_help_panel=PANEL)
def runs(limit: Limit = 20, json: Json = False) -> None:
    """Runs, newest first."""
    from cli import records

    found = records.runs(stack(), limit)
    if json:
        show.as_json(found)
        return
    columns = ("run_id", "reason", "status", "outcome", "model_version", "cause")
    show.table(found, columns)


@drift_app.callback()
def drift(context: typer.Context, limit: Limit = 10, json: Json = False) -> None:
    """Without a subcommand: what the monitor found in live traffic, and what was decided."""
    if context.invoked_subcommand is not None:
        return
    from cli import describe, records

    found = records.drift(stack(), limit)
    if json:
        show.as_json(found)
        return
    describe.drift(found, records.monitor_notes(stack()))


@drift_app.command("show")
def show_look(
    time: Annotated[str, typer.Argument(help="Its time, or the beginning of it.")] = "latest",
    json: Json = False,
) -> None:
    """One look in full: what drifted and how far, what was decided, the incident, the report."""
    from cli import describe

    describe.look(stack(), time, as_json=json)


@app.command(rich_help_panel=PANEL)
def notifications(limit: Limit = 20, json: Json = False) -> None:
    """What people were told, newest first."""
    from cli import records

    found = records.notifications(stack(), limit)
    if json:
        show.as_json(found)
        return
    show.table(found, ("time", "kind", "subject"))


@app.command(rich_help_panel=PANEL)
def logs(
    run_id: Annotated[str | None, typer.Argument(help="A run; `latest` is one.")] = None,
    function: Annotated[str | None, typer.Option(help="intake, run_step, api, ...")] = None,
    endpoint: Annotated[bool, typer.Option("--endpoint", help="The model's own log.")] = False,
    minutes: Annotated[int, typer.Option(help="How far back, for functions.")] = 60,
) -> None:
    """Logs of a run's jobs, of a function, or of the endpoint."""
    from cli import describe

    describe.logs(stack(), run_id, function, endpoint, minutes)
