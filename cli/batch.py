"""Predictions of files: put one under batch/in/, follow it, fetch what lies under batch/out/."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from rich.markup import escape

from cli import records, show, target
from cli.errors import Problem

LOOK_EVERY = 0.25
ENDED = ("succeeded", "failed")


def upload(stack: str, path: Path) -> tuple[str, str]:
    """Put a file under batch/in/; its key and version."""
    if not path.is_file():
        raise Problem(f"{path} is not a file")
    key = f"batch/in/{path.name}"
    with path.open("rb") as body:
        answer = target.client("s3").put_object(
            Bucket=target.outputs(stack)["DataBucket"], Key=key, Body=body
        )
    return key, str(answer.get("VersionId", ""))


def follow(stack: str, put: tuple[str, str], timeout: float) -> dict[str, Any]:
    """Show what becomes of a file until it has ended; its record."""
    deadline, shown = time.monotonic() + timeout, ""
    with show.console.status("") as spinner:
        while True:
            record = find(stack, put) or {"status": "waiting"}
            if record["status"] != shown:
                shown = str(record["status"])
                spinner.update(f"[cyan]{shown}[/cyan]")
                show.progress(_words(record))
            if shown in ENDED:
                return record
            if time.monotonic() > deadline:
                raise Problem(
                    f"{put[0]} has not ended in {timeout:.0f} s: {shown}",
                    "It goes on: driftloop batch list",
                )
            time.sleep(LOOK_EVERY)


def find(stack: str, put: tuple[str, str]) -> dict[str, Any] | None:
    """The record of a file that was put, once its machine has begun."""
    for record in records.batches(stack, None):
        if (record["key"], record.get("version_id")) == put:
            return record
    return None


def fetch(stack: str, record: dict[str, Any], folder: Path) -> list[Path]:
    """The answers, the manifest and any rejects, into a folder."""
    bucket, made = target.outputs(stack)["DataBucket"], []
    suffixes = ["out", "manifest.json", *(["rejects.jsonl"] if record["rejected"] else [])]
    folder.mkdir(parents=True, exist_ok=True)
    for suffix in suffixes:
        path = folder / f"{Path(record['name']).name}.{suffix}"
        key = f"batch/out/{record['name']}.{suffix}"
        target.client("s3").download_file(bucket, key, str(path))
        made.append(path)
    return made


def _words(record: dict[str, Any]) -> str:
    status, rows = str(record["status"]), record.get("rows")
    return f"{status}, {rows} rows, {record['rejected']} rejected" if rows else status


def tell_failure(record: dict[str, Any]) -> None:
    show.console.print(f"[red]{escape(str(record['message']))}[/red]")
