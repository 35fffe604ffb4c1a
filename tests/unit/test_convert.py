"""The conversion's SQL."""

from __future__ import annotations

from typing import Any

import pytest
import sqlglot

from chalicelib import settings
from chalicelib.ingest import convert

DATASET = settings.load().dataset
NAMES = [column.name for column in DATASET.columns]


def arrival(arrival_id: str, **more: Any) -> dict[str, Any]:
    return {
        "arrival_id": arrival_id,
        "format": "tsv",
        "text_columns": NAMES,
        "text_bytes": 1000,
    } | more


TYPES = dict.fromkeys(NAMES, "string") | {"star_rating": "int", "review_date": "date"}
PARQUET = arrival("c", format="parquet", types=TYPES)
SOURCE = convert.Source.of(DATASET, "db", [arrival("a"), arrival("b"), PARQUET])


@pytest.mark.parametrize(
    "sql",
    [convert.insert(SOURCE, "r1"), convert.counts(SOURCE, "r1"), convert.rows(SOURCE)],
    ids=["insert", "counts", "rows"],
)
def test_the_sql_is_athenas(sql: str) -> None:
    assert sqlglot.parse_one(sql, read="athena") is not None


def test_files_of_one_layout_are_one_table() -> None:
    assert list(SOURCE.layouts.values()) == [("a", "b"), ("c",)]
    older = convert.Source.of(DATASET, "db", [arrival("a"), arrival("b", text_columns=NAMES[:9])])
    assert len(older.layouts) == 2
    assert 'CAST(NULL AS varchar) AS "review_date"' in convert.rows(older)


def test_typed_values_become_the_text_that_says_them() -> None:
    rows = convert.rows(SOURCE)
    assert 'CAST("star_rating" AS varchar) AS "star_rating"' in rows
    assert "date_format(CAST(\"review_date\" AS timestamp), '%Y-%m-%d')" in rows


@pytest.mark.parametrize(
    ("text_bytes", "partitions", "shards"),
    [(0, 1, 1), (2**20, 1, 1), (2**30, 1, 3), (2**30, 30, 1), (2**40, 1, 16)],
)
def test_a_partition_has_as_many_files_as_come_near_the_target(
    text_bytes: int, partitions: int, shards: int
) -> None:
    found = [arrival("a", text_bytes=text_bytes)]
    assert convert.Source.of(DATASET, "db", found, partitions).shards == shards


def test_literals_are_quoted() -> None:
    assert convert.text("it's") == "'it''s'"
    assert convert.quoted('a"b') == '"a""b"'
