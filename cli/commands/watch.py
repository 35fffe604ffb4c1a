"""Commands that watch: what ran, what serves, what drifted, what was said."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import show
from cli.application import Json, Limit, app, stack

PANEL = "Watch"


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


@app.command(rich_help_panel=PANEL)
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


@app.command(rich_help_panel=PANEL)
def drift(limit: Limit = 10, json: Json = False) -> None:
    """What the monitor found in live traffic, and what was decided."""
    from cli import describe, records

    found = records.drift(stack(), limit)
    if json:
        show.as_json(found)
        return
    describe.drift(found)


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
