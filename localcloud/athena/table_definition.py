"""CREATE EXTERNAL TABLE: what its text says, as Glue keeps it.

https://docs.aws.amazon.com/athena/latest/ug/create-table.html
"""

from __future__ import annotations

from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from localcloud.athena.errors import QueryError, refused
from localcloud.glue import catalog as shapes
from localcloud.glue.catalog import Column
from localcloud.glue.hive_types import UnknownTypeError, to_duckdb
from localcloud.glue.objects import BadLocationError, split_uri

_IO = {
    "TEXTFILE": (shapes.TEXT_IN, shapes.TEXT_OUT),
    "JSONFILE": (shapes.TEXT_IN, shapes.TEXT_OUT),
    "JSON": (shapes.TEXT_IN, shapes.TEXT_OUT),
    "PARQUET": (shapes.PARQUET_IN, shapes.PARQUET_OUT),
}


def hive_tree(sql: str) -> exp.Expr:
    try:
        tree = sqlglot.parse_one(sql, read="hive")
    except SqlglotError as error:
        raise QueryError(f"FAILED: ParseException {str(error).splitlines()[0]}") from error
    if not isinstance(tree, exp.Create):
        raise QueryError("FAILED: ParseException line 1:0 cannot recognize input near 'CREATE'")
    return tree


def table_input(name: str, schema: exp.Expr, properties: exp.Expr | None) -> dict[str, Any]:
    items = list(properties.expressions) if properties else []
    location = next((i.this.name for i in items if isinstance(i, exp.LocationProperty)), "")
    if not location:
        raise refused("IllegalArgumentException", "The location of the table is required")
    keys = next((i.this for i in items if isinstance(i, exp.PartitionedByProperty)), None)
    columns = [column(item) for item in schema.expressions]
    serde, given = _serde(items)
    reader, writer = _formats(items)
    if serde is None:
        serde = shapes.PARQUET if reader == shapes.PARQUET_IN else shapes.LAZY_SIMPLE
    comment = next((i.this.name for i in items if isinstance(i, exp.SchemaCommentProperty)), "")
    storage = shapes.storage_descriptor(
        columns, checked_location(location), "TEXTFILE", given, serde
    )
    storage |= {"InputFormat": reader, "OutputFormat": writer}
    if serde != shapes.LAZY_SIMPLE:
        storage["SerdeInfo"]["Parameters"] = {"serialization.format": "1", **given}
    parameters = {i.this.name: i.args["value"].name for i in items if type(i) is exp.Property}
    return {
        "Name": name,
        "Description": comment,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [column(item).raw() for item in keys.expressions] if keys else [],
        "StorageDescriptor": storage,
        "Parameters": {"EXTERNAL": "TRUE", **parameters},
    }


def column(item: exp.Expr) -> Column:
    if not isinstance(item, exp.ColumnDef) or item.kind is None:
        raise QueryError(f"FAILED: ParseException line 1:0 near '{item.sql('hive')}'")
    kind = item.kind.sql("hive").lower().replace(": ", ":").replace(", ", ",").replace("`", "")
    try:
        to_duckdb(kind)
    except UnknownTypeError as error:
        raise refused("InvalidObjectException", str(error)) from error
    comment = next((c.kind.this.name for c in item.constraints
                    if isinstance(c.kind, exp.CommentColumnConstraint)), "")  # fmt: skip
    return Column(item.name.lower(), kind, comment)


def checked_location(location: str) -> str:
    try:
        split_uri(location)
    except BadLocationError as error:
        raise refused("IllegalArgumentException", str(error)) from error
    return location


def _serde(items: list[exp.Expr]) -> tuple[str | None, dict[str, str]]:
    serde: str | None = None
    given: dict[str, str] = {}
    for item in items:
        if isinstance(item, exp.RowFormatSerdeProperty):
            serde = item.this.name
            inner = item.args.get("serde_properties")
            given |= _serde_pairs(inner) if inner else {}
        elif isinstance(item, exp.SerdeProperties):
            given |= _serde_pairs(item)
        elif isinstance(item, exp.RowFormatDelimitedProperty):
            names = {
                "fields": "field.delim",
                "escaped": "escape.delim",
                "collection_items": "collection.delim",
                "map_keys": "mapkey.delim",
                "lines": "line.delim",
                "null": "serialization.null.format",
            }
            for argument, parameter in names.items():
                if item.args.get(argument) is not None:
                    given[parameter] = item.args[argument].name
    return serde, given


def _serde_pairs(item: exp.Expr) -> dict[str, str]:
    return {pair.this.name: pair.args["value"].name for pair in item.expressions}


def _formats(items: list[exp.Expr]) -> tuple[str, str]:
    for item in items:
        if isinstance(item, exp.FileFormatProperty):
            inner = item.this
            if isinstance(inner, exp.InputOutputFormat):
                return inner.args["input_format"].name, inner.args["output_format"].name
            if inner.name.upper() not in _IO:
                raise QueryError(
                    f"NOT_SUPPORTED: STORED AS {inner.name} is not in the local Athena"
                )
            return _IO[inner.name.upper()]
    return _IO["TEXTFILE"]
