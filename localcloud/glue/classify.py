"""What an object is, from its head: Parquet, JSON lines or delimited text.

Glue reads text plain, as gzip or as bzip2 (ZIP, LZ4 and Snappy text, which Glue also reads, are
not read here); zstd text is unknown to Glue's classifiers, and so it is here.
https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html
"""

from __future__ import annotations

import bz2
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.glue import delimited, inference
from localcloud.glue.catalog import Column

HEAD = 1024 * 1024  # what a classifier reads of a file
PARQUET_MAGIC = b"PAR1"
_TEXT = 512 * 1024  # what is looked at of it, after decompression


@dataclass(frozen=True)
class Classified:
    """One object's format and columns; `kind` is `unknown` where no classifier knows it."""

    kind: str
    compression: str = "none"
    columns: tuple[Column, ...] = ()
    text: delimited.Delimited | None = None
    row_bytes: int = 0  # a row's mean size, before compression
    ratio: float = 1.0  # decompressed bytes a stored byte
    rows: int | None = None  # where the file itself tells

    def records(self, size: int) -> int:
        """How many records an object of this many stored bytes holds, as far as can be told."""
        if self.rows is not None:
            return self.rows
        return round(size * self.ratio / self.row_bytes) if self.row_bytes else 0


UNKNOWN = Classified("unknown")


def classify(head: bytes, whole: bool, custom: list[dict[str, Any]]) -> Classified:
    """Classify text; the user's classifiers are asked first, then Glue's own."""
    compression, body, used = _decompressed(head)
    if compression == "unknown" or b"\x00" in body[:4096]:
        return UNKNOWN
    lines = _lines(body, whole and len(body) < _TEXT)
    if not lines:
        return UNKNOWN
    ratio = len(body) / max(1, used)
    mean = round(sum(map(len, lines)) / len(lines)) + 1  # the line's end too
    for classifier in custom:
        if (csv := classifier.get("CsvClassifier")) and (found := delimited.classify(lines, csv)):
            return Classified("csv", compression, found.columns, found, mean, ratio)
    if columns := _json(lines):
        return Classified("json", compression, columns, None, mean, ratio)
    if found := delimited.classify(lines):
        return Classified("csv", compression, found.columns, found, mean, ratio)
    return UNKNOWN


def parquet(path: Path) -> Classified:
    """A Parquet file's own schema, from its footer."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        meta = pq.read_metadata(path)  # type: ignore[no-untyped-call]
    except (pa.ArrowInvalid, OSError):
        return UNKNOWN
    columns = tuple(
        Column(f.name.lower(), inference.of_arrow(f.type)) for f in meta.schema.to_arrow_schema()
    )
    size = sum(meta.row_group(at).total_byte_size for at in range(meta.num_row_groups))
    mean = size // meta.num_rows if meta.num_rows else 0
    return Classified("parquet", "none", columns, None, mean, rows=meta.num_rows)


def _decompressed(head: bytes) -> tuple[str, bytes, int]:
    """(compression, the text as far as it goes, how many stored bytes it took)."""
    if head[:2] == b"\x1f\x8b":
        machine = zlib.decompressobj(31)
        try:
            body = machine.decompress(head, _TEXT)
        except zlib.error:
            return "unknown", b"", 0
        return "gzip", body, len(head) - len(machine.unconsumed_tail) - len(machine.unused_data)
    if head[:3] == b"BZh":
        try:
            body = bz2.BZ2Decompressor().decompress(head, _TEXT)
        except OSError:
            return "unknown", b"", 0
        return "bzip2", body, len(head)
    if head[:4] in (b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"\x04\x22\x4d\x18", b"PAR1"):
        return "unknown", b"", 0
    return "none", head[:_TEXT], min(len(head), _TEXT)


def _lines(body: bytes, whole: bool) -> list[str]:
    """Whole lines as text; the last one may be cut and is left out."""
    text = body.decode("utf-8-sig", errors="replace")
    lines = [line.rstrip("\r") for line in text.split("\n")]
    if not whole and len(lines) > 1:
        lines.pop()
    return [line for line in lines if line]


def _json(lines: list[str]) -> tuple[Column, ...]:
    """Columns of JSON lines; none where a line is not an object."""
    if not lines[0].lstrip().startswith("{"):
        return ()
    kinds: dict[str, str] = {}
    empty: dict[str, None] = {}
    for line in lines[: delimited.SAMPLE_LINES]:
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            return ()
        if not isinstance(record, dict):
            return ()
        for name, value in record.items():
            kind = inference.of_json(value)
            empty.setdefault(name.lower(), None)
            if kind:
                known = kinds.get(name.lower())
                kinds[name.lower()] = inference.merge(known, kind) if known else kind
    return tuple(Column(name, kinds.get(name, "string")) for name in empty)
