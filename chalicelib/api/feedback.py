"""POST /feedback: true labels, written as Model Monitor's ground truth.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-merge.html
"""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from typing import TYPE_CHECKING, Any

from chalicelib import clients, clock, metrics
from chalicelib.api import bodies
from chalicelib.environment import Environment
from chalicelib.errors import ApiError
from chalicelib.model import jobs

if TYPE_CHECKING:
    from chalicelib.settings import Settings

INFERENCE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(/[0-9]{1,5})?")


def accept(raw: bytes, *, lines: bool = False) -> dict[str, Any]:
    """Write down the labels of a body, JSON or JSON lines; says how many.

    All or none: an entry that is at fault refuses the body.
    """
    from chalicelib import settings

    configured = settings.load()
    labels = validated(raw, configured, lines=lines)
    write(labels, clock.now(), uuid.uuid4().hex)
    metrics.emit("Feedback", len(labels), Pipeline=configured.pipeline.name)
    return {"accepted": len(labels)}


def write(labels: list[tuple[str, str]], moment: dt.datetime, name: str) -> None:
    """Labels as one object of ground truth."""
    clients.client("s3").put_object(
        Bucket=Environment.from_env().data_bucket,
        Key=location(moment, name),
        Body=ground_truth(labels).encode(),
        ContentType="application/jsonlines",
    )


def validated(raw: bytes, settings: Settings, *, lines: bool = False) -> list[tuple[str, str]]:
    """(inference id, label) pairs; an error names the field."""
    if lines:
        listed, entries = True, bodies.lines(raw)
    else:
        entries, listed = bodies.items(bodies.decode(raw), "feedback")
    return [
        _entry(entry, settings, f"feedback[{index}]" if listed else "")
        for index, entry in enumerate(entries)
    ]


def location(moment: dt.datetime, name: str) -> str:
    """By the hour of labelling."""
    return f"{jobs.GROUND_TRUTH}{moment:%Y/%m/%d/%H}/{name}.jsonl"


def ground_truth(labels: list[tuple[str, str]]) -> str:
    return "".join(json.dumps(_line(*label)) + "\n" for label in labels)


def _line(inference_id: str, label: str) -> dict[str, Any]:
    return {
        "groundTruthData": {"data": label, "encoding": "CSV"},
        "eventMetadata": {"eventId": inference_id},
        "eventVersion": "0",
    }


def _entry(entry: Any, settings: Settings, where: str) -> tuple[str, str]:
    if isinstance(entry, ApiError):
        raise entry
    if not isinstance(entry, dict):
        raise ApiError(400, "invalid_feedback", f"{where} must be an object", where)
    prefix = f"{where}." if where else ""
    for name in ("inference_id", "label"):
        if entry.get(name) is None:
            raise ApiError(400, "missing_field", f"{prefix}{name} is missing", f"{prefix}{name}")
    if unknown := sorted(set(entry) - {"inference_id", "label"}):
        field = f"{prefix}{unknown[0]}"
        raise ApiError(400, "unknown_field", f"{field} is not a field of feedback", field)
    inference_id = entry["inference_id"]
    if not isinstance(inference_id, str) or not INFERENCE_ID.fullmatch(inference_id):
        words = "is not an inference_id that a prediction answered with"
        raise ApiError(
            400, "invalid_field", f"{prefix}inference_id {words}", prefix + "inference_id"
        )
    return inference_id, label(entry["label"], settings, f"{prefix}label")


def label(given: Any, settings: Settings, field: str) -> str:
    """A label as ground truth has it; an error names the field."""
    column = next(c for c in settings.dataset.columns if c.name == settings.dataset.label)
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise ApiError(400, "invalid_field", f"{field} must be a text or a number", field)
    words = str(given).strip()
    allowed = [str(value) for value in column.values or []]
    if allowed and words not in allowed:
        raise ApiError(400, "invalid_field", f"{field} must be one of {', '.join(allowed)}", field)
    if not words:
        raise ApiError(400, "invalid_field", f"{field} is empty", field)
    return words
