"""Columns as the profiles expect them: plain names, and numbers or text.

Baselines hold names in lower case, digits and `_`.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-create-baseline.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def plain(table: pa.Table) -> pa.Table:
    """Named as baselines are; integers and fractions stay, all else is text."""
    columns = {name(field): text(table[field]) for field in table.column_names}
    return pa.table(columns)


def name(given: str) -> str:
    return re.sub(r"[^a-z0-9_]", "_", given.lower())


def text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers as they are; truth values, dates, codes and the like as the text they print as."""
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind):
        return column
    if pa.types.is_decimal(kind):
        return column.cast(pa.float64())
    if pa.types.is_string(kind):
        return column
    if pa.types.is_nested(kind):
        texts = [None if value is None else str(value) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())])
    return column.cast(pa.string())


def numbers(table: pa.Table) -> pa.Table:
    """Text columns whose every value is a number, as numbers."""
    return pa.table({each: _parsed(table[each]) for each in table.column_names})


def classes(column: pa.ChunkedArray) -> np.ndarray:
    """Values as texts, where 1, 1.0 and "1" are one class and nothing is the empty one."""
    if pa.types.is_floating(column.type) and whole(column):
        column = column.cast(pa.int64())
    found: np.ndarray = pc.fill_null(column.cast(pa.string()), "").to_numpy()
    return found.astype(str)


def whole(column: pa.ChunkedArray) -> bool:
    """Whether every number is an integer."""
    return bool(pc.all(pc.equal(column, pc.floor(column))).as_py())


def select(table: pa.Table, features: str = "", exclude: str = "") -> pa.Table:
    """Columns by attribute: names, paths or positions, separated by commas; 1-2 is a range.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_EndpointInput.html
    """
    names = table.column_names
    kept = found(names, features) if features else names
    dropped = set(found(names, exclude)) if exclude else set()
    return table.select([each for each in kept if each not in dropped])


def found(names: Sequence[str], attribute: str) -> list[str]:
    """The columns that an attribute means; a column that is not there is left out."""
    chosen: list[str] = []
    listed = re.sub(r"^.*\.\[(.*)\]$", r"\1", attribute)  # of JMESPath's records[0].[a, b]
    for part in (part.strip().strip('"') for part in listed.split(",")):
        span = re.fullmatch(r"(\d+)(?:-(\d+))?", part)
        if span and part not in names:
            chosen += names[int(span[1]) : int(span[2] or span[1]) + 1]
        else:
            path = re.sub(r"\[[*0-9:]*\]", "", part.removeprefix("$").lstrip("."))
            wanted = name(path)
            chosen += [each for each in names if each in (part, wanted)] or [
                each for each in names if wanted.endswith("_" + each)
            ]
    return list(dict.fromkeys(chosen))


def _parsed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_string(column.type):
        return column
    blank = pc.if_else(pc.equal(column, ""), None, column)
    for kind in (pa.int64(), pa.float64()):
        try:
            return blank.cast(kind)
        except pa.ArrowInvalid:
            continue
    return column
