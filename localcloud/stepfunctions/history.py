"""Execution history as AWS writes it: ids that never repeat, each event's predecessor, the
service's name and action on task events, and Lambda's own events for Lambda tasks.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

from __future__ import annotations

import contextvars
import json
import threading
from collections.abc import Callable
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.stepfunctions import scope

SFN = "ministack.services.stepfunctions"
Event = dict[str, Any]

_lock = threading.Lock()
_previous: contextvars.ContextVar[int] = contextvars.ContextVar("previous", default=0)
_scheduled: contextvars.ContextVar[Event | None] = contextvars.ContextVar("scheduled", default=None)


def install() -> None:
    """Write every event through `_recorded`, and complete task events when the call is made."""
    adapter.replace(SFN, "_add_event", _recorded)
    adapter.replace(SFN, "_invoke_resource", _announced)


def add(execution: dict[str, Any], kind: str, details: Event | None = None) -> Event:
    """Write an event of our own."""
    event: Event = adapter.part(SFN)._add_event(execution, kind, details)
    return event


def fork() -> int:
    """The event after which a branch begins."""
    return _previous.get()


def rejoin(event_id: int) -> None:
    """Go on after this event."""
    _previous.set(event_id)


def _recorded(original: Callable[..., Event]) -> Callable[..., Event]:
    def add_event(execution: dict[str, Any], kind: str, details: Event | None = None) -> Event:
        if scope.cancelled() and not kind.startswith("Execution"):
            raise scope.Cancelled
        kind, details = _as_aws(kind, details)
        with _lock:
            event = original(execution, kind, details)
            event["previousEventId"] = _previous.get()
        _previous.set(event["id"])
        if kind in ("TaskScheduled", "LambdaFunctionScheduled"):
            _scheduled.set(event)
        return event

    return add_event


def _announced(original: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    """Complete the Scheduled event with what is sent, and add Started."""

    def invoke(resource: str, given: Any) -> Any:
        scope.check()
        event, here = _scheduled.get(), scope.current.get()
        if event is not None and here is not None:
            sent = json.dumps(given)
            if event["type"] == "LambdaFunctionScheduled":
                event["lambdaFunctionScheduledEventDetails"]["input"] = sent
                add(here.execution, "LambdaFunctionStarted")
            else:
                details = event["taskScheduledEventDetails"]
                details |= {"parameters": sent, "region": adapter.config().region}
                named = {key: details[key] for key in ("resourceType", "resource")}
                add(here.execution, "TaskStarted", {"taskStartedEventDetails": named})
            _scheduled.set(None)
        return original(resource, given)

    return invoke


def _as_aws(kind: str, details: Event | None) -> tuple[str, Event | None]:
    """Task events by the names and members AWS uses."""
    key = next((k for k in details or {} if k.startswith("task")), None)
    if details is None or key is None or "resource" not in details[key]:
        return kind, details
    inner = dict(details[key])
    arn = inner["resource"]
    if ":function:" in arn and ":states:::" not in arn:
        kind = kind.replace("Task", "LambdaFunction", 1)
        inner = {k: v for k, v in inner.items() if k not in ("resource", "resourceType")}
        if kind == "LambdaFunctionScheduled":
            inner["resource"] = arn
        return kind, {_lower(kind) + "EventDetails": inner}
    if arn.startswith("arn:aws:states:::"):
        # arn:aws:states:::sagemaker:createModel, arn:aws:states:::aws-sdk:glue:getCrawler
        service, _, action = arn.removeprefix("arn:aws:states:::").rpartition(":")
        inner |= {"resourceType": service, "resource": action}
    return kind, {key: inner}


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]
