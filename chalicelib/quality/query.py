"""All that is measured of a run's new rows, as one statement.

Whatever one pass answers is a column of one aggregate over the rows. Metrics of how often values
occur need the rows grouped by them: each combination of columns is grouped once, in a subquery
of the same statement, for all of its metrics together. Athena reads columns, so a grouping reads
its own columns only; the statement is one query, one result row, and one thing to retry.
https://docs.aws.amazon.com/athena/latest/ug/performance-tuning.html
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.ingest.convert import quoted, text
from chalicelib.quality import bias
from chalicelib.quality.kinds import KINDS, NULL_BIN, TODAY

if TYPE_CHECKING:
    from chalicelib.quality.declared import Bias, Check, Quality
    from chalicelib.schema import Dataset

MOST_BINS = 1000  # Deequ's Histogram.MaximumAllowedDetailBins


@dataclass(frozen=True)
class Rows:
    """The rows that are measured: a table's, of one run."""

    table: str
    run_id: str
    database: str

    def chosen(self, *conditions: str | None) -> str:
        """FROM and WHERE, narrowed by further conditions."""
        narrowed = "".join(f" AND ({each})" for each in conditions if each)
        return f"FROM {self.table} WHERE run = {text(self.run_id)}{narrowed}"


@dataclass(frozen=True)
class Part:
    """A subquery of one row, joined to the others: its common table expressions and its columns."""

    name: str
    tables: tuple[str, ...]
    measured: tuple[str, ...]

    @property
    def sql(self) -> str:
        *before, last = self.tables
        columns = ", ".join(self.measured)
        return ",\n".join([*before, f"{self.name} AS (SELECT {columns} FROM {last})"])


@dataclass(frozen=True)
class Wanted:
    """What is to be measured. Checks that differ in their bounds alone share a measurement."""

    checks: Sequence[Check] = ()
    columns: Sequence[str] = ()  # how full each is
    histograms: Sequence[str] = ()  # columns with few values
    biases: Sequence[Bias] = ()
    label: str | None = None  # biases need it

    @classmethod
    def of(cls, quality: Quality, dataset: Dataset, label: str | None) -> Wanted:
        """All checks; and for the report every column's completeness and the labels' histogram."""
        columns = [column.name for column in dataset.columns]
        return cls(quality.checks, columns, [label] if label else [], quality.bias, label)

    @property
    def metrics(self) -> list[Check]:
        """One check for each metric."""
        return list({check.metric: check for check in self.checks}.values())


def statement(wanted: Wanted, rows: Rows, rows_read: str, today: dt.date) -> str:
    """The statement; its one row holds

    `rows`, `rows_read`; `m0`, `m1`, ... in the order of the metrics; `c0`, ... how many values
    each column has; `h0`, ... each histogram as JSON, {value: rows}; `b0`, ... the counts of each
    bias as JSON. `rows_read` is a scalar.
    """
    named = [(f"m{index}", check) for index, check in enumerate(wanted.metrics)]
    scan = ["count(*) AS rows"]
    scan += [_measured(mark, check, today) for mark, check in named if _source(check) == "scan"]
    scan += [f"count({quoted(each)}) AS c{index}" for index, each in enumerate(wanted.columns)]
    parts = [*_grouped(named, rows), *_keyed(named, rows), *_whole(wanted, rows)]
    tables = ",\n".join(part.sql for part in parts)
    joined = "".join(f"\nCROSS JOIN {part.name}" for part in parts)
    every = ", ".join(["scan.*", f"{rows_read} AS rows_read", *[f"{p.name}.*" for p in parts]])
    columns = ",\n  ".join(scan)
    return (
        f"WITH {tables}\n" if parts else ""
    ) + f"SELECT {every}\nFROM (SELECT {columns}\n{rows.chosen()}) AS scan{joined}"


def _source(check: Check) -> str:
    return KINDS[check.check].source


def _measured(mark: str, check: Check, today: dt.date) -> str:
    expression = KINDS[check.check].measure(check).replace(TODAY, today.isoformat())
    return f"{expression} AS {mark}"


def _grouped(named: Sequence[tuple[str, Check]], rows: Rows) -> list[Part]:
    """Checks of the same columns and rows read one grouping."""
    shared: dict[tuple[str, tuple[str, ...], str | None], list[str]] = {}
    for mark, check in named:
        if _source(check) in ("groups", "bins", "joint"):
            key = (_source(check), check.reads, check.where)
            shared.setdefault(key, []).append(_measured(mark, check, dt.date.min))
    build = {"groups": _groups, "bins": _bins, "joint": _joint}
    return [
        Part(f"s{index}", build[source](f"g{index}", columns, where, rows), tuple(measured))
        for index, ((source, columns, where), measured) in enumerate(shared.items())
    ]


def _groups(name: str, columns: Sequence[str], where: str | None, rows: Rows) -> tuple[str, ...]:
    """A row for each combination that occurs; rows with NULL in every column are left out."""
    listed = ", ".join(quoted(each) for each in columns)
    present = " OR ".join(f"{quoted(each)} IS NOT NULL" for each in columns)
    grouped = f"SELECT count(*) AS n {rows.chosen(where, present)} GROUP BY {listed}"
    return (f"{name} AS ({grouped})", name)


def _bins(name: str, columns: Sequence[str], where: str | None, rows: Rows) -> tuple[str, ...]:
    value = f"coalesce(CAST({quoted(columns[0])} AS varchar), {text(NULL_BIN)})"
    grouped = f"SELECT {value} AS bin, count(*) AS n {rows.chosen(where)} GROUP BY 1"
    return (f"{name} AS ({grouped})", name)


def _joint(name: str, columns: Sequence[str], where: str | None, rows: Rows) -> tuple[str, ...]:
    one, two = (quoted(each) for each in columns)
    present = f"{one} IS NOT NULL OR {two} IS NOT NULL"
    values = f"{one} AS one, {two} AS two"
    counted = f"SELECT {values}, count(*) AS n {rows.chosen(where, present)} GROUP BY 1, 2"
    margins = ("one, two, n, sum(n) OVER (PARTITION BY one) AS n_one, "
               "sum(n) OVER (PARTITION BY two) AS n_two, sum(n) OVER () AS total")  # fmt: skip
    both = f"{name} WHERE one IS NOT NULL AND two IS NOT NULL"
    return (f"{name} AS (SELECT {margins} FROM ({counted}) AS counted)", both)


def _keyed(named: Sequence[tuple[str, Check]], rows: Rows) -> list[Part]:
    """Each foreign key: its present values joined to the keys they point at."""
    found = []
    for mark, check in named:
        if (target := check.references) is None:
            continue
        value = quoted(check.reads[0])
        chosen = f"SELECT {value} AS value {rows.chosen(check.where, f'{value} IS NOT NULL')}"
        keys = f"SELECT DISTINCT {quoted(target.column)} AS key FROM {table(target.table, rows)}"
        joined = f"({chosen}) AS pointing LEFT JOIN ({keys}) AS pointed ON value = key"
        found.append(Part(f"k{mark}", (joined,), (_measured(mark, check, dt.date.min),)))
    return found


def table(name: str, rows: Rows) -> str:
    """A table of the pipeline's database, unless it names another."""
    database, _, last = name.rpartition(".")
    return f"{quoted(database or rows.database)}.{quoted(last)}"


def _whole(wanted: Wanted, rows: Rows) -> list[Part]:
    """Groupings that are read whole: histograms, the most frequent values, and counts of bias."""
    found = []
    for index, column in enumerate(wanted.histograms):
        grouped, name = _bins(f"v{index}", [column], None, rows)
        top = f"(SELECT bin, n FROM {name} ORDER BY n DESC, bin LIMIT {MOST_BINS}) AS top"
        found.append(Part(f"h{index}_", (grouped, top), (_detail(f"h{index}"),)))
    label = wanted.label or ""
    for index, each in enumerate(wanted.biases):
        present = f"{quoted(each.facet)} IS NOT NULL AND {quoted(label)} IS NOT NULL"
        cells = f"SELECT {bias.key(each, label)} AS bin, count(*) AS n"
        counted = f"({cells} {rows.chosen(present)} GROUP BY 1) AS cells"
        found.append(Part(f"b{index}_", (counted,), (_detail(f"b{index}"),)))
    return found


def _detail(mark: str) -> str:
    return f"json_format(CAST(map_agg(bin, n) AS JSON)) AS {mark}"
