"""The conversion's SQL."""

from __future__ import annotations

import pytest
import sqlglot

from chalicelib import convert, settings

DATASET = settings.load().dataset


@pytest.mark.parametrize(
    "sql",
    [convert.insert(DATASET, "db", "r1", ["a", "b"]), f"SELECT {convert.fault(DATASET)} FROM t"],
    ids=["insert", "fault"],
)
def test_the_sql_is_athenas(sql: str) -> None:
    assert sqlglot.parse_one(sql, read="athena") is not None


def test_literals_are_quoted() -> None:
    assert convert.text("it's") == "'it''s'"
    assert convert.quoted('a"b') == '"a""b"'
