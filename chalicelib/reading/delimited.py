"""Delimited text as rows: unquoted lines by bytes, quoted ones by the csv module."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from chalicelib.reading import header as headers
from chalicelib.reading.refusals import RefusedError
from chalicelib.reading.rows import DELIMITER, LINE_END, Rows, joined

if TYPE_CHECKING:
    from chalicelib.schema import Dataset

HEADER_LIMIT = 1024 * 1024
ROW_LIMIT = 16 * 1024 * 1024
BATCH = 4 * 1024 * 1024  # bytes of rows that are written at once


def read(name: str, pieces: Iterable[bytes], dataset: Dataset, writer: Rows) -> headers.Header:
    """Write every row of UTF-8 text; returns the header."""
    csv.field_size_limit(ROW_LIMIT)
    blocks = lines(name, pieces)
    first = next(blocks, b"")
    if not first.strip():
        raise RefusedError("empty", f"{name} holds nothing. Drop it again with its rows.")
    line, _, rest = first.partition(b"\n")
    if len(line) > HEADER_LIMIT:
        raise RefusedError("binary", f"{name}: line 1 does not end. Is it text?")
    header = headers.of_line(name, line.decode().rstrip("\r"), dataset)
    writer.header([*(column.name for column in dataset.columns), *header.extras])
    following = itertools.chain([rest], blocks)
    if dataset.quote:
        _quoted(name, following, dataset, header, writer)
    else:
        _unquoted(following, dataset, header, writer)
    if not writer.rows:
        raise RefusedError("no_rows", f"{name} has a header and no rows.")
    return header


def lines(name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, cut at line ends; RefusedError where a line is longer than ROW_LIMIT."""
    rest: list[bytes] = []
    waiting, number = 0, 1
    for piece in pieces:
        end = piece.rfind(b"\n") + 1
        if end:
            yield b"".join([*rest, piece[:end]])
            number += piece.count(b"\n")
            rest, waiting = [], 0
        if piece[end:]:
            rest.append(piece[end:])
            waiting += len(piece) - end
        if waiting > ROW_LIMIT:
            raise _too_long(name, number)
    if rest:
        yield b"".join(rest)


def _unquoted(
    blocks: Iterable[bytes], dataset: Dataset, header: headers.Header, writer: Rows
) -> None:
    """A lone quote mark is data. Bytes are enough: UTF-8's own never look like a delimiter."""
    delimiter, more = dataset.delimiter.encode(), len(header.names) - 1
    shaped = _Shape(header)
    for block in blocks:
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n").removesuffix(b"\r").replace(b"\r", LINE_END)
        if header.in_order and DELIMITER not in block:
            found = block.replace(delimiter, DELIMITER).split(b"\n")
            writer.block(
                [
                    DELIMITER + line
                    if line.count(DELIMITER) == more
                    else shaped(line.split(DELIMITER))
                    for line in found
                    if line
                ]
            )
        else:
            writer.block([shaped(line.split(delimiter)) for line in block.split(b"\n") if line])


def _quoted(
    name: str,
    blocks: Iterable[bytes],
    dataset: Dataset,
    header: headers.Header,
    writer: Rows,
) -> None:
    """Values may hold delimiters and line ends between quotes."""
    texts = _Lines(name, blocks)
    reader = csv.reader(texts, delimiter=dataset.delimiter, quotechar=dataset.quote, strict=True)
    shaped = _Shape(header)
    found, size = [], 0
    try:
        for row in reader:
            texts.row_ends()
            if row:
                found.append(shaped([value.encode() for value in row]))
                size += len(found[-1])
            if size > BATCH:
                writer.block(found)
                found, size = [], 0
    except csv.Error as error:
        raise RefusedError(
            "broken_quotes",
            f"{name}: line {reader.line_num + 1}: {error}. Values are quoted by {dataset.quote} "
            "(quote in pipeline.toml, empty where files are not quoted).",
        ) from error
    writer.block(found)


class _Lines:
    """Lines of text as the csv module wants them: ended by \\n, \\r or both, by nothing else
    that Unicode calls a line's end; RefusedError where those of one row are over ROW_LIMIT.

    https://docs.python.org/3/library/csv.html#csv.reader
    """

    def __init__(self, name: str, blocks: Iterable[bytes]) -> None:
        self._name = name
        self._lines = (line for block in blocks for line in io.StringIO(block.decode(), newline=""))
        self._number = self._row = 1
        self._size = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._number += 1
        self._size += len(line)
        if self._size > ROW_LIMIT:
            raise _too_long(self._name, self._row + 1)
        return line

    def row_ends(self) -> None:
        self._row, self._size = self._number, 0


def _too_long(name: str, line: int) -> RefusedError:
    return RefusedError(
        "line_too_long",
        f"{name}: the row in line {line} has more than {ROW_LIMIT // 1024**2} MB. "
        "Is every row on a line of its own, and every quote ended?",
    )


class _Shape:
    """A row's values in the dataset's order, then the extra ones; a row too long or short told."""

    def __init__(self, header: headers.Header) -> None:
        self._width = len(header.names)
        self._order = [*header.places, *header.extra]

    def __call__(self, values: list[bytes]) -> bytes:
        found, fault = len(values), ""
        if found != self._width:
            fault = f"the row has {found} values, the header {self._width}"
            values = values + [b""] * (self._width - found)
        return joined([b"" if at is None else values[at] for at in self._order], fault)
