"""A few of the rows that break a check: a second, small query, for broken checks alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from chalicelib.ingest.convert import quoted
from chalicelib.quality.kinds import KINDS
from chalicelib.quality.query import Rows, table

if TYPE_CHECKING:
    from chalicelib.quality.declared import Check
    from chalicelib.quality.verdict import Result

SHOWN = 5  # rows of each check
LONGEST = 200  # letters of each value
MARK = "broken_check"
Row = dict[str, str | None]


def statement(
    broken: Iterable[Result], checks: Sequence[Check], rows: Rows, columns: Sequence[str]
) -> str | None:
    """Rows of each broken check, `broken_check` saying which; None where no row can be shown."""
    listed = ", ".join(f"substr(CAST({quoted(n)} AS varchar), 1, {LONGEST}) AS {quoted(n)}"
                       for n in columns)  # fmt: skip
    parts = []
    for index in (result.index for result in broken):
        source = _source(checks[index], rows) if index is not None else None
        if source:
            parts.append(f"(SELECT {index} AS {MARK}, {listed}\n{source} LIMIT {SHOWN})")
    return "\nUNION ALL\n".join(parts) or None


def read(found: Iterable[Mapping[str, str | None]]) -> dict[int | None, list[Row]]:
    """The query's rows by check."""
    offending: dict[int | None, list[Row]] = {}
    for row in found:
        values = {name: value for name, value in row.items() if name != MARK}
        offending.setdefault(int(row[MARK] or 0), []).append(values)
    return offending


def words(check: Check, row: Row) -> str:
    """One row in a line: what the check reads first, then what else there is room for."""
    first = [name for name in row if name in check.reads]
    names = [*first, *[name for name in row if name not in check.reads]]
    return ", ".join(f"{name} = {_short(row[name])}" for name in names)[:300]


def _short(value: str | None) -> str:
    if value is None:
        return "NULL"
    return value if len(value) <= 60 else value[:57] + "..."


def _source(check: Check, rows: Rows) -> str | None:
    """FROM, WHERE and ORDER BY of the rows that break a check."""
    kind = KINDS[check.check]
    if kind.offends:
        condition = kind.offends(check)
        return None if condition == "false" else rows.chosen(check.where, condition)
    listed = ", ".join(quoted(name) for name in check.reads)
    if kind.repeats:
        present = " OR ".join(f"{quoted(name)} IS NOT NULL" for name in check.reads)
        counted = f"SELECT *, count(*) OVER (PARTITION BY {listed}) AS occurrences"
        inner = f"{counted} {rows.chosen(check.where, present)}"
        return f"FROM ({inner}) AS counted WHERE occurrences > 1 ORDER BY {listed}"
    if target := check.references:
        key = quoted(target.column)
        keys = f"SELECT {key} FROM {table(target.table, rows)} WHERE {key} IS NOT NULL"
        return rows.chosen(check.where, f"{listed} NOT IN ({keys})")
    return None
