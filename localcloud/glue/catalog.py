"""The Glue Data Catalog as tables with columns, through the Glue API."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

LAZY_SIMPLE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
OPEN_CSV = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
JSON_HIVE = "org.apache.hive.hcatalog.data.JsonSerDe"
JSON_OPENX = "org.openx.data.jsonserde.JsonSerDe"

TEXT_IN = "org.apache.hadoop.mapred.TextInputFormat"
TEXT_OUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
PARQUET_IN = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
PARQUET_OUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
# The characters Hive escapes in a partition's folder name (FileUtils.escapePathName).
_ESCAPED = re.compile(r'[\x00-\x1f"#%\'*/:=?\\\x7f{\[\]^]')


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    comment: str = ""

    @classmethod
    def of(cls, raw: dict[str, Any]) -> Column:
        return cls(raw["Name"].lower(), raw.get("Type") or "string", raw.get("Comment") or "")

    def raw(self) -> dict[str, Any]:
        comment = {"Comment": self.comment} if self.comment else {}
        return {"Name": self.name, "Type": self.type, **comment}


@dataclass(frozen=True)
class Partition:
    values: tuple[str, ...]
    location: str
    raw: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Table:
    database: str
    name: str
    columns: tuple[Column, ...]
    partition_keys: tuple[Column, ...]
    raw: dict[str, Any] = field(compare=False)

    @classmethod
    def of(cls, raw: dict[str, Any]) -> Table:
        storage = raw.get("StorageDescriptor") or {}
        return cls(
            raw["DatabaseName"],
            raw["Name"],
            tuple(Column.of(column) for column in storage.get("Columns") or []),
            tuple(Column.of(column) for column in raw.get("PartitionKeys") or []),
            raw,
        )

    @property
    def storage(self) -> dict[str, Any]:
        return self.raw.get("StorageDescriptor") or {}

    @property
    def location(self) -> str:
        return self.storage.get("Location") or ""

    @property
    def serde(self) -> str:
        info = self.storage.get("SerdeInfo") or {}
        return info.get("SerializationLibrary") or LAZY_SIMPLE

    @property
    def serde_parameters(self) -> dict[str, str]:
        return (self.storage.get("SerdeInfo") or {}).get("Parameters") or {}

    @property
    def parameters(self) -> dict[str, str]:
        return {**(self.storage.get("Parameters") or {}), **(self.raw.get("Parameters") or {})}

    @property
    def view_sql(self) -> str | None:
        """The SQL of an Athena view, which Glue keeps as base64 JSON in a comment."""
        if self.raw.get("TableType") != "VIRTUAL_VIEW":
            return None
        text = self.raw.get("ViewOriginalText") or ""
        if match := re.fullmatch(r"/\*\s*Presto View:\s*(\S+)\s*\*/", text.strip()):
            return str(json.loads(base64.b64decode(match[1]))["originalSql"])
        return text


def escape_value(value: str | None) -> str:
    """A partition value as Hive writes it in a folder name."""
    if value is None or value == "":
        return HIVE_NULL
    return _ESCAPED.sub(lambda match: f"%{ord(match[0]):02X}", value)


def unescape_value(text: str) -> str:
    return re.sub(r"%([0-9A-Fa-f]{2})", lambda match: chr(int(match[1], 16)), text)


def partition_path(keys: tuple[Column, ...], values: tuple[str, ...]) -> str:
    """`k1=v1/k2=v2`."""
    return "/".join(
        f"{key.name}={escape_value(value)}" for key, value in zip(keys, values, strict=True)
    )


class Catalog:
    """What Athena and the crawler need of the catalog. Absent things are None, not errors."""

    def __init__(self, glue: Any) -> None:
        self.glue = glue

    def _found(self, call: str, member: str, **request: Any) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = getattr(self.glue, call)(**request)[member]
        except ClientError as error:
            if error.response["Error"]["Code"] == "EntityNotFoundException":
                return None
            raise
        return found

    def database(self, name: str) -> dict[str, Any] | None:
        return self._found("get_database", "Database", Name=name)

    def databases(self) -> list[str]:
        pages = self.glue.get_paginator("get_databases").paginate()
        return sorted(item["Name"] for page in pages for item in page["DatabaseList"])

    def table(self, database: str, name: str) -> Table | None:
        raw = self._found("get_table", "Table", DatabaseName=database, Name=name)
        return Table.of(raw) if raw else None

    def tables(self, database: str) -> list[Table]:
        pages = self.glue.get_paginator("get_tables").paginate(DatabaseName=database)
        found = [Table.of(raw) for page in pages for raw in page["TableList"]]
        return sorted(found, key=lambda table: table.name)

    def partitions(self, table: Table) -> list[Partition]:
        pages = self.glue.get_paginator("get_partitions").paginate(
            DatabaseName=table.database, TableName=table.name
        )
        return [
            Partition(tuple(raw["Values"]), (raw.get("StorageDescriptor") or {})["Location"], raw)
            for page in pages
            for raw in page["Partitions"]
        ]

    def add_partitions(self, table: Table, wanted: dict[tuple[str, ...], str]) -> int:
        """Register partitions that are not there yet; how many were new."""
        known = {partition.values for partition in self.partitions(table)}
        storage = {k: v for k, v in table.storage.items() if k != "Parameters"}
        new = [
            {"Values": list(values), "StorageDescriptor": {**storage, "Location": place}}
            for values, place in wanted.items()
            if values not in known
        ]
        self.create_partitions(table, new)
        return len(new)

    def create_partitions(self, table: Table, inputs: list[dict[str, Any]]) -> None:
        """Add partitions; one that is there already stays as it is."""
        for some in _batches(inputs, 100):
            answer = self.glue.batch_create_partition(
                DatabaseName=table.database, TableName=table.name, PartitionInputList=some
            )
            _raise_errors(answer, but="AlreadyExistsException")

    def update_partitions(self, table: Table, inputs: list[dict[str, Any]]) -> None:
        """Replace partitions that are there."""
        entries = [
            {"PartitionValueList": each["Values"], "PartitionInput": each} for each in inputs
        ]
        for some in _batches(entries, 100):
            answer = self.glue.batch_update_partition(
                DatabaseName=table.database, TableName=table.name, Entries=some
            )
            _raise_errors(answer)

    def delete_partitions(self, table: Table, values: list[tuple[str, ...]]) -> None:
        """Remove partitions; one that is gone already is no error."""
        for some in _batches([{"Values": list(each)} for each in values], 25):
            answer = self.glue.batch_delete_partition(
                DatabaseName=table.database, TableName=table.name, PartitionsToDelete=some
            )
            _raise_errors(answer, but="EntityNotFoundException")


def _batches(items: list[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _raise_errors(answer: dict[str, Any], but: str = "") -> None:
    for error in answer.get("Errors", []):
        detail = error["ErrorDetail"]
        if detail["ErrorCode"] != but:
            raise RuntimeError(f"{detail['ErrorCode']}: {detail.get('ErrorMessage')}")


def storage_descriptor(
    columns: list[Column],
    location: str,
    file_format: str,
    serde_parameters: dict[str, str] | None = None,
    serde: str | None = None,
) -> dict[str, Any]:
    """The storage descriptor of a table in PARQUET, JSON or TEXTFILE."""
    serdes = {"PARQUET": PARQUET, "JSON": JSON_OPENX, "TEXTFILE": LAZY_SIMPLE}
    defaults = {"TEXTFILE": {"field.delim": "\x01"}}
    parquet = file_format == "PARQUET"
    return {
        "Columns": [column.raw() for column in columns],
        "Location": location,
        "InputFormat": PARQUET_IN if parquet else TEXT_IN,
        "OutputFormat": PARQUET_OUT if parquet else TEXT_OUT,
        "Compressed": False,
        "NumberOfBuckets": -1,
        "SerdeInfo": {
            "SerializationLibrary": serde or serdes[file_format],
            "Parameters": {
                "serialization.format": "1",
                **defaults.get(file_format, {}),
                **(serde_parameters or {}),
            },
        },
        "BucketColumns": [],
        "SortColumns": [],
        "StoredAsSubDirectories": False,
    }
