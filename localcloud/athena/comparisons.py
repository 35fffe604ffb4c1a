"""Comparisons that Trino refuses and DuckDB would make fit: text with a number, or with a date.

Checked where both sides are columns of tables, literals or casts; what has another source is left
to the engine.
https://docs.aws.amazon.com/athena/latest/ug/data-types-considerations.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import cast

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from localcloud.athena.errors import QueryError

Types = Mapping[str, str]
_KINDS = {
    "text": ("varchar", "char"),
    "number": ("tinyint", "smallint", "integer", "bigint", "real", "double", "decimal"),
    "time": ("date", "timestamp"),
    "boolean": ("boolean",),
}
_TRINO = {"string": "varchar", "int": "integer", "float": "real"}
_COMPARED = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_SIGNS = {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}


def check(tree: exp.Expr, columns: Callable[[exp.Table], Types]) -> None:
    """Refuse a query that compares unlike types; `columns` tells a table's Hive types."""
    for scope in traverse_scope(tree):
        types = {
            alias: columns(source)
            for alias, source in scope.sources.items()
            if isinstance(source, exp.Table)
        }
        for node in scope.find_all(*_COMPARED, exp.In):
            if isinstance(node, exp.In):
                _check_in(node, types, scope)
            else:
                _check_pair(cast(exp.Binary, node), types, scope)


def _check_pair(node: exp.Binary, types: Mapping[str, Types], scope: Scope) -> None:
    left, right = _type(node.left, types, scope), _type(node.right, types, scope)
    if _unlike(left, right):
        raise QueryError(
            f"TYPE_MISMATCH: {_after(node.left)}Cannot apply operator: "
            f"{left} {_SIGNS[type(node)]} {right}"
        )


def _check_in(node: exp.In, types: Mapping[str, Types], scope: Scope) -> None:
    left = _type(node.this, types, scope)
    for item in node.expressions:
        if _unlike(left, right := _type(item, types, scope)):
            raise QueryError(
                f"TYPE_MISMATCH: {_after(node.this)}IN value and list items must be the same "
                f"type or coercible to a common type. Cannot find common type between {left} "
                f"and {right}"
            )


def _unlike(left: str, right: str) -> bool:
    kinds = {_kind(left), _kind(right)}
    return "" not in kinds and len(kinds) > 1


def _kind(name: str) -> str:
    plain = name.partition("(")[0]
    return next((kind for kind, names in _KINDS.items() if plain in names), "")


def _type(node: exp.Expr, types: Mapping[str, Types], scope: Scope) -> str:
    """The Trino type of an operand; empty where it cannot be told."""
    if isinstance(node, exp.Paren):
        return _type(node.this, types, scope)
    if isinstance(node, exp.Literal):
        return _literal(node)
    if isinstance(node, exp.Cast):
        return node.to.sql("trino").lower()
    return _column(node, types, scope) if isinstance(node, exp.Column) else ""


def _literal(node: exp.Literal) -> str:
    if node.is_string:
        return f"varchar({len(node.name)})"
    if "e" in node.name.lower():
        return "double"
    whole, _, part = node.name.partition(".")
    return f"decimal({len(whole + part)},{len(part)})" if part else "integer"


def _column(node: exp.Column, types: Mapping[str, Types], scope: Scope) -> str:
    if not node.table and len(types) != len(scope.sources):
        return ""
    holders = [types[node.table]] if node.table in types else list(types.values())
    found = [held[node.name.lower()] for held in holders if node.name.lower() in held]
    if len(found) != 1 or (node.table and node.table not in types):
        return ""
    return re.sub(r"^\w+", lambda name: _TRINO.get(name[0], name[0]), found[0].lower())


def _after(node: exp.Expr) -> str:
    """The place of the operator after an operand, as people write it."""
    meta = node.this.meta if isinstance(node, exp.Column) else node.meta
    return f"line {meta['line']}:{meta['col'] + 2}: " if "line" in meta else ""
