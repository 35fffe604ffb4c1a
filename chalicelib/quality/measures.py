"""Every declared check as one column of one aggregate query over the run's new rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from chalicelib.convert import literal, quoted, text

if TYPE_CHECKING:
    from chalicelib.settings import Check

Expression = Callable[["Check", str], str]


def query(checks: Sequence[Check], table: str, run_id: str, rows_read: str) -> str:
    """One row: `rows`, `rows_read`, and `m0`, `m1`, ... in the order of the checks."""
    rows = f"FROM {table} WHERE run = {text(run_id)}"
    columns = ["count(*) AS rows", f"{rows_read} AS rows_read"]
    columns += [f"{MEASURES[check.check](check, rows)} AS m{i}" for i, check in enumerate(checks)]
    return "SELECT " + ",\n  ".join(columns) + f"\n{rows}"


def _name(check: Check) -> str:
    return quoted(check.column or "")


def _completeness(check: Check, rows: str) -> str:
    return f"CAST(count({_name(check)}) AS double) / nullif(count(*), 0)"


def _membership(check: Check, rows: str) -> str:
    """The share of present values that are allowed."""
    listed = ", ".join(literal(each) for each in check.values)
    inside = f"count_if({_name(check)} IN ({listed}))"
    return f"CAST({inside} AS double) / nullif(count({_name(check)}), 0)"


def _uniqueness(check: Check, rows: str) -> str:
    """The share of rows whose value occurs once, as Deequ defines it."""
    name = _name(check)
    once = f"SELECT count(*) AS n {rows} AND {name} IS NOT NULL GROUP BY {name}"
    return (
        f"(SELECT CAST(count_if(n = 1) AS double) / nullif(sum(n), 0) FROM ({once}) AS occurrences)"
    )


def _plain(function: str) -> Expression:
    return lambda check, rows: f"CAST({function}({_name(check)}) AS double)"


MEASURES: dict[str, Expression] = {
    "size": lambda check, rows: "CAST(count(*) AS double)",
    "completeness": _completeness,
    "membership": _membership,
    "uniqueness": _uniqueness,
    "distinct": _plain("approx_distinct"),
    "mean": _plain("avg"),
    "min": _plain("min"),
    "max": _plain("max"),
    "stddev": _plain("stddev"),
}
