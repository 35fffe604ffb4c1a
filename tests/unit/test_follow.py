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


def test_a_search_tells_its_best(capsys: pytest.CaptureFixture[str]) -> None:
    values = {"C": "0.28057582", "max_features": "381272", "model": "linear"}
    told = {"parameters": values, "objective": 0.52941, "metric": "validation:accuracy", "of": 6}
    lines = follow.Lines()
    lines.best(told)
    assert " ".join(capsys.readouterr().out.split()) == (
        "best of 6: C = 0.2806, max_features = 381272, model = linear: validation:accuracy 0.5294"
    )
