"""POST /predictions: records checked by the dataset's schema, one call of the endpoint."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from chalicelib import clients, metrics
from chalicelib.api import bodies, inputs
from chalicelib.api.inputs import Record
from chalicelib.environment import Environment
from chalicelib.errors import ApiError

if TYPE_CHECKING:
    from chalicelib.settings import Settings

JSON = "application/json"
MODEL_ERROR = "model_error"
TARGET_VARIANT = "X-Amzn-SageMaker-Target-Variant"
Answer = dict[str, Any]


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
    sent = [each for each in read if not isinstance(each, ApiError)]
    inference_id = str(uuid.uuid4())
    try:
        answer = _invoke(sent, inference_id, explain, variant)
        found = _of_each(answer, len(sent))
    except ApiError as error:
        if error.code == MODEL_ERROR:  # what an alarm of a rollout counts
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


def _invoke(records: list[Record], inference_id: str, explain: bool, variant: str | None) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html"""
    from botocore.exceptions import ClientError, HTTPClientError

    try:
        answer = clients.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=Environment.from_env().endpoint_name,
            ContentType=JSON,
            Accept=JSON,
            Body=json.dumps(
                {"records": records, **({"explain": True} if explain else {})}
            ).encode(),
            InferenceId=inference_id,
            **({"TargetVariant": variant} if variant else {}),
        )
    except ClientError as error:
        raise refused(error.response, variant) from error
    except HTTPClientError as error:
        raise ApiError(504, "no_answer", "the model did not answer in time") from error
    try:
        content = json.loads(answer["Body"].read())
    except ValueError as error:
        raise ApiError(502, MODEL_ERROR, "the model's answer is not JSON") from error
    told = content if isinstance(content, dict) else {}
    return {**told, "variant": answer.get("InvokedProductionVariant")}


def refused(response: Any, variant: str | None = None) -> ApiError:
    """The endpoint's refusal as the API's; `variant` is the one that was asked for by name."""
    code = response["Error"]["Code"]
    if variant and code == "ValidationError" and "variant" in _words(response).lower():
        return ApiError(400, "unknown_variant", f"there is no variant {variant}", TARGET_VARIANT)
    if code == "ModelError":
        return _of_model(response)
    if code in {"ValidationError", "ValidationException", "ModelNotReadyException"}:
        return ApiError(503, "no_model", "no model is in service yet")
    if code in {"ThrottlingException", "ServiceUnavailable", "InternalDependencyException"}:
        return ApiError(503, "busy", "the model is busy; try again")
    return ApiError(502, MODEL_ERROR, f"the model cannot be reached: {code}")


def _words(response: Any) -> str:
    return str(response["Error"].get("Message", ""))


def _of_model(response: Any) -> ApiError:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html"""
    words = response.get("OriginalMessage") or _words(response)
    if 400 <= int(response.get("OriginalStatusCode", 500)) < 500:
        return ApiError(400, "refused_by_model", f"the model refused the records: {words[:500]}")
    return ApiError(502, MODEL_ERROR, "the model failed on these records; its log says why")


def _version(value: Any) -> int | None:
    return int(value) if str(value or "").isdigit() else None
