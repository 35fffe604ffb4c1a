"""What people read of an incident, word for word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.drift import message as messages
from chalicelib.drift.incidents import Incident
from chalicelib.drift.policy import Decision

RUN = "20260301-120500-a1b2c3"
INCIDENT = Incident(
    "2026-03-01T12:00:00.000Z",
    "2026-03-01T13:00:00.000Z",
    seen=2,
    features=("review_body_oov", "product_category"),
    runs=(RUN,),
)
LOOK: dict[str, Any] = {
    "time": "2026-03-01T13:00:00.000Z",
    "monitor": "data-quality",
    "records": 400,
    "report_uri": "s3://data/monitor/x/",
    "page": "drift.html",
    "violations": [
        {
            "feature_name": "review_body_oov",
            "constraint_check_type": "baseline_drift_check",
            "description": "distance: 0.4211 exceeds threshold: 0.1",
            "distance": 0.4211,
            "threshold": 0.1,
        },
        {
            "feature_name": "product_category",
            "constraint_check_type": "categorical_values_check",
            "description": "Values not in the baseline: 100% of the records.",
        },
    ],
    "examples": [{"review_body": "The turntable\nof my microwave " + "x" * 80, "votes": "3"}],
}
LINKS = messages.Links(("https://api/links/r",), "https://api/links/d")
BOTH = messages.Links(("https://api/links/r", "https://api/links/l"), "https://api/links/d")
STARTED = Decision(True, ("the policy allows it",))

OPENED = """\
Live traffic no longer looks like the data that the model in service learned from.

What drifted, the furthest first:
  product_category: Values not in the baseline: 100% of the records (categorical_values_check)
  review_body_oov: distance 0.421, 0.1 is allowed (baseline_drift_check)

Since 2026-03-01 12:00 UTC, seen in 2 looks; the last one judged 400 records.

What the loop did: started run 20260301-120500-a1b2c3, which learns from all data and all feedback.

What came in, for example:
  review_body: The turntable of my microwave xxxxxxxxxxxxxxxxxxxxxxxxxxx..., votes: 3

Report: https://api/links/r
Look closer: driftloop drift show 2026-03-01T13:00:00.000Z

Stop this retraining, or mark this as seen: https://api/links/d
Whoever has this link may.

To stop all retraining: drift.notify_only = true in pipeline.toml, then deploy."""

ESCALATED = """\
Retraining did not clear this drift. The loop starts no further run for it: people decide.

What drifted, the furthest first:
  product_category: Values not in the baseline: 100% of the records (categorical_values_check)
  review_body_oov: distance 0.421, 0.1 is allowed (baseline_drift_check)

Since 2026-03-01 12:00 UTC, seen in 2 looks; the last one judged 400 records.

Runs that it started: 20260301-120500-a1b2c3

A broken sender is mended at the sender. A new world needs labelled data of that world: drop \
files, or send feedback. Then: driftloop run

Report: https://api/links/r
Look closer: driftloop drift show 2026-03-01T13:00:00.000Z

Start a retraining, or mark this as seen: https://api/links/d
Whoever has this link may."""

RECOVERED = """\
Live traffic looks again as the model in service expects it.

Drift in review_body_oov, product_category was seen from 2026-03-01 12:00 UTC to \
2026-03-01 13:00 UTC, in 2 looks; gone at 2026-03-01 14:00 UTC. Runs that it started: \
20260301-120500-a1b2c3."""


def test_it_began() -> None:
    message = messages.opened(INCIDENT, [LOOK], STARTED, LINKS)
    assert message.text == OPENED
    assert message.subject == "Drift in review_body_oov, product_category"
    assert message.facts["decision"] == {"start": True, "reasons": ["the policy allows it"]}


def test_it_began_and_the_loop_waits() -> None:
    again = clock.parse("2026-03-01T14:00:00Z")
    decision = Decision(False, ("cool-down", "9 rows"), again)
    text = messages.opened(INCIDENT, [LOOK], decision, LINKS).text
    words = "started no run: cool-down; 9 rows. It decides again at 2026-03-01 14:00 UTC."
    assert words in text


def test_two_monitors_see_it() -> None:
    """One message, of what each saw and where to look closer."""
    labels = {
        "time": "2026-03-01T13:00:09.000Z",
        "monitor": "model-quality",
        "records": 60,
        "report_uri": "s3://data/monitor/y/",
        "page": "constraint_violations.json",
        "violations": [
            {
                "feature_name": "accuracy",
                "constraint_check_type": "LessThanThreshold",
                "description": "Metric accuracy with 0.3 was LessThanThreshold '0.6'",
            }
        ],
    }
    message = messages.opened(INCIDENT, [LOOK, labels], STARTED, BOTH)
    for words in (
        "learned from. Live predictions are less right",
        "  accuracy: Metric accuracy with 0.3",
        "  review_body_oov: distance 0.421",
        "the last one judged 60 records",
        "Report: https://api/links/r\nLook closer: driftloop drift show 2026-03-01T13:00:00.000Z",
        "Report: https://api/links/l\nLook closer: driftloop drift show 2026-03-01T13:00:09.000Z",
    ):
        assert words in message.text
    assert message.facts["monitors"] == ["data-quality", "model-quality"]
    assert messages.page(LOOK) == "monitor/x/drift.html"
    assert messages.page(labels) == "monitor/y/constraint_violations.json"
    assert len(message.facts["violations"]) == 3


def test_it_does_not_end() -> None:
    decision = Decision(False, ("1 run did not clear it: people decide",), escalate=True)
    message = messages.escalated(INCIDENT, [LOOK], decision, LINKS)
    assert message.text == ESCALATED
    assert message.subject.startswith("Drift remains after one run: review_body_oov")


def test_it_is_over() -> None:
    closed = replace(INCIDENT, closed_at="2026-03-01T14:00:00.000Z")
    assert messages.recovered(closed).text == RECOVERED
    assert "Runs" not in messages.recovered(replace(closed, runs=())).text


@pytest.mark.parametrize(("count", "more"), [(8, None), (11, "  and 3 more")])
def test_a_storm_of_features_is_cut_short(count: int, more: str | None) -> None:
    storm = [{**LOOK["violations"][0], "feature_name": f"f{n}"} for n in range(count)]
    incident = replace(INCIDENT, features=tuple(found["feature_name"] for found in storm))
    message = messages.opened(incident, [{**LOOK, "violations": storm}], STARTED, LINKS)
    assert message.subject == f"Drift in f0, f1, f2, f3, f4 and {count - 5} more"
    lines = message.text
    shown = [line for line in lines.splitlines() if line.startswith("  f")]
    assert len(shown) == 8
    assert (more in lines.splitlines()) if more else "more" not in lines
