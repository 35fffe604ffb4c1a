"""The checks there are: what each needs, how it is measured, which rows offend it.

The definitions are Deequ's analyzers and constraints, so that numbers compare.
https://github.com/awslabs/deequ (Check.scala and analyzers/)

A new check is an entry in KINDS. Its `measure` is an aggregate over what its `source` gives:
`scan` the rows themselves; `groups` a row for each combination of values that occurs, with its
count `n`; `bins` the same with NULL as a value; `joint` two columns' groups with their marginal
counts; `keys` the present values, each with the value it points at, or NULL.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from chalicelib.ingest.convert import literal, quoted, text
from chalicelib.quality.patterns import DATA_TYPES, PRESETS

if TYPE_CHECKING:
    from chalicelib.quality.declared import Check

Source = Literal["scan", "groups", "bins", "joint", "keys"]
Sql = Callable[["Check"], str]
KEYS = ("column", "columns", "values", "value", "predicate", "pattern", "quantile", "type",
        "references")  # fmt: skip
ANY = frozenset({"string", "integer", "number", "boolean", "date"})
NUMERIC = frozenset({"integer", "number"})
TEXT = frozenset({"string"})
ORDERED = frozenset({"integer", "number", "date", "string"})
NULL_BIN = "NullValue"  # Deequ's Histogram.NullFieldReplacement
TODAY = "{today}"  # in a measure: the day of the run


@dataclass(frozen=True)
class Kind:
    """One check: the keys that it needs and may take, what it measures of which column types.

    `at_least` is its bound where none is given; a `pair` needs two columns, which are `comparable`
    where their types have to match. Rows that break it can be shown where `offends` is a row's
    condition, where a value `repeats`, and where it points at a missing key.
    """

    measure: Sql
    needs: tuple[str, ...] = ("column",)
    takes: tuple[str, ...] = ()
    types: frozenset[str] = ANY
    source: Source = "scan"
    offends: Sql | None = None
    repeats: bool = False
    at_least: float | None = None
    pair: bool = False
    comparable: bool = False


def rowwise(
    holds: Sql,
    needs: tuple[str, ...] = ("column",),
    types: frozenset[str] = ANY,
    *,
    pair: bool = False,
    comparable: bool = False,
) -> Kind:
    """The share of all rows for which a condition holds; Deequ's Compliance.

    A condition that is NULL does not hold. Unless a bound is given every row has to comply.
    """
    return Kind(
        lambda check: ratio(check, f"count_if({holds(check)})", "count(*)"),
        needs,
        types=types,
        offends=lambda check: f"NOT coalesce({holds(check)}, false)",
        at_least=1.0,
        pair=pair,
        comparable=comparable,
    )


def plain(function: str, types: frozenset[str] = NUMERIC) -> Kind:
    """An aggregate function of one column."""
    return Kind(lambda check: over(check, f"{function}({name(check)})"), types=types)


def occurrences(measure: str, *, repeats: bool = True) -> Kind:
    """A measure of how often the values of a column, or of several together, occur."""
    return Kind(lambda check: measure, (), ("column", "columns"), source="groups", repeats=repeats)


def over(check: Check, aggregate: str) -> str:
    """An aggregate of a scan, over the rows that `where` chooses."""
    return f"{aggregate} FILTER (WHERE {check.where})" if check.where else aggregate


def ratio(check: Check, part: str, whole: str) -> str:
    return f"1e0 * {over(check, part)} / nullif({over(check, whole)}, 0)"


def name(check: Check, index: int = 0) -> str:
    return quoted(check.reads[index])


def _extreme(function: str, of: str = "{}", types: frozenset[str] = NUMERIC) -> Kind:
    """Smallest and largest: a row beyond the bound offends."""

    def offends(check: Check) -> str:
        bound, sign = (check.at_least, "<") if function == "min" else (check.at_most, ">")
        return "false" if bound is None else f"{of.format(name(check))} {sign} {bound!r}"

    return Kind(
        lambda check: over(check, f"{function}({of.format(name(check))})"),
        types=types,
        offends=offends,
    )


def _member(check: Check) -> str:
    """NULL complies, as in Deequ's isContainedIn."""
    listed = ", ".join(literal(each) for each in check.values)
    return f"({name(check)} IS NULL OR {name(check)} IN ({listed}))"


def _matches(check: Check) -> str:
    pattern = str(check.pattern)
    return f"regexp_like({name(check)}, {text(PRESETS.get(pattern, pattern))})"


def _of_type(check: Check) -> str:
    if check.type == "string":
        others = f"{DATA_TYPES['numeric']}|{DATA_TYPES['boolean']}"
        return f"NOT regexp_like({name(check)}, {text(others)})"
    return f"regexp_like({name(check)}, {text(DATA_TYPES[str(check.type)])})"


def _bin(check: Check) -> str:
    """The share of one value, or without one how many different values there are."""
    if check.value is None:
        return "count(*)"
    inside = f"sum(n) FILTER (WHERE bin = {text(str(check.value))})"
    return f"1e0 * coalesce({inside}, 0) / nullif(sum(n), 0)"


def _age(check: Check) -> str:
    newest = over(check, f"max({name(check)})")
    return f"date_diff('day', CAST({newest} AS date), DATE '{TODAY}')"


KINDS: dict[str, Kind] = {
    "size": Kind(lambda check: over(check, "count(*)"), ()),
    "completeness": Kind(
        lambda check: ratio(check, f"count({name(check)})", "count(*)"),
        offends=lambda check: f"{name(check)} IS NULL",
    ),
    "complete": rowwise(lambda check: f"{name(check)} IS NOT NULL"),
    "compliance": rowwise(lambda check: f"({check.predicate})", ("predicate",)),
    "membership": rowwise(_member, ("column", "values"), frozenset(ANY - {"date", "boolean"})),
    "pattern": rowwise(_matches, ("column", "pattern"), TEXT),
    "non_negative": rowwise(lambda check: f"coalesce({name(check)}, 0) >= 0", types=NUMERIC),
    "positive": rowwise(lambda check: f"coalesce({name(check)}, 1) > 0", types=NUMERIC),
    "less_than": rowwise(
        lambda check: f"{name(check)} < {name(check, 1)}",
        ("columns",), ORDERED, pair=True, comparable=True,
    ),
    "less_than_or_equal": rowwise(
        lambda check: f"{name(check)} <= {name(check, 1)}",
        ("columns",), ORDERED, pair=True, comparable=True,
    ),
    "data_type": Kind(
        lambda check: ratio(check, f"count_if({_of_type(check)})", f"count({name(check)})"),
        ("column", "type"),
        types=TEXT,
        offends=lambda check: f"NOT ({_of_type(check)})",
        at_least=1.0,
    ),
    "min": _extreme("min"),
    "max": _extreme("max"),
    "min_length": _extreme("min", "length({})", TEXT),
    "max_length": _extreme("max", "length({})", TEXT),
    "mean": plain("avg"),
    "sum": plain("sum"),
    "stddev": plain("stddev_pop"),
    "quantile": Kind(
        lambda check: over(
            check, f"approx_percentile(CAST({name(check)} AS double), {check.quantile!r})"
        ),
        ("column", "quantile"),
        types=NUMERIC,
    ),
    "approx_count_distinct": plain("approx_distinct", ANY),
    "correlation": Kind(
        lambda check: over(check, f"corr({name(check)}, {name(check, 1)})"),
        ("columns",),
        types=NUMERIC,
        pair=True,
    ),
    "freshness": Kind(_age, types=frozenset({"date"})),
    "uniqueness": occurrences("1e0 * count_if(n = 1) / nullif(sum(n), 0)"),
    "distinctness": occurrences("1e0 * count(*) / nullif(sum(n), 0)"),
    "unique_value_ratio": occurrences("1e0 * count_if(n = 1) / nullif(count(*), 0)"),
    "count_distinct": occurrences("count(*)", repeats=False),
    "entropy": Kind(
        # -sum(p ln p) with p = n / N
        lambda check: "ln(sum(n)) - sum(n * ln(n)) / nullif(sum(n), 0)",
        source="groups",
    ),
    "mutual_information": Kind(
        # sum(p(x, y) ln(p(x, y) / (p(x) p(y)))); a NULL in either column counts in the total only
        lambda check: "sum(n * ln(1e0 * n * total / (1e0 * n_one * n_two))) / max(total)",
        ("columns",),
        source="joint",
        pair=True,
    ),
    "histogram": Kind(_bin, takes=("value",), source="bins"),
    "foreign_key": Kind(
        lambda check: "1e0 * count(key) / nullif(count(*), 0)",
        ("column", "references"),
        source="keys",
        at_least=1.0,
    ),
}  # fmt: skip
