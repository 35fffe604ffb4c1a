"""Delimited text as rows: unquoted lines by bytes, quoted ones by the csv module."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from chalicelib.reading import header as headers
from chalicelib.reading.refusals import RefusedError
from chalicelib.reading.rows import DELIMITER, LINE_END, Rows, joined

if TYPE_CHECKING:
    from chalicelib.schema import Dataset

HEADER_LIMIT = 1024 * 1024
VALUE_LIMIT = 16 * 1024 * 1024
BATCH = 10_000


def read(name: str, pieces: Iterable[bytes], dataset: Dataset, writer: Rows) -> headers.Header:
    """Write every row of UTF-8 text; returns the header."""
    blocks = lines(pieces)
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


def lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, cut at line ends."""
    rest: list[bytes] = []
    for piece in pieces:
        end = piece.rfind(b"\n") + 1
        if end:
            yield b"".join([*rest, piece[:end]])
            rest = []
        if piece[end:]:
            rest.append(piece[end:])
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
    csv.field_size_limit(VALUE_LIMIT)
    texts = (line for block in blocks for line in block.decode().splitlines(keepends=True))
    reader = csv.reader(texts, delimiter=dataset.delimiter, quotechar=dataset.quote, strict=True)
    shaped = _Shape(header)
    try:
        while batch := list(itertools.islice(reader, BATCH)):
            writer.block([shaped([value.encode() for value in row]) for row in batch if row])
    except csv.Error as error:
        raise RefusedError(
            "broken_quotes",
            f"{name}: line {reader.line_num + 1}: {error}. Values are quoted by {dataset.quote} "
            "(quote in pipeline.toml, empty where files are not quoted).",
        ) from error


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
