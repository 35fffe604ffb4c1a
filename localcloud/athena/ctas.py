"""What CREATE TABLE AS and UNLOAD say about the files and the table that they make.

https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html
"""

from __future__ import annotations

import re
from typing import Any

from localcloud.athena.errors import QueryError
from localcloud.athena.write import Output
from localcloud.glue import hive_types
from localcloud.glue.catalog import Column, storage_descriptor


def output_of(properties: dict[str, Any], default: str) -> tuple[Output, list[str]]:
    known = {"format", "write_compression", "compression", "parquet_compression", "field_delimiter",
             "partitioned_by", "external_location", "compression_level", "is_external",
             "table_type"}  # fmt: skip
    if unknown := sorted(set(properties) - known):
        raise QueryError(f"NOT_SUPPORTED: Property '{unknown[0]}' is not in the local Athena")
    file_format = str(properties.get("format", "PARQUET")).upper()
    names = ("write_compression", "compression", "parquet_compression")
    given = next((str(properties[name]) for name in names if name in properties), default)
    delimiter = str(properties.get("field_delimiter", "\x01")).replace("\\t", "\t")
    return Output(file_format, given.upper(), delimiter), list(properties.get("partitioned_by", []))


def location_of(properties: dict[str, Any], default: str, enforced: bool) -> str:
    given = properties.get("external_location")
    if given and enforced:
        raise QueryError(
            "INVALID_TABLE_PROPERTY: The Create Table As Select query failed because it was "
            "submitted with an 'external_location' property to an Athena Workgroup that enforces "
            "a centralized output location for all queries. Please remove the "
            "'external_location' property and resubmit the query."
        )
    return str(given) if given else default


def check_partition_columns(columns: list[tuple[str, str]], partition_by: list[str]) -> None:
    last = [name for name, _ in columns][len(columns) - len(partition_by) :]
    if last != partition_by:
        raise QueryError(
            "HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns in the table and "
            f"in the same order as the table properties: {partition_by}"
        )


def without_data(sql: str) -> bool:
    return re.search(r"\bWITH\s+NO\s+DATA\s*\Z", sql, re.IGNORECASE) is not None


def table_of(
    name: str,
    columns: list[tuple[str, str]],
    partition_by: list[str],
    output: Output,
    location: str,
) -> dict[str, Any]:
    made = [Column(n, hive_types.to_hive(kind)) for n, kind in columns]
    given = {"field.delim": output.delimiter} if output.file_format == "TEXTFILE" else {}
    storage = storage_descriptor(
        [column for column in made if column.name not in partition_by],
        location, output.file_format, given,
    )  # fmt: skip
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [column.raw() for column in made if column.name in partition_by],
        "StorageDescriptor": storage,
        "Parameters": {
            "EXTERNAL": "TRUE",
            "has_encrypted_data": "false",
            "write.compression": output.compression,
        },
    }
