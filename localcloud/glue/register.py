"""One crawl of one S3 target: its files' schemas merged into a table, its folders as partitions.

https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-folder-table-partition.html
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from typing import Any

from localcloud.glue import classify
from localcloud.glue.catalog import (
    JSON_OPENX,
    LAZY_SIMPLE,
    Catalog,
    Column,
    Table,
    storage_descriptor,
    unescape_value,
)
from localcloud.glue.classify import Schema
from localcloud.glue.objects import Objects, S3Object

FORMATS = {"parquet": "PARQUET", "json": "JSON", "csv": "TEXTFILE"}


def crawl(
    catalog: Catalog, objects: Objects, crawler: dict[str, Any], target: dict[str, Any]
) -> list[str]:
    """Bring the catalog to what lies under the target; returns lines for the crawler's log."""
    path = target["Path"].rstrip("/") + "/"
    found = [item for item in objects.list(path) if item.size and not _excluded(item, path, target)]
    name = _table_name(crawler.get("TablePrefix", ""), path)
    schemas = {item: schema for item in found if (schema := classify.classify(objects, item))}
    told = [f"{item.uri}: not classified" for item in found if item not in schemas]
    if not schemas:
        return told
    schema = merge(schemas.values())
    keys, folders = partitions(list(schemas), path)
    table = _write(catalog, crawler, name, path, schema, keys, list(schemas))
    added = catalog.add_partitions(table, folders) if keys else 0
    return [*told, f"table {name}: {len(schema.columns)} columns, {added} new partitions"]


def merge(schemas: Iterable[Schema]) -> Schema:
    """One schema that holds all: columns in the order they were first seen, types widened."""
    every = list(schemas)
    first = every[0]
    if strange := {schema.format for schema in every} - {first.format}:
        raise ValueError(f"files of {first.format} and of {', '.join(strange)} lie in one folder")
    columns: dict[str, str] = {}
    for schema in every:
        for name, kind in schema.columns:
            columns[name] = classify.widen(columns[name], kind) if name in columns else kind
    return Schema(first.format, tuple(columns.items()), first.delimiter, first.header)


def partitions(items: list[S3Object], path: str) -> tuple[list[Column], dict[tuple[str, ...], str]]:
    """`key=value` folders below the target: the keys, and each folder's values."""
    keys: list[str] = []
    folders: dict[tuple[str, ...], str] = {}
    for item in items:
        parts = item.uri.removeprefix(path).split("/")[:-1]
        pairs = [part.split("=", 1) for part in parts if "=" in part]
        names = [pair[0].lower() for pair in pairs]
        if keys and names != keys:
            raise ValueError(f"{item.uri} has the partitions {names}; others have {keys}")
        keys = names
        values = tuple(unescape_value(pair[1]) for pair in pairs)
        folders[values] = path + "/".join(parts) + "/" if parts else path
    return [Column(key, "string") for key in keys], folders


def _write(
    catalog: Catalog,
    crawler: dict[str, Any],
    name: str,
    path: str,
    schema: Schema,
    keys: list[Column],
    items: list[S3Object],
) -> Table:
    database = crawler["DatabaseName"]
    known = catalog.table(database, name)
    wanted = _definition(crawler, name, path, schema, keys, items)
    policy = crawler.get("SchemaChangePolicy", {}).get("UpdateBehavior", "UPDATE_IN_DATABASE")
    if known is None:
        catalog.glue.create_table(DatabaseName=database, TableInput=wanted)
    elif policy == "UPDATE_IN_DATABASE":
        catalog.glue.update_table(DatabaseName=database, TableInput=wanted)
    table = catalog.table(database, name)
    assert table is not None
    return table


def _definition(
    crawler: dict[str, Any],
    name: str,
    path: str,
    schema: Schema,
    keys: list[Column],
    items: list[S3Object],
) -> dict[str, Any]:
    columns = [Column(column, kind) for column, kind in schema.columns]
    serde, parameters = None, {}
    if schema.format == "csv":
        serde, parameters = LAZY_SIMPLE, {"field.delim": schema.delimiter}
    elif schema.format == "json":
        serde, parameters = JSON_OPENX, {"paths": ",".join(c.name for c in columns)}
    storage = storage_descriptor(columns, path, FORMATS[schema.format], parameters, serde)
    about = {
        "EXTERNAL": "TRUE",
        "classification": schema.format,
        "compressionType": "gzip" if any(i.key.endswith(".gz") for i in items) else "none",
        "typeOfData": "file",
        "objectCount": str(len(items)),
        "sizeKey": str(sum(item.size for item in items)),
        "CrawlerSchemaSerializerVersion": "1.0",
        "CrawlerSchemaDeserializerVersion": "1.0",
        "UPDATED_BY_CRAWLER": crawler["Name"],
    }
    if schema.format == "csv":
        about |= {
            "delimiter": schema.delimiter,
            "areColumnsQuoted": "false",
            "columnsOrdered": "true",
        }
        if schema.header:
            about["skip.header.line.count"] = "1"
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": about,
        "PartitionKeys": [key.raw() for key in keys],
        "StorageDescriptor": storage,
    }


def _table_name(prefix: str, path: str) -> str:
    """The last folder's name, as Glue writes names: lower case, other characters as `_`."""
    return (prefix + re.sub(r"[^a-z0-9_]", "_", path.rstrip("/").rsplit("/", 1)[-1].lower()))[:128]


def _excluded(item: S3Object, path: str, target: dict[str, Any]) -> bool:
    name = item.uri.removeprefix(path)
    return any(fnmatch.fnmatch(name, pattern) for pattern in target.get("Exclusions") or [])
