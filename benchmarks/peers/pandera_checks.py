"""quality_checks.toml in pandera: `pandera_checks.py PARQUET CHECKS` prints JSON as gx.py does."""

from __future__ import annotations

import json
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pandera
import pandera.pandas as pa

Aggregate = Callable[[pd.Series, dict[str, Any]], float]
# Of a whole column, as its users write it; the rest are pandera's own checks of each value.
AGGREGATES: dict[str, Aggregate] = {
    "completeness": lambda s, check: s.notna().mean(),
    "uniqueness": lambda s, check: (~s.dropna().duplicated(keep=False)).mean(),
    "distinctness": lambda s, check: s.nunique() / s.count(),
    "count_distinct": lambda s, check: s.nunique(),
    "min": lambda s, check: s.min(),
    "max": lambda s, check: s.max(),
    "mean": lambda s, check: s.mean(),
    "stddev": lambda s, check: s.std(ddof=0),
    "sum": lambda s, check: s.sum(),
    "quantile": lambda s, check: s.quantile(check["quantile"]),
}


def within(value: float, check: dict[str, Any]) -> bool:
    low, high = check.get("at_least", -float("inf")), check.get("at_most", float("inf"))
    return bool(low <= value <= high)


def of_column(index: int, check: dict[str, Any]) -> pa.Check:
    kind, named = check["check"], {"name": str(index)}
    if kind == "membership":
        return pa.Check.isin(check["values"], **named)
    if kind == "pattern":
        return pa.Check.str_matches(check["pattern"], **named)
    if kind == "non_negative":
        return pa.Check.ge(0, **named)
    if kind in ("min_length", "max_length"):
        return pa.Check.str_length(check.get("at_least"), check.get("at_most"), **named)
    measure = AGGREGATES[kind]
    return pa.Check(lambda s: within(measure(s, check), check), ignore_na=False, **named)


def of_table(index: int, check: dict[str, Any]) -> pa.Check:
    if check["check"] == "size":
        return pa.Check(lambda table: within(len(table), check), name=str(index))
    one, two = check["columns"]
    return pa.Check(lambda table: table[one] <= table[two], name=str(index))


def schema(declared: list[dict[str, Any]]) -> pa.DataFrameSchema:
    columns: dict[str, list[pa.Check]] = {}
    tables = []
    for index, check in enumerate(declared):
        if column := check.get("column"):
            columns.setdefault(column, []).append(of_column(index, check))
        else:
            tables.append(of_table(index, check))
    made = {name: pa.Column(checks=checks, nullable=True) for name, checks in columns.items()}
    return pa.DataFrameSchema(made, checks=tables)


def main(path: str, checks: str) -> None:
    declared = tomllib.loads(Path(checks).read_text())["checks"]
    began = time.perf_counter()
    frame = pd.read_parquet(path)
    read = time.perf_counter() - began
    broken: set[int] = set()
    try:
        schema(declared).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        broken = {int(each.check.name) for each in errors.schema_errors}
    seconds = time.perf_counter() - began
    verdicts = [index not in broken for index in range(len(declared))]
    version = pandera.__version__
    print(json.dumps({"seconds": seconds, "read": read, "verdicts": verdicts, "version": version}))


if __name__ == "__main__":
    main(*sys.argv[1:])
