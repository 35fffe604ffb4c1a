"""Tell people: one SNS message and a record of it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib import clients, clock, records
from chalicelib.environment import Environment

FOR_MACHINES = ("sqs", "lambda", "http", "https", "firehose")
MESSAGE_BYTES = 262_144  # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
SUBJECT_LIMIT = 100  # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html


@dataclass(frozen=True)
class Message:
    """`text` is for people and says all; `facts` are the same for machines."""

    kind: str
    subject: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def notify(kind: str, subject: str, message: str, **facts: Any) -> None:
    """Tell a message with its facts below it."""
    send(Message(kind, subject, body(message, facts), facts))


def send(message: Message) -> None:
    """Publish it, and remember it."""
    subject, now = subject_line(message.subject), clock.text(clock.now())
    clients.client("sns").publish(
        TopicArn=Environment.from_env().topic_arn,
        Subject=subject,
        Message=structured(message, _pipeline(), now),
        MessageStructure="json",
        MessageAttributes={"kind": {"DataType": "String", "StringValue": message.kind}},
    )
    facts = dict(message.facts)
    if "run_id" in facts:  # the table's sort key has that name
        facts["run"] = facts.pop("run_id")
    told = {"time": now, "kind": message.kind, "subject": subject, "message": message.text}
    records.put(f"{records.NOTIFICATION}{now}-{secrets.token_hex(2)}", {**facts, **told})


def structured(message: Message, pipeline: str, time: str) -> str:
    """What each protocol of a subscription gets: words by default, JSON where programs read.

    Too long a text is cut until all of them fit.
    https://docs.aws.amazon.com/sns/latest/dg/sns-send-custom-platform-specific-payloads-mobile-devices.html
    """
    text, facts = message.text, dict(message.facts)
    while True:
        content = {
            "version": 1,
            "pipeline": pipeline,
            "time": time,
            "kind": message.kind,
            "subject": message.subject,
            "message": text,
            "facts": facts,
        }
        machines = json.dumps(content, default=str, ensure_ascii=False)
        found = json.dumps(
            {"default": text, **dict.fromkeys(FOR_MACHINES, machines)}, ensure_ascii=False
        )
        if len(found.encode()) <= MESSAGE_BYTES:
            return found
        if not text:
            facts = {"cut": "too long for a message; the record of the notification has all"}
        text = text[: len(text) // 2]


def subject_line(words: str) -> str:
    """SNS takes one line of printable ASCII."""
    line = " ".join(words.split()).encode("ascii", "replace").decode()
    line = "".join(letter for letter in line if letter.isprintable()) or "driftloop"
    return line if len(line) <= SUBJECT_LIMIT else line[: SUBJECT_LIMIT - 3] + "..."


def body(message: str, facts: dict[str, Any]) -> str:
    lines = [f"{name.replace('_', ' ')}: {_words(value)}" for name, value in facts.items()]
    return "\n".join([message, "", *lines]) if lines else message


def _words(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


def _pipeline() -> str:
    from chalicelib import settings

    return settings.load().pipeline.name
