"""Trino's functions that take a lambda, by DuckDB's list functions.

https://docs.aws.amazon.com/athena/latest/ug/functions-env3.html
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from localcloud.athena.errors import QueryError

ITEM = "athena_item"


def call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _function(node: exp.Expr, parameters: int) -> exp.Lambda:
    if not isinstance(node, exp.Lambda) or len(node.expressions) != parameters:
        raise QueryError(f"TYPE_MISMATCH: Expected a lambda of {parameters}, not {node.sql()}")
    return node


def _applied(function: exp.Lambda, *values: exp.Expr) -> exp.Expr:
    """The lambda's body with values in place of its parameters."""
    given = {p.name: v for p, v in zip(function.expressions, values, strict=True)}

    def put(inner: exp.Expr) -> exp.Expr:
        named = isinstance(inner, (exp.Column, exp.Identifier)) and inner.name in given
        return given[inner.name].copy() if named else inner

    return exp.Paren(this=function.this.copy().transform(put))


def _item() -> exp.Column:
    return exp.column(ITEM)


def _each(body: exp.Expr) -> exp.Lambda:
    return exp.Lambda(this=body, expressions=[exp.to_identifier(ITEM)])


def _field(name: str) -> exp.Expr:
    return exp.Dot(this=_item(), expression=exp.to_identifier(name))


def _entry(key: exp.Expr, value: exp.Expr) -> exp.Expr:
    pairs = [exp.PropertyEQ(this=exp.to_identifier(n), expression=v)
             for n, v in (("key", key), ("value", value))]  # fmt: skip
    return exp.Struct(expressions=pairs)


def reduce(node: exp.Expr) -> exp.Expr:
    """reduce(list, start, step, finish): the finish function is applied to the reduced value."""
    folded = call("list_reduce", node.this, node.args["merge"], node.args["initial"])
    finish = node.args.get("finish")
    return folded if finish is None else _applied(_function(finish, 1), folded)


def matches(name: str, arguments: list[exp.Expr]) -> exp.Expr:
    """any_match, all_match, none_match: how many elements satisfy the condition."""
    found = call("len", call("list_filter", *arguments))
    if name == "all_match":
        return exp.Paren(this=exp.EQ(this=found, expression=call("len", arguments[0].copy())))
    kind = exp.GT if name == "any_match" else exp.EQ
    return exp.Paren(this=kind(this=found, expression=exp.Literal.number(0)))


def zip_with(name: str, arguments: list[exp.Expr]) -> exp.Expr:
    left, right, function = arguments
    pair = [call("struct_extract_at", _item(), exp.Literal.number(at)) for at in (1, 2)]
    return call("list_transform", call("list_zip", left, right),
                _each(_applied(_function(function, 2), *pair)))  # fmt: skip


def map_filter(name: str, arguments: list[exp.Expr]) -> exp.Expr:
    entries, function = call("map_entries", arguments[0]), _function(arguments[1], 2)
    kept = _each(_applied(function, _field("key"), _field("value")))
    return call("map_from_entries", call("list_filter", entries, kept))


def transformed(name: str, arguments: list[exp.Expr]) -> exp.Expr:
    """transform_keys and transform_values."""
    entries, function = call("map_entries", arguments[0]), _function(arguments[1], 2)
    key, value = _field("key"), _field("value")
    changed = _applied(function, key, value)
    entry = _entry(changed, value) if name == "transform_keys" else _entry(key, changed)
    return call("map_from_entries", call("list_transform", entries, _each(entry)))


BY_NAME: dict[str, tuple[int, Callable[[str, list[exp.Expr]], exp.Expr]]] = {
    "any_match": (2, matches),
    "all_match": (2, matches),
    "none_match": (2, matches),
    "zip_with": (3, zip_with),
    "map_filter": (2, map_filter),
    "transform_keys": (2, transformed),
    "transform_values": (2, transformed),
}
