"""EventBridge Scheduler fills its context attributes into a target's input, and knows time zones.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from botocore.exceptions import ClientError
from roles import ROLE

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
        Target={"Arn": arn, "RoleArn": ROLE, "Input": json.dumps(given)},
    )["ScheduleArn"]
    [told] = received(1)
    scheduled = datetime.strptime(told["scheduled-time"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(seconds=-1) <= scheduled - when <= timedelta(seconds=60)
    assert told["schedule-arn"] == schedule
    assert uuid.UUID(told["execution-id"])
    assert told["attempt-number"] == "1"
    assert told["other"] == "<aws.other>"


@pytest.mark.parametrize("form", ["at(%Y-%m-%dT%H:%M:%S)", "cron(%M %H * * ? *)"])
def test_an_expression_is_read_in_its_time_zone(
    cloud: Any, queue: tuple[str, Any], form: str
) -> None:
    """Kolkata's clock is half an hour off, so that UTC's would never show the same minute."""
    arn, received = queue
    there = datetime.now(ZoneInfo("Asia/Kolkata")) + timedelta(seconds=1)
    if form.startswith("cron"):
        there = (there + timedelta(minutes=1)).replace(second=0, microsecond=0)
    cloud.client("scheduler").create_schedule(
        Name=f"schedule-{uuid.uuid4().hex[:8]}",
        ScheduleExpression=f"{there:{form}}",
        ScheduleExpressionTimezone="Asia/Kolkata",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": arn, "RoleArn": ROLE, "Input": '{"at": "<aws.scheduler.scheduled-time>"}'},
    )
    [told] = received(1)
    assert told["at"] == f"{there.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def test_a_template_names_the_time_zone(cloud: Any, eventually: Any) -> None:
    name, stack = (f"{kind}-{uuid.uuid4().hex[:8]}" for kind in ("schedule", "stack"))
    properties = {
        "Name": name,
        "ScheduleExpression": "cron(0 6 * * ? *)",
        "ScheduleExpressionTimezone": "Europe/Berlin",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": "arn:aws:sqs:us-east-1:000000000000:none", "RoleArn": ROLE},
    }
    resource = {"Type": "AWS::Scheduler::Schedule", "Properties": properties}
    cloudformation = cloud.client("cloudformation")

    def zone() -> Any:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        if not found.endswith("_COMPLETE"):
            return None
        return cloud.client("scheduler").get_schedule(Name=name)["ScheduleExpressionTimezone"]

    body = json.dumps({"Resources": {"Timer": resource}})
    cloudformation.create_stack(StackName=stack, TemplateBody=body)
    assert eventually(zone, 60) == "Europe/Berlin"
    properties["ScheduleExpressionTimezone"] = "America/New_York"
    body = json.dumps({"Resources": {"Timer": resource}})
    cloudformation.update_stack(StackName=stack, TemplateBody=body)
    assert eventually(lambda: zone() == "America/New_York", 60)


def test_an_unknown_time_zone_is_refused(cloud: Any) -> None:
    with pytest.raises(ClientError, match="ScheduleExpressionTimezone: Berlin") as refused:
        cloud.client("scheduler").create_schedule(
            Name="none",
            ScheduleExpression="rate(1 hour)",
            ScheduleExpressionTimezone="Berlin",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": "arn:aws:sqs:us-east-1:000000000000:none", "RoleArn": ROLE},
        )
    assert refused.value.response["Error"]["Code"] == "ValidationException"
