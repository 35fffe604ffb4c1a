"""Where each branch of an execution's Parallel states stands, so that a redrive goes on there.

A branch has a path, `/Both[0]/Inner[1]`; at each path is the state that was entered last, with its
input, or the output of a branch that has ended.
https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
"""

from __future__ import annotations

import contextvars
import threading
from typing import Any

Step = dict[str, Any]  # {"state", "input"}, or {"output"}
Steps = dict[str, Step]

_path: contextvars.ContextVar[str] = contextvars.ContextVar("path", default="")
_resumed: contextvars.ContextVar[Steps | None] = contextvars.ContextVar("resumed", default=None)

_lock = threading.Lock()  # branches run at once


def resume(steps: Steps, state: str) -> None:
    """Let the walk that begins in this context go on from an earlier attempt's steps."""
    _resumed.set(_beneath(steps, "", state))


def enter_branch(state: str, at: int) -> None:
    """This context works for one branch of a state."""
    _path.set(f"{_path.get()}/{state}[{at}]")


def earlier() -> Step | None:
    """Where this branch stood when its execution ended; given once."""
    steps, path = _resumed.get(), _path.get()
    if steps is None:
        return None
    with _lock:
        step = steps.pop(path, None)
        kept = _beneath(steps, path, step.get("state", "")) if step else {}
        for stale in [each for each in steps if each.startswith(f"{path}/") and each not in kept]:
            del steps[stale]
    return step


def entered(execution: dict[str, Any], state: str, given: Any) -> None:
    """This branch is in a state now."""
    with _lock:
        execution.setdefault("progress", {})[_path.get()] = {"state": state, "input": given}


def ended(execution: dict[str, Any], output: Any) -> None:
    """This branch has come to its end."""
    with _lock:
        execution.setdefault("progress", {})[_path.get()] = {"output": output}


def forget(execution: dict[str, Any], state: str) -> None:
    """A state's branches begin anew, or all have ended."""
    with _lock:
        progress = execution.get("progress", {})
        for stale in _beneath(progress, _path.get(), state):
            del progress[stale]


def _beneath(steps: Steps, path: str, state: str) -> Steps:
    return {each: step for each, step in steps.items() if each.startswith(f"{path}/{state}[")}
