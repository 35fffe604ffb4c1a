"""Which partitions a query can need: the WHERE conditions on partition keys alone."""

from __future__ import annotations

import duckdb
from sqlglot import exp

from localcloud.athena.scan import literal
from localcloud.athena.translate import to_duckdb
from localcloud.glue import hive_types
from localcloud.glue.catalog import HIVE_NULL, Column, Partition, Table


def predicates(select: exp.Expr, node: exp.Table, table: Table) -> str:
    """The conjuncts of a SELECT that name only this table's partition keys, as DuckDB SQL."""
    where = select.args.get("where") if isinstance(select, exp.Select) else None
    if where is None or not table.partition_keys:
        return ""
    alone = not select.args.get("joins") and not select.args.get("laterals")
    keys = {key.name for key in table.partition_keys}
    found = []
    for condition in where.this.flatten() if isinstance(where.this, exp.And) else [where.this]:
        if _only_keys(condition, keys, node.alias_or_name.lower(), alone):
            bare = condition.copy()
            for column in bare.find_all(exp.Column):
                column.set("table", None)
            found.append(f"({to_duckdb(bare)})")
    return " AND ".join(found)


def _only_keys(condition: exp.Expr, keys: set[str], alias: str, alone: bool) -> bool:
    columns = list(condition.find_all(exp.Column))
    if not columns or condition.find(exp.Query, exp.Rand, exp.Anonymous):
        return False
    return all(
        column.name.lower() in keys
        and (column.table.lower() == alias or (alone and not column.table))
        for column in columns
    )


def values(keys: tuple[Column, ...], partitions: list[Partition]) -> str:
    """Partitions as a relation: their number `_at` and their key values, typed."""
    names = ", ".join(["_at", *(hive_types.quote(key.name) for key in keys)])
    rows = []
    for at, partition in enumerate(partitions):
        typed = [
            f"CAST({'NULL' if value == HIVE_NULL else literal(value)} "
            f"AS {hive_types.to_duckdb(key.type)})"
            for key, value in zip(keys, partition.values, strict=True)
        ]
        rows.append(f"({', '.join([str(at), *typed])})")
    if not rows:
        nulls = [f"CAST(NULL AS {hive_types.to_duckdb(key.type)})" for key in keys]
        return f"(SELECT * FROM (VALUES (0, {', '.join(nulls)})) AS p({names}) LIMIT 0) AS p"
    return f"(VALUES {', '.join(rows)}) AS p({names})"


def keep(
    connection: duckdb.DuckDBPyConnection,
    keys: tuple[Column, ...],
    partitions: list[Partition],
    wanted: str,
) -> list[Partition]:
    """The partitions that satisfy the conditions."""
    sql = f"SELECT _at FROM {values(keys, partitions)} WHERE {wanted} ORDER BY _at"
    return [partitions[row[0]] for row in connection.execute(sql).fetchall()]
