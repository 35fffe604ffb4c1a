"""POST /predictions: records checked by the dataset's schema, one call of the model."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from chalicelib import metrics
from chalicelib.api import bodies, inputs, serving
from chalicelib.api.inputs import Record
from chalicelib.api.serving import MODEL_ERROR, NO_ANSWER, Answer
from chalicelib.errors import ApiError

if TYPE_CHECKING:
    from chalicelib.settings import Settings


def predict(
    raw: bytes, *, lines: bool = False, explain: bool = False, variant: str | None = None
) -> Answer:
    """The answer to a body: {"model_version", "variant", "predictions"}; ApiError on a fault.

    `lines`: the body is JSON lines, a record each. `explain`: with the terms that mattered.
    `variant`: who shall answer, whatever the weights say. Of many records, one that is at fault has
    an error in its place and the others are predicted.
    """
    from chalicelib import settings
    from chalicelib.api import reviews

    configured = settings.load()
    read = read_records(raw, configured, lines=lines)
    if explain:
        _explainable(len(read), configured)
    sent = [each for each in read if not isinstance(each, ApiError)]
    inference_id = str(uuid.uuid4())
    try:
        body = {"records": sent, **({"explain": True} if explain else {})}
        answer = serving.invoke(configured, body, inference_id, variant)
        found = _of_each(answer, len(sent))
    except ApiError as error:
        if error.code in (MODEL_ERROR, NO_ANSWER):  # what an alarm of a rollout counts
            metrics.emit("ModelErrors", 1, Pipeline=configured.pipeline.name)
        raise
    metrics.emit("Predictions", len(sent), Pipeline=configured.pipeline.name)
    # A record's id is its place among those sent, by which captured requests are joined.
    ids = inference_ids(inference_id, len(sent))
    told = [{"inference_id": each, **one} for each, one in zip(ids, found, strict=True)]
    version = _version(answer.get("model_version"))
    reviews.queue(sent, told, version, configured)
    rest = iter(told)
    predictions = [each.body() if isinstance(each, ApiError) else next(rest) for each in read]
    return {
        "model_version": version,
        "variant": answer.get("variant"),
        "predictions": predictions,
    }


def _explainable(count: int, settings: Settings) -> None:
    """ApiError where so many answers cannot be explained while a caller waits."""
    most = bodies.MAX_EXPLAINED
    if count > most and not settings.training.linear:
        words = f"explain takes at most {most} records a call of this kind of model, not {count}"
        raise ApiError(413, "too_many", words, "explain")


def _of_each(answer: Answer, sent: int) -> list[dict[str, Any]]:
    """A prediction of each record that was sent."""
    found = answer.get("predictions")
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ApiError(502, MODEL_ERROR, "the model's answer has no predictions")
    if len(found) != sent:
        raise ApiError(502, MODEL_ERROR, f"the model answered {len(found)} of {sent} records")
    return found


def inference_ids(call: str, count: int) -> list[str]:
    """One record has the call's id; of many, each the call's id and its place."""
    return [call] if count == 1 else [f"{call}/{index}" for index in range(count)]


def read_records(raw: bytes, settings: Settings, *, lines: bool = False) -> list[Record | ApiError]:
    """Of each record of a body: its inputs, or why it cannot be predicted, by the field's name.

    ApiError where that is so for all of them.
    """
    if lines:
        listed, entries = True, bodies.lines(raw)
    else:
        entries, listed = bodies.items(bodies.decode(raw), "records")
    wanted = inputs.Inputs(settings)
    read = [
        _read(entry, wanted, f"records[{index}]" if listed else "")
        for index, entry in enumerate(entries)
    ]
    if errors := [each for each in read if isinstance(each, ApiError)]:
        if len(errors) == len(read):
            raise errors[0]
        metrics.emit("RefusedRecords", len(errors), Pipeline=settings.pipeline.name)
    return read


def _read(entry: Any, wanted: inputs.Inputs, where: str) -> Record | ApiError:
    if isinstance(entry, ApiError):
        return entry
    try:
        return wanted.read(entry, where)
    except ApiError as error:
        return error


def _version(value: Any) -> int | None:
    return int(value) if str(value or "").isdigit() else None
