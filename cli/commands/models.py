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
    show.table(found, ("model_version", "state", "accuracy", "run_id", "created_at"))


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
    show.console.print(f'uploaded; in pipeline.toml, under [training]: pretrained = "{put}"')


def _state(model: dict[str, Any]) -> str:
    """In service, waiting for a person, or as the registry says."""
    if model["in_service"]:
        return "in service"
    if (model.get("approval") or {}).get("status") == "pending":
        return f"waits for approval until {model['approval']['expires_at']}"
    return str(model["status"])
