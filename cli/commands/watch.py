"""Commands that watch: what ran, what serves, what drifted, what was said."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from cli import show
from cli.application import Json, Limit, app, stack

PANEL = "Watch"
runs_app = typer.Typer(help="Runs, newest first.", invoke_without_command=True)
app.add_typer(runs_app, name="runs", rich_help_panel=PANEL)
drift_app = typer.Typer(help="What the monitor found.", invoke_without_command=True)
app.add_typer(drift_app, name="drift", rich_help_panel=PANEL)


@runs_app.callback()
def runs(context: typer.Context, limit: Limit = 20, json: Json = False) -> None:
    """Without a subcommand: runs, newest first."""
    if context.invoked_subcommand is not None:
        return
    from cli import records

    found = records.runs(stack(), limit)
    if json:
        show.as_json(found)
        return
    columns = ("run_id", "reason", "status", "outcome", "model_version", "cause")
    show.table(found, columns)


@runs_app.command("compare")
def compare_runs(
    one: Annotated[str, typer.Argument(help="A run, or the beginning of its id.")],
    other: Annotated[str, typer.Argument(help="Another; `latest` is one.")] = "latest",
    every: Annotated[bool, typer.Option("--all", help="What is the same in both too.")] = False,
    json: Json = False,
) -> None:
    """Two runs side by side: parameters, data, metrics, slices, durations, and what differs."""
    from cli import run_comparison

    rows = run_comparison.compare(stack(), one, other)
    if json:
        show.as_json([{**asdict(row), "differs": row.differs} for row in rows])
        return
    shown = [row for row in rows if every or row.differs]
    listed = [{**asdict(row), "difference": row.difference} for row in shown]
    show.table(listed, ("section", "name", "one", "other", "difference"))
    show.console.print(f"{sum(row.differs for row in rows)} of {len(rows)} values differ")


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
    run_id: Annotated[str, typer.Argument(help="A run, or the beginning of its id.")] = "latest",
    step: Annotated[str, typer.Option(help="One job's only: prepare, train, ...")] = "",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on as lines come, until the run's end.")
    ] = False,
    function: Annotated[str | None, typer.Option(help="intake, run_step, api, ...")] = None,
    endpoint: Annotated[bool, typer.Option("--endpoint", help="The model's own log.")] = False,
    minutes: Annotated[int, typer.Option(help="How far back, for functions.")] = 60,
) -> None:
    """Logs of a run's jobs, of a function, or of the endpoint."""
    from cli import describe

    describe.logs(
        stack(),
        run_id,
        step=step,
        function=function,
        endpoint=endpoint,
        minutes=minutes,
        follow=follow,
    )
