"""Rows as the one kind of text that Athena reads for every dataset, whatever was dropped.

Hive's own: values end at Ctrl-A, rows at a line's end, nothing is quoted; a header names the
columns, first `row_number` (1 is the first row below the header) and `row_fault` (what is wrong
with the row as a whole, empty where nothing is). A line's end inside a value is written as
LINE_END and put back by the conversion. The file is gzip, which Glue's classifiers read.
https://docs.aws.amazon.com/athena/latest/ug/lazy-simple-serde.html
https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Protocol

DELIMITER = b"\x01"
LINE_END = b"\x1e"
ADDED = ("row_number", "row_fault")
LEVEL = 1  # the rows are read a few times: quick beats small
PART = 64 * 1024 * 1024  # of text: gzip cannot be split, so this is a reader's least share
SAMPLE_ROWS, SAMPLE_BYTES = 500, 1024 * 1024  # the first rows, which tell the columns' types
CONTROL = "the row holds the control character Ctrl-A"


class Sink(Protocol):
    def write(self, data: bytes, /) -> object: ...


class Rows(Protocol):
    """Takes the rows of a file: the header first, then blocks of them."""

    rows: int

    def header(self, names: Iterable[str], /) -> None: ...

    def block(self, rows: list[bytes], /) -> None:
        """Each is `fault DELIMITER value DELIMITER value ...`."""
        ...


class RowWriter:
    """Writes numbered rows as gzip, a new part with its own header after every PART bytes."""

    def __init__(self, sink: Sink) -> None:
        self.rows = 0
        self.text_bytes = 0
        self.line_ends = False  # whether a value holds one
        self.parts: list[int] = []  # gzip bytes of each, one after the other in the sink
        self.names: tuple[str, ...] = ()
        self.sample: list[bytes] = []  # the first rows, as `block` took them
        self._sampled = 0
        self._sink = sink
        self._header = b""

    def header(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self._header = DELIMITER.join(each.encode() for each in (*ADDED, *self.names)) + b"\n"
        self._begin()

    def block(self, rows: list[bytes]) -> None:
        """Rows whose values are joined already: `fault DELIMITER value DELIMITER value ...`."""
        self._keep(rows)
        number = self.rows
        numbered = [b"%d\x01%b" % (at, row) for at, row in enumerate(rows, number + 1)]
        self.rows = number + len(rows)
        if not numbered:
            return
        numbered.append(b"")
        if self._plain > PART:
            self.end()
            self._begin()
        self._write(b"\n".join(numbered))

    def end(self) -> None:
        self._put(self._zip.flush())

    def _keep(self, rows: list[bytes]) -> None:
        for row in rows[: SAMPLE_ROWS - len(self.sample)]:
            if self._sampled >= SAMPLE_BYTES:
                return
            self.sample.append(row)
            self._sampled += len(row)

    def _begin(self) -> None:
        self._zip = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)
        self._plain = 0
        self.parts.append(0)
        self._write(self._header)

    def _write(self, text: bytes) -> None:
        self._plain += len(text)
        self.text_bytes += len(text)
        self.line_ends = self.line_ends or LINE_END in text
        self._put(self._zip.compress(text))

    def _put(self, packed: bytes) -> None:
        self.parts[-1] += len(packed)
        self._sink.write(packed)


def clean(value: bytes) -> bytes:
    """A value without what would end it or its row."""
    if b"\n" in value or b"\r" in value:
        value = value.replace(b"\r\n", LINE_END).replace(b"\n", LINE_END).replace(b"\r", LINE_END)
    return value


def joined(values: list[bytes], fault: str = "") -> bytes:
    """One row from its values."""
    row = DELIMITER.join(values)
    if row.count(DELIMITER) >= len(values):
        fault = fault or CONTROL
        row = DELIMITER.join(value.replace(DELIMITER, b" ") for value in values)
    return clean(fault.encode().replace(DELIMITER, b" ") + DELIMITER + row)
