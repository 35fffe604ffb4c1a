"""`driftloop drift` and `driftloop drift show`, as a person reads them."""

from __future__ import annotations

from typing import Any

import pytest

from cli import describe, records

KIND = "data-quality"
TIME = "2026-03-01T12:00:00.000Z"
LOOK: dict[str, Any] = {
    "time": TIME,
    "start": "2026-03-01T11:00:00.000Z",
    "monitor": "data-quality",
    "records": 400,
    "status": "violations",
    "champion_run": "20260301-100000-a1b2c3",
    "report_uri": "s3://data/monitor/x/",
    "incident": TIME,
    "run": "20260301-120100-d4e5f6",
    "decision": {"start": True, "why": "the policy allows it"},
    "violations": [
        {
            "feature_name": "body_oov",
            "constraint_check_type": "baseline_drift_check",
            "description": "distance: 0.4 exceeds threshold: 0.1",
            "distance": 0.4,
            "threshold": 0.1,
        },
        {
            "feature_name": "vine",
            "constraint_check_type": "missing_column_check",
            "description": "vine is missing",
        },
    ],
    "examples": [{"body": "my microwave"}],
    "not_read": {"lines that are no JSON": 7},
}
INCIDENT = {"since": TIME, "seen": 2, "runs": ["20260301-120100-d4e5f6"], "status": "open"}


def test_one_look_in_full(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(records, "look", lambda stack, time: LOOK)
    monkeypatch.setattr(records, "incident", lambda stack, since: INCIDENT)
    describe.look("stack", "latest", as_json=False)
    told = capsys.readouterr().out
    for words in (
        "data-quality",
        "s3://data/monitor/x/",
        "started run 20260301-120100-d4e5f6: the policy allows it",
        "body_oov",
        "0.4",
        "vine: vine is missing",
        "my microwave",
        "7 lines that are no JSON",
        f"incident since {TIME}, open; seen 2 times",
    ):
        assert words in told


@pytest.mark.parametrize(
    ("looks", "note", "begins"),
    [
        ([], {}, "the monitors have not judged any traffic yet"),
        ([], {KIND: (TIME, "few")}, f"{TIME}  data-quality judged nothing: few"),
        ([LOOK], {KIND: (f"{TIME}5", "few")}, f"{TIME}5  data-quality judged nothing: few"),
        ([LOOK], {KIND: (LOOK["start"], "few")}, f"{TIME}  data-quality: 400"),
        ([LOOK], {"bias": (LOOK["start"], "few")}, f"{LOOK['start']}  bias judged nothing: few"),
    ],
)
def test_looks_with_the_note_of_a_later_skip(
    looks: list[dict[str, Any]],
    note: dict[str, tuple[str, str]],
    begins: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    notes = {kind: {"looked_at": at, "note": why} for kind, (at, why) in note.items()}
    describe.drift(looks, notes)
    assert capsys.readouterr().out.startswith(begins)
