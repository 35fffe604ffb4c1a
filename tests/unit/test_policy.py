"""When drift may start a run: the policy as a table."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.drift import policy, quiet
from chalicelib.drift.policy import Policy, Situation

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
FAR = {
    "feature_name": "review_body",
    "constraint_check_type": "baseline_drift_check",
    "description": "distance: 0.4 exceeds threshold: 0.1",
    "distance": 0.4,
    "threshold": 0.1,
}
NEAR = {**FAR, "distance": 0.15}
BROKEN = {"feature_name": "vine", "constraint_check_type": "missing_column_check"}
NEW_VALUE = {"feature_name": "vine", "constraint_check_type": "categorical_values_check"}
POLICY = Policy(
    notify_only=False,
    cool_down=dt.timedelta(hours=1),
    daily_budget=4,
    max_tries=3,
    min_new_rows=10,
    severe_checks=frozenset({"baseline_drift_check", "categorical_values_check"}),
    severe_distance=0.2,
    quiet_hours=None,
)
SITUATION = Situation(NOW, [FAR], [], new_rows=10)


def ago(**by: float) -> dt.datetime:
    return NOW - dt.timedelta(**by)


def ahead(**by: float) -> dt.datetime:
    return NOW + dt.timedelta(**by)


@pytest.mark.parametrize(
    ("rules", "facts", "why", "again_at"),
    [
        ({"notify_only": True}, {}, "notify_only is true", None),
        ({"daily_budget": 0}, {}, "daily_budget is 0", None),
        ({}, {"started": [ago(minutes=59)]}, "cool-down", ahead(minutes=1)),
        ({}, {"started": [ago(minutes=60)]}, None, None),
        (
            {"daily_budget": 2},
            {"started": [ago(hours=2), ago(hours=3)]},
            "2 runs in the last 24 hours",
            ahead(hours=21),
        ),
        ({"daily_budget": 2}, {"started": [ago(hours=2), ago(hours=24)]}, None, None),
        (
            {"daily_budget": 1},
            {"started": [ago(hours=2), ago(hours=3)]},
            "daily budget",
            ahead(hours=22),
        ),
        ({}, {"new_rows": 9}, "9 labelled or new rows", ahead(minutes=15)),
        ({"min_new_rows": 0}, {"new_rows": 0}, None, None),
        ({}, {"violations": [NEAR]}, "nothing severe", None),
        ({}, {"violations": [BROKEN]}, "nothing severe", None),
        ({}, {"violations": [BROKEN, NEAR, NEW_VALUE]}, None, None),
        ({"severe_checks": frozenset()}, {}, "nothing severe", None),
        ({}, {"active_run": "r"}, "run r is active", ahead(minutes=5)),
        ({}, {"superseded": True}, "no longer in service", None),
        ({}, {"stopped": "r"}, "a person stopped run r", None),
        ({}, {"tries": 2}, None, None),
        ({}, {"tries": 3}, "3 runs did not clear it", None),
        ({}, {"tries": 3, "active_run": "r"}, "run r is active", ahead(minutes=5)),
        ({}, {"tries": 3, "superseded": True}, "no longer in service", None),
    ],
)
def test_policy(
    rules: dict[str, Any], facts: dict[str, Any], why: str | None, again_at: dt.datetime | None
) -> None:
    decision = policy.decide(replace(POLICY, **rules), replace(SITUATION, **facts))
    assert decision.start is (why is None)
    assert (why or "allows") in decision.why
    assert decision.again_at == again_at
    assert decision.escalate is ("did not clear" in decision.why)
    assert decision.tell


def test_every_reason_is_told_and_the_last_to_pass_decides_when_again() -> None:
    situation = replace(SITUATION, started=[ago(minutes=30)], new_rows=0)
    decision = policy.decide(POLICY, situation)
    assert [words.split()[0] for words in decision.reasons] == ["cool-down:", "0"]
    assert decision.again_at == ahead(minutes=30)


def test_what_time_does_not_mend_is_not_decided_again_by_the_clock() -> None:
    rules = replace(POLICY, notify_only=True)
    decision = policy.decide(rules, replace(SITUATION, started=[ago(minutes=30)]))
    assert len(decision.reasons) == 2
    assert decision.again_at is None


@pytest.mark.parametrize("rules", [{}, {"notify_only": True}, {"max_tries": 1}])
def test_in_quiet_hours_run_and_message_wait(rules: dict[str, Any]) -> None:
    hours = quiet.parse("11:00-13:30", "UTC")
    rule = replace(POLICY, quiet_hours=hours, **rules)
    decision = policy.decide(rule, replace(SITUATION, tries=1))
    assert (decision.start, decision.tell, decision.escalate) == (False, False, False)
    assert decision.again_at == ahead(hours=1.5)
