"""The tables that Athena reads and writes, in the Glue catalog.

`raw_<dataset>` is the crawler's: what it inferred tells whether the files still have the
declared columns. Files that differ in compression are tables of their own to it, `raw_arrival_<id>`
perhaps. `text_<dataset>` lies over the same files with every column as text, so that
each value is cast, or refused, by us. `curated_<dataset>` is typed Parquet, a prefix a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chalicelib import clients

if TYPE_CHECKING:
    from chalicelib.environment import Environment
    from chalicelib.settings import Dataset

TYPES = {
    "string": "string",
    "integer": "bigint",
    "number": "double",
    "boolean": "boolean",
    "date": "date",
}
# Types of the crawler that a declared type may be read from.
READABLE = {
    "integer": {"bigint", "int", "smallint", "tinyint"},
    "number": {"double", "float", "decimal", "bigint", "int", "smallint", "tinyint"},
    "boolean": {"boolean"},
}
RAW = "raw_"  # what the crawler's tables begin with
HIVE = "org.apache.hadoop.hive"
BATCH = 100  # partitions a call: BatchCreatePartition takes no more


class SchemaChangedError(Exception):
    """The files no longer have a column that the dataset declares."""


def text(dataset: Dataset) -> str:
    return f"text_{dataset.name}"


def curated(dataset: Dataset) -> str:
    return f"curated_{dataset.name}"


def changes(dataset: Dataset, crawled: Sequence[dict[str, str]]) -> list[str]:
    """What the crawler saw that the schema does not say; a missing column raises."""
    found = {column["Name"]: column["Type"].split("(")[0] for column in crawled}
    names = [column.name for column in dataset.columns]
    if missing := [name for name in names if name not in found]:
        raise SchemaChangedError(
            f"the files under raw/{dataset.name}/ no longer have {', '.join(missing)}; "
            "the crawler found " + ", ".join(found)
        )
    told = [f"new column, not read: {name}" for name in found if name not in names]
    for column in dataset.columns:
        seen, readable = found[column.name], READABLE.get(column.type)
        if readable and seen not in readable:
            told.append(f"{column.name} is declared {column.type}; the crawler saw {seen}")
    return told


def text_definition(dataset: Dataset, environment: Environment) -> dict[str, Any]:
    """Every column as text, as it lies in the files.

    https://docs.aws.amazon.com/athena/latest/ug/lazy-simple-serde.html
    https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html
    """
    return {
        "Name": text(dataset),
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "classification": "csv", "skip.header.line.count": "1"},
        "PartitionKeys": [{"Name": "arrival", "Type": "string"}],
        "StorageDescriptor": _text_storage(dataset, _location(environment, dataset, "raw")),
    }


def curated_definition(dataset: Dataset, environment: Environment) -> dict[str, Any]:
    """Typed Parquet, partitioned by run and by the dataset's own column."""
    columns = [
        {"Name": column.name, "Type": TYPES[column.type]}
        for column in dataset.columns
        if column.name != dataset.partition_by
    ]
    return {
        "Name": curated(dataset),
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "classification": "parquet"},
        "PartitionKeys": [
            {"Name": "run", "Type": "string"},
            {"Name": dataset.partition_by, "Type": "string"},
        ],
        "StorageDescriptor": {
            "Columns": columns,
            "Location": _location(environment, dataset, "curated"),
            "InputFormat": f"{HIVE}.ql.io.parquet.MapredParquetInputFormat",
            "OutputFormat": f"{HIVE}.ql.io.parquet.MapredParquetOutputFormat",
            "SerdeInfo": {"SerializationLibrary": f"{HIVE}.ql.io.parquet.serde.ParquetHiveSerDe"},
        },
    }


def noticed(dataset: Dataset, environment: Environment) -> list[str]:
    """What the crawler saw in the files that the schema does not say."""
    crawled = _crawled(clients.client("glue"), environment, dataset)
    if not crawled:
        raise SchemaChangedError(
            f"the crawler made no table of raw/{dataset.name}/: it could not read what lies there"
        )
    told = (changes(dataset, table["StorageDescriptor"]["Columns"]) for table in crawled)
    return list(dict.fromkeys(words for each in told for words in each))


def prepare(dataset: Dataset, environment: Environment, arrivals: Sequence[str]) -> None:
    """Bring the catalog to what this run's queries need."""
    glue, database = clients.client("glue"), environment.glue_database
    wanted = text_definition(dataset, environment)
    _ensure(glue, database, wanted)
    _ensure(glue, database, curated_definition(dataset, environment))
    _add_partitions(glue, database, wanted, arrivals)


def _text_storage(dataset: Dataset, location: str) -> dict[str, Any]:
    if dataset.quote:
        serde = {
            "SerializationLibrary": f"{HIVE}.serde2.OpenCSVSerde",
            "Parameters": {"separatorChar": dataset.delimiter, "quoteChar": dataset.quote},
        }
    else:
        delimiter = {"field.delim": dataset.delimiter, "serialization.format": dataset.delimiter}
        serde = {
            "SerializationLibrary": f"{HIVE}.serde2.lazy.LazySimpleSerDe",
            "Parameters": delimiter,
        }
    return {
        "Columns": [{"Name": column.name, "Type": "string"} for column in dataset.columns],
        "Location": location,
        "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
        "OutputFormat": f"{HIVE}.ql.io.HiveIgnoreKeyTextOutputFormat",
        "SerdeInfo": serde,
    }


def _location(environment: Environment, dataset: Dataset, layer: str) -> str:
    return f"s3://{environment.data_bucket}/{layer}/{dataset.name}/"


def _crawled(glue: Any, environment: Environment, dataset: Dataset) -> list[dict[str, Any]]:
    """The crawler's tables of a dataset's files: one, or several where the files differ in kind.

    https://docs.aws.amazon.com/glue/latest/dg/crawler-grouping-policy.html
    """
    pages = glue.get_paginator("get_tables").paginate(DatabaseName=environment.glue_database)
    where = _location(environment, dataset, "raw")
    return [
        table
        for page in pages
        for table in page["TableList"]
        if table["Name"].startswith(RAW)
        and table.get("StorageDescriptor", {}).get("Location", "").startswith(where)
    ]


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
    glue: Any, database: str, table: dict[str, Any], arrivals: Sequence[str]
) -> None:
    storage = table["StorageDescriptor"]
    wanted = [
        {
            "Values": [arrival],
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
        errors = [e["ErrorDetail"] for e in answer.get("Errors", [])]
        serious = [e for e in errors if e["ErrorCode"] != "AlreadyExistsException"]
        if serious:
            raise RuntimeError(f"Glue refused partitions of {table['Name']}: {serious[0]}")
