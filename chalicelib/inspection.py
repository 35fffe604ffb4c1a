"""Is a dropped file one that this dataset takes? Reads it once, in pieces, and says why not.

The whole file is read: a truncated gzip and a wrong byte show only there.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.settings import Dataset

SUFFIXES = {".tsv": "tsv", ".csv": "csv", ".txt": "csv"}
PIECE = 4 * 1024 * 1024
GZIP = b"\x1f\x8b"
# What the first bytes of a file tell, where its name lies.
STRANGERS = {
    b"PAR1": "a Parquet file",
    b"PK\x03\x04": "a zip archive (or an Excel workbook)",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
}
HEADER_LIMIT = 1024 * 1024


class RefusedError(Exception):
    """The file cannot be used: a code, and words that say what, where and how to mend it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Inspected:
    """A file that the dataset takes."""

    digest: str  # sha256 of its bytes, in hex
    format: str  # tsv | csv
    compression: str  # gzip | none
    rows: int
    warnings: tuple[str, ...] = ()

    @property
    def suffix(self) -> str:
        return f".{self.format}" + (".gz" if self.compression == "gzip" else "")


def kind(name: str) -> str:
    """`tsv` or `csv`, by the file's name."""
    plain = name.lower().removesuffix(".gz")
    for suffix, found in SUFFIXES.items():
        if plain.endswith(suffix):
            return found
    known = ", ".join(f"{suffix}, {suffix}.gz" for suffix in SUFFIXES)
    raise RefusedError("unknown_type", f"{name}: this kind of file is not taken. Taken: {known}.")


def inspect(name: str, size: int, pieces: Iterable[bytes], dataset: Dataset) -> Inspected:
    """Read a file once; RefusedError says what is wrong with it."""
    found = kind(name)
    if size == 0:
        raise RefusedError("empty", f"{name} is empty. Drop it again with its rows.")
    if size > dataset.max_mb * 1024 * 1024:
        raise RefusedError(
            "too_large",
            f"{name} has {size / 1024 / 1024:.0f} MB; {dataset.max_mb} is the most "
            "(dataset.max_mb). Split it.",
        )
    digest = hashlib.sha256()
    raw = _hashed(pieces, digest)
    first = next(raw, b"")
    _no_stranger(name, first)
    zipped = first.startswith(GZIP)
    raw = _again(first, raw)
    lines = _Lines(name, dataset)
    for piece in _unzipped(name, raw) if zipped else raw:
        lines.take(piece)
    lines.end()
    for _ in raw:  # what follows the gzip data counts for the digest
        pass
    compression = "gzip" if zipped else "none"
    return Inspected(digest.hexdigest(), found, compression, lines.rows, tuple(lines.warnings))


def header(name: str, line: str, dataset: Dataset) -> list[str]:
    """Check a header line; returns warnings. Columns are read by their place."""
    if dataset.quote:
        names = next(csv.reader([line], delimiter=dataset.delimiter, quotechar=dataset.quote), [])
    else:
        names = line.split(dataset.delimiter)
    names = [each.strip().lower() for each in names]
    wanted = [column.name for column in dataset.columns]
    if names[: len(wanted)] == wanted:
        extra = [each or "(no name)" for each in names[len(wanted) :]]
        return [f"new columns, not read: {', '.join(extra)}"] if extra else []
    raise RefusedError("wrong_header", _difference(name, names, wanted, dataset.delimiter))


def _difference(name: str, names: list[str], wanted: list[str], delimiter: str) -> str:
    missing = [each for each in wanted if each not in names]
    told = {"\t": "tab"}.get(delimiter, repr(delimiter))
    if len(missing) == len(wanted):
        return (
            f"{name}: line 1 is not the header. Wanted: {len(wanted)} columns separated by {told}, "
            f"beginning with {', '.join(wanted[:3])}; found: {', '.join(names)[:200]!r}."
        )
    if missing:
        return f"{name}: line 1 lacks {', '.join(missing)}. Wanted: {', '.join(wanted)}."
    place = next(i for i, each in enumerate(wanted) if names[i] != each)
    return (
        f"{name}: column {place + 1} is {names[place]}, where {wanted[place]} belongs. "
        f"Wanted, in this order: {', '.join(wanted)}."
    )


class _Lines:
    """Checks text as it comes: encoding, header, number of rows."""

    def __init__(self, name: str, dataset: Dataset) -> None:
        self.name, self.dataset = name, dataset
        self.newlines, self.warnings = 0, list[str]()
        self._decoder = codecs.getincrementaldecoder(dataset.encoding)()
        self._head, self._checked, self._last = b"", False, b""

    @property
    def rows(self) -> int:
        """Lines after the header, the last one with or without its end."""
        return self.newlines - 1 + (not self._last.endswith(b"\n"))

    def take(self, piece: bytes) -> None:
        if not piece:
            return
        self._decode(piece)
        if not self._checked:
            self._head += piece
            if b"\n" in self._head:
                self._check()
            elif len(self._head) > HEADER_LIMIT:
                raise RefusedError("not_text", f"{self.name}: line 1 does not end. Is it text?")
        self.newlines += piece.count(b"\n")
        self._last = piece[-1:]

    def end(self) -> None:
        self._decode(b"", final=True)
        if not self._last:
            raise RefusedError("empty", f"{self.name} holds nothing. Drop it again with its rows.")
        if not self._checked:
            self._check()
        if self.rows < 1:
            raise RefusedError("no_rows", f"{self.name} has a header and no rows.")

    def _check(self) -> None:
        line = self._head.split(b"\n", 1)[0].decode(self.dataset.encoding).rstrip("\r")
        self.warnings += header(self.name, line.removeprefix("\ufeff"), self.dataset)
        self._checked, self._head = True, b""

    def _decode(self, piece: bytes, final: bool = False) -> None:
        at = piece.find(b"\0")
        if at < 0:
            try:
                self._decoder.decode(piece, final)
                return
            except UnicodeDecodeError as error:
                at = error.start
        line = self.newlines + piece[:at].count(b"\n") + 1
        raise RefusedError(
            "not_text",
            f"{self.name}: line {line} is not {self.dataset.encoding} text. "
            f"Save it as {self.dataset.encoding} and drop it again.",
        )


def _hashed(pieces: Iterable[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    for piece in pieces:
        digest.update(piece)
        yield piece


def _again(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _no_stranger(name: str, first: bytes) -> None:
    for mark, words in STRANGERS.items():
        if first.startswith(mark):
            raise RefusedError(
                "unknown_type",
                f"{name} is {words}. Taken: delimited text, plain or gzip. Convert it.",
            )


def _unzipped(name: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Gzip's content in bounded pieces, all its members; RefusedError where it is cut or broken."""
    unzip = zlib.decompressobj(31)
    begun = False
    try:
        for piece in pieces:
            rest = piece
            while rest:
                if unzip.eof:
                    unzip, begun = zlib.decompressobj(31), False
                begun = True
                yield unzip.decompress(rest, PIECE)
                rest = unzip.unused_data if unzip.eof else unzip.unconsumed_tail
    except zlib.error as error:
        raise RefusedError("broken_gzip", f"{name} is not sound gzip: {error}.") from error
    if begun and not unzip.eof:
        raise RefusedError(
            "truncated_gzip", f"{name} ends in the middle: it was not copied whole. Drop it again."
        )
