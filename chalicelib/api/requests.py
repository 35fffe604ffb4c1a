"""What every route shares: a request read, its answer as JSON, errors in one shape."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from chalice.app import Request, Response

from chalicelib.api import schemas
from chalicelib.errors import ApiError

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
JSON_LINES = ("application/jsonlines", "application/x-ndjson")
REQUEST_ID = re.compile(r"[\w.:/+=-]{1,128}", re.ASCII)
VARIANT = re.compile(schemas.VARIANT["pattern"])
MAX_LISTED = 100
LISTED = 20
# Chalice's and API Gateway's own refusals, under the codes that this API uses.
CODES = {
    "UnsupportedMediaType": "unsupported_media_type",
    "MethodNotAllowedError": "method_not_allowed",
    "InternalServerError": "internal_error",
}


def route(logic: Callable[[Request], tuple[int, Any]]) -> Callable[[Any], Response]:
    """Answers what the logic returns, or its ApiError."""

    @wraps(logic)
    def answer(request: Request) -> Response:
        try:
            status, body = logic(request)
        except ApiError as error:
            return _json(error.status, error.body())
        return _json(status, body)

    return answer


def request_ids(event: Request, get_response: Callable[[Any], Response]) -> Response:
    """Middleware: the caller's X-Request-Id, or API Gateway's id of the request, comes back."""
    response = get_response(event)
    given = str(event.headers.get("x-request-id", ""))
    own = str(event.context.get("requestId") or uuid.uuid4())
    response.headers["X-Request-Id"] = given if REQUEST_ID.fullmatch(given) else own
    return response


def structured_errors(event: Any, get_response: Callable[[Any], Any]) -> Any:
    """Middleware: chalice's own refusals in the API's shape."""
    response = get_response(event)
    body = getattr(response, "body", None)
    if not isinstance(body, dict) or "Code" not in body or response.status_code < 400:
        return response
    code = CODES.get(body["Code"]) or str(body["Code"])
    error = ApiError(response.status_code, code, str(body.get("Message", code)))
    headers = {**response.headers, "Content-Type": "application/json"}
    return Response(json.dumps(error.body()), headers, response.status_code)


def caller(request: Request) -> str:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html"""
    identity = request.context.get("identity") or {}
    return identity.get("userArn") or f"an unknown caller at {identity.get('sourceIp')}"


class Lines(list[dict[str, Any]]):
    """An answer of JSON lines."""


def is_lines(request: Request) -> bool:
    given = request.headers.get("content-type", JSON)
    return given.split(";")[0].strip().lower() in JSON_LINES


def flag(request: Request, name: str) -> bool:
    given: Mapping[str, str] = request.query_params or {}
    words = str(given.get(name, "false"))
    if words not in ("true", "false"):
        raise ApiError(400, "invalid_field", f"{name} must be true or false", name)
    return words == "true"


def variant(request: Request, header: str) -> str | None:
    """The variant that shall answer; whether there is one of that name, the endpoint says."""
    given = request.headers.get(header.lower())
    if given is None or VARIANT.fullmatch(given):
        return given
    raise ApiError(400, "invalid_field", f"{header} is no name of a variant", header)


def raw(request: Request) -> bytes:
    raw = request.raw_body
    return raw.encode() if isinstance(raw, str) else raw


def limit(request: Request) -> int:
    given: Mapping[str, str] = request.query_params or {}
    words = str(given.get("limit", LISTED))
    if not words.isascii() or not words.isdigit() or not 1 <= int(words[:9]) <= MAX_LISTED:
        raise ApiError(400, "invalid_field", f"limit must be from 1 to {MAX_LISTED}", "limit")
    return int(words)


def _json(status: int, body: Any) -> Response:
    if isinstance(body, Lines):
        content = "".join(json.dumps(each) + "\n" for each in body)
        return Response(content, {"Content-Type": JSON_LINES[0]}, status)
    return Response(json.dumps(body), {"Content-Type": JSON}, status)
