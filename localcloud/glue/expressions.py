"""GetPartitions' Expression: a condition on the partition keys, in SQL.

https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html
"""

from __future__ import annotations

from typing import Any

import duckdb

from localcloud.glue import hive_types
from localcloud.glue.catalog import Column
from localcloud.glue.crawls import RefusedError

Raw = dict[str, Any]


def chosen(keys: tuple[Column, ...], partitions: list[Raw], expression: str) -> list[Raw]:
    """The partitions that an expression is true of; RefusedError where it is none."""
    typed = [f"CAST(? AS {hive_types.to_duckdb(key.type)})" for key in keys]
    row = ", ".join(f"{value} AS {hive_types.quote(key.name)}"
                    for value, key in zip(typed, keys, strict=True))  # fmt: skip
    with duckdb.connect() as connection:
        try:
            return [
                each
                for each in partitions
                if connection.execute(
                    f"SELECT 1 FROM (SELECT {row}) WHERE {expression}", each["Values"]
                ).fetchone()
            ]
        except duckdb.Error as error:
            raise RefusedError(
                "InvalidInputException", f"Unsupported expression: {error}"
            ) from error
