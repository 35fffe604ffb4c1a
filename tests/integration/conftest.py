"""What more than one addition's tests need."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

Received = Callable[[int], list[dict[str, Any]]]


@pytest.fixture
def queue(cloud: Any, eventually: Callable[..., Any]) -> tuple[str, Received]:
    """A queue: its ARN, and what waits until it has received so many JSON bodies."""
    sqs, name = cloud.client("sqs"), f"queue-{uuid.uuid4().hex[:8]}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    named = ["QueueArn"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=named)["Attributes"]["QueueArn"]
    bodies: list[dict[str, Any]] = []

    def received(count: int) -> list[dict[str, Any]]:
        def enough() -> bool:
            answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                bodies.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return len(bodies) >= count

        eventually(enough, 60)
        return bodies

    return arn, received


@pytest.fixture
def listen(cloud: Any, queue: tuple[str, Received]) -> Callable[[dict[str, Any]], Received]:
    """Listen on the default bus: `listen(pattern)(count)` gives so many of its events."""
    arn, received = queue

    def to(pattern: dict[str, Any]) -> Received:
        events, rule = cloud.client("events"), f"rule-{uuid.uuid4().hex[:8]}"
        events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])
        return received

    return to
