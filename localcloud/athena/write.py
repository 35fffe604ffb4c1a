"""Writing a query's rows to S3 as Parquet, JSON or text, partitioned as Hive does.

https://docs.aws.amazon.com/athena/latest/ug/insert-into.html
https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

import duckdb

from localcloud.athena.errors import QueryError
from localcloud.athena.results import rendered
from localcloud.athena.scan import literal
from localcloud.glue.catalog import HIVE_NULL, escape_value
from localcloud.glue.hive_types import quote
from localcloud.glue.objects import Objects

MAX_PARTITIONS = 100
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
    target = folder / "out"
    codec = _COMPRESSIONS[output.file_format][output.compression]
    source = _lines(sql, columns, partition_by, output) if output.file_format == "TEXTFILE" else sql
    options = {
        "PARQUET": f"FORMAT parquet, COMPRESSION {literal(codec)}",
        "JSON": f"FORMAT json, COMPRESSION {literal(codec)}",
        "TEXTFILE": f"FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01', COMPRESSION {literal(codec)}",
    }[output.file_format]
    if partition_by:
        keys = ", ".join(quote(name) for name in partition_by)
        options += f", PARTITION_BY ({keys}), OVERWRITE_OR_IGNORE true"
        destination = target
    else:
        target.mkdir()
        destination = target / "data"
    row = connection.execute(
        f"COPY ({source}) TO {literal(str(destination))} ({options})"
    ).fetchone()
    rows = int(row[0]) if row else 0
    suffix = "" if output.file_format == "PARQUET" else _SUFFIX.get(codec, "")
    return _upload(objects, target, location, rows, suffix)


def _lines(
    sql: str, columns: list[tuple[str, str]], partition_by: list[str], output: Output
) -> str:
    """Text rows as one value each: nothing is quoted, NULL is \\N."""
    values = [
        f"coalesce({rendered(quote(name), kind)}, '\\N')"
        for name, kind in columns
        if name not in partition_by
    ]
    joined = f" || {literal(output.delimiter)} || ".join(values)
    keys = "".join(f", {quote(name)}" for name in partition_by)
    return f'SELECT {joined} AS "line"{keys} FROM ({sql})'


def _upload(objects: Objects, target: Path, location: str, rows: int, suffix: str) -> Written:
    stamp = datetime.now(UTC).strftime("%Y%m%d_%H%M%S")
    files, partitions = [], []
    for at, path in enumerate(sorted(p for p in target.rglob("*") if p.is_file())):
        folders = path.relative_to(target).parts[:-1]
        pairs = [tuple(part.split("=", 1)) for part in folders]
        values = tuple(unquote(text) for _, text in pairs)
        if values and values not in partitions:
            partitions.append(values)
        prefix = "".join(
            f"{unquote(pair[0])}={escape_value(None if v == HIVE_NULL else v)}/"
            for pair, v in zip(pairs, values, strict=True)
        )
        name = f"{stamp}_{at:05d}_{uuid.uuid4().hex[:5]}_{uuid.uuid4()}{suffix}"
        files.append((path, f"{location.rstrip('/')}/{prefix}{name}"))
    if len(partitions) > MAX_PARTITIONS:
        raise QueryError(
            f"HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of {MAX_PARTITIONS} open writers "
            "for partitions/buckets"
        )
    files = files if rows else []
    objects.put_files(files)
    return Written([uri for _, uri in files], partitions if rows else [], rows)
