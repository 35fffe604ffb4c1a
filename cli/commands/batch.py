"""Commands that predict whole files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

from cli import show
from cli.application import Json, Limit, app, stack

PANEL = "The loop"


class FileOrCommand(TyperGroup):
    """`batch FILE` predicts the file; `batch list` is a command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["send", *args]
        return list(super().parse_args(ctx, args))


batch_app = typer.Typer(cls=FileOrCommand, no_args_is_help=True)
app.add_typer(
    batch_app,
    name="batch",
    help="Predict a file by batch transform: driftloop batch FILE.",
    rich_help_panel=PANEL,
)


@batch_app.command("send")
def send(
    file: Annotated[Path, typer.Argument(help="csv, tsv or JSON lines; gzip or zstd too.")],
    wait: Annotated[bool, typer.Option("--wait", help="Follow it and fetch the answers.")] = False,
    to: Annotated[Path, typer.Option(help="Where the answers go.")] = Path(),
    timeout: Annotated[int, typer.Option(help="Seconds to wait for the answers.")] = 3600,
) -> None:
    """Upload a file under batch/in/; its answers come under batch/out/. `send` may be left out."""
    from cli import batch

    put = batch.upload(stack(), file)
    if not wait:
        show.console.print(f"{escape(put[0])} is there; its state: driftloop batch list")
        return
    record = batch.follow(stack(), put, timeout)
    if record["status"] == "failed":
        batch.tell_failure(record)
        raise typer.Exit(1)
    for path in batch.fetch(stack(), record, to):
        show.console.print(f"fetched {escape(str(path))}")


@batch_app.command("list")
def list_batches(limit: Limit = 20, json: Json = False) -> None:
    """Files that were predicted, or are being, newest first."""
    from cli import records

    found = records.batches(stack(), limit)
    if json:
        show.as_json(found)
        return
    show.table(
        found, ("name", "status", "rows", "rejected", "model_version", "started_at", "message")
    )
