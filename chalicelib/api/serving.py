"""Who answers records: the SageMaker endpoint, or the function that holds the model itself.

Both take a request's body and give its answer with the `variant` that answered; ApiError on a
fault.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from chalicelib import clients, places
from chalicelib.environment import Environment
from chalicelib.errors import ApiError

if TYPE_CHECKING:
    from chalicelib.settings import Settings

JSON = "application/json"
MODEL_ERROR, NO_ANSWER = "model_error", "no_answer"
TARGET_VARIANT = "X-Amzn-SageMaker-Target-Variant"
Answer = dict[str, Any]
BUSY = {
    "ThrottlingException",
    "ServiceUnavailable",
    "InternalDependencyException",
    "TooManyRequestsException",  # Lambda's
    "ServiceException",
}
# The settings, the request's body, its inference id, the variant that was asked for by name.
Backend = Callable[["Settings", Answer, str, str | None], Answer]


def invoke(settings: Settings, body: Answer, inference_id: str, variant: str | None) -> Answer:
    """By the backend that the settings name."""
    return BACKENDS[settings.endpoint.serving](settings, body, inference_id, variant)


def endpoint(settings: Settings, body: Answer, inference_id: str, variant: str | None) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html"""
    with _told(variant):
        answer = clients.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=Environment.from_env().endpoint_name,
            ContentType=JSON,
            Accept=JSON,
            Body=json.dumps(body).encode(),
            InferenceId=inference_id,
            **({"TargetVariant": variant} if variant else {}),
        )
        raw = answer["Body"].read()
    return {**_content(raw), "variant": answer.get("InvokedProductionVariant")}


def function(settings: Settings, body: Answer, inference_id: str, variant: str | None) -> Answer:
    """The champion inside serving_code's function.

    https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
    """
    from chalicelib.model import registry

    if variant not in (None, places.VARIANT):
        raise _unknown(variant)
    if (champion := registry.champion()) is None:
        raise _no_model()
    environment = Environment.from_env()
    event = {
        "model": {"key": places.model(champion["run"]), "version": int(champion["model_version"])},
        "capture": {
            "prefix": places.capture(environment),
            "percent": settings.endpoint.capture_percent,
        },
        "inference_id": inference_id,
        "body": body,
    }
    with _told():
        answer = clients.client("lambda").invoke(
            FunctionName=environment.serve_function, Payload=json.dumps(event).encode()
        )
        raw = answer["Payload"].read()
    content = _content(raw)
    if "FunctionError" in answer:
        raise _failed()
    if content["status"] != 200:
        raise _refused_by_model(content["body"])
    return {**content["body"], "variant": places.VARIANT}


BACKENDS: dict[str, Backend] = {"endpoint": endpoint, "lambda": function}


@contextmanager
def _told(variant: str | None = None) -> Iterator[None]:
    """AWS's refusals, and that it did not answer, as the API's errors."""
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectTimeoutError,
        ReadTimeoutError,
    )

    try:
        yield
    except ClientError as error:
        raise refused(error.response, variant) from error
    except (ConnectTimeoutError, ReadTimeoutError) as error:
        raise ApiError(504, NO_ANSWER, "the model did not answer in time") from error
    except BotoCoreError as error:
        raise _not_reached(type(error).__name__) from error


def refused(response: Any, variant: str | None = None) -> ApiError:
    """AWS's refusal as the API's; `variant` is the one that was asked for by name."""
    code = response["Error"]["Code"]
    if variant and code == "ValidationError" and "variant" in _words(response).lower():
        return _unknown(variant)
    if code == "ModelError":
        return _of_model(response)
    if code in {"ValidationError", "ValidationException", "ModelNotReadyException"}:
        return _no_model()
    if code in BUSY:
        return ApiError(503, "busy", "the model is busy; try again")
    return _not_reached(code)


def _not_reached(why: str) -> ApiError:
    return ApiError(502, MODEL_ERROR, f"the model cannot be reached: {why}")


def _content(raw: bytes) -> Answer:
    try:
        content = json.loads(raw)
    except ValueError as error:
        raise ApiError(502, MODEL_ERROR, "the model's answer is not JSON") from error
    return content if isinstance(content, dict) else {}


def _words(response: Any) -> str:
    return str(response["Error"].get("Message", ""))


def _of_model(response: Any) -> ApiError:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html"""
    words = response.get("OriginalMessage") or _words(response)
    if 400 <= int(response.get("OriginalStatusCode", 500)) < 500:
        return _refused_by_model(words)
    return _failed()


def _unknown(variant: str | None) -> ApiError:
    return ApiError(400, "unknown_variant", f"there is no variant {variant}", TARGET_VARIANT)


def _no_model() -> ApiError:
    return ApiError(503, "no_model", "no model is in service yet")


def _refused_by_model(words: str) -> ApiError:
    return ApiError(400, "refused_by_model", f"the model refused the records: {words[:500]}")


def _failed() -> ApiError:
    return ApiError(502, MODEL_ERROR, "the model failed on these records; its log says why")
