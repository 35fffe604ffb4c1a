"""What a run notices of columns added, removed or retyped since the run before."""

from __future__ import annotations

import io
from typing import Any

import pytest

from chalicelib import settings
from chalicelib.ingest import schema_changes
from chalicelib.reading import inspection

DATASET = settings.load().dataset
NAMES = [column.name for column in DATASET.columns]
TYPES = dict.fromkeys(NAMES, "string") | dict.fromkeys(
    ("star_rating", "helpful_votes", "total_votes", "customer_id"), "bigint"
)


def arrival(*names: str, **types: str) -> dict[str, Any]:
    """A file of these columns, with values of these types beside the usual ones."""
    return {"columns": list(names), "types": {name: (TYPES | types).get(name) for name in names}}


def words(before: dict[str, str], *found: dict[str, Any]) -> list[str]:
    now = schema_changes.seen(found, before)
    return [c.words for c in schema_changes.compare(DATASET, before, now, found)]


LAST = schema_changes.seen([arrival(*NAMES)], {})


@pytest.mark.parametrize("before", [LAST, schema_changes.declared(DATASET)], ids=["last", "first"])
def test_the_same_columns_are_no_change(before: dict[str, str]) -> None:
    assert words(before, arrival(*NAMES), arrival(*reversed(NAMES))) == []


RETYPED = "column star_rating: bigint before, string now"


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([arrival(*NAMES, "lang", lang="string")], ["column added: lang"]),
        ([arrival(*NAMES), arrival(*NAMES[:-1])], ["column removed: review_date"]),
        ([arrival(*NAMES, star_rating="string")], [RETYPED]),
        ([arrival(*NAMES), arrival(*NAMES, star_rating="string")], [RETYPED]),
        ([arrival(*NAMES, helpful_votes="int")], []),
        ([arrival(*NAMES, review_date="date", vine="boolean")], []),
        (
            [arrival(*NAMES, total_votes="double")],
            ["column total_votes: bigint before, double now"],
        ),
    ],
    ids=["added", "removed", "retyped", "one of two", "narrower", "text", "wider"],
)
def test_changes_are_told(found: list[dict[str, Any]], told: list[str]) -> None:
    assert words(LAST, *found) == told


def test_a_column_that_was_added_is_known_from_then_on() -> None:
    wider = schema_changes.seen([arrival(*NAMES, "lang", lang="string")], LAST)
    assert words(wider, arrival(*NAMES, "lang", lang="string")) == []
    assert words(wider, arrival(*NAMES)) == ["column removed: lang"]


def dropped(stars: str) -> dict[str, Any]:
    """A file of ten reviews, as intake keeps it."""
    row = dict.fromkeys(NAMES, "x") | {
        "star_rating": stars,
        "helpful_votes": "",
        "total_votes": "0",
    }
    lines = ["\t".join(NAMES), *["\t".join(row[name] for name in NAMES)] * 10]
    content = "\n".join(lines).encode()
    found = inspection.inspect("a.tsv", len(content), [content], DATASET, io.BytesIO())
    return {"columns": list(found.columns), "types": found.types}


def test_a_bad_file_changes_nothing_once_it_is_gone() -> None:
    learned = schema_changes.seen([dropped("5")], schema_changes.declared(DATASET))
    assert words(learned, dropped("five")) == [RETYPED]
    assert words(learned, dropped("4")) == []


def test_a_column_without_values_keeps_the_type_it_had() -> None:
    now = schema_changes.seen([dropped("5")], LAST)
    assert now["helpful_votes"] == LAST["helpful_votes"] == "bigint"
    assert words(LAST, dropped("5")) == []
