"""The largest payload: 256 KiB of JSON in UTF-8 for what an execution begins with, what a state is
given after its Parameters, what a task's call answers and what a state hands on.

More ends the execution as States.DataLimitExceeded, which is final: States.ALL catches and retries
neither it nor States.Runtime.
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.stepfunctions.history import SFN

LARGEST = 256 * 1024  # bytes
TERMINAL = ("States.DataLimitExceeded", "States.Runtime")

Response = tuple[int, dict[str, str], bytes]


def install() -> None:
    """Measure wherever AWS does."""
    adapter.replace(SFN, "_invoke_resource", _answered)
    adapter.replace(SFN, "_error_matches", _not_terminal)
    for part in (
        "_apply_parameters",
        "_apply_jsonata_arguments",
        "_apply_output_path",
        "_apply_jsonata_output",
        "_apply_catcher",
    ):
        adapter.replace(SFN, part, _checked)
    for action, member in (
        ("_start_execution", "input"),
        ("_start_sync_execution", "input"),
        ("_send_task_success", "output"),
    ):
        adapter.replace(SFN, action, _accepting(member))


def size(value: Any) -> int:
    """Bytes of a value as compact JSON."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def check(named: str, value: Any) -> Any:
    """The value; States.DataLimitExceeded where it is too large. `named`: the state or the call."""
    if size(value) > LARGEST:
        raise adapter.part(SFN)._ExecutionError(
            "States.DataLimitExceeded",
            f"The state/task '{named}' returned a result with a size exceeding the maximum number "
            "of bytes service limit.",
        )
    return value


def _answered(original: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    def invoke(resource: str, given: Any) -> Any:
        named = resource.removeprefix("arn:aws:states:::").rpartition(":")[0]
        is_integration = resource.startswith("arn:aws:states:::")
        return check(named if is_integration else resource, original(resource, given))

    return invoke


def _checked(original: Callable[..., Any]) -> Callable[..., Any]:
    """What a state is given, or hands on."""

    def apply(state: dict[str, Any], value: Any, ctx: Any = None, *more: Any, **named: Any) -> Any:
        name = str(((ctx or {}).get("State") or {}).get("Name", ""))
        return check(name, original(state, value, ctx, *more, **named))

    return apply


def _not_terminal(original: Callable[[list[str], str], bool]) -> Callable[[list[str], str], bool]:
    def matches(error_equals: list[str], error: str) -> bool:
        return error in error_equals if error in TERMINAL else original(error_equals, error)

    return matches


def _accepting(member: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Refuse a request whose input or output is too large."""

    def replaced(original: Callable[..., Response]) -> Callable[..., Response]:
        def act(request: dict[str, Any]) -> Response:
            if len(str(request.get(member) or "").encode()) > LARGEST:
                message = (
                    f"1 validation error detected: Value at '{member}' failed to satisfy "
                    f"constraint: Member must have length less than or equal to {LARGEST}"
                )
                refused = {"__type": "ValidationException", "message": message}
                shown = {"Content-Type": "application/x-amz-json-1.0"}
                return 400, shown, json.dumps(refused).encode()
            return original(request)

        return act

    return replaced
