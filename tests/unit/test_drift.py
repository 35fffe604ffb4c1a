"""When drift may start a run: the policy as a table."""

from __future__ import annotations

import datetime as dt

import pytest

from chalicelib import drift

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def ago(**by: float) -> dt.datetime:
    return NOW - dt.timedelta(**by)


@pytest.mark.parametrize(
    ("retrain", "budget", "started", "start", "words"),
    [
        (True, 4, [], True, "allows"),
        (False, 4, [], False, "drift.retrain is false"),
        (True, 0, [], False, "daily_budget is 0"),
        (True, 4, [ago(minutes=59)], False, "cool-down"),
        (True, 4, [ago(minutes=60)], True, "allows"),
        (True, 2, [ago(hours=2), ago(hours=3)], False, "2 runs in the last 24 hours"),
        (True, 2, [ago(hours=2), ago(hours=24)], True, "allows"),
        (True, 2, [ago(days=5), ago(hours=2)], True, "allows"),
    ],
)
def test_policy(
    retrain: bool, budget: int, started: list[dt.datetime], start: bool, words: str
) -> None:
    decision = drift.decide(drift.Policy(retrain, dt.timedelta(hours=1), budget), NOW, started)
    assert decision.start is start
    assert words in decision.why


def test_says_what_drifted_and_how_far() -> None:
    violation = {
        "feature_name": "review_body",
        "constraint_check_type": "baseline_drift_check",
        "description": "distance: 0.4 exceeds threshold: 0.1",
    }
    assert drift.describe([violation]) == (
        "review_body: baseline_drift_check: distance: 0.4 exceeds threshold: 0.1"
    )
