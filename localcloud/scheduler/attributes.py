"""Context attributes in a target's input, which ministack passes on as they stand.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any


def filling(invoke: Callable[..., Any]) -> Callable[..., Any]:
    """`invoke`, with the attributes of what Scheduler sends filled in."""

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
