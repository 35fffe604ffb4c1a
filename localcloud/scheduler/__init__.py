"""EventBridge Scheduler's context attributes in a target's input, and schedules on the second.

ministack passes `<aws.scheduler.scheduled-time>` on as it stands, and is up to 10 s late; AWS is
late too, but by less than a minute in all. Here they are looked at every second.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.config import CloudConfig

EVENTBRIDGE = "ministack.services.eventbridge"
SCHEDULER = "ministack.services.scheduler"
TICK_SECONDS = 1.0


def install(config: CloudConfig) -> None:
    """Fill the attributes in where a schedule's target is invoked; look at them every second."""
    adapter.replace(EVENTBRIDGE, "_invoke_target", _filling)
    adapter.replace(EVENTBRIDGE, "_SCHEDULER_TICK_INTERVAL", lambda _: TICK_SECONDS)
    adapter.replace(SCHEDULER, "_SCHEDULE_TICK_INTERVAL", lambda _: TICK_SECONDS)


def _filling(invoke: Callable[..., Any]) -> Callable[..., Any]:
    def filled(target: dict[str, Any], event: dict[str, Any], *more: Any, **named: Any) -> Any:
        if event.get("Source") == "aws.scheduler" and "<aws.scheduler." in target.get("Input", ""):
            target = {**target, "Input": fill(target["Input"], event)}
        return invoke(target, event, *more, **named)

    return filled


def fill(text: str, event: dict[str, Any]) -> str:
    """An input with each attribute's value of this invocation."""
    when = datetime.fromtimestamp(float(event["Time"]), UTC)
    values = {
        "scheduled-time": f"{when:%Y-%m-%dT%H:%M:%SZ}",
        "schedule-arn": str(event["Resources"][0]),
        "execution-id": str(uuid.uuid4()),
        "attempt-number": "1",
    }
    for name, value in values.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text
