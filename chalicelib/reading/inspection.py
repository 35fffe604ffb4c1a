"""Is a dropped file one that its dataset takes? Reads it once, in pieces, and writes its rows.

The whole file is read: a truncated gzip and a wrong byte show only there. Memory stays within a
few pieces, whatever the file's size.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chalicelib.reading import column_types, delimited, header, jsonlines, kinds, parquet, unpacking
from chalicelib.reading.refusals import RefusedError
from chalicelib.reading.rows import Rows, RowWriter, Sink
from chalicelib.reading.utf8 import utf8

if TYPE_CHECKING:
    from chalicelib.schema import Dataset

MEGABYTE = 1024 * 1024
MOST_TEXT = 16 * 1024**3  # unpacked, in bytes: what a function has the time and /tmp for
PARQUET = "parquet"
# Types of a Parquet file that a declared type may be read from; text may be read as any.
READABLE = {
    "integer": {"int", "bigint"},
    "number": {"int", "bigint", "float", "double", "decimal"},
    "boolean": {"boolean"},
    "date": {"date", "timestamp"},
}


@dataclass(frozen=True)
class Inspected:
    """A file that the dataset takes."""

    digest: str  # sha256 of its bytes, in hex
    kind: kinds.Kind
    rows: int
    columns: tuple[str, ...]  # of the file, in its order
    types: dict[str, str] = field(default_factory=dict)  # Hive's, of columns with values
    warnings: tuple[str, ...] = ()
    parts: tuple[int, ...] = ()  # bytes of each gzip file of rows, as they lie in the sink
    text_bytes: int = 0  # of the rows, before gzip
    line_ends: bool = False  # whether a value of the rows holds one

    @property
    def is_text(self) -> bool:
        """Whether its rows were written to the sink; Athena reads Parquet as it is."""
        return self.kind.format != PARQUET


def inspect(
    name: str,
    size: int,
    pieces: Iterable[bytes],
    dataset: Dataset,
    sink: Sink,
    *,
    waived: bool = False,
) -> Inspected:
    """Read a file once and write its rows; RefusedError says what is wrong with it.

    `waived`: a person lets the file through whatever its size and ratio, up to MOST_TEXT.
    """
    check_size(name, size, None if waived else dataset.max_mb)
    digest = hashlib.sha256()
    raw = _hashed(pieces, digest)
    first = next(raw, b"")
    kind = kinds.of(name, first)
    raw = itertools.chain([first], raw)
    if kind.format == PARQUET:
        found = parquet.footer(name, _tail(raw))
        return _parquet(name, digest.hexdigest(), kind, found, dataset)
    writer = RowWriter(sink)
    columns = read_text(
        name, kind, raw, dataset, writer, float("inf") if waived else dataset.max_ratio
    )
    writer.end()
    for _ in raw:  # what follows the compressed data counts for the digest
        pass
    return Inspected(
        digest.hexdigest(),
        kind,
        writer.rows,
        columns.names,
        column_types.of_rows(writer.names, writer.sample),
        tuple(header.notes(columns, dataset)),
        parts=tuple(writer.parts),
        text_bytes=writer.text_bytes,
        line_ends=writer.line_ends,
    )


def check_size(name: str, size: int, max_mb: int | None) -> None:
    if size == 0:
        raise RefusedError("empty", f"{name} is empty. Drop it again with its rows.")
    if max_mb is not None and size > max_mb * MEGABYTE:
        raise RefusedError(
            "too_large",
            f"{name} has {size / MEGABYTE:.0f} MB; {max_mb} is the most "
            "(the dataset's max_mb). Split it.",
        )


def read_text(
    name: str,
    kind: kinds.Kind,
    raw: Iterable[bytes],
    dataset: Dataset,
    writer: Rows,
    max_ratio: float,
) -> header.Header:
    """Write the rows of a text of any kind; returns its header."""
    text = utf8(name, dataset.encoding, _text(name, kind, raw, max_ratio))
    read = jsonlines.read if kind.format == "jsonl" else delimited.read
    return read(name, text, dataset, writer)


def _parquet(
    name: str, digest: str, kind: kinds.Kind, found: parquet.Footer, dataset: Dataset
) -> Inspected:
    if not found.rows:
        raise RefusedError("no_rows", f"{name} has columns and no rows.")
    columns = header.of_names(name, list(found.columns), dataset)
    for column in dataset.columns:
        seen = found.columns.get(column.name, "string").split("(")[0]
        readable = READABLE.get(column.type)
        if seen == "nested" or (readable and seen not in readable | {"string"}):
            raise RefusedError(
                "wrong_type",
                f"{name}: the column {column.name} is {found.columns[column.name]}; "
                f"{column.type} is declared.",
            )
    notes = tuple(header.notes(columns, dataset))
    return Inspected(digest, kind, found.rows, columns.names, found.columns, notes)


def _text(name: str, kind: kinds.Kind, raw: Iterable[bytes], ratio: float) -> Iterator[bytes]:
    """The unpacked content; what is no text is told by its first bytes."""
    unpacked = _within(name, unpacking.unpacked(name, kind.compression, raw, ratio))
    first = next(filter(None, unpacked), b"")
    kinds.not_packed_twice(name, first)
    kinds.not_a_stranger(name, first)
    yield first
    yield from unpacked


def _within(name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    taken = 0
    for piece in pieces:
        taken += len(piece)
        if taken > MOST_TEXT:
            raise RefusedError(
                "too_large",
                f"{name} holds more than {MOST_TEXT / MEGABYTE:,.0f} MB of text, the most that "
                "intake has time for. Split it.",
            )
        yield piece


def _hashed(pieces: Iterable[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    for piece in pieces:
        digest.update(piece)
        yield piece


def _tail(pieces: Iterable[bytes]) -> bytes:
    """The last bytes, a bounded number."""
    tail = b""
    for piece in pieces:
        tail = (tail + piece)[-parquet.TAIL :]
    return tail
