"""Writing a query's rows to S3 as Parquet, JSON or text, partitioned as Hive does.

https://docs.aws.amazon.com/athena/latest/ug/insert-into.html
https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from localcloud.athena.errors import QueryError
from localcloud.athena.results import rendered
from localcloud.athena.scan import literal
from localcloud.glue.catalog import HIVE_NULL, escape_value
from localcloud.glue.hive_types import quote
from localcloud.glue.objects import Objects

MAX_PARTITIONS = 100
_ROW_GROUP = 122_880  # rows; large ones read and pack well, two of them keep both threads busy
_COMPRESSIONS = {
    "PARQUET": {"SNAPPY": "snappy", "GZIP": "gzip", "ZSTD": "zstd", "NONE": "uncompressed"},
    "TEXTFILE": {"GZIP": "gzip", "ZSTD": "zstd", "NONE": "uncompressed"},
    "JSON": {"GZIP": "gzip", "ZSTD": "zstd", "NONE": "uncompressed"},
}
_SUFFIX = {"gzip": ".gz", "zstd": ".zst"}


@dataclass(frozen=True)
class Output:
    """The shape of what is written."""

    file_format: str
    compression: str
    delimiter: str = "\x01"

    def __post_init__(self) -> None:
        if self.file_format not in _COMPRESSIONS:
            raise QueryError(f"NOT_SUPPORTED: Format {self.file_format} is not in the local Athena")
        if self.compression not in _COMPRESSIONS[self.file_format]:
            raise QueryError(
                f"NOT_SUPPORTED: Compression {self.compression} of {self.file_format} files"
            )


@dataclass(frozen=True)
class Written:
    files: list[str]
    partitions: list[tuple[str, ...]]
    rows: int


def write(
    connection: duckdb.DuckDBPyConnection,
    objects: Objects,
    sql: str,
    columns: list[tuple[str, str]],
    partition_by: list[str],
    output: Output,
    location: str,
    folder: Path,
) -> Written:
    """Run `sql` (its columns named and typed as given) and put the files under `location`."""
    if not partition_by:
        shape = _lines(sql, columns, output) if output.file_format == "TEXTFILE" else sql
        path = folder / "out"
        rows = _copy(connection, shape, path, output)
        uri = f"{location.rstrip('/')}/{_file_name(0, output)}"
        objects.put_files([(path, uri)] if rows else [])
        return Written([uri] if rows else [], [], rows)
    connection.execute(f"CREATE TEMP TABLE outgoing AS {sql}")
    return _partitioned(connection, objects, columns, partition_by, output, location, folder)


def _partitioned(
    connection: duckdb.DuckDBPyConnection,
    objects: Objects,
    columns: list[tuple[str, str]],
    partition_by: list[str],
    output: Output,
    location: str,
    folder: Path,
) -> Written:
    """One file for each combination of key values, its rows in the order they came."""
    keys = [f"CAST({quote(name)} AS VARCHAR)" for name in partition_by]
    combinations = connection.execute(
        f"SELECT DISTINCT {', '.join(keys)} FROM outgoing ORDER BY ALL LIMIT {MAX_PARTITIONS + 1}"
    ).fetchall()
    if len(combinations) > MAX_PARTITIONS:
        raise QueryError(
            f"HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of {MAX_PARTITIONS} open writers "
            "for partitions/buckets"
        )
    _must_be_printable(combinations)
    kept = [(name, kind) for name, kind in columns if name not in partition_by]
    names = ", ".join(quote(name) for name, _ in kept)
    files, rows = [], 0
    for at, values in enumerate(combinations):
        same = " AND ".join(
            f"{key} IS NOT DISTINCT FROM {literal(value)}"
            for key, value in zip(keys, values, strict=True)
        )
        shape = f"SELECT {names} FROM outgoing WHERE {same}"
        shape = _lines(shape, kept, output) if output.file_format == "TEXTFILE" else shape
        path = folder / f"out-{at}"
        rows += _copy(connection, shape, path, output)
        folders = "/".join(
            f"{name}={escape_value(value)}"
            for name, value in zip(partition_by, values, strict=True)
        )
        files.append((path, f"{location.rstrip('/')}/{folders}/{_file_name(at, output)}"))
    objects.put_files(files)
    partitions = [tuple(HIVE_NULL if v in (None, "") else v for v in row) for row in combinations]
    return Written([uri for _, uri in files], partitions, rows)


def _must_be_printable(combinations: list[tuple[str | None, ...]]) -> None:
    """Trino's writer refuses other partitions."""
    for value in (value or "" for row in combinations for value in row):
        if not all(" " <= letter <= "~" for letter in value):
            raise QueryError(
                "HIVE_INVALID_PARTITION_VALUE: Hive partition keys can only contain printable "
                "ASCII characters (0x20 - 0x7E). Invalid value: "
                f"{value.encode().hex(' ').upper()}"
            )


def _copy(connection: duckdb.DuckDBPyConnection, sql: str, path: Path, output: Output) -> int:
    codec = _COMPRESSIONS[output.file_format][output.compression]
    options = {
        "PARQUET": f"FORMAT parquet, ROW_GROUP_SIZE {_ROW_GROUP}",
        "JSON": "FORMAT json",
        "TEXTFILE": "FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01'",
    }[output.file_format]
    row = connection.execute(
        f"COPY ({sql}) TO {literal(str(path))} ({options}, COMPRESSION {literal(codec)})"
    ).fetchone()
    return int(row[0]) if row else 0


def _file_name(at: int, output: Output) -> str:
    stamp = datetime.now(UTC).strftime("%Y%m%d_%H%M%S")
    codec = _COMPRESSIONS[output.file_format][output.compression]
    suffix = "" if output.file_format == "PARQUET" else _SUFFIX.get(codec, "")
    return f"{stamp}_{at:05d}_{uuid.uuid4().hex[:5]}_{uuid.uuid4()}{suffix}"


def _lines(sql: str, columns: list[tuple[str, str]], output: Output) -> str:
    """Text rows as one value each: nothing is quoted, NULL is \\N."""
    values = [f"coalesce({rendered(quote(name), kind)}, '\\N')" for name, kind in columns]
    joined = f" || {literal(output.delimiter)} || ".join(values)
    return f'SELECT {joined} AS "line" FROM ({sql})'
