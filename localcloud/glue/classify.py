"""What a file is and which columns it has, from its first bytes, as Glue's classifiers tell.

Zstandard text is none of the formats that Glue's crawlers read: it stays unclassified.
https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html
"""

from __future__ import annotations

import json
import tempfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.glue.objects import Objects, S3Object

HEAD = 1024 * 1024
LINES = 1000
DELIMITERS = ("\t", ",", "|", ";", "\x01")
HEADER_LIMIT = 150  # a header's names are shorter, all but the last


@dataclass(frozen=True)
class Schema:
    """A file's format and its columns with Hive types."""

    format: str  # csv | json | parquet
    columns: tuple[tuple[str, str], ...]
    delimiter: str = ""
    header: bool = False


def classify(objects: Objects, item: S3Object) -> Schema | None:
    """The schema of an object, or None where no classifier knows it."""
    head = objects.s3.get_object(Bucket=item.bucket, Key=item.key, Range=f"bytes=0-{HEAD - 1}")[
        "Body"
    ].read()
    if head.startswith(b"PAR1"):
        return _parquet(objects, item)
    if head.startswith(b"\x1f\x8b"):
        try:
            head = zlib.decompressobj(31).decompress(head, 4 * HEAD)
        except zlib.error:
            return None
    try:
        text = head.decode("utf-8-sig", errors="ignore")
    except UnicodeDecodeError:
        return None
    whole = item.size <= HEAD
    lines = text.splitlines() if whole else text.splitlines()[:-1]
    lines = [line for line in lines[:LINES] if line.strip()]
    if not lines or "\0" in text:
        return None
    return _json(lines) or _csv(lines)


def widen(one: str, other: str) -> str:
    """The narrowest type that holds both."""
    if one == other:
        return one
    if {one, other} <= {"bigint", "int", "double"}:
        return "double" if "double" in (one, other) else "bigint"
    return "string"


def _parquet(objects: Objects, item: S3Object) -> Schema:
    import duckdb

    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        from localcloud.glue import hive_types

        path = str(objects.local(item, Path(folder))).replace("'", "''")
        rows = connection.execute(f"SELECT * FROM read_parquet('{path}') LIMIT 0").description or []
        columns = tuple((row[0].lower(), hive_types.to_hive(str(row[1]))) for row in rows)
    return Schema("parquet", columns)


def _json(lines: list[str]) -> Schema | None:
    columns: dict[str, str] = {}
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            return None
        if not isinstance(record, dict):
            return None
        for name, value in record.items():
            kind = _json_type(value)
            if kind:
                key = name.lower()
                columns[key] = widen(columns[key], kind) if key in columns else kind
    return Schema("json", tuple(columns.items())) if columns else None


def _json_type(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "int" if abs(value) < 2**31 else "bigint"
    if isinstance(value, float):
        return "double"
    return "string"


def _csv(lines: list[str]) -> Schema | None:
    """Delimited text: at least two columns, the same number in (nearly) every line."""
    for delimiter in DELIMITERS:
        rows = [line.split(delimiter) for line in lines]
        counts = Counter(len(row) for row in rows)
        width, often = counts.most_common(1)[0]
        if width >= 2 and len(rows[0]) == width and often >= 0.9 * len(rows):
            return _delimited([row for row in rows if len(row) == width], delimiter)
    return None


def _delimited(rows: list[list[str]], delimiter: str) -> Schema:
    first, rest = rows[0], rows[1:]
    types = [_text_type([row[index] for row in rest]) for index in range(len(first))]
    words = all(_text_type([cell]) == "string" for cell in first)
    short = all(len(cell) < HEADER_LIMIT for cell in first[:-1])
    distinct = len(set(first)) == len(first) and all(cell.strip() for cell in first)
    header = words and short and distinct and any(kind != "string" for kind in types)
    if header:
        names = [cell.strip().strip('"').lower() for cell in first]
    else:
        names = [f"col{index}" for index in range(len(first))]
        types = [_text_type([row[index] for row in rows]) for index in range(len(first))]
    return Schema("csv", tuple(zip(names, types, strict=True)), delimiter, header)


def _text_type(cells: list[str]) -> str:
    """bigint, double or string: the types that Glue's CSV classifier tells."""
    seen = [cell.strip() for cell in cells if cell.strip()]
    if not seen:
        return "string"
    if all(_is(int, cell) for cell in seen):
        return "bigint"
    return "double" if all(_is(float, cell) for cell in seen) else "string"


def _is(kind: type, cell: str) -> bool:
    if not cell[-1].isdigit() and cell[-1] != ".":
        return False  # "nan", "inf" and "1_0" are words here
    try:
        kind(cell)
    except ValueError:
        return False
    return "_" not in cell
