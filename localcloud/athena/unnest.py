"""UNNEST of maps, of rows, of several arrays and with ordinality, as a lateral subquery.

https://docs.aws.amazon.com/athena/latest/ug/flattening-arrays.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope

from localcloud.athena.errors import QueryError
from localcloud.athena.lambdas import call

_ROWS = "rows"  # the mark of a column that holds arrays of rows
_LISTS = (exp.Array, exp.ArrayAgg, exp.Transform, exp.ArrayFilter)


def mark_rows(tree: exp.Expr, columns: Callable[[exp.Table], Mapping[str, str]]) -> None:
    """Mark the unnested columns that hold arrays of rows; `columns` tells a table's Hive types."""
    for scope in traverse_scope(tree):
        if not isinstance(scope.expression, exp.Unnest):
            continue
        tables = {n: columns(t) for n, t in scope.sources.items() if isinstance(t, exp.Table)}
        for value in scope.expression.expressions:
            if isinstance(value, exp.Column):
                holders = [tables.get(value.table, {})] if value.table else tables.values()
                kinds = (held.get(value.name.lower(), "").lower() for held in holders)
                value.meta[_ROWS] = any(kind.startswith("array<struct<") for kind in kinds)


def rewritten(node: exp.Unnest) -> exp.Expr:
    """DuckDB's own UNNEST takes one list and gives one column; the rest is written out."""
    alias = node.args.get("alias")
    names = [column.name for column in alias.columns] if alias else []
    ordinal = node.args.get("offset")
    if len(node.expressions) == 1 and len(names) <= 1 and not ordinal:
        return node
    if not names:
        raise QueryError("NOT_SUPPORTED: UNNEST without column names of its own")
    number = ordinal.name if isinstance(ordinal, exp.Identifier) else ""
    if ordinal and not number:
        names, number = names[:-1], names[-1]
    columns = _columns(node.expressions, names)
    if number:
        first = node.expressions[0].copy()
        keys = call("map_keys", first) if _is_map(node.expressions, names) else first
        at = call("generate_subscripts", keys, exp.Literal.number(1))
        columns.append(exp.alias_(at, number))
    inner = exp.Select(expressions=columns)
    return exp.Subquery(this=inner, alias=exp.TableAlias(this=alias.this if alias else None))


def _columns(values: list[exp.Expr], names: list[str]) -> list[exp.Expr]:
    if len(values) == len(names):
        return [exp.alias_(_unnest(v), n) for v, n in zip(values, names, strict=True)]
    if len(values) > 1:
        raise QueryError("NOT_SUPPORTED: UNNEST of maps or rows beside other values")
    if _is_map(values, names):
        parts = [call(part, values[0].copy()) for part in ("map_keys", "map_values")]
        return [exp.alias_(_unnest(v), n) for v, n in zip(parts, names, strict=True)]
    rows = _unnest(values[0])
    fields = [call("struct_extract_at", rows.copy(), exp.Literal.number(at + 1))
              for at in range(len(names))]  # fmt: skip
    return [exp.alias_(f, n) for f, n in zip(fields, names, strict=True)]


def _unnest(value: exp.Expr) -> exp.Anonymous:
    return call("unnest", value.copy())


def _is_map(values: list[exp.Expr], names: list[str]) -> bool:
    """One value that gives two columns is a map, unless it can be seen to be a list of rows."""
    rows = isinstance(values[0], _LISTS) or values[0].meta.get(_ROWS)
    return len(values) == 1 and len(names) == 2 and not rows
