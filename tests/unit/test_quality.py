"""Checks as SQL, and what measured values mean."""

from __future__ import annotations

import pytest
import sqlglot

from chalicelib import convert, settings
from chalicelib.quality import measures, verdict

CONFIGURED = settings.load()


def measured(**changes: str) -> dict[str, str | None]:
    """Values that keep every declared check."""
    good = {"size": "1000", "completeness": "1.0", "membership": "1.0", "uniqueness": "1.0",
            "distinct": "5", "mean": "4.1"}  # fmt: skip
    values = {f"m{i}": good[check.check] for i, check in enumerate(CONFIGURED.quality.checks)}
    return {"rows": "1000", "rows_read": "1000", **values, **changes}


def test_good_values_pass() -> None:
    report = verdict.judge(measured(), CONFIGURED.quality)
    assert report.failures == []
    assert report.document["passed"] is True


def test_a_broken_check_is_told_with_value_bound_and_hint() -> None:
    report = verdict.judge(measured(m1="0.5"), CONFIGURED.quality)
    assert report.failures == [
        "completeness of review_body is 0.5; wanted at least 0.99. "
        "Reviews without text cannot train a text model."
    ]


def test_a_warning_does_not_stop_the_run() -> None:
    place = next(i for i, c in enumerate(CONFIGURED.quality.checks) if c.level == "warning")
    report = verdict.judge(measured(**{f"m{place}": "0.1"}), CONFIGURED.quality)
    assert report.failures == []
    assert len(report.document["warnings"]) == 1


def test_too_many_rejects_stop_the_run() -> None:
    report = verdict.judge(measured(rows="900"), CONFIGURED.quality)
    assert report.rejects == 100
    assert "100 of 1000 rows do not fit the schema" in report.failures[0]


def test_no_rows_measure_nothing() -> None:
    empty = dict.fromkeys(measured()) | {"rows": "0", "rows_read": "0", "m0": "0"}
    report = verdict.judge(empty, CONFIGURED.quality)
    assert any("not measurable" in words for words in report.failures)


@pytest.mark.parametrize(
    "sql",
    [
        measures.query(CONFIGURED.quality.checks, '"db"."t"', "r1", "1"),
        convert.insert(CONFIGURED.dataset, "db", "r1", ["a", "b"]),
        f"SELECT {convert.fault(CONFIGURED.dataset)} FROM t",
    ],
    ids=["measures", "insert", "fault"],
)
def test_the_sql_is_athenas(sql: str) -> None:
    assert sqlglot.parse_one(sql, read="athena") is not None


def test_literals_are_quoted() -> None:
    assert convert.text("it's") == "'it''s'"
    assert convert.quoted('a"b') == '"a""b"'
