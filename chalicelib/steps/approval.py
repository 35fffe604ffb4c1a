"""The retrain machine's steps around a person's approval: ask, and the end of the time for it."""

from __future__ import annotations

from typing import Any

from chalicelib.model import approval

Run = dict[str, Any]


def ask(run: Run) -> dict[str, Any]:
    """Hand out the task's token; the machine waits until it comes back."""
    approval.ask(run, str(run["task_token"]))
    return {"asked": run["register"]["model_version"]}


def expire(run: Run) -> dict[str, Any]:
    """Nobody decided in time; or somebody did in the very last moment."""
    return approval.expired(int(run["register"]["model_version"]))
