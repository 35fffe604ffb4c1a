"""What more than one addition's tests need."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
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


@pytest.fixture(scope="session")
def role(cloud: Any) -> str:
    """The ARN of a role without policies."""
    trust = {"Version": "2012-10-17", "Statement": []}
    iam, name = cloud.client("iam"), f"role-{uuid.uuid4().hex[:8]}"
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]


@pytest.fixture(scope="session")
def make_function(cloud: Any, role: str) -> Callable[[str], str]:
    """Make a function of a module's text that has `handler`; its ARN."""

    def make(source: str) -> str:
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            archive.writestr("app.py", source)
        made = cloud.client("lambda").create_function(
            FunctionName=f"fn-{uuid.uuid4().hex[:8]}",
            Runtime="python3.11",
            Role=role,
            Handler="app.handler",
            Code={"ZipFile": data.getvalue()},
            Timeout=20,
        )
        return made["FunctionArn"]

    return make
