"""Trino SQL, as Athena takes it, into DuckDB's: sqlglot's translation and what it leaves out.

https://docs.aws.amazon.com/athena/latest/ug/athena-sql-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp
from sqlglot.errors import SqlglotError

from localcloud.athena.dialect import parse_trino
from localcloud.athena.errors import QueryError

_INTS = {exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT}
_FLOATS = {exp.DType.FLOAT, exp.DType.DOUBLE, exp.DType.DECIMAL}
_TEXTS = {exp.DType.VARCHAR, exp.DType.TEXT, exp.DType.CHAR}
_JODA = [
    ("yyyy", "%Y"), ("yy", "%y"), ("MMMM", "%B"), ("MMM", "%b"), ("MM", "%m"), ("dd", "%d"),
    ("HH", "%H"), ("hh", "%I"), ("mm", "%M"), ("ss", "%S"), ("SSSSSS", "%f"), ("SSS", "%g"),
    ("EEEE", "%A"), ("EEE", "%a"), ("a", "%p"), ("ZZ", "%z"), ("Z", "%z"), ("DDD", "%j"),
    ("d", "%-d"), ("M", "%-m"), ("H", "%-H"), ("h", "%-I"),
]  # fmt: skip


def to_duckdb(tree: exp.Expression) -> str:
    """The DuckDB text of a parsed Athena query. The tree given is left as it was."""
    changed = tree.copy().transform(_rewrite)
    try:
        return changed.sql(dialect="duckdb", unsupported_level=_raise_level())
    except SqlglotError as error:
        raise QueryError(f"NOT_SUPPORTED: {error}") from error


def query(sql: str) -> str:
    """Parse and translate in one step."""
    return to_duckdb(parse_trino(sql))


def _raise_level() -> object:
    from sqlglot import ErrorLevel

    return ErrorLevel.IMMEDIATE


def _rewrite(node: exp.Expression) -> exp.Expression:
    change = _CHANGES.get(type(node))
    if change is None and isinstance(node, exp.Cast):
        change = _cast
    return change(node) if change else node


def _call(name: str, *arguments: exp.Expression) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _cast(node: exp.Expression) -> exp.Expression:
    """Trino casts text more strictly: '3.7' is no integer, '2015/08/31' no date."""
    kind, value = node.to.this, node.this
    safe = isinstance(node, exp.TryCast)
    if isinstance(value, exp.Anonymous) and value.name.lower().startswith("athena_"):
        return node
    if kind in _TEXTS and node.to.expressions:
        length = node.to.expressions[0].this
        inner = type(node)(this=value, to=exp.DataType.build("varchar", dialect="trino"))
        return exp.Anonymous(this="left", expressions=[inner, length])
    name = _strict_cast(kind)
    if name is None or (isinstance(value, exp.Literal) and not value.is_string):
        return node
    types = [] if safe or name in ("date", "bool") else [exp.Literal.string(node.to.sql().upper())]
    guarded = _call(f"athena_{'try_' if safe else ''}{name}", value, *types)
    return type(node)(this=guarded, to=node.to)


def _strict_cast(kind: exp.DType) -> str | None:
    if kind in _INTS:
        return "int"
    if kind in _FLOATS:
        return "float"
    return {exp.DType.DATE: "date", exp.DType.BOOLEAN: "bool"}.get(kind)


def _cardinality(node: exp.Expression) -> exp.Expression:
    return _call("cardinality", node.this)


def _date_diff(node: exp.Expression) -> exp.Expression:
    """Trino counts whole units between the two; DuckDB's date_diff counts boundaries."""
    unit = node.args.get("unit")
    name = exp.Literal.string((unit.name if unit else "day").lower())
    return _call("date_sub", name, node.expression, node.this)


def _regexp_replace(node: exp.Expression) -> exp.Expression:
    """`$1` names a group in Trino, `\\1` in DuckDB."""
    replacement = node.args.get("replacement")
    if isinstance(replacement, exp.Literal) and replacement.is_string:
        text = re.sub(r"\$(\d)", r"\\\1", replacement.name.replace("\\", "\\\\"))
        node.set("replacement", exp.Literal.string(text))
    return node


def _regexp_extract(node: exp.Expression) -> exp.Expression:
    """No match is NULL in Trino, an empty text in DuckDB."""
    group = node.args.get("group") or exp.Literal.number(0)
    return _call("athena_regexp_extract", node.this, node.expression, group)


def _joda(pattern: str) -> str:
    """A Joda pattern as strftime's; quoted text stays as it is."""
    out, at = "", 0
    while at < len(pattern):
        if pattern[at] == "'":
            end = pattern.find("'", at + 1)
            end = len(pattern) if end < 0 else end
            out += pattern[at + 1 : end] or "'"
            at = end + 1
            continue
        for joda, mark in _JODA:
            if pattern.startswith(joda, at):
                out, at = out + mark, at + len(joda)
                break
        else:
            if pattern[at].isalpha():
                raise QueryError(f"NOT_SUPPORTED: Date pattern letter '{pattern[at]}'")
            out, at = out + pattern[at], at + 1
    return out


def _format_argument(node: exp.Anonymous) -> exp.Literal:
    pattern = node.expressions[1]
    if not isinstance(pattern, exp.Literal):
        raise QueryError(f"NOT_SUPPORTED: {node.name} with a pattern that is not a literal")
    return exp.Literal.string(_joda(pattern.name))


def _reduce(node: exp.Expression) -> exp.Expression:
    """reduce(list, start, step, finish): the finish function is applied to the reduced value."""
    folded = _call("list_reduce", node.this, node.args["merge"], node.args["initial"])
    finish = node.args.get("finish")
    if finish is None:
        return folded
    name = finish.expressions[0].name

    def put(inner: exp.Expression) -> exp.Expression:
        same = isinstance(inner, (exp.Column, exp.Identifier)) and inner.name == name
        return folded if same else inner

    return exp.Paren(this=finish.this.copy().transform(put))


def _anonymous(node: exp.Expression) -> exp.Expression:
    name, arguments = node.name.lower(), node.expressions
    if name == "format_datetime":
        return _call("strftime", arguments[0], _format_argument(node))
    if name == "parse_datetime":
        return _call("strptime", arguments[0], _format_argument(node))
    if name == "approx_percentile":
        raise QueryError("NOT_SUPPORTED: approx_percentile with weights")
    if name in _MATCHES:
        return _matches(name, arguments)
    if name.startswith("athena_") or name in _OWN or name in TRINO_FUNCTIONS:
        return node
    raise QueryError(f"FUNCTION_NOT_FOUND: line 1:1: Function '{name}' not registered")


def _matches(name: str, arguments: list[exp.Expression]) -> exp.Expression:
    """any_match, all_match, none_match: how many elements satisfy the condition."""
    found = _call("len", _call("list_filter", *arguments))
    if name == "all_match":
        return exp.Paren(this=exp.EQ(this=found, expression=_call("len", arguments[0].copy())))
    zero = exp.Literal.number(0)
    kind = exp.GT if name == "any_match" else exp.EQ
    return exp.Paren(this=kind(this=found, expression=zero))


def _own_catalog(node: exp.Expression) -> exp.Expression:
    """Athena's catalog name is not one of DuckDB's."""
    if node.args.get("catalog") and node.catalog.lower() == "awsdatacatalog":
        node.set("catalog", None)
    return node


_MATCHES = {"any_match", "all_match", "none_match"}
_OWN = {
    "len",
    "list_filter",
    "cardinality",
    "date_sub",
    "list_reduce",
    "left",
    "strftime",
    "strptime",
}
TRINO_FUNCTIONS = frozenset(
    [
        "map_agg",
        "checksum",
        "geometric_mean",
        "is_nan",
        "is_finite",
        "is_infinite",
        "infinity",
        "nan",
        "e",
        "rand",
        "truncate",
        "codepoint",
        "levenshtein_distance",
        "hamming_distance",
        "array_intersect",
        "array_union",
        "array_except",
        "array_max",
        "array_min",
        "arrays_overlap",
        "array_remove",
        "zip",
        "json_size",
        "url_encode",
        "url_decode",
        "json_array_contains",
        "json_array_length",
        "json_format",
        "to_iso8601",
        "with_timezone",
        "last_day_of_month",
        "day_of_week",
        "dow",
        "day_of_month",
        "day_of_year",
        "doy",
        "week_of_year",
        "year_of_week",
        "yow",
        "regexp_count",
        "bitwise_not",
        "bitwise_and",
        "bitwise_or",
        "bitwise_xor",
        "url_extract_host",
        "url_extract_path",
        "url_extract_protocol",
        "map_entries",
        "map_keys",
        "map_values",
        "map_from_entries",
        "map_concat",
        "histogram",
        "array_distinct",
        "array_sort",
        "array_position",
        "array_reverse",
        "flatten",
        "ngrams",
        "array_join",
        "split_to_map",
        "regexp_split",
        "position",
        "strpos",
        "starts_with",
        "ends_with",
        "reverse",
        "lpad",
        "rpad",
        "ltrim",
        "rtrim",
        "trim",
        "upper",
        "lower",
        "chr",
        "translate",
        "normalize",
        "soundex",
        "to_base64",
        "from_base64",
        "to_hex",
        "from_hex",
        "crc32",
        "entropy",
        "kurtosis",
        "skewness",
        "regr_slope",
        "regr_intercept",
        "regr_r2",
        "covar_pop",
        "covar_samp",
        "corr",
        "bool_and",
        "bool_or",
        "every",
        "sin",
        "cos",
        "tan",
        "asin",
        "acos",
        "atan",
        "atan2",
        "sinh",
        "cosh",
        "tanh",
        "degrees",
        "radians",
        "cbrt",
        "log2",
        "log10",
        "log",
        "mod",
        "power",
        "pow",
        "sqrt",
        "ceil",
        "ceiling",
        "floor",
        "sign",
        "width_bucket",
        "round",
        "pi",
        "typeof",
        "uuid",
        "year",
        "month",
        "day",
        "hour",
        "minute",
        "second",
        "millisecond",
        "quarter",
        "week",
        "date",
        "date_trunc",
        "timezone",
        "current_timezone",
        "json_extract",
        "json_extract_scalar",
        "json_parse",
        "is_json_scalar",
        "try",
        "version",
        "greatest",
        "least",
        "concat",
        "concat_ws",
        "approx_distinct",
        "approx_quantile",
        "row_number",
        "rank",
        "dense_rank",
        "percent_rank",
        "cume_dist",
        "ntile",
        "lag",
        "lead",
        "first_value",
        "last_value",
        "nth_value",
        "grouping",
        "list_transform",
        "list_filter",
        "rotate",
        "slice",
        "shuffle",
        "repeat",
        "sequence",
    ]
)


def _approx_distinct(node: exp.Expression) -> exp.Expression:
    """Counted exactly: DuckDB's estimate errs by more than the 2.3 % that Trino keeps."""
    return exp.Count(this=exp.Distinct(expressions=[node.this]))


_CHANGES: dict[type[exp.Expression], Callable[[exp.Expression], exp.Expression]] = {
    exp.ApproxDistinct: _approx_distinct,
    exp.ArraySize: _cardinality,
    exp.DateDiff: _date_diff,
    exp.RegexpReplace: _regexp_replace,
    exp.RegexpExtract: _regexp_extract,
    exp.Reduce: _reduce,
    exp.Anonymous: _anonymous,
    exp.Table: _own_catalog,
}
