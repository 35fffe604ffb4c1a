"""A run's lines as they are printed."""

from __future__ import annotations

import datetime as dt

import pytest

from cli import follow
from cli.history import State

BEGAN = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


def state(name: str, seconds: float, kind: str = "Task", **output: str) -> State:
    return State(name, kind, BEGAN, BEGAN + dt.timedelta(seconds=seconds), output or None)


def test_a_reused_job_names_the_run_that_did_it(capsys: pytest.CaptureFixture[str]) -> None:
    lines = follow.Lines()
    lines.add(state("Plan", 0.1))
    reused = state("PrepareReused", 0, "Pass", reused="20260301-120000-a1b2c3")
    assert reused.reused_from
    lines.reused(reused)
    lines.close()
    told = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert told == [
        ["✓", "Plan", "0.1", "s"],
        ["✓", "Prepare", "reused", "from", "run", "20260301-120000-a1b2c3"],
    ]


def test_other_states_reuse_nothing() -> None:
    assert state("Looked", 0, "Pass").reused_from is None
    assert state("Train", 5, reused="r1").reused_from is None
