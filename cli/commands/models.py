"""Commands about model versions: which there are, and which may go into service."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from cli import show
from cli.application import Json, Limit, app, stack
from cli.errors import Problem

PANEL = "Models"
models_app = typer.Typer(help="Model versions.", invoke_without_command=True)
app.add_typer(models_app, name="models", rich_help_panel=PANEL)
Version = Annotated[int, typer.Argument(min=1, help="A model version.")]


@models_app.callback()
def models(context: typer.Context, limit: Limit = 20, json: Json = False) -> None:
    """Without a subcommand: versions in the registry, newest first, and what each measured."""
    if context.invoked_subcommand is not None:
        return
    from cli import api

    found = api.call(stack(), "GET", f"/models?limit={min(limit, 100)}")["models"]
    if json:
        show.as_json(found)
        return
    for model in found:
        model["accuracy"] = (model.get("evaluation") or {}).get("accuracy")
        model["state"] = _state(model)
        model["created"] = model["created_at"][:10]
    show.table(found, ("model_version", "state", "accuracy", "run_id", "created"))


@models_app.command("show")
def show_model(version: Version, json: Json = False) -> None:
    """One version: where it serves, what it measured, the gate's word, who approved it."""
    from cli import describe, versions

    found = versions.facts(stack(), version)
    if json:
        show.as_json(found)
        return
    describe.model(found)


@models_app.command("lineage")
def show_lineage(version: Version, json: Json = False) -> None:
    """What a version was made of: data, code, parameters, image, environment, run."""
    from cli import versions

    found = versions.lineage(stack(), version)
    if json:
        show.as_json(found)
        return
    show.console.print(versions.tree(version, found))


@models_app.command("reproduce")
def reproduce_model(version: Version, json: Json = False) -> None:
    """Train a version again from its lineage and compare; exits with 1 where it differs."""
    from cli import reproduce

    found = reproduce.run(stack(), version, show.progress)
    if json:
        show.as_json({"job": found.job, "reproduced": found.reproduced, "compared": found.rows})
        raise typer.Exit(not found.reproduced)
    rows = [{**row, "same": "yes" if row["then"] == row["now"] else "no"} for row in found.rows]
    for row in rows:
        row |= {side: _short(row[side]) for side in ("then", "now")}
    show.table(rows, ("what", "then", "now", "same"))
    words = (
        "is reproduced: every file of the model is the same"
        if found.reproduced
        else ("is not reproduced")
    )
    show.console.print(f"version {version} {words}")
    raise typer.Exit(not found.reproduced)


@app.command(rich_help_panel=PANEL)
def approve(
    version: Version,
    reject: Annotated[bool, typer.Option("--reject", help="Do not put it into service.")] = False,
    reason: Annotated[str, typer.Option(help="Kept with the decision; a rejection needs it.")] = "",
) -> None:
    """Let a version that waits for approval go into service, or reject it."""
    from cli import api

    if reject and not reason.strip():
        raise Problem("a rejection needs a reason", 'Add: --reason "..."')
    body = {"decision": "reject" if reject else "approve", "reason": reason}
    decided = api.call(stack(), "POST", f"/models/{version}/approval", body)
    goes_on = "" if reject else f": run {decided['run']} puts it into service"
    show.console.print(f"version {version} is {decided['status']}{escape(goes_on)}")


pretrained_app = typer.Typer(help="Encoders that a transformer begins with.", no_args_is_help=True)
app.add_typer(pretrained_app, name="pretrained", rich_help_panel=PANEL)


@pretrained_app.command("upload")
def upload_pretrained(
    source: Annotated[str, typer.Argument(help="An encoder's folder, or minilm.")],
    name: Annotated[str, typer.Option(help="Its name; else the folder's.")] = "",
) -> None:
    """Put an encoder where training finds it; its name goes into training.pretrained."""
    from cli import pretrained

    put = pretrained.upload(stack(), source, name)
    words = f'uploaded; in pipeline.toml, under [training]: pretrained = "{put}"'
    show.console.print(escape(words))


def _state(model: dict[str, Any]) -> str:
    """In service, waiting for a person, or as the registry says."""
    if model["in_service"]:
        return "in service"
    if (model.get("approval") or {}).get("status") == "pending":
        return "waits for approval"
    return str(model["status"])


def _short(value: Any) -> Any:
    """A digest, as far as people compare it."""
    return value[:16] if isinstance(value, str) else value
