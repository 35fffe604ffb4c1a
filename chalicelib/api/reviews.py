"""Human review: predictions that the model is unsure of, and a random sample, wait for a person.

As Amazon A2I's activation conditions: below a confidence, and a share of all. An answer is ground
truth, so the monitor judges by it and the next run learns from it.
https://docs.aws.amazon.com/sagemaker/latest/dg/a2i-human-fallback-conditions-json-schema.html
"""

from __future__ import annotations

import datetime as dt
import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from chalicelib import clients, clock, records
from chalicelib.api import bodies, feedback
from chalicelib.environment import Environment
from chalicelib.errors import ApiError

if TYPE_CHECKING:
    from chalicelib.settings import Settings

logger = Logger(child=True)
OPEN, ANSWERED = "#review#", "#reviewed#"
# BatchWriteItem takes no more, and one call is what a prediction's answer may wait for.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
MOST = 25
VALUE_LETTERS = 5_000
Prediction = Mapping[str, Any]


def confidence(prediction: Prediction) -> float | None:
    """The probability of the label; None where there are no classes."""
    shares = prediction.get("probabilities")
    return max(shares.values()) if shares else None


def chosen(
    predictions: Sequence[Prediction],
    threshold: float,
    audit_share: float,
    draw: Callable[[], float] = random.random,
) -> dict[int, str]:
    """Places of the predictions to review, and why; the least certain first, MOST at most."""
    found = {}
    for place, prediction in enumerate(predictions):
        sure = confidence(prediction)
        if sure is not None and sure < threshold:
            found[place] = "uncertain"
        elif audit_share and draw() < audit_share:
            found[place] = "audit"
    certainty = {place: confidence(predictions[place]) or 0.0 for place in found}
    return {place: found[place] for place in sorted(found, key=certainty.__getitem__)[:MOST]}


def queue(
    rows: Sequence[Mapping[str, Any]],
    predictions: Sequence[Prediction],
    model_version: int | None,
    settings: Settings,
) -> None:
    """Put what is chosen into the queue. A prediction is answered even where this fails."""
    from botocore.exceptions import BotoCoreError, ClientError

    wanted = settings.reviews
    places = chosen(predictions, wanted.threshold, wanted.audit_share)
    if not places:
        return
    now = clock.now()
    expiration = int((now + dt.timedelta(days=wanted.days)).timestamp())
    entries = [
        {
            "time": clock.text(now),
            "why": why,
            "inference_id": predictions[place]["inference_id"],
            "label": predictions[place].get("label", predictions[place].get("prediction")),
            "confidence": confidence(predictions[place]),
            "record": _short(rows[place]),
            "model_version": model_version,
            "expiration": expiration,
        }
        for place, why in places.items()
    ]
    try:
        _write({new_id(now): entry for entry in entries})
    except (ClientError, BotoCoreError):
        logger.exception("the review queue took nothing")


def listed(limit: int) -> list[records.Record]:
    """Open reviews, newest first."""
    found = []
    for entry in records.newest(OPEN, limit):
        review_id = str(entry.pop("run_id")).removeprefix(OPEN)
        kept = {name: entry[name] for name in entry if name not in ("pipeline", "expiration")}
        found.append({"review_id": review_id, **kept})
    return found


def answer(review_id: str, raw: bytes, who: str) -> dict[str, Any]:
    """Take a person's label as ground truth; 404 where nothing waits under this id."""
    from chalicelib import settings

    entry = records.get(f"{OPEN}{review_id}")
    if entry is None:
        raise ApiError(404, "no_review", f"no review {review_id} waits for an answer")
    content = bodies.decode(raw)
    if content.get("label") is None:
        raise ApiError(400, "missing_field", "label is missing", "label")
    if unknown := sorted(set(content) - {"label"}):
        words = f"{unknown[0]} is not a field of an answer"
        raise ApiError(400, "unknown_field", words, unknown[0])
    label = feedback.label(content["label"], settings.load(), "label")
    now = clock.now()
    # The same answer given again is the same object.
    feedback.write([(str(entry["inference_id"]), label)], now, f"review-{review_id}")
    answered = {"answer": label, "answered_by": who, "answered_at": clock.text(now)}
    records.put(f"{ANSWERED}{review_id}", {**entry, **answered})
    records.remove(f"{OPEN}{review_id}")
    return {"review_id": review_id, "label": label, "predicted": entry["label"]}


def new_id(now: dt.datetime) -> str:
    """Sorts by time."""
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


def _write(entries: Mapping[str, Mapping[str, Any]]) -> None:
    table = Environment.from_env().runs_table
    puts = [
        {"PutRequest": {"Item": {**records.item(entry), **records.key(f"{OPEN}{review_id}")}}}
        for review_id, entry in entries.items()
    ]
    left = clients.client("dynamodb").batch_write_item(RequestItems={table: puts})
    if lost := left.get("UnprocessedItems", {}).get(table):
        logger.warning(f"the review queue was busy: {len(lost)} predictions are not in it")


def _short(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value[:VALUE_LETTERS] if isinstance(value, str) else value
        for name, value in row.items()
    }
