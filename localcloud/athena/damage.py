"""A Parquet file that cannot be read: the query ends with its name, as Trino tells it.

https://github.com/trinodb/trino/tree/master/plugin/trino-hive/src/main/java/io/trino/plugin/hive/parquet
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from localcloud.athena.errors import QueryError
from localcloud.glue.objects import S3Object


def found(error: duckdb.Error, files: Iterable[tuple[S3Object, Path]]) -> QueryError | None:
    """What the query fails with, if one of the Parquet files that it read is to blame.

    DuckDB does not name the file where a page's header is damaged, so each is read by itself.
    """
    if not (
        type(error) is duckdb.Error or "Parquet file" in str(error) or "read file" in str(error)
    ):
        return None
    for item, path in files:
        with duckdb.connect(":memory:") as connection:
            try:
                connection.execute("SELECT min(COLUMNS(*)) FROM read_parquet(?)", [str(path)])
            except duckdb.Error:
                return QueryError(f"HIVE_CURSOR_ERROR: Failed to read Parquet file: {item.uri}")
    return None
