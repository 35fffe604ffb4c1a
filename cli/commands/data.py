"""Commands about the data: what was refused, and what the datasets hold."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from cli import show
from cli.application import Json, Limit, app, stack

PANEL = "Data"
Dataset = Annotated[str | None, typer.Option("--dataset", help="Another dataset.")]
quarantine_app = typer.Typer(help="Files that intake refused.", no_args_is_help=True)
dataset_app = typer.Typer(help="Versions of a dataset.", no_args_is_help=True)
app.add_typer(quarantine_app, name="quarantine", rich_help_panel=PANEL)
app.add_typer(dataset_app, name="dataset", rich_help_panel=PANEL)


@quarantine_app.command("list")
def list_quarantine(dataset: Dataset = None, limit: Limit = 20, json: Json = False) -> None:
    """Files that were refused, newest first, with the reason's code."""
    from cli import quarantine

    found = quarantine.every(stack(), dataset)[:limit]
    if json:
        show.as_json(found)
        return
    show.table(found, ("id", "state", "reason", "source_key", "at"))


@quarantine_app.command("show")
def show_quarantined(refusal_id: str, json: Json = False) -> None:
    """One refused file: why, how to mend it, and how it begins."""
    from cli import quarantine

    entry = quarantine.one(stack(), refusal_id)
    if json:
        show.as_json(entry)
        return
    for name in ("id", "state", "source_key", "size", "at", "reason", "message"):
        show.console.print(f"{name.replace('_', ' '):<12} {escape(str(show.plain(entry[name])))}")
    for name, words in (entry.get("released") or {}).items():
        show.console.print(f"{'released ' + name:<12} {escape(str(words))}")
    show.console.print(f"{'file':<12} {escape(entry['key'])}")
    begins = quarantine.head(stack(), entry)
    show.console.print(f"{'begins':<12} {escape(repr(begins[:300]))}")


@quarantine_app.command("release")
def release(
    refusal_id: str,
    why: Annotated[str, typer.Option(help="Kept with your name.", prompt="Why")],
    timeout: Annotated[int, typer.Option(help="Seconds to wait for intake.")] = 120,
) -> None:
    """Drop a refused file again: judged anew, however large it is or however far it unpacks."""
    from cli import drop, quarantine

    entry = quarantine.one(stack(), refusal_id)
    put = quarantine.release(stack(), entry, why)
    (fate,) = drop.fates(stack(), put, entry["dataset"], timeout)
    show.console.print(escape(fate.line))
    raise typer.Exit(fate.status == "quarantined")


@dataset_app.command("versions")
def versions(dataset: Dataset = None, limit: Limit = 20, json: Json = False) -> None:
    """Versions, newest first: one for each run that brought rows."""
    from cli import datasets

    found = datasets.versions(stack(), dataset, limit)
    if json:
        show.as_json(found)
        return
    for each in found:
        each |= {"new_rows": each["rows"]["curated"], "arrivals": len(each["arrivals"])}
    columns = ("version", "created_at", "arrivals", "new_rows", "total_rows", "schema_hash")
    show.table(found, columns)


@dataset_app.command("show")
def show_version(
    version: Annotated[str, typer.Argument(help="Its id, or the beginning of it.")] = "latest",
    dataset: Dataset = None,
    json: Json = False,
) -> None:
    """One version: where its rows went, and the arrivals that came with it."""
    from cli import datasets

    found = datasets.version(stack(), dataset, version)
    if json:
        show.as_json(found)
        return
    for name in ("version", "dataset", "created_at", "before", "total_rows", "files"):
        show.console.print(f"{name.replace('_', ' '):<12} {escape(str(found[name]))}")
    rows = ", ".join(f"{count} {name}" for name, count in found["rows"].items())
    show.console.print(f"{'new rows':<12} {rows}")
    schema = ", ".join(f"{name} {kind}" for name, kind in found["schema"].items())
    show.console.print(f"{'schema':<12} {escape(schema)}")
    show.table(found["arrivals"], ("arrival_id", "source_key", "rows", "etag", "raw_version_id"))


@dataset_app.command("diff")
def diff(one: str, other: str, dataset: Dataset = None, json: Json = False) -> None:
    """What changed from one version to another: rows, runs, columns."""
    from cli import datasets

    found = datasets.diff(
        datasets.version(stack(), dataset, one), datasets.version(stack(), dataset, other)
    )
    if json:
        show.as_json(found)
        return
    for name, value in found.items():
        words = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        show.console.print(f"{name.replace('_', ' '):<16} {escape(words or '-')}")
