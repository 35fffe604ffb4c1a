"""What SNS takes as a subject, and how a message reads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib import notify
from chalicelib.notify import Message


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("plain", "plain"),
        ("two\nlines", "two lines"),
        ("caf\u00e9", "caf?"),
        ("x" * 101, "x" * 97 + "..."),
        ("\x07", "driftloop"),
    ],
)
def test_subject(words: str, line: str) -> None:
    assert notify.subject_line(words) == line


def test_facts_stand_below_the_message() -> None:
    assert notify.body("It drifted.", {"run_id": "r", "n": 2}) == "It drifted.\n\nrun id: r\nn: 2"


def test_people_read_words_and_programs_json() -> None:
    message = Message("drift", "Drift in caf\u00e9", "It drifted.", {"records": 5})
    found = json.loads(notify.structured(message, "reviews", "2026-03-01T12:00:00.000Z"))
    assert found["default"] == "It drifted."
    assert set(found) == {"default", "sqs", "lambda", "http", "https", "firehose"}
    assert json.loads(found["sqs"]) == {
        "version": 1,
        "pipeline": "reviews",
        "time": "2026-03-01T12:00:00.000Z",
        "kind": "drift",
        "subject": "Drift in caf\u00e9",
        "message": "It drifted.",
        "facts": {"records": 5},
    }


@pytest.mark.parametrize(
    ("text", "facts", "kept"),
    [
        ("\u00e9" * 100_000, {"n": 1}, {"n": 1}),
        ("short", {"violations": ["x" * 300_000]}, None),
    ],
)
def test_what_is_too_long_for_sns_is_cut(
    text: str, facts: dict[str, Any], kept: dict[str, Any] | None
) -> None:
    found = notify.structured(Message("k", "s", text, facts), "reviews", "now")
    assert len(found.encode()) <= notify.MESSAGE_BYTES
    facts = json.loads(json.loads(found)["sqs"])["facts"]
    assert facts == kept if kept else "cut" in facts
