"""Tasks that wait until somebody sends their token back (`.waitForTaskToken`), and time limits that
a path of the state's input gives.

AWS fails the task when the call that hands out the token fails; it stops waiting at the task's time
limit, and when the execution is stopped. ministack waits on in each case.
https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-wait-token
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.iam import gaps
from localcloud.stepfunctions import history, scope

SFN = history.SFN
LOOK_SECONDS = 0.2  # between two looks whether the execution was stopped
YEAR = 365 * 24 * 3600  # an execution lives no longer


def install() -> None:
    """Wait here, and read the limits."""
    adapter.replace(SFN, "_invoke_with_callback", lambda _: invoke)
    adapter.replace(SFN, "_execute_task", _limited)


def invoke(resource: str, given: Any, token: str, state: dict[str, Any]) -> Any:
    """Hand out the token by the call, then wait for it; the task's result is what came with it."""
    sfn = adapter.part(SFN)
    waiting: dict[str, Any] = {"event": threading.Event(), "result": None, "error": None,
                               "heartbeat": None}  # fmt: skip
    sfn._task_tokens[token] = waiting
    if here := scope.current.get():
        gaps.token_of(here.execution["stateMachineArn"], token)
    try:
        answer = sfn._invoke_resource(resource.removesuffix(".waitForTaskToken"), given)
        _submitted(resource, answer)
        _wait(waiting, state)
    finally:
        sfn._task_tokens.pop(token, None)
    if error := waiting["error"]:
        raise sfn._ExecutionError(error["Error"], error["Cause"])
    return json.loads(waiting["result"])


def _wait(waiting: dict[str, Any], state: dict[str, Any]) -> None:
    deadline = time.monotonic() + state.get("TimeoutSeconds", YEAR)
    while not waiting["event"].wait(min(LOOK_SECONDS, max(deadline - time.monotonic(), 0))):
        scope.check()
        if time.monotonic() >= deadline:
            raise adapter.part(SFN)._ExecutionError("States.Timeout", "")


def _submitted(resource: str, answer: Any) -> None:
    here = scope.current.get()
    if here is None:
        return
    service, _, action = resource.removeprefix("arn:aws:states:::").rpartition(":")
    details = {"resourceType": service, "resource": action, "output": json.dumps(answer)}
    history.add(here.execution, "TaskSubmitted", {"taskSubmittedEventDetails": details})


def _limited(original: Callable[..., Any]) -> Callable[..., Any]:
    """TimeoutSecondsPath is read from the state's input.

    https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html
    """

    def execute(state: dict[str, Any], raw: Any, execution: Any, ctx: Any) -> Any:
        if path := state.get("TimeoutSecondsPath"):
            sfn = adapter.part(SFN)
            seconds = sfn._resolve_path_or_ctx(path, raw, ctx)
            if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 1:
                words = f"The TimeoutSecondsPath {path} selects no positive integer"
                raise sfn._ExecutionError("States.Runtime", words)
            state = {**state, "TimeoutSeconds": seconds}
        return original(state, raw, execution, ctx)

    return execute
