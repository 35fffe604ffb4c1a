"""What more than one addition's tests need."""

from __future__ import annotations

import dataclasses
import io
import json
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from roles import ROLE, statement

from chalicelib import clients
from chalicelib.environment import Environment
from tests.conftest import ROOT

Received = Callable[[int], list[dict[str, Any]]]


@pytest.fixture
def queue(cloud: Any, eventually: Callable[..., Any]) -> tuple[str, Received]:
    """A queue: its ARN, and what waits until it has received so many JSON bodies."""
    sqs, name = cloud.client("sqs"), f"queue-{uuid.uuid4().hex[:8]}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    named = ["QueueArn"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=named)["Attributes"]["QueueArn"]
    anybody = statement(Principal="*", Action="sqs:SendMessage", Resource=arn)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(anybody)})
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
def role() -> str:
    """The ARN of a role that may do everything."""
    return ROLE


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


@pytest.fixture
def stack(cloud: Any, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the functions find around them: a table, a topic, a bucket, the environment."""
    table = f"runs-{bucket}"
    make_table(cloud, table, "pipeline", "run_id")
    make_arrivals(cloud, f"arrivals-{bucket}")
    topic = cloud.client("sns").create_topic(Name=f"topic-{bucket}")["TopicArn"]
    values = {field.name: field.name for field in dataclasses.fields(Environment)} | {
        "data_bucket": bucket,
        "runs_table": table,
        "arrivals_table": f"arrivals-{bucket}",
        "topic_arn": topic,
        "idempotency_table": f"idempotency-{bucket}",
        "endpoint_name": "reviews",
        "drift_alarm": "reviews-drift",
        "rollout_alarms": "reviews-rollout-errors",
        "code_prefix": "s3://artifacts/code",
        "link_secret": f"links-{bucket}",
        "retrain_machine_arn": "arn:aws:states:us-east-1:000000000000:stateMachine:r-retrain",
    }
    cloud.client("secretsmanager").create_secret(Name=values["link_secret"], SecretString="s")
    environment = Environment(**values)
    monkeypatch.setenv("API_URL", "https://api.example/api")
    monkeypatch.setattr(Environment, "from_env", classmethod(lambda cls: environment))
    monkeypatch.setattr(clients, "client", cloud.client)
    return cloud


def make_arrivals(cloud: Any, name: str) -> None:
    """The arrivals table with its index, as the template has it."""

    class Template(yaml.SafeLoader):
        """The template's own tags stand for nothing here."""

    Template.add_multi_constructor("!", lambda *given: None)
    text = (ROOT / "infrastructure" / "template.yaml").read_text(encoding="utf-8")
    table = yaml.load(text, Template)["Resources"]["ArrivalsTable"]["Properties"]
    wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    cloud.client("dynamodb").create_table(TableName=name, **{key: table[key] for key in wanted})


def make_table(cloud: Any, name: str, partition: str, sort: str) -> None:
    cloud.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": "S"} for key in (partition, sort)
        ],
        KeySchema=[
            {"AttributeName": partition, "KeyType": "HASH"},
            {"AttributeName": sort, "KeyType": "RANGE"},
        ],
    )
