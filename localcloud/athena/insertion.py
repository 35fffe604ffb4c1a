"""INSERT INTO: the query's columns fitted to the table's.

https://docs.aws.amazon.com/athena/latest/ug/insert-into.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlglot import exp

from localcloud.athena.errors import QueryError
from localcloud.athena.session import Session
from localcloud.athena.write import Output
from localcloud.glue import catalog as shapes
from localcloud.glue.catalog import Catalog, Table
from localcloud.glue.hive_types import quote, to_duckdb

_WHOLE = ["TINYINT", "SMALLINT", "INTEGER", "BIGINT"]
_FORMATS = {
    shapes.PARQUET: "PARQUET",
    shapes.JSON_OPENX: "JSON",
    shapes.JSON_HIVE: "JSON",
    shapes.LAZY_SIMPLE: "TEXTFILE",
}


@dataclass(frozen=True)
class Insertion:
    table: Table
    sql: str
    columns: list[tuple[str, str]]
    output: Output


def insertion(catalog: Catalog, session: Session, tree: exp.Expr, database: str) -> Insertion:
    """What an INSERT writes and where."""
    target = tree.this
    listed = None
    if isinstance(target, exp.Schema):
        listed = [name.name.lower() for name in target.expressions]
        target = target.this
    table = _target(catalog, (target.db or database).lower(), target.name.lower())
    inner = tree.expression
    query = inner if isinstance(inner, exp.Query) else exp.select("*").from_(_values(inner))
    sql = session.prepare(query)
    found = [(row[0], row[1]) for row in session.connection.execute(f"DESCRIBE {sql}").fetchall()]
    everything = [(c.name, to_duckdb(c.type)) for c in table.columns + table.partition_keys]
    wanted = _chosen(table, everything, listed)
    if len(found) != len(wanted) or not all(
        coercible(given, kind) for (_, given), (_, kind) in zip(found, wanted, strict=True)
    ):
        raise QueryError(
            "TYPE_MISMATCH: Insert query has mismatched column types: "
            f"Table: [{', '.join(kind.lower() for _, kind in wanted)}], "
            f"Query: [{', '.join(given.lower() for _, given in found)}]"
        )
    return Insertion(table, _fitted(sql, everything, wanted), everything, _output(table))


def _values(inner: exp.Expr) -> exp.Expr:
    if not isinstance(inner, exp.Values):
        raise QueryError("NOT_SUPPORTED: INSERT INTO takes a query or VALUES")
    return inner.copy() if inner.alias else exp.alias_(inner.copy(), "v", table=True)


def _target(catalog: Catalog, database: str, name: str) -> Table:
    table = catalog.table(database, name)
    if table is None:
        raise QueryError(
            f"TABLE_NOT_FOUND: line 1:1: Table 'awsdatacatalog.{database}.{name}' does not exist"
        )
    if table.view_sql is not None:
        raise QueryError("NOT_SUPPORTED: line 1:1: Inserting into views is not supported")
    if table.serde not in _FORMATS:
        raise QueryError(f"NOT_SUPPORTED: Inserting into tables of {table.serde}")
    return table


def _chosen(
    table: Table, everything: list[tuple[str, str]], listed: list[str] | None
) -> list[tuple[str, str]]:
    if listed is None:
        return everything
    types = dict(everything)
    for name in listed:
        if name not in types:
            raise QueryError(
                f"COLUMN_NOT_FOUND: line 1:1: Insert column name does not exist in target "
                f"table: {name}"
            )
    return [(name, types[name]) for name in listed]


def _fitted(sql: str, everything: list[tuple[str, str]], wanted: list[tuple[str, str]]) -> str:
    marks = {name: f"c{at}" for at, (name, _) in enumerate(wanted)}
    cast = ", ".join(
        f"CAST({marks.get(name, 'NULL')} AS {kind}) AS {quote(name)}" for name, kind in everything
    )
    return f"SELECT {cast} FROM ({sql}) AS q({', '.join(marks.values())})"


def coercible(given: str, wanted: str) -> bool:
    """Whether Trino would put a value of one type into a column of another unasked."""
    if given in (wanted, '"NULL"'):
        return True
    if given in _WHOLE and wanted in _WHOLE:
        return _WHOLE.index(given) <= _WHOLE.index(wanted)
    if given in _WHOLE:
        return wanted in ("FLOAT", "DOUBLE") or wanted.startswith("DECIMAL")
    if given.startswith("DECIMAL"):
        return wanted in ("FLOAT", "DOUBLE") or wanted.startswith("DECIMAL")
    if given == "FLOAT":
        return wanted == "DOUBLE"
    if given == "DATE":
        return wanted == "TIMESTAMP"
    if given.startswith("TIMESTAMP"):
        return wanted.startswith("TIMESTAMP")
    nested = re.compile(r"\[\]$|^MAP\(|^STRUCT\(")
    return bool(nested.search(given) and nested.search(wanted))


def _output(table: Table) -> Output:
    file_format = _FORMATS[table.serde]
    parameters = {k.lower(): v for k, v in table.parameters.items()}
    names = ("write.compression", "parquet.compression", "parquet.compress", "compression")
    given = next((parameters[name] for name in names if parameters.get(name)), "")
    default = "GZIP" if file_format == "PARQUET" else "NONE"
    delimiter = table.serde_parameters.get("field.delim", "\x01")
    return Output(file_format, given.upper() or default, delimiter.replace("\\t", "\t"))
