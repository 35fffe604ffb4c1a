"""JSON lines as rows: one object a line, its keys the columns."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from chalicelib.reading import header as headers
from chalicelib.reading.delimited import lines
from chalicelib.reading.refusals import RefusedError
from chalicelib.reading.rows import Rows, joined

if TYPE_CHECKING:
    from chalicelib.schema import Dataset

SHOWN = 100


def read(name: str, pieces: Iterable[bytes], dataset: Dataset, writer: Rows) -> headers.Header:
    """Write every object of UTF-8 text as a row; returns the keys seen as a header."""
    wanted = [column.name for column in dataset.columns]
    writer.header(wanted)
    seen: dict[str, None] = {}
    for block in lines(name, pieces):
        found = [line for line in block.splitlines() if line.strip()]
        if found and not writer.rows and _object(found[0]) is None:
            raise RefusedError(
                "broken_json",
                f"{name}: line 1 is not a JSON object: {_shown(found[0])!r}. "
                "Wanted: one object a line.",
            )
        writer.block([_row(line, wanted, seen) for line in found])
    if not writer.rows:
        raise RefusedError("empty", f"{name} holds nothing. Drop it again with its rows.")
    return headers.of_names(name, list(seen), dataset)


def _row(line: bytes, wanted: list[str], seen: dict[str, None]) -> bytes:
    record = _object(line)
    if record is None:
        return joined([b""] * len(wanted), f"the line is not a JSON object: {_shown(line)}")
    seen.update(dict.fromkeys(record))
    return joined([_text(record.get(name)) for name in wanted])


def _object(line: bytes) -> dict[str, Any] | None:
    """Numbers stay as they are written."""
    try:
        found = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    return {key.strip().lower(): value for key, value in found.items()}


def _shown(line: bytes) -> str:
    return line[:SHOWN].decode("utf-8", "replace")


def _text(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    if value is None:
        return b""
    if isinstance(value, bool):
        return b"true" if value else b"false"
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
