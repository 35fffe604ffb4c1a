"""The tables that Athena reads and writes, in the Glue catalog.

`raw_<dataset>` is the crawler's, over every file as text: for whoever looks into what came.
`text_<dataset>_<layout>` lies over the same files with every column as text, so that each value is
cast, or refused, by us; `parquet_<dataset>_<layout>` over Parquet files as they came. A layout is
the columns that files have: it changes with pipeline.toml, and from one Parquet file to another.
Their partitions are the runs' arrivals, so that a query names its run and no file.
`curated_<dataset>` is typed Parquet, a prefix a run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib import clients
from chalicelib.reading.rows import ADDED, DELIMITER

if TYPE_CHECKING:
    from chalicelib.environment import Environment
    from chalicelib.schema import Dataset

TYPES = {
    "string": "string",
    "integer": "bigint",
    "number": "double",
    "boolean": "boolean",
    "date": "date",
}
HIVE = "org.apache.hadoop.hive"
CURATED = "curated_"
KEYS = ("run", "arrival")  # of the tables over the files
BATCH = 100  # partitions a call: BatchCreatePartition takes no more
DELETED = 25  # and BatchDeletePartition


@dataclass(frozen=True)
class Layout:
    """The columns of the dataset that files have, with Hive's types; text has only text."""

    is_text: bool
    columns: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, dataset: Dataset, arrival: Mapping[str, Any]) -> Layout:
        """What the arrivals table says of a file."""
        if arrival["format"] == "parquet":
            types = arrival["types"]
            known = ((c.name, str(types[c.name])) for c in dataset.columns if c.name in types)
            return cls(False, tuple(known))
        return cls(True, tuple((str(name), "string") for name in arrival["text_columns"]))

    def table(self, dataset: Dataset) -> str:
        digest = hashlib.sha256(repr((KEYS, self.columns)).encode()).hexdigest()[:8]
        return f"{'text' if self.is_text else 'parquet'}_{dataset.name}_{digest}"


class SchemaChangedError(Exception):
    """The files no longer have a column that the dataset declares."""


def raw(dataset: Dataset) -> str:
    return f"raw_{dataset.name}"


def curated(dataset: Dataset) -> str:
    return f"{CURATED}{dataset.name}"


def definition(layout: Layout, dataset: Dataset, environment: Environment) -> dict[str, Any]:
    """The table over files of a layout: text as intake wrote it, or Parquet as it came.

    https://docs.aws.amazon.com/athena/latest/ug/lazy-simple-serde.html
    https://docs.aws.amazon.com/athena/latest/ug/handling-schema-updates-chapter.html
    """
    columns = [{"Name": name, "Type": kind} for name, kind in layout.columns]
    name = layout.table(dataset)
    if not layout.is_text:
        return _parquet(name, columns, KEYS, _location(environment, dataset, "raw"))
    delimiter = DELIMITER.decode()
    return _external(
        name,
        columns=[*({"Name": each, "Type": "string"} for each in ADDED), *columns],
        keys=KEYS,
        location=_location(environment, dataset, "text"),
        formats=(
            "org.apache.hadoop.mapred.TextInputFormat",
            f"{HIVE}.ql.io.HiveIgnoreKeyTextOutputFormat",
        ),
        serde={
            "SerializationLibrary": f"{HIVE}.serde2.lazy.LazySimpleSerDe",
            "Parameters": {"field.delim": delimiter, "serialization.format": delimiter},
        },
        parameters={"classification": "csv", "skip.header.line.count": "1"},
    )


def curated_definition(dataset: Dataset, environment: Environment) -> dict[str, Any]:
    """Typed Parquet, partitioned by run and by the dataset's own column."""
    columns = [
        {"Name": column.name, "Type": TYPES[column.type]}
        for column in dataset.columns
        if column.name != dataset.partition_by
    ]
    keys = ["run", *([dataset.partition_by] if dataset.partition_by else [])]
    location = _location(environment, dataset, "curated")
    return _parquet(curated(dataset), columns, keys, location)


def recrawl(dataset: Dataset, environment: Environment) -> str:
    """What the crawler is to look at: new folders, or everything where the dataset has no table.

    A crawl of new folders costs what they do, and adds partitions to tables that it knows; a table
    comes by a crawl of everything.
    https://docs.aws.amazon.com/glue/latest/dg/incremental-crawls.html
    """
    known = _table(clients.client("glue"), environment.glue_database, raw(dataset))
    return "CRAWL_NEW_FOLDERS_ONLY" if known else "CRAWL_EVERYTHING"


def prepare(
    dataset: Dataset,
    environment: Environment,
    layouts: Mapping[Layout, Sequence[str]],
    run_id: str,
) -> None:
    """Bring the catalog to what this run's queries need."""
    glue, database = clients.client("glue"), environment.glue_database
    _ensure(glue, database, curated_definition(dataset, environment))
    for layout, arrivals in layouts.items():
        wanted = definition(layout, dataset, environment)
        _ensure(glue, database, wanted)
        _add_partitions(glue, database, wanted, run_id, arrivals)


def drop(dataset: str, run_id: str, environment: Environment) -> None:
    """Take a run's partitions out of the curated table; their files stay.

    By the dataset's name: it may have left pipeline.toml meanwhile.
    https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html
    https://docs.aws.amazon.com/glue/latest/webapi/API_BatchDeletePartition.html
    """
    glue = clients.client("glue")
    table = {"DatabaseName": environment.glue_database, "TableName": f"{CURATED}{dataset}"}
    pages = glue.get_paginator("get_partitions").paginate(**table, Expression=f"run = '{run_id}'")
    try:
        listed = [{"Values": each["Values"]} for page in pages for each in page["Partitions"]]
    except glue.exceptions.EntityNotFoundException:
        return  # nothing was ever converted
    for first in range(0, len(listed), DELETED):
        some = listed[first : first + DELETED]
        answer = glue.batch_delete_partition(**table, PartitionsToDelete=some)
        _check(answer, table["TableName"], but="EntityNotFoundException")


def _parquet(
    name: str, columns: list[dict[str, str]], keys: Sequence[str], location: str
) -> dict[str, Any]:
    return _external(
        name,
        columns=columns,
        keys=keys,
        location=location,
        formats=(
            f"{HIVE}.ql.io.parquet.MapredParquetInputFormat",
            f"{HIVE}.ql.io.parquet.MapredParquetOutputFormat",
        ),
        serde={"SerializationLibrary": f"{HIVE}.ql.io.parquet.serde.ParquetHiveSerDe"},
        # https://docs.aws.amazon.com/athena/latest/ug/compression-support-zstd-levels.html
        parameters={"classification": "parquet", "parquet.compression": "ZSTD"},
    )


def _external(
    name: str,
    *,
    columns: list[dict[str, str]],
    keys: Sequence[str],
    location: str,
    formats: tuple[str, str],
    serde: dict[str, Any],
    parameters: dict[str, str],
) -> dict[str, Any]:
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", **parameters},
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in keys],
        "StorageDescriptor": {
            "Columns": columns,
            "Location": location,
            "InputFormat": formats[0],
            "OutputFormat": formats[1],
            "SerdeInfo": serde,
        },
    }


def _location(environment: Environment, dataset: Dataset, layer: str) -> str:
    return f"s3://{environment.data_bucket}/{layer}/{dataset.name}/"


def _table(glue: Any, database: str, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = glue.get_table(DatabaseName=database, Name=name)["Table"]
    except glue.exceptions.EntityNotFoundException:
        return None
    return found


def _ensure(glue: Any, database: str, wanted: dict[str, Any]) -> None:
    """Make the table, or bring it to the declared columns; a retyped column is refused."""
    found = _table(glue, database, wanted["Name"])
    if found is None:
        try:
            glue.create_table(DatabaseName=database, TableInput=wanted)
        except glue.exceptions.AlreadyExistsException:
            return  # a retry's first attempt made it
        return
    before = {c["Name"]: c["Type"] for c in found["StorageDescriptor"]["Columns"]}
    now = {c["Name"]: c["Type"] for c in wanted["StorageDescriptor"]["Columns"]}
    retyped = [name for name in now if name in before and before[name] != now[name]]
    if retyped:
        raise SchemaChangedError(
            f"{wanted['Name']} holds {', '.join(f'{n} as {before[n]}' for n in retyped)}, and "
            "pipeline.toml declares another type. Rename the column, or start a new dataset."
        )
    if before != now:
        glue.update_table(DatabaseName=database, TableInput=wanted)


def _add_partitions(
    glue: Any, database: str, table: dict[str, Any], run_id: str, arrivals: Sequence[str]
) -> None:
    storage = table["StorageDescriptor"]
    wanted = [
        {
            "Values": [run_id, arrival],
            "StorageDescriptor": {
                **storage,
                "Location": f"{storage['Location']}arrival={arrival}/",
            },
        }
        for arrival in arrivals
    ]
    for first in range(0, len(wanted), BATCH):
        answer = glue.batch_create_partition(
            DatabaseName=database,
            TableName=table["Name"],
            PartitionInputList=wanted[first : first + BATCH],
        )
        _check(answer, table["Name"], but="AlreadyExistsException")


def _check(answer: Mapping[str, Any], table: str, but: str) -> None:
    """RuntimeError where a batch of partitions went wrong; `but` is what a retry finds done."""
    errors = [each["ErrorDetail"] for each in answer.get("Errors", [])]
    if serious := [each for each in errors if each["ErrorCode"] != but]:
        raise RuntimeError(f"Glue refused partitions of {table}: {serious[0]}")
