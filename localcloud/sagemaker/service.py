"""The front door: SageMaker's JSON 1.1 protocol onto the functions that serve its operations.

`@operation("CreateModel")` registers `def create_model(request: dict) -> dict`. Requests arrive
checked against botocore's model. Functions run in threads, so they may block. The runtime API
(`/endpoints/...`) goes to the handler given to `serve_runtime`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from localcloud.sagemaker import validation
from localcloud.sagemaker.errors import ApiError

log = logging.getLogger(__name__)

Response = tuple[int, dict[str, str], bytes]
Operation = Callable[[dict[str, Any]], "dict[str, Any] | None"]
Handler = Callable[[str, str, Mapping[str, str], bytes, Mapping[str, Any]], Awaitable[Response]]

_operations: dict[str, Operation] = {}
_runtime: list[Handler] = []


def operation(name: str) -> Callable[[Operation], Operation]:
    """Register the function that serves an operation of the API."""
    if validation.known_operation(name) is None:
        raise ValueError(f"SageMaker has no operation {name}")

    def register(function: Operation) -> Operation:
        _operations[name] = function
        return function

    return register


def served() -> list[str]:
    """The names of the operations that are served."""
    return sorted(_operations)


def serve_runtime(handler: Handler) -> None:
    """Give the paths of `sagemaker-runtime` to this handler."""
    _runtime[:] = [handler]


def call(name: str, request: dict[str, Any]) -> dict[str, Any]:
    """Serve one operation from inside the process: checked as over the wire; raises ApiError."""
    function = _operations.get(name)
    if function is None:
        raise _not_there(name)
    return function(validation.check(name, request)) or {}


async def handle(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
) -> Response:
    """Answer one HTTP request."""
    if path.startswith("/endpoints/") and _runtime:
        return await _runtime[0](method, path, headers, body, query)
    try:
        name = _target(headers)
        return reply(await asyncio.to_thread(call, name, _document(body)))
    except ApiError as error:
        return error_reply(error)
    except Exception:
        log.exception("SageMaker request failed")
        return error_reply(
            ApiError("InternalFailure", "The local SageMaker failed; see its log.", 500)
        )


def reply(document: dict[str, Any], status: int = 200) -> Response:
    """A JSON 1.1 answer."""
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": str(uuid.uuid4())}
    return status, headers, json.dumps(document).encode()


def error_reply(error: ApiError) -> Response:
    """A JSON 1.1 error, with the code where every SDK looks for it."""
    status, headers, body = reply(
        {"__type": error.code, "message": error.message}, status=error.status
    )
    return status, headers | {"x-amzn-ErrorType": error.code}, body


def _target(headers: Mapping[str, str]) -> str:
    target = next((v for k, v in headers.items() if k.lower() == "x-amz-target"), "")
    service, _, name = target.partition(".")
    if service != "SageMaker" or not name:
        raise ApiError("UnknownOperationException", "The X-Amz-Target header names no operation.")
    return name


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except ValueError as error:
        raise ApiError("SerializationException", f"The body is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ApiError("SerializationException", "The body is not a JSON object.")
    return document


def _not_there(name: str) -> ApiError:
    if validation.known_operation(name) is None:
        return ApiError("UnknownOperationException", f"SageMaker has no operation {name}.")
    return ApiError(
        "UnknownOperationException",
        f"The local SageMaker does not serve {name}. It serves: {', '.join(served())}.",
    )
