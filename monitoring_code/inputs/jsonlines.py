"""JSON lines as Arrow tables, one bounded block of whole lines at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.json as reader

BLOCK = 32 * 1024 * 1024
NEWLINE = ord("\n")


@dataclass
class Rejects:
    """Lines and payloads that could not be read, by why; a job tells of them, never fails."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, why: str, count: int = 1) -> None:
        if count:
            self.counts[why] = self.counts.get(why, 0) + count

    def __str__(self) -> str:
        return ", ".join(f"{count} {why}" for why, count in self.counts.items())


def blocks(paths: Iterable[Path], size: int = BLOCK) -> Iterator[memoryview]:
    """Whole lines of all files in turn, about `size` bytes together; each is valid until the next.

    One buffer serves for all: fresh memory for every block costs as much as reading does.
    """
    held, filled = bytearray(size), 0
    for path in paths:
        with path.open("rb", buffering=0) as file:
            while read := file.readinto(memoryview(held)[filled:]):
                filled += read
                if filled == len(held):
                    cut = held.rfind(b"\n") + 1
                    if cut:
                        yield memoryview(held)[:cut]
                        held[: filled - cut] = held[cut:filled]
                        filled -= cut
                    else:  # a line longer than the buffer
                        held = held + bytearray(len(held))
        if filled and held[filled - 1] != NEWLINE:
            held[filled : filled + 1] = b"\n"
            filled += 1
    if filled:
        yield memoryview(held)[:filled]


def tables(
    paths: Iterable[Path], rejects: Rejects, schema: pa.Schema | None = None
) -> Iterator[pa.Table]:
    """The lines' members as columns; with a schema, those of the schema only."""
    for block in blocks(paths):
        yield table(block, rejects, schema)


def table(block: bytes | memoryview, rejects: Rejects, schema: pa.Schema | None = None) -> pa.Table:
    """One block; where Arrow cannot read it, line by line, without the lines that are no JSON."""
    options = reader.ParseOptions(
        explicit_schema=schema,
        unexpected_field_behavior="ignore" if schema is not None else "infer",
    )
    try:
        return reader.read_json(pa.BufferReader(block), parse_options=options)
    except pa.ArrowInvalid:
        rows = list(_rows(bytes(block), rejects))
    if schema is None:
        return from_rows(rows)
    kept = []
    for row in rows:
        try:
            kept.append(pa.Table.from_pylist([row], schema=schema))
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            rejects.add("lines of another shape")
    return pa.concat_tables([schema.empty_table(), *kept]).combine_chunks()


def from_rows(rows: list[dict[str, Any]]) -> pa.Table:
    """Objects as columns; a column of several types becomes text."""
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: _column([row.get(name) for row in rows]) for name in names})


def _rows(block: bytes, rejects: Rejects) -> Iterator[dict[str, Any]]:
    for line in block.splitlines():
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            rejects.add("lines that are no JSON")
            continue
        if isinstance(row, dict):
            yield row
        else:
            rejects.add("lines that are no object")


def _column(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([_text(value) for value in values], pa.string())


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
