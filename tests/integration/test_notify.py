"""One notification on a real topic: a queue reads JSON, and the record keeps the words."""

from __future__ import annotations

import json
from typing import Any

from chalicelib import notify, records


def test_a_queue_gets_json_and_the_record_words(
    stack: Any, queue: tuple[str, Any], bucket: str
) -> None:
    arn, received = queue
    topic = stack.client("sns").create_topic(Name=f"topic-{bucket}")["TopicArn"]
    stack.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    notify.notify("deployed", "Model version 3 is in service", "accuracy 0.5", run_id="r", rows=7)
    [envelope] = received(1)
    assert envelope["Subject"] == "Model version 3 is in service"
    told = json.loads(envelope["Message"])
    assert told["message"] == "accuracy 0.5\n\nrun id: r\nrows: 7"
    assert (told["kind"], told["facts"]) == ("deployed", {"run_id": "r", "rows": 7})
    [kept] = records.newest(records.NOTIFICATION, 5)
    assert (kept["message"], kept["run"], kept["rows"]) == (told["message"], "r", 7)
