"""The conversion's SQL."""

from __future__ import annotations

from typing import Any

import pytest
import sqlglot

from chalicelib import settings
from chalicelib.ingest import convert
from chalicelib.ingest.spread import Part

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
    [
        convert.insert(SOURCE, "r1"),
        convert.insert(SOURCE, "r1", Part(("a", "b"), {"b": 300})),
        convert.partitions(SOURCE, "r1"),
        convert.counts(SOURCE, "r1"),
        convert.rows(SOURCE, "r1"),
    ],
    ids=["insert", "part", "partitions", "counts", "rows"],
)
def test_the_sql_is_athenas(sql: str) -> None:
    assert sqlglot.parse_one(sql, read="athena") is not None


def test_files_of_one_layout_are_one_table() -> None:
    assert list(SOURCE.layouts.values()) == [("a", "b"), ("c",)]
    older = convert.Source.of(DATASET, "db", [arrival("a"), arrival("b", text_columns=NAMES[:9])])
    assert len(older.layouts) == 2
    assert 'CAST(NULL AS varchar) AS "review_date"' in convert.rows(older, "r1")


def test_line_ends_are_looked_for_where_a_file_has_some() -> None:
    plain = convert.Source.of(DATASET, "db", [arrival("a", line_ends=False)])
    assert "chr(30)" not in convert.rows(plain, "r1")
    mixed = convert.Source.of(DATASET, "db", [arrival("a", line_ends=False), arrival("b")])
    assert 'replace("review_body", chr(30), chr(10))' in convert.rows(mixed, "r1")
    assert 'replace("star_rating"' not in convert.rows(mixed, "r1")


def test_typed_values_become_the_text_that_says_them() -> None:
    rows = convert.rows(SOURCE, "r1")
    assert 'CAST("star_rating" AS varchar) AS "star_rating"' in rows
    assert "date_format(CAST(\"review_date\" AS timestamp), '%Y-%m-%d')" in rows


def test_an_insert_of_a_part_reads_its_values_and_cuts_the_large_ones() -> None:
    sql = convert.insert(SOURCE, "r1", Part(("Baby", "Men's"), {"Books": 12}))
    assert "BETWEEN 'Baby' AND 'Men''s'" in sql
    assert "(CASE \"product_category\" WHEN 'Books' THEN 12 ELSE 1 END)" in sql


@pytest.mark.parametrize(("text_bytes", "cut"), [(1000, False), (2**30, True)])
def test_without_partitions_the_size_alone_says_how_many_files(text_bytes: int, cut: bool) -> None:
    dataset = DATASET.model_copy(update={"partition_by": None})
    source = convert.Source.of(dataset, "db", [arrival("a", text_bytes=text_bytes)])
    assert ("), 3) ORDER BY" in convert.insert(source, "r1")) is cut


def test_literals_are_quoted() -> None:
    assert convert.text("it's") == "'it''s'"
    assert convert.quoted('a"b') == '"a""b"'
