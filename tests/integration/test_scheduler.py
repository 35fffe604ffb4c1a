"""EventBridge Scheduler fills its context attributes into a target's input.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

pytestmark = pytest.mark.cloud

ATTRIBUTES = ("scheduled-time", "schedule-arn", "execution-id", "attempt-number")


def test_context_attributes_are_filled_in(cloud: Any, queue: tuple[str, Any]) -> None:
    arn, received = queue
    when = datetime.now(UTC) + timedelta(seconds=1)
    given = {name: f"<aws.scheduler.{name}>" for name in ATTRIBUTES} | {"other": "<aws.other>"}
    schedule = cloud.client("scheduler").create_schedule(
        Name=f"schedule-{uuid.uuid4().hex[:8]}",
        ScheduleExpression=f"at({when:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": arn,
            "RoleArn": "arn:aws:iam::000000000000:role/scheduler",
            "Input": json.dumps(given),
        },
    )["ScheduleArn"]
    [told] = received(1)
    scheduled = datetime.strptime(told["scheduled-time"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(seconds=-1) <= scheduled - when <= timedelta(seconds=60)
    assert told["schedule-arn"] == schedule
    assert uuid.UUID(told["execution-id"])
    assert told["attempt-number"] == "1"
    assert told["other"] == "<aws.other>"
