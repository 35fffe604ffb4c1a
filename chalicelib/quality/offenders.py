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
Offending = dict[int | None, list[Row]]  # by the check's place in pipeline.toml


def statement(
    broken: Iterable[Result], checks: Sequence[Check], rows: Rows, columns: Sequence[str]
) -> str | None:
    """Rows of each broken check, `broken_check` saying which; None where no row can be shown."""
    parts = []
    for index in (result.index for result in broken):
        source = _source(checks[index], rows) if index is not None else None
        if source:
            parts.append(f"(SELECT {index} AS {MARK}, found.* {source} LIMIT {SHOWN})")
    if not parts:
        return None
    listed = ", ".join(f"substr(CAST({quoted(n)} AS varchar), 1, {LONGEST}) AS {quoted(n)}"
                       for n in columns)  # fmt: skip
    every = "\nUNION ALL\n".join(parts)
    return f"SELECT {MARK}, {listed}\nFROM (\n{every}\n) AS shown"


def read(found: Iterable[Mapping[str, str | None]]) -> Offending:
    """The query's rows by check."""
    offending: Offending = {}
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
    """FROM and ORDER BY of the rows that break a check, under the name `found`."""
    kind = KINDS[check.check]
    if kind.offends:
        condition = kind.offends(check)
        return None if condition == "false" else _found(rows.chosen(check.where, condition))
    if kind.repeats:
        return _repeated(check, rows)
    if target := check.references:
        key = quoted(target.column)
        keys = f"SELECT {key} FROM {table(target.table, rows)} WHERE {key} IS NOT NULL"
        strange = f"{quoted(check.reads[0])} NOT IN ({keys})"
        return _found(rows.chosen(check.where, strange))
    return None


def _repeated(check: Check, rows: Rows) -> str:
    """Rows of a few keys that occur more than once: the keys are found among the key columns
    alone, and only their rows are read whole."""
    names = [quoted(name) for name in check.reads]
    keys = [quoted(f"{name} repeated") for name in check.reads]
    chosen = rows.chosen(check.where, " OR ".join(f"{name} IS NOT NULL" for name in names))
    listed = ", ".join(names)
    selected = ", ".join(f"{name} AS {key}" for name, key in zip(names, keys, strict=True))
    grouped = f"SELECT {selected} {chosen} GROUP BY {listed} HAVING count(*) > 1"
    same = " AND ".join(f"{n} IS NOT DISTINCT FROM {k}" for n, k in zip(names, keys, strict=True))
    few = f"({grouped} ORDER BY {listed} LIMIT {SHOWN}) AS repeated"
    return f"{_found(chosen)} JOIN {few} ON {same} ORDER BY {listed}"


def _found(chosen: str) -> str:
    return f"FROM (SELECT * {chosen}) AS found"
