"""What measured values mean."""

from __future__ import annotations

import pytest

from chalicelib.quality import verdict
from chalicelib.quality.declared import Quality
from chalicelib.quality.query import Wanted

QUALITY = Quality.model_validate(
    {
        "checks": [
            {"check": "size", "at_least": 100},
            {"check": "completeness", "column": "body", "at_least": 0.99, "hint": "No text."},
            {"check": "mean", "column": "stars", "at_least": 1, "at_most": 4, "level": "warning"},
        ],
        "max_rejects": 0.05,
    }
)
GOOD = {"rows": "1000", "rows_read": "1000", "m0": "1000.0", "m1": "1.0", "m2": "3.9"}


def judged(**changes: str | None) -> verdict.Report:
    return verdict.judge({**GOOD, **changes}, Wanted(QUALITY.checks), QUALITY.max_rejects)


def test_good_values_pass() -> None:
    assert judged().broken == []


@pytest.mark.parametrize(
    ("changes", "failures", "warnings"),
    [
        ({"m0": "100"}, [], []),
        ({"m0": "99"}, ["size is 99; wanted at least 100."], []),
        ({"m1": "0.5"}, ["completeness(body) is 0.5; wanted at least 0.99. No text."], []),
        ({"m2": "4.1"}, [], ["mean(stars) is 4.1; wanted at least 1 and at most 4."]),
        ({"m2": None}, [], ["mean(stars) is not measurable (no rows); wanted at least 1 and at"]),
        ({"m2": "NaN"}, [], ["mean(stars) is not measurable"]),
        ({"rows": "950"}, [], []),
        ({"rows": "940"}, ["rejects is 0.06; wanted at most 0.05. 60 of 1000 rows do not"], []),
    ],
)
def test_a_broken_check_is_told_with_value_bound_and_hint(
    changes: dict[str, str | None], failures: list[str], warnings: list[str]
) -> None:
    report = judged(**changes)
    warned = [each.words for each in report.broken if each.level == "warning"]
    for told, expected in ((report.failures, failures), (warned, warnings)):
        assert len(told) == len(expected)
        assert all(words.startswith(start) for words, start in zip(told, expected, strict=True))


def test_completeness_and_histograms_come_with_it() -> None:
    row = {**GOOD, "c0": "900", "h0": '{"1":400,"5":600}'}
    report = verdict.judge(row, Wanted(QUALITY.checks, ["body"], ["stars"]), QUALITY.max_rejects)
    assert report.completeness == {"body": 0.9}
    assert report.histograms == {"stars": {"1": 400, "5": 600}}
