"""Tell people: one SNS message and a record of it."""

from __future__ import annotations

import json
import secrets
from typing import Any

from chalicelib import clients, clock, records
from chalicelib.environment import Environment

SUBJECT_LIMIT = 100  # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html


def notify(kind: str, subject: str, message: str, **facts: Any) -> None:
    """Publish the message with its facts below it, and remember it."""
    subject = subject_line(subject)
    clients.client("sns").publish(
        TopicArn=Environment.from_env().topic_arn,
        Subject=subject,
        Message=body(message, facts),
        MessageAttributes={"kind": {"DataType": "String", "StringValue": kind}},
    )
    now = clock.text(clock.now())
    if "run_id" in facts:  # the table's sort key has that name
        facts["run"] = facts.pop("run_id")
    records.put(
        f"{records.NOTIFICATION}{now}-{secrets.token_hex(2)}",
        {**facts, "time": now, "kind": kind, "subject": subject, "message": message},
    )


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
