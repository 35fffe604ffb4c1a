"""What a run notices of columns added, removed or retyped since the run before."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib import settings
from chalicelib.ingest import schema_changes

DATASET = settings.load().dataset
NAMES = [column.name for column in DATASET.columns]
CRAWLED = dict.fromkeys(NAMES, "string") | dict.fromkeys(
    ("star_rating", "helpful_votes", "total_votes", "customer_id", "row_number"), "bigint"
)


def arrival(*names: str, **types: str) -> dict[str, Any]:
    return {"columns": list(names), "types": types}


def words(before: dict[str, str], crawled: dict[str, str], *found: dict[str, Any]) -> list[str]:
    now = schema_changes.seen(found, crawled)
    return [c.words for c in schema_changes.compare(DATASET, before, now, found)]


LAST = schema_changes.seen([arrival(*NAMES)], CRAWLED)


@pytest.mark.parametrize("before", [LAST, schema_changes.declared(DATASET)], ids=["last", "first"])
def test_the_same_columns_are_no_change(before: dict[str, str]) -> None:
    assert words(before, CRAWLED, arrival(*NAMES), arrival(*reversed(NAMES))) == []


@pytest.mark.parametrize(
    ("crawled", "found", "told"),
    [
        ({"lang": "string"}, [arrival(*NAMES, "lang")], ["column added: lang"]),
        ({}, [arrival(*NAMES), arrival(*NAMES[:-1])], ["column removed: review_date"]),
        (
            {"star_rating": "string"},
            [arrival(*NAMES)],
            ["column star_rating: bigint before, string now"],
        ),
        ({"helpful_votes": "int"}, [arrival(*NAMES)], []),
        ({"review_date": "date", "vine": "boolean"}, [arrival(*NAMES)], []),
        (
            {},
            [arrival(*NAMES, **CRAWLED | {"total_votes": "double"})],
            ["column total_votes: bigint before, double now"],
        ),
    ],
    ids=["added", "removed", "retyped", "narrower", "text looks like anything", "parquet"],
)
def test_changes_are_told(
    crawled: dict[str, str], found: list[dict[str, Any]], told: list[str]
) -> None:
    assert words(LAST, CRAWLED | crawled, *found) == told


def test_a_column_that_was_added_is_known_from_then_on() -> None:
    wider = schema_changes.seen([arrival(*NAMES, "lang")], CRAWLED | {"lang": "string"})
    assert words(wider, CRAWLED | {"lang": "string"}, arrival(*NAMES, "lang")) == []
    assert words(wider, CRAWLED, arrival(*NAMES)) == ["column removed: lang"]
