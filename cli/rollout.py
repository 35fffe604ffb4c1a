"""Changes of what serves, done by the stack's rollout machine and followed until it ends."""

from __future__ import annotations

import json
import time
from typing import Any

from cli import follow, target
from cli.errors import Problem
from cli.history import Execution

LONGEST_SECONDS = 7200


def change(stack: str, request: dict[str, Any], wait: bool = True) -> dict[str, Any] | None:
    """Ask for {"action", "kind"?, "version"?, "share"?}; what serves then, if it is waited for."""
    given = {name: value for name, value in request.items() if value is not None}
    started = target.client("stepfunctions").start_execution(
        stateMachineArn=target.outputs(stack)["RolloutMachineArn"], input=json.dumps(given)
    )
    if not wait:
        return None
    execution = Execution(started["executionArn"])
    follow.machine(execution, time.monotonic() + LONGEST_SECONDS)
    outputs = {state.name: state.output or {} for state in execution.states}
    if "Finish" in outputs:
        return dict(outputs["Finish"]["finish_rollout"]["serving"])
    failed = outputs.get("RecordFailure", {}).get("fail_rollout", {})
    raise Problem(failed.get("error") or "it was not done; the execution says why")
