"""CAST and TRY_CAST as Trino means them: '3.7' is no integer, '2015/08/31' no date.

https://docs.aws.amazon.com/athena/latest/ug/data-types.html
"""

from __future__ import annotations

from sqlglot import exp

from localcloud.athena.lambdas import call

_GUARDS = {
    exp.DType.TINYINT: "int",
    exp.DType.SMALLINT: "int",
    exp.DType.INT: "int",
    exp.DType.BIGINT: "int",
    exp.DType.FLOAT: "float",
    exp.DType.DOUBLE: "float",
    exp.DType.DECIMAL: "float",
    exp.DType.DATE: "date",
    exp.DType.BOOLEAN: "bool",
}
_TEXTS = {exp.DType.VARCHAR, exp.DType.TEXT, exp.DType.CHAR}
_TIMES = {exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ}


def cast(node: exp.Expr) -> exp.Expr:
    """A cast whose text argument is checked before DuckDB, which takes more, sees it."""
    assert isinstance(node, exp.Cast)
    kind, value = node.to.this, node.this
    if kind in _TEXTS:
        return _to_text(node)
    if kind in _TIMES:
        node.set("to", exp.DataType(this=kind))  # Athena's timestamps have milliseconds, always
    guard = _GUARDS.get(kind)
    if guard is None or value.is_number or isinstance(value, exp.Null):
        return _rounded(node)
    checked = (
        call(f"athena_try_{guard}", value)
        if isinstance(node, exp.TryCast)
        else call(f"athena_{guard}", value, exp.Literal.string(node.to.sql("trino").upper()))
    )
    return type(node)(this=checked, to=node.to)


def _to_text(node: exp.Cast) -> exp.Expr:
    """Numbers as Java writes them; `varchar(n)` cuts off what is longer."""
    text = call("athena_text", node.this)
    if not node.to.expressions:
        return text
    return call("left", text, node.to.expressions[0].this)


def _rounded(node: exp.Cast) -> exp.Expr:
    """A literal with a fraction rounds half up, as all numbers do in the guards."""
    if _GUARDS.get(node.to.this) != "int":
        return node
    return type(node)(this=call("round", node.this), to=node.to)
