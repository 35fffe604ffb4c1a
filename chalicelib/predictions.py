"""POST /predictions: records checked by the dataset's schema, one call of the endpoint."""

from __future__ import annotations

import json
import uuid
from functools import cache
from typing import TYPE_CHECKING, Any

from chalicelib import bodies, clients, metrics
from chalicelib.environment import Environment
from chalicelib.errors import ApiError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from chalicelib.settings import Settings

JSON = "application/json"


def predict(raw: bytes) -> dict[str, Any]:
    """The answer to a body: {"model_version", "predictions"}; ApiError where it is at fault."""
    from chalicelib import reviews, settings

    configured = settings.load()
    records = validated(raw, configured)
    inference_id = str(uuid.uuid4())
    answer = _invoke(records, inference_id)
    found = answer["predictions"]
    if len(found) != len(records):
        raise ApiError(
            502, "model_error", f"the model answered {len(found)} of {len(records)} records"
        )
    metrics.emit("Predictions", len(records), Pipeline=configured.pipeline.name)
    ids = inference_ids(inference_id, len(records))
    predictions = [
        {"inference_id": each, **prediction} for each, prediction in zip(ids, found, strict=True)
    ]
    version = _version(answer.get("model_version"))
    reviews.queue(records, predictions, version, configured)
    return {"model_version": version, "predictions": predictions}


def inference_ids(call: str, count: int) -> list[str]:
    """One record has the call's id; of many, each the call's id and its place."""
    return [call] if count == 1 else [f"{call}/{index}" for index in range(count)]


def validated(raw: bytes, settings: Settings) -> list[dict[str, Any]]:
    """The records of a body, only with the model's inputs; an error names the field."""
    entries, listed = bodies.items(bodies.decode(raw), "records")
    return [
        _record(entry, settings, f"records[{index}]" if listed else "")
        for index, entry in enumerate(entries)
    ]


def schema(settings: Settings) -> type[BaseModel]:
    """A record as a pydantic model, from the dataset's columns."""
    types = {column.name: str(column.type) for column in settings.dataset.columns}
    fields = tuple(
        (name, types.get(name, "string"), name in settings.model.required)
        for name in settings.model.inputs
    )
    return _schema(fields)


@cache
def _schema(fields: tuple[tuple[str, str, bool], ...]) -> type[BaseModel]:
    import datetime as dt
    from typing import Annotated, Optional

    import pydantic

    text = Annotated[str, pydantic.StringConstraints(min_length=1, pattern=r"\S")]
    kinds: dict[str, Any] = {
        "string": str,
        "integer": pydantic.StrictInt,
        "number": pydantic.StrictInt | pydantic.StrictFloat,
        "float": pydantic.StrictInt | pydantic.StrictFloat,
        "double": pydantic.StrictInt | pydantic.StrictFloat,
        "boolean": pydantic.StrictBool,
        "date": dt.date,
        "timestamp": dt.datetime,
    }
    members: dict[str, Any] = {}
    for name, kind, required in fields:
        base = text if required and kind == "string" else kinds[kind]
        members[name] = (base, ...) if required else (Optional[base], None)  # noqa: UP045
    config = pydantic.ConfigDict(extra="forbid", protected_namespaces=())
    return pydantic.create_model("Record", __config__=config, **members)


def _record(entry: Any, settings: Settings, where: str) -> dict[str, Any]:
    import pydantic

    if not isinstance(entry, dict):
        raise ApiError(400, "invalid_record", f"{where or 'a record'} must be an object", where)
    known = {column.name for column in settings.dataset.columns} - set(settings.model.inputs)
    wanted = {name: value for name, value in entry.items() if name not in known}
    try:
        model = schema(settings).model_validate(wanted)
    except pydantic.ValidationError as error:
        raise _refusal(error, where, settings) from error
    return model.model_dump(mode="json", exclude_none=True)


def _refusal(error: Any, where: str, settings: Settings) -> ApiError:
    first = error.errors(include_url=False, include_context=False)[0]
    name = ".".join(str(part) for part in first["loc"][:1])
    field = f"{where}.{name}" if where else name
    inputs = ", ".join(settings.model.inputs)
    if first["type"] == "missing":
        return ApiError(400, "missing_field", f"{field} is missing", field)
    if first["type"] == "extra_forbidden":
        words = f"{field} is not a field of this model; its fields are: {inputs}"
        return ApiError(400, "unknown_field", words, field)
    if first["type"] in {"string_too_short", "string_pattern_mismatch"}:
        return ApiError(400, "invalid_field", f"{field} is empty", field)
    return ApiError(400, "invalid_field", f"{field}: {first['msg']}", field)


def _invoke(records: list[dict[str, Any]], inference_id: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html"""
    from botocore.exceptions import ClientError, HTTPClientError

    try:
        answer = clients.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=Environment.from_env().endpoint_name,
            ContentType=JSON,
            Accept=JSON,
            Body=json.dumps({"records": records}).encode(),
            InferenceId=inference_id,
        )
    except ClientError as error:
        raise refused(error.response) from error
    except HTTPClientError as error:
        raise ApiError(504, "no_answer", "the model did not answer in time") from error
    content: dict[str, Any] = json.loads(answer["Body"].read())
    return content


def refused(response: Any) -> ApiError:
    """The endpoint's refusal as the API's."""
    code = response["Error"]["Code"]
    if code == "ModelError":
        return _of_model(response)
    if code in {"ValidationError", "ValidationException", "ModelNotReadyException"}:
        return ApiError(503, "no_model", "no model is in service yet")
    if code in {"ThrottlingException", "ServiceUnavailable", "InternalDependencyException"}:
        return ApiError(503, "busy", "the model is busy; try again")
    return ApiError(502, "model_error", f"the model cannot be reached: {code}")


def _of_model(response: Any) -> ApiError:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html"""
    words = response.get("OriginalMessage") or response["Error"].get("Message", "")
    if 400 <= int(response.get("OriginalStatusCode", 500)) < 500:
        return ApiError(400, "refused_by_model", f"the model refused the records: {words[:500]}")
    return ApiError(502, "model_error", "the model failed on these records; its log says why")


def _version(value: Any) -> int | None:
    return int(value) if str(value or "").isdigit() else None
