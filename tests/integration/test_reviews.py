"""The review queue against a real table and bucket: from a prediction to ground truth."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from chalicelib import clients, clock, records, settings
from chalicelib.api import reviews
from chalicelib.errors import ApiError

INFERENCE = "01234567-89ab-cdef-0123-456789abcdef"
UNSURE = {
    "inference_id": INFERENCE,
    "label": "3",
    "probabilities": {"3": 0.25, "4": 0.2, "5": 0.2, "1": 0.2, "2": 0.15},
}


@pytest.fixture
def waiting(stack: Any) -> dict[str, Any]:
    reviews.queue([{"review_body": "x" * 9_000}], [UNSURE], 7, settings.load())
    (entry,) = reviews.listed(5)
    return entry


def test_an_unsure_prediction_waits(waiting: dict[str, Any]) -> None:
    assert (waiting["why"], waiting["label"], waiting["confidence"]) == ("uncertain", "3", 0.25)
    assert waiting["inference_id"] == INFERENCE
    assert len(waiting["record"]["review_body"]) == reviews.VALUE_LETTERS
    stored = records.get(f"{reviews.OPEN}{waiting['review_id']}") or {}
    kept = dt.timedelta(days=settings.load().reviews.days)
    assert stored["expiration"] == int((clock.parse(stored["time"]) + kept).timestamp())


def test_an_answer_is_ground_truth_once(stack: Any, bucket: str, waiting: dict[str, Any]) -> None:
    review_id = waiting["review_id"]
    taken = reviews.answer(review_id, b'{"label": 5}', "arn:aws:iam::000000000000:user/ada")
    assert taken == {"review_id": review_id, "label": "5", "predicted": "3"}
    s3 = stack.client("s3")
    (entry,) = s3.list_objects_v2(Bucket=bucket, Prefix="ground-truth/")["Contents"]
    told = json.loads(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read())
    assert told["groundTruthData"]["data"] == "5"
    assert told["eventMetadata"]["eventId"] == INFERENCE
    answered = records.get(f"{reviews.ANSWERED}{review_id}") or {}
    assert answered["answered_by"] == "arn:aws:iam::000000000000:user/ada"
    assert reviews.listed(5) == []
    with pytest.raises(ApiError, match="no review"):
        reviews.answer(review_id, b'{"label": 5}', "ada")


@pytest.mark.parametrize(
    ("body", "field"),
    [(b"{}", "label"), (b'{"label": 9}', "label"), (b'{"label": 1, "x": 2}', "x")],
)
def test_a_bad_answer_leaves_it_waiting(waiting: dict[str, Any], body: bytes, field: str) -> None:
    with pytest.raises(ApiError) as error:
        reviews.answer(waiting["review_id"], body, "ada")
    assert (error.value.status, error.value.field) == (400, field)
    assert len(reviews.listed(5)) == 1


def test_a_prediction_is_answered_though_the_queue_fails(
    stack: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = clients.client

    def client(service: str) -> Any:
        found = real(service)
        if service == "dynamodb":
            monkeypatch.setattr(found, "batch_write_item", refuse(found))
        return found

    monkeypatch.setattr(clients, "client", client)
    reviews.queue([{"review_body": "x"}], [UNSURE], 7, settings.load())
    assert "the review queue took nothing" in caplog.text


def refuse(dynamodb: Any) -> Any:
    def batch_write_item(**request: Any) -> Any:
        return dynamodb.put_item(TableName="no-such-table", Item={"a": {"S": "b"}})

    return batch_write_item
