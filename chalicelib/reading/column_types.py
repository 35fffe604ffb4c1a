"""What a file's columns look like: the type that most values of its first rows have.

A few odd values make no other column: the conversion rejects their rows. Types are Hive's, as a
Parquet file tells its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from chalicelib.reading.rows import DELIMITER

MOST = 0.9  # of the values that are there
INTEGER = re.compile(rb"\s*[+-]?\d{1,19}\s*")
NUMBER = re.compile(rb"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
BOOLEAN = re.compile(rb"\s*(true|false)\s*", re.IGNORECASE)
NARROWEST = (("bigint", INTEGER), ("double", NUMBER), ("boolean", BOOLEAN))
WIDER = ("tinyint", "smallint", "int", "bigint", "decimal", "float", "double")


def of_rows(names: Sequence[str], rows: Iterable[bytes]) -> dict[str, str]:
    """By column; one without values is left out, and so are rows with a fault.

    Rows are as `RowWriter.block` takes them: `fault DELIMITER value DELIMITER value ...`.
    """
    whole = [row.split(DELIMITER)[1:] for row in rows if row.startswith(DELIMITER)]
    columns = zip(names, zip(*whole, strict=True), strict=True) if whole else ()
    found = {name: of_values([each for each in values if each.strip()]) for name, values in columns}
    return {name: kind for name, kind in found.items() if kind}


def of_values(values: Sequence[bytes]) -> str:
    """The narrowest type that most have; empty where there are none."""
    if not values:
        return ""
    for kind, pattern in NARROWEST:
        if sum(pattern.fullmatch(each) is not None for each in values) >= MOST * len(values):
            return kind
    return "string"


def merged(files: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The types that hold what each file has: the wider number, or text."""
    types: dict[str, str] = {}
    for file in files:
        for name, told in file.items():
            kind = told.split("(")[0]  # decimal(10,2)
            types[name] = _both(types.get(name, kind), kind)
    return types


def _both(one: str, other: str) -> str:
    if one == other:
        return one
    if one in WIDER and other in WIDER:
        return max(one, other, key=WIDER.index)
    return "string"
