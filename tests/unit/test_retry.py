"""Retrying a failed run: who may, with which files, and what is kept of it."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib import retry, runs
from chalicelib.errors import ApiError
from chalicelib.ingest import arrivals

ID = "20260301-120000-a1b2c3"
BROKEN = {
    "status": "failed",
    "dataset": "reviews",
    "arrivals": ["f1", "f2"],
    "quality": {"passed": False},
}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was asked of runs and arrivals; the tests say which run there is."""
    done: list[tuple[Any, ...]] = []

    def start(*given: Any) -> runs.RunStarted:
        done.append(("start", *given))
        return runs.RunStarted("new")

    monkeypatch.setattr(runs, "active", lambda: None)
    monkeypatch.setattr(runs, "started_by", lambda cause_id: None)
    monkeypatch.setattr(runs, "start", start)
    monkeypatch.setattr(arrivals, "readmit", lambda *given: done.append(("readmit", *given)))
    return done


def there_is(monkeypatch: pytest.MonkeyPatch, run: dict[str, Any] | None) -> None:
    monkeypatch.setattr(runs, "get", lambda run_id: run)


def test_the_same_files_run_again(
    monkeypatch: pytest.MonkeyPatch, calls: list[tuple[Any, ...]]
) -> None:
    there_is(monkeypatch, BROKEN)
    assert retry.retry(ID, {}, "ann") == runs.RunStarted("new")
    assert calls == [
        ("readmit", "reviews", "f1", ID),
        ("readmit", "reviews", "f2", ID),
        (
            *("start", "retry", f"retry of {ID}", f"retry-{ID}"),
            *(["f1", "f2"], "reviews", {"retry_of": ID}),
        ),
    ]


def test_a_retry_may_refuse_what_earlier_runs_made(
    monkeypatch: pytest.MonkeyPatch, calls: list[tuple[Any, ...]]
) -> None:
    there_is(monkeypatch, BROKEN)
    retry.retry(ID, {"no_cache": True}, "ann")
    assert calls[-1][-1] == {"retry_of": ID, "no_cache": True}


def test_an_acceptance_keeps_who_and_why(
    monkeypatch: pytest.MonkeyPatch, calls: list[tuple[Any, ...]]
) -> None:
    there_is(monkeypatch, BROKEN)
    retry.retry(ID, {"accept_quality": True, "why": " known gap "}, "arn:aws:iam::1:user/ann")
    (started,) = [call for call in calls if call[0] == "start"]
    assert started[2] == f"retry of {ID}: known gap"
    accepted = started[6]["accept_quality"]
    assert (accepted["who"], accepted["why"]) == ("arn:aws:iam::1:user/ann", "known gap")


@pytest.mark.parametrize(
    ("run", "content", "status", "words"),
    [
        (None, {}, 404, "there is no run"),
        ({"status": "succeeded"}, {}, 409, "is succeeded: nothing to retry"),
        ({"status": "failed"}, {"accept_quality": True, "why": "x"}, 409, "quality did not stop"),
        (BROKEN, {"accept_quality": True}, 400, "needs a reason"),
        (BROKEN, {"accept_quality": "yes"}, 400, "true or false"),
        (BROKEN, {"no_cache": 1}, 400, "no_cache is true or false"),
        (BROKEN, {"why": "x" * 501}, 400, "at most 500 letters"),
        (BROKEN, {"because": "x"}, 400, "there is no field because"),
    ],
)
def test_refusals(
    monkeypatch: pytest.MonkeyPatch,
    calls: list[tuple[Any, ...]],
    run: dict[str, Any] | None,
    content: dict[str, Any],
    status: int,
    words: str,
) -> None:
    there_is(monkeypatch, run)
    with pytest.raises(ApiError, match=words) as refused:
        retry.retry(ID, content, "ann")
    assert refused.value.status == status
    assert calls == []


def test_while_a_run_is_active_the_files_stay_held(
    monkeypatch: pytest.MonkeyPatch, calls: list[tuple[Any, ...]]
) -> None:
    there_is(monkeypatch, BROKEN)
    monkeypatch.setattr(runs, "active", lambda: "other")
    assert retry.retry(ID, {}, "ann") == runs.NotStarted("run other is active")
    started = {f"retry-{ID}": "the retry"}
    monkeypatch.setattr(runs, "started_by", started.get)
    assert retry.retry(ID, {}, "ann") == runs.RunStarted("the retry")
    assert calls == []
