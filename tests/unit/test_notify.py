"""What SNS takes as a subject, and how a message reads."""

from __future__ import annotations

import pytest

from chalicelib import notify


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
