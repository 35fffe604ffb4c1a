"""The SQL that casts new rows into the curated table, and keeps those that do not cast.

Rows come as text: from the files that intake wrote, and from Parquet with its values as text. One
window puts each partition's rows in order and finds exact duplicates, which lie side by side
there: Athena ignores an ORDER BY when it writes, but a window's rows leave it as it sorted them,
and one writer takes a window's partition, so that a partition becomes one file or a few.
https://docs.aws.amazon.com/athena/latest/ug/ctas-considerations-limitations.html
https://docs.aws.amazon.com/athena/latest/ug/functions-env3.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.ingest import spread, tables
from chalicelib.ingest.spread import Part
from chalicelib.ingest.tables import Layout

if TYPE_CHECKING:
    from chalicelib.schema import Column, Dataset

CASTS = {"integer": "bigint", "number": "double", "boolean": "boolean"}
LINE_END = "chr(30)"  # intake's stand-in for a line's end inside a value
# Names of ours inside a statement have blanks, which no column's name has.
DIGEST, BEFORE, FITS = '"row digest"', '"digest before"', '"row fits"'


@dataclass(frozen=True)
class Source:
    """The new rows of one dataset: the arrivals of each layout."""

    dataset: Dataset
    database: str
    layouts: Mapping[Layout, tuple[str, ...]]
    text_bytes: float = 0
    line_ends: bool = True  # whether a value may hold one: looking for them takes its time

    @classmethod
    def of(cls, dataset: Dataset, database: str, found: Sequence[Mapping[str, Any]]) -> Source:
        """From what the arrivals table says."""
        layouts: dict[Layout, tuple[str, ...]] = {}
        for each in found:
            layout = Layout.of(dataset, each)
            layouts[layout] = (*layouts.get(layout, ()), str(each["arrival_id"]))
        size = sum(spread.text_bytes(each) for each in found)
        ends = any(each.get("line_ends", True) for each in found)
        return cls(dataset, database, layouts, size, ends)


EVERYTHING = Part()


def insert(source: Source, run_id: str, part: Part = EVERYTHING) -> str:
    """Rows that cast, each once, into the run's own partitions; of a part, where there are more.

    Only typed values and a digest go through the window, which is the costly part: the rows' own
    faults are left out before it, and whether a row fits is judged below it from the typed values.
    It is acted on above: a condition below would be moved down and cast every value a second time.
    """
    dataset = source.dataset
    names = [quoted(c.name) for c in dataset.columns]
    kept = [quoted(c.name) for c in dataset.columns if c.name != dataset.partition_by]
    typed = [f"{value(column)} AS {quoted(column.name)}" for column in dataset.columns]
    read = [f"{quoted(c.name)} AS {_raw(c)}" for c in dataset.columns if c.type != "string"]
    partition = [quoted(dataset.partition_by)] if dataset.partition_by else []
    within = [*partition, *_shards(source, part)]
    order = ", ".join([*map(quoted, dataset.sort_by), DIGEST])
    window = f"PARTITION BY {', '.join(within)} " if within else ""
    return "\n".join(
        [
            f"INSERT INTO {quoted(source.database)}.{quoted(tables.curated(dataset))}",
            f"SELECT {', '.join([*kept, f'{text(run_id)} AS run', *partition])}",
            "FROM (",
            f"SELECT *, lag({DIGEST}) OVER ({window}ORDER BY {order}) AS {BEFORE}",
            "FROM (",
            f"SELECT {', '.join([*names, DIGEST])}, {_fits(dataset)} AS {FITS}",
            "FROM (",
            "SELECT " + ",\n  ".join([*typed, *read, f"{digest(dataset)} AS {DIGEST}"]),
            f"FROM ({rows(source, run_id)}) AS found",
            f"WHERE row_fault = ''{_within(dataset, part)}",
            ") AS typed",
            ") AS judged",
            ") AS ordered",
            f"WHERE {FITS} AND ({BEFORE} IS NULL OR {BEFORE} <> {DIGEST})",
        ]
    )


def rejects(source: Source, run_id: str, target: str) -> str:
    """Rows that do not cast, as they came, each with its number and the first thing wrong in it."""
    dataset = source.dataset
    names = [quoted(column.name) for column in dataset.columns]
    return "\n".join(
        [
            "UNLOAD (",
            "SELECT arrival, row_number, reject_column,",
            f"  {_value_at_fault(dataset)} AS reject_value, reject_reason,",
            f"  {', '.join(names)}",
            "FROM (",
            f"SELECT *, {_column_at_fault(dataset)} AS reject_column,",
            f"  {reason(dataset)} AS reject_reason",
            f"FROM ({rows(source, run_id)}) AS found",
            ") AS told",
            "WHERE reject_reason IS NOT NULL",
            f") TO {text(target)} WITH (format = 'JSON', compression = 'gzip')",
        ]
    )


def counts(source: Source, run_id: str) -> str:
    """One row: rows accepted, rejected, distinct among those that cast, and curated by the run."""
    dataset = source.dataset
    curated = f"{quoted(source.database)}.{quoted(tables.curated(dataset))}"
    return "\n".join(
        [
            "SELECT count(*) AS accepted, count(reason) AS rejected,",
            "  count(DISTINCT CASE WHEN reason IS NULL THEN digest END) AS distinct_rows,",
            f"  (SELECT count(*) FROM {curated} WHERE run = {text(run_id)}) AS curated",
            "FROM (",
            f"SELECT {reason(dataset)} AS reason, {digest(dataset)} AS digest",
            f"FROM ({rows(source, run_id)}) AS found",
            ") AS judged",
        ]
    )


def partitions(source: Source, run_id: str) -> str:
    """How many of the new rows have each `value` of `partition_by`: a row each, one too many where
    they are more than a run may have."""
    dataset = source.dataset
    named = value(dataset.column(str(dataset.partition_by)))
    return "\n".join(
        [
            "SELECT value, count(*) AS rows",
            f"FROM (SELECT {named} AS value FROM ({rows(source, run_id)}) AS found",
            "WHERE row_fault = '') AS named",
            "WHERE ltrim(value) <> ''",
            f"GROUP BY value LIMIT {spread.MOST_VALUES + 1}",
        ]
    )


def rows(source: Source, run_id: str) -> str:
    """Every new row as text: arrival, row_number, row_fault and the dataset's columns.

    A Parquet file has no row numbers that a distributed reader could tell.
    """
    return "\nUNION ALL\n".join(_rows(source, layout, run_id) for layout in source.layouts)


def _rows(source: Source, layout: Layout, run_id: str) -> str:
    dataset, kinds = source.dataset, dict(layout.columns)
    number, fault = "CAST(row_number AS bigint)", "row_fault"
    if not layout.is_text:
        number, fault = "CAST(NULL AS bigint)", "CAST('' AS varchar)"
    columns = ["arrival", f"{number} AS row_number", f"{fault} AS row_fault"]
    for column in dataset.columns:
        words = _as_text(column, kinds.get(column.name))
        if layout.is_text and source.line_ends and column.name in kinds and column.type == "string":
            words = f"replace({words}, {LINE_END}, chr(10))"
        columns.append(f"{words} AS {quoted(column.name)}")
    return "\n".join(
        [
            f"SELECT {', '.join(columns)}",
            f"FROM {quoted(source.database)}.{quoted(layout.table(dataset))}",
            f"WHERE run = {text(run_id)}",
        ]
    )


def digest(dataset: Dataset) -> str:
    """16 bytes, equal for rows that are equal in every column."""
    values = ", ".join(f"coalesce({quoted(column.name)}, '')" for column in dataset.columns)
    return f"md5(to_utf8(concat_ws(chr(1), {values})))"


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


def reason(dataset: Dataset) -> str:
    """What is wrong with a row, in words, or NULL."""
    cases = [f"WHEN {when} THEN {text(words)}" for when, _, words in _faults(dataset)]
    return f"(CASE WHEN row_fault <> '' THEN row_fault {' '.join(cases)} END)"


def _fits(dataset: Dataset) -> str:
    """Whether nothing is wrong with a row, told from its typed values: as `reason` tells it."""
    conditions = []
    for column in dataset.columns:
        name = quoted(column.name)
        if column.required and column.type == "string":
            conditions.append(f"ltrim({name}) <> ''")
        elif column.required:
            conditions.append(f"{name} IS NOT NULL")
        elif column.type != "string":
            conditions.append(f"({name} IS NOT NULL OR coalesce(ltrim({_raw(column)}), '') = '')")
        if column.values:
            listed = ", ".join(literal(each) for each in column.values)
            conditions.append(f"({name} IS NULL OR {name} IN ({listed}))")
        if column.name == dataset.partition_by:
            conditions.append(_is_ascii(name))
    return f"({' AND '.join(conditions or ['true'])})"


def _is_ascii(name: str) -> str:
    """Trino writes no other partition: HIVE_INVALID_PARTITION_VALUE ends the whole INSERT.

    https://github.com/trinodb/trino/issues/18950
    """
    return f"length(to_utf8({name})) = length({name})"


def _raw(column: Column) -> str:
    """The text of a typed value, under a name that no column has."""
    return quoted(f"{column.name} as text")


def _column_at_fault(dataset: Dataset) -> str:
    cases = [f"WHEN {when} THEN {text(column)}" for when, column, _ in _faults(dataset)]
    return f"(CASE WHEN row_fault <> '' THEN '' {' '.join(cases)} END)"


def _value_at_fault(dataset: Dataset) -> str:
    cases = [f"WHEN {text(c.name)} THEN {quoted(c.name)}" for c in dataset.columns]
    return f"(CASE reject_column {' '.join(cases)} ELSE '' END)"


def _faults(dataset: Dataset) -> list[tuple[str, str, str]]:
    """Conditions with the column and the words that each means, in the order of the columns."""
    found = []
    for column in dataset.columns:
        empty = f"coalesce(ltrim({quoted(column.name)}), '') = ''"  # trim would walk the whole text
        if column.required:
            found.append((empty, column.name, "is empty"))
        if column.type != "string":
            wrong = f"NOT ({empty}) AND {value(column)} IS NULL"
            found.append((wrong, column.name, f"is not {_article(column.type)}"))
        if column.values:
            listed = ", ".join(literal(each) for each in column.values)
            strange = f"{value(column)} NOT IN ({listed})"
            found.append((strange, column.name, "is not one of the allowed values"))
        if column.name == dataset.partition_by:
            strange = f"NOT ({_is_ascii(quoted(column.name))})"
            found.append((strange, column.name, "names no partition: it has letters beyond ASCII"))
    return found


def _as_text(column: Column, kind: str | None) -> str:
    """A value of a file as text; a typed one of a Parquet file as one would write it."""
    name = quoted(column.name)
    if kind is None:
        return "CAST(NULL AS varchar)"
    if kind == "string":
        return name
    if column.type == "date":
        return f"date_format(CAST({name} AS timestamp), {text(column.formats[0])})"
    return f"CAST({name} AS varchar)"


def _within(dataset: Dataset, part: Part) -> str:
    """The condition on rows as text that leaves those of a part."""
    if part.bounds is None:
        return ""
    first, last = map(text, part.bounds)
    return f" AND {value(dataset.column(str(dataset.partition_by)))} BETWEEN {first} AND {last}"


def _shards(source: Source, part: Part) -> list[str]:
    """What sets the files of a partition apart, where it has several: equal rows share a file."""
    partition = source.dataset.partition_by
    if partition is None:
        files = spread.files(source.text_bytes)
        return [_shard(str(files))] if files > 1 else []
    if not part.files:
        return []
    cases = " ".join(f"WHEN {text(each)} THEN {n}" for each, n in part.files.items())
    return [_shard(f"(CASE {quoted(partition)} {cases} ELSE 1 END)")]


def _shard(count: str) -> str:
    """By the digest's first digits, one of so many."""
    digits = [f"strpos('0123456789ABCDEF', substr(to_hex({DIGEST}), {n}, 1))" for n in (1, 2, 3)]
    return f"mod(256 * {digits[0]} + 16 * {digits[1]} + {digits[2]}, {count})"


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def text(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"


def literal(found: str | int | float) -> str:
    return text(found) if isinstance(found, str) else repr(found)
