"""The routes: each takes chalice's request and answers JSON, errors in one shape."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from chalice.app import Request, Response

from chalicelib.errors import ApiError

Route = Callable[[Any], Response]
MAX_LISTED = 100
LISTED = 20
# Chalice's and API Gateway's own refusals, under the codes that this API uses.
CODES = {
    "UnsupportedMediaType": "unsupported_media_type",
    "MethodNotAllowedError": "method_not_allowed",
    "InternalServerError": "internal_error",
}


def route(logic: Callable[[Request], tuple[int, Any]]) -> Route:
    """Answers what the logic returns, or its ApiError."""

    @wraps(logic)
    def answer(request: Request) -> Response:
        try:
            status, body = logic(request)
        except ApiError as error:
            return _json(error.status, error.body())
        return _json(status, body)

    return answer


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


@route
def predict(request: Request) -> tuple[int, Any]:
    from chalicelib import predictions

    return 200, predictions.predict(_raw(request))


@route
def feedback(request: Request) -> tuple[int, Any]:
    from chalicelib import feedback as labels

    return 202, labels.accept(_raw(request))


@route
def health(request: Request) -> tuple[int, Any]:
    """Whether a model is in service; cheap enough for a load balancer."""
    from chalicelib import registry

    del request
    champion = registry.champion()
    if champion is None:
        return 200, {"status": "waiting", "message": "no model is in service yet"}
    names = ("model_version", "in_service_at")
    return 200, {"status": "ok", **{name: champion[name] for name in names}}


@route
def openapi(request: Request) -> tuple[int, Any]:
    from chalicelib import openapi as document
    from chalicelib import settings

    del request
    return 200, document.document(settings.load())


@route
def models(request: Request) -> tuple[int, Any]:
    """The registry's packages, newest first, with what each measured."""
    from chalicelib import records, registry
    from chalicelib.environment import Environment

    limit = _limit(request)
    champion = registry.champion() or {}
    runs = {run.get("model_version"): run for run in records.newest_runs(MAX_LISTED)}
    found = []
    for package in registry.packages(Environment.from_env(), limit):
        version = package["ModelPackageVersion"]
        run = runs.get(version, {})
        found.append(
            {
                "model_version": version,
                "status": package.get("ModelApprovalStatus"),
                "created_at": package["CreationTime"].isoformat(timespec="seconds"),
                "in_service": version == champion.get("model_version"),
                "run_id": run.get("run_id"),
                "evaluation": run.get("evaluation"),
            }
        )
    return 200, {"models": found}


@route
def list_runs(request: Request) -> tuple[int, Any]:
    from chalicelib import records

    return 200, {"runs": records.newest_runs(_limit(request))}


@route
def list_drift(request: Request) -> tuple[int, Any]:
    """What each look at the live traffic found, newest first."""
    from chalicelib import records

    found = records.newest(records.DRIFT, _limit(request))
    for record in found:
        record["run_id"] = record.pop("run", None)
        record.pop("pipeline", None)
    return 200, {"drift": found}


@route
def start_run(request: Request) -> tuple[int, Any]:
    """Start a run by hand. The same Idempotency-Key starts one."""
    import uuid

    from chalicelib import bodies, runs

    raw = _raw(request)
    content = bodies.decode(raw) if raw else {}
    cause = content.get("cause", "asked for through the API")
    if not isinstance(cause, str) or not 0 < len(cause.strip()) <= 500:
        raise ApiError(400, "invalid_field", "cause must be a text of 1 to 500 letters", "cause")
    key = request.headers.get("idempotency-key") or str(uuid.uuid4())
    if len(key) > 200:
        raise ApiError(400, "invalid_field", "Idempotency-Key is too long", "Idempotency-Key")
    outcome = runs.start("manual", cause.strip(), f"manual-{key}")
    if isinstance(outcome, runs.RunStarted):
        return 202, {"run_id": outcome.run_id, "status": "starting"}
    raise ApiError(409, "not_started", outcome.why)


@route
def retry_run(request: Request) -> tuple[int, Any]:
    """Run a failed run's cause again. The caller is kept with what they accept."""
    from chalicelib import bodies, retry, runs

    raw = _raw(request)
    content = bodies.decode(raw) if raw else {}
    outcome = retry.retry((request.uri_params or {})["run_id"], content, _caller(request))
    if isinstance(outcome, runs.RunStarted):
        return 202, {"run_id": outcome.run_id, "status": "starting"}
    raise ApiError(409, "not_started", outcome.why)


@route
def list_reviews(request: Request) -> tuple[int, Any]:
    """Predictions that wait for a person, newest first."""
    from chalicelib import reviews

    return 200, {"reviews": reviews.listed(_limit(request))}


@route
def answer_review(request: Request) -> tuple[int, Any]:
    """A person's label is ground truth. The caller is kept with it."""
    from chalicelib import reviews

    review_id = (request.uri_params or {})["review_id"]
    return 200, reviews.answer(review_id, _raw(request), _caller(request))


def _caller(request: Request) -> str:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html"""
    identity = request.context.get("identity") or {}
    return identity.get("userArn") or f"an unknown caller at {identity.get('sourceIp')}"


def _raw(request: Request) -> bytes:
    raw = request.raw_body
    return raw.encode() if isinstance(raw, str) else raw


def _limit(request: Request) -> int:
    given: Mapping[str, str] = request.query_params or {}
    words = str(given.get("limit", LISTED))
    if not words.isascii() or not words.isdigit() or not 1 <= int(words[:9]) <= MAX_LISTED:
        raise ApiError(400, "invalid_field", f"limit must be from 1 to {MAX_LISTED}", "limit")
    return int(words)


def _json(status: int, body: Any) -> Response:
    return Response(json.dumps(body), {"Content-Type": "application/json"}, status)
