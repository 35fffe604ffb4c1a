"""Records as columns: from the training sample's Parquet, or from captured requests.

A column is a list with one value a record, None where it is missing.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

Columns = dict[str, list[Any]]


def parquet(folder: Path) -> Columns:
    """Every Parquet file of a folder."""
    columns: Columns = {}
    for path in sorted(folder.rglob("*.parquet")):
        for name, values in pq.read_table(path).to_pydict().items():
            columns.setdefault(_name(name), []).extend(values)
    return columns


def captured(folder: Path, start: str, end: str) -> Columns:
    """Records of requests captured in [start, end)."""
    rows = list(_rows(folder, _moment(start), _moment(end)))
    names = dict.fromkeys(name for row in rows for name in row)
    return {_name(name): [row.get(name) for row in rows] for name in names}


def _rows(folder: Path, start: datetime | None, end: datetime | None) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.rglob("*.jsonl")):
        with path.open(encoding="utf-8") as file:
            for line in file:
                event = json.loads(line)
                moment = _moment(event["eventMetadata"]["inferenceTime"])
                if moment and (start is None or moment >= start) and (end is None or moment < end):
                    yield from _of(event)


def _of(event: dict[str, Any]) -> list[dict[str, Any]]:
    part = event["captureData"].get("endpointInput")
    if not part:
        return []
    data = part["data"]
    if part["encoding"] == "BASE64":
        data = base64.b64decode(data).decode("utf-8", "replace")
    found: list[dict[str, Any]] = json.loads(data)["records"]
    return found


def _moment(words: str) -> datetime | None:
    return datetime.fromisoformat(words.replace("Z", "+00:00")) if words else None


def _name(name: str) -> str:
    """Baselines hold lower case, digits and `_`."""
    return re.sub(r"[^a-z0-9_]", "_", name.lower())
