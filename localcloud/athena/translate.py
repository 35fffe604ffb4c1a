"""Trino SQL, as Athena takes it, into DuckDB's: sqlglot's translation and what it leaves out.

https://docs.aws.amazon.com/athena/latest/ug/athena-sql-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import ErrorLevel, exp
from sqlglot.errors import SqlglotError
from sqlglot.expressions import apply_index_offset

from localcloud.athena import joda, lambdas, unnest
from localcloud.athena.casts import cast
from localcloud.athena.dialect import parse_trino
from localcloud.athena.errors import QueryError, place
from localcloud.athena.functions import SERVED
from localcloud.athena.lambdas import call

Change = Callable[[exp.Expr], exp.Expr]


def to_duckdb(tree: exp.Expr) -> str:
    """The DuckDB text of a parsed Athena query. The tree given is left as it was."""
    try:
        return _rewritten(tree.copy()).sql(dialect="duckdb", unsupported_level=ErrorLevel.IMMEDIATE)
    except SqlglotError as error:
        raise QueryError(f"NOT_SUPPORTED: {error}") from error


def query(sql: str) -> str:
    """Parse and translate in one step."""
    return to_duckdb(parse_trino(sql))


def _rewritten(root: exp.Expr) -> exp.Expr:
    """Change each node once, those inside it first."""
    for node in reversed(list(root.bfs())):
        change = _CHANGES.get(type(node))
        new = change(node) if change else node
        if node is root:
            root = new
        elif new is not node:
            node.replace(new)
    return root


# Functions that sqlglot passes through by name


def _anonymous(node: exp.Expr) -> exp.Expr:
    name, arguments = node.name.lower(), list(node.expressions)
    if name in lambdas.BY_NAME:
        count, make = lambdas.BY_NAME[name]
        if len(arguments) == count:
            return make(name, arguments)
    if name == "format_datetime" and len(arguments) == 2:
        return call("strftime", arguments[0], _pattern(arguments[1]))
    if name in _RENAMED:
        return call(_RENAMED[name], *arguments)
    if name == "approx_percentile":
        raise QueryError("NOT_SUPPORTED: approx_percentile with weights")
    if name not in SERVED:
        raise QueryError(f"FUNCTION_NOT_FOUND: {place(node)}: Function '{name}' not registered")
    return node


_RENAMED = {name: f"athena_{name}" for name in ("map_entries", "url_encode", "url_decode")}


def _pattern(node: exp.Expr) -> exp.Expr:
    if not isinstance(node, exp.Literal):
        raise QueryError("NOT_SUPPORTED: a date pattern that is not a literal")
    return exp.Literal.string(joda.to_strftime(node.name))


# Functions whose meaning differs


def _named(name: str, *arguments: str) -> Change:
    """A call by another name, with these arguments of the node; absent ones are left out."""

    def change(node: exp.Expr) -> exp.Expr:
        given = [node.args.get(argument) for argument in arguments]
        return call(name, *(value for value in given if value is not None))

    return change


def _approx_distinct(node: exp.Expr) -> exp.Expr:
    """Counted exactly: DuckDB's estimate errs by more than the 2.3 % that Trino keeps."""
    return exp.Count(this=exp.Distinct(expressions=[node.this]))


def _date_diff(node: exp.Expr) -> exp.Expr:
    """Trino counts whole units between the two; DuckDB's date_diff counts boundaries."""
    unit = node.args.get("unit")
    name = exp.Literal.string((unit.name if unit else "day").lower())
    return call("date_sub", name, node.expression, node.this)


def _same_type(node: exp.Expr) -> exp.Expr:
    """A date stays a date: DuckDB makes a timestamp of it."""
    return call("cast_to_type", node.copy(), node.this.copy())


def _arithmetic(node: exp.Expr) -> exp.Expr:
    return _same_type(node) if isinstance(node.expression, exp.Interval) else node


def _sequence(node: exp.Expr) -> exp.Expr:
    start, end, step = node.args["start"], node.args["end"], node.args.get("step")
    if step is None:
        dates = isinstance(start, exp.Cast) and start.is_type("date", "timestamp")
        return call("athena_sequence_of_days" if dates else "athena_sequence", start, end)
    steps = call("generate_series", start, end, step)
    return call("cast_to_type", steps, exp.Array(expressions=[start.copy()]))


def _regexp_replace(node: exp.Expr) -> exp.Expr:
    """`$1` names a group in Trino, `\\1` in DuckDB."""
    replacement = node.args.get("replacement")
    if isinstance(replacement, exp.Literal) and replacement.is_string:
        text = re.sub(r"\$(\d)", r"\\\1", replacement.name.replace("\\", "\\\\"))
        node.set("replacement", exp.Literal.string(text))
    return node


def _regexp_extract(node: exp.Expr) -> exp.Expr:
    """No match is NULL in Trino, an empty text in DuckDB."""
    group = node.args.get("group") or exp.Literal.number(0)
    return call("athena_regexp_extract", node.this, node.expression, group)


def _length(node: exp.Expr) -> exp.Expr:
    """Of a text's bytes, which DuckDB counts in the text."""
    return call("strlen", node.this.this) if isinstance(node.this, exp.Encode) else node


def _replace(node: exp.Expr) -> exp.Expr:
    """DuckDB writes a value anew even where nothing is replaced in it: most columns' every row."""
    if not isinstance(node.this, exp.Column):
        return node
    searched = exp.Contains(this=node.this.copy(), expression=node.expression.copy())
    return exp.case().when(exp.not_(searched), node.this.copy()).else_(node)


def _format(node: exp.Expr) -> exp.Expr:
    return call("printf", node.this, *node.expressions)


def _parse_datetime(node: exp.Expr) -> exp.Expr:
    return call("timezone", exp.Literal.string("UTC"),
                call("strptime", node.this, _pattern(node.args["format"])))  # fmt: skip


def _subscript(node: exp.Expr) -> exp.Expr:
    """Out of bounds is an error in Trino, NULL in DuckDB; element_at gives NULL in both."""
    if node.args.get("safe") or isinstance(node.expressions[0], exp.Slice):
        return node
    (at,) = apply_index_offset(node.this, node.expressions, 1, dialect="duckdb")
    return call("athena_subscript", node.this, at)


def _at_time_zone(node: exp.Expr) -> exp.Expr:
    zone = node.args["zone"]
    if not (isinstance(zone, exp.Literal) and zone.name.upper() == "UTC"):
        raise QueryError("NOT_SUPPORTED: AT TIME ZONE other than UTC is not in the local Athena")
    return call("athena_at_utc", node.this)


def _own_catalog(node: exp.Expr) -> exp.Expr:
    """Athena's catalog name is not one of DuckDB's."""
    if isinstance(node, exp.Table) and node.catalog.lower() == "awsdatacatalog":
        node.set("catalog", None)
    return node


def _unnest(node: exp.Expr) -> exp.Expr:
    return unnest.rewritten(node) if isinstance(node, exp.Unnest) else node


_CHANGES: dict[type[exp.Expr], Change] = {
    exp.Add: _arithmetic,
    exp.Anonymous: _anonymous,
    exp.ApproxDistinct: _approx_distinct,
    exp.ArrayDistinct: _named("array_distinct", "this"),
    exp.ArrayExcept: _named("array_except", "this", "expression"),
    exp.ArrayPosition: _named("athena_array_position", "this", "expression"),
    exp.ArraySize: _named("cardinality", "this"),
    exp.ArraySlice: _named("athena_slice", "this", "start", "end"),
    exp.AtTimeZone: _at_time_zone,
    exp.Bracket: _subscript,
    exp.Cast: cast,
    exp.DateAdd: _same_type,
    exp.DateDiff: _date_diff,
    exp.DateTrunc: _same_type,
    exp.Format: _format,
    exp.GenerateSeries: _sequence,
    exp.JSONExtract: _named("athena_json_extract", "this", "expression"),
    exp.JSONExtractScalar: _named("athena_json_scalar", "this", "expression"),
    exp.Length: _length,
    exp.ParseDatetime: _parse_datetime,
    exp.Reduce: lambdas.reduce,
    exp.RegexpExtract: _regexp_extract,
    exp.RegexpReplace: _regexp_replace,
    exp.Repeat: _named("athena_repeat", "this", "times"),
    exp.Replace: _replace,
    exp.Reverse: _named("athena_reverse", "this"),
    exp.Split: _named("athena_split", "this", "expression", "limit"),
    exp.SplitPart: _named("athena_split_part", "this", "delimiter", "part_index"),
    exp.StrToMap: _named("athena_split_to_map", "this", "pair_delim", "key_value_delim"),
    exp.Sub: _arithmetic,
    exp.Table: _own_catalog,
    exp.TimestampTrunc: _same_type,
    exp.TryCast: cast,
    exp.Typeof: _named("athena_typeof", "this"),
    exp.Unnest: _unnest,
}
