"""The SQL that casts new files into the curated table, and keeps the rows that do not cast.

Athena's dialect: https://docs.aws.amazon.com/athena/latest/ug/functions-env3.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chalicelib import tables

if TYPE_CHECKING:
    from chalicelib.settings import Column, Dataset

CASTS = {"integer": "bigint", "number": "double", "boolean": "boolean"}


def insert(dataset: Dataset, database: str, run_id: str, arrivals: Sequence[str]) -> str:
    """Rows that cast, into the run's own partitions."""
    names = [c.name for c in dataset.columns if c.name != dataset.partition_by]
    typed = [f"{value(dataset.column(name))} AS {quoted(name)}" for name in names]
    partition = dataset.column(dataset.partition_by)
    columns = [*typed, f"{text(run_id)} AS run", f"{value(partition)} AS {quoted(partition.name)}"]
    return "\n".join(
        [
            f"INSERT INTO {quoted(database)}.{quoted(tables.curated(dataset))}",
            "SELECT " + ",\n  ".join(columns),
            _source(dataset, database, arrivals),
            f"  AND {fault(dataset)} IS NULL",
        ]
    )


def rejects(dataset: Dataset, database: str, arrivals: Sequence[str], target: str) -> str:
    """Rows that do not cast, as they came, each with what is wrong with it."""
    columns = [quoted(column.name) for column in dataset.columns]
    return "\n".join(
        [
            "UNLOAD (",
            f"SELECT {', '.join(columns)}, arrival, {fault(dataset)} AS fault",
            _source(dataset, database, arrivals),
            f"  AND {fault(dataset)} IS NOT NULL",
            f") TO {text(target)} WITH (format = 'JSON', compression = 'gzip')",
        ]
    )


def count(dataset: Dataset, database: str, arrivals: Sequence[str]) -> str:
    """How many rows the files hold, as a scalar."""
    return f"(SELECT count(*) {_source(dataset, database, arrivals)})"


def value(column: Column) -> str:
    """A column's text as its declared type; NULL where it is empty or does not cast."""
    name = quoted(column.name)
    if column.type == "string":
        return f"nullif({name}, '')"
    trimmed = f"nullif(trim({name}), '')"
    if column.type == "date":
        parsed = [f"TRY(date_parse({trimmed}, {text(each)}))" for each in column.formats]
        chosen = parsed[0] if len(parsed) == 1 else f"coalesce({', '.join(parsed)})"
        return f"CAST({chosen} AS date)"
    return f"TRY_CAST({trimmed} AS {CASTS[column.type]})"


def fault(dataset: Dataset) -> str:
    """What is wrong with a row, in words, or NULL."""
    cases = [case for column in dataset.columns for case in _faults(column)]
    return f"(CASE {' '.join(cases)} END)" if cases else "CAST(NULL AS varchar)"


def _faults(column: Column) -> list[str]:
    name, empty = quoted(column.name), f"nullif(trim({quoted(column.name)}), '') IS NULL"
    cases = []
    if column.required:
        cases.append(f"WHEN {empty} THEN {text(column.name + ' is empty')}")
    if column.type != "string":
        wrong = f"NOT ({empty}) AND {value(column)} IS NULL"
        words = text(f"{column.name} is not {_article(column.type)}: ")
        cases.append(f"WHEN {wrong} THEN concat({words}, {name})")
    if column.values:
        listed = ", ".join(literal(each) for each in column.values)
        words = text(f"{column.name} is not one of the allowed values: ")
        cases.append(f"WHEN {value(column)} NOT IN ({listed}) THEN concat({words}, {name})")
    return cases


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _source(dataset: Dataset, database: str, arrivals: Sequence[str]) -> str:
    listed = ", ".join(text(arrival) for arrival in arrivals)
    return f"FROM {quoted(database)}.{quoted(tables.text(dataset))}\nWHERE arrival IN ({listed})"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def text(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"


def literal(found: str | int | float) -> str:
    return text(found) if isinstance(found, str) else repr(found)
