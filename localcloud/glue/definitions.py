"""The catalog's definition of a table that a crawl found, and what a new crawl makes of an old one.

https://docs.aws.amazon.com/glue/latest/dg/table-properties-crawler.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from localcloud.glue.catalog import JSON_OPENX, LAZY_SIMPLE, OPEN_CSV, Column, storage_descriptor
from localcloud.glue.classify import Classified
from localcloud.glue.layout import Found

DEPRECATED = "DEPRECATED_BY_CRAWLER"
FORMATS = {"parquet": "PARQUET", "json": "JSON", "csv": "TEXTFILE"}
# A known table that changes one of these cannot merely get new columns.
FUNDAMENTAL = ("classification", "compressionType", "delimiter")
INPUT = ("Name", "Description", "Owner", "StorageDescriptor", "PartitionKeys", "TableType",
         "Parameters")  # fmt: skip


def table_input(
    found: Found, name: str, crawler: str, exclusions: Sequence[str] = ()
) -> dict[str, Any]:
    """The TableInput of a table as it was found."""
    about = _parameters(found, crawler, exclusions)
    return {
        "Name": name,
        "Owner": "owner",
        "TableType": "EXTERNAL_TABLE",
        "Parameters": about,
        "PartitionKeys": [key.raw() for key in found.keys],
        "StorageDescriptor": storage(found.sample, found.columns, found.location)
        | {"Parameters": about, "Compressed": found.sample.compression != "none"},
    }


def storage(sample: Classified, columns: Sequence[Column], location: str) -> dict[str, Any]:
    """The storage descriptor of a table or a partition."""
    serde, parameters = None, {}
    if sample.text and sample.text.serde == "OpenCSVSerDe":
        serde = OPEN_CSV
        parameters = {"separatorChar": sample.text.delimiter, "quoteChar": sample.text.quote}
    elif sample.text:
        serde, parameters = LAZY_SIMPLE, {"field.delim": sample.text.delimiter}
    elif sample.kind == "json":
        serde, parameters = JSON_OPENX, {"paths": ",".join(column.name for column in columns)}
    return storage_descriptor(list(columns), location, FORMATS[sample.kind], parameters, serde)


def _parameters(found: Found, crawler: str, exclusions: Sequence[str]) -> dict[str, str]:
    sample = found.sample
    about = {
        "classification": sample.kind,
        "compressionType": sample.compression,
        "typeOfData": "file",
        "objectCount": str(len(found.files)),
        "sizeKey": str(sum(item.size for item, _ in found.files)),
        "recordCount": str(sum(told.records(item.size) for item, told in found.files)),
        "averageRecordSize": str(sample.row_bytes),
        "CrawlerSchemaSerializerVersion": "1.0",
        "CrawlerSchemaDeserializerVersion": "1.0",
        "UPDATED_BY_CRAWLER": crawler,
    }
    if exclusions:
        about["exclusions"] = json.dumps(list(exclusions))
    if sample.text:
        about["delimiter"] = sample.text.delimiter
        about["areColumnsQuoted"] = str(sample.text.quoted).lower()
        about["columnsOrdered"] = "true"
        if sample.text.header:
            about["skip.header.line.count"] = "1"
    return about


def schema(table: Mapping[str, Any]) -> tuple[Any, ...]:
    """What makes a table or partition changed where it differs: columns, keys, format."""
    storage = table.get("StorageDescriptor") or {}
    serde = storage.get("SerdeInfo") or {}
    columns = [(c["Name"], c.get("Type")) for c in storage.get("Columns") or []]
    keys = [(c["Name"], c.get("Type")) for c in table.get("PartitionKeys") or []]
    library, parameters = serde.get("SerializationLibrary"), serde.get("Parameters")
    return columns, keys, storage.get("InputFormat"), library, parameters


def merged(known: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """A known table with the columns that are new in what was found, all else as it is."""
    kept = as_input(known)
    storage = kept["StorageDescriptor"]
    names = {column["Name"].lower() for column in storage["Columns"]}
    new = [c for c in found["StorageDescriptor"]["Columns"] if c["Name"] not in names]
    kept["StorageDescriptor"] = storage | {"Columns": [*storage["Columns"], *new]}
    kept["Parameters"] = dict(kept.get("Parameters") or {}) | {
        name: found["Parameters"][name] for name in ("objectCount", "sizeKey", "recordCount")
    }
    return kept


def incompatible(known: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """The fundamental attributes that differ, in words."""
    pairs = [
        (name, *(table.get("Parameters", {}).get(name) for table in (known, found)))
        for name in FUNDAMENTAL
    ]
    return [f"{name}: {before} became {now}" for name, before, now in pairs if before != now]


def deprecated(known: Mapping[str, Any], milliseconds: int) -> dict[str, Any]:
    """A known table with the mark, and the time, of its deprecation."""
    return as_input(known) | {"Parameters": _marked(known, milliseconds)}


def deprecated_partition(known: Mapping[str, Any], milliseconds: int) -> dict[str, Any]:
    """A known partition with the mark, and the time, of its deprecation."""
    kept = {name: known[name] for name in ("Values", "StorageDescriptor")}
    return kept | {"Parameters": _marked(known, milliseconds)}


def _marked(known: Mapping[str, Any], milliseconds: int) -> dict[str, str]:
    return {**(known.get("Parameters") or {}), DEPRECATED: str(milliseconds)}


def as_input(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table as GetTable tells it, as UpdateTable takes it."""
    return {name: table[name] for name in INPUT if table.get(name) is not None}
