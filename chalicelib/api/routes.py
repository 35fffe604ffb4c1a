"""The routes: each takes chalice's request and answers JSON, errors in one shape."""

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

Route = Callable[[Any], Response]
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
JSON_LINES = ("application/jsonlines", "application/x-ndjson")
REQUEST_ID = re.compile(r"[\w.:/+=-]{1,128}", re.ASCII)
RUN_ID = re.compile(schemas.RUN_ID["pattern"])
VARIANT = re.compile(schemas.VARIANT["pattern"])
REVIEW_ID = re.compile(schemas.REVIEW_ID["pattern"])
VERSION = re.compile(schemas.VERSION_IN_PATH["pattern"])
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


@route
def predict(request: Request) -> tuple[int, Any]:
    """JSON lines are answered with JSON lines."""
    from chalicelib.api import predictions, serving

    lines = _is_lines(request)
    answer = predictions.predict(
        _raw(request),
        lines=lines,
        explain=_flag(request, "explain"),
        variant=_variant(request, serving.TARGET_VARIANT),
    )
    if not lines:
        return 200, answer
    by = {name: answer[name] for name in ("model_version", "variant")}
    return 200, Lines({**by, **each} for each in answer["predictions"])


@route
def feedback(request: Request) -> tuple[int, Any]:
    from chalicelib.api import feedback as labels

    return 202, labels.accept(_raw(request), lines=_is_lines(request))


@route
def health(request: Request) -> tuple[int, Any]:
    """Whether a model is in service; cheap enough for a load balancer."""
    from chalicelib.model import registry

    del request
    champion = registry.champion()
    if champion is None:
        return 200, {"status": "waiting", "message": "no model is in service yet"}
    names = ("model_version", "in_service_at")
    return 200, {"status": "ok", **{name: champion[name] for name in names}}


@route
def openapi(request: Request) -> tuple[int, Any]:
    from chalicelib import settings
    from chalicelib.api import openapi as document

    del request
    return 200, document.document(settings.load())


def docs(request: Request) -> Response:
    """The document as a page."""
    from chalicelib import settings
    from chalicelib.api import docs_page
    from chalicelib.api import openapi as document

    host, stage = request.headers.get("host", ""), request.context.get("stage", "")
    url = f"https://{host}/{stage}".rstrip("/")
    content = docs_page.page(document.document(settings.load()), url)
    return Response(content, {"Content-Type": "text/html; charset=utf-8"})


@route
def models(request: Request) -> tuple[int, Any]:
    """The registry's packages, newest first, with what each measured."""
    from chalicelib import records
    from chalicelib.environment import Environment
    from chalicelib.model import approval, registry

    limit = _limit(request)
    champion = registry.champion() or {}
    runs = {run.get("model_version"): run for run in records.newest_runs(MAX_LISTED)}
    asked = {each["model_version"]: each for each in approval.newest(MAX_LISTED)}
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
                "approval": approval.public(asked[version]) if version in asked else None,
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
    from chalicelib import runs
    from chalicelib.api import bodies

    raw = _raw(request)
    content = bodies.decode(raw) if raw else {}
    cause = content.get("cause", "asked for through the API")
    if not isinstance(cause, str) or not 0 < len(cause.strip()) <= 500:
        raise ApiError(400, "invalid_field", "cause must be a text of 1 to 500 letters", "cause")
    no_cache = content.get("no_cache", False)
    if not isinstance(no_cache, bool):
        raise ApiError(400, "invalid_field", "no_cache is true or false", "no_cache")
    key = request.headers.get("idempotency-key") or str(uuid.uuid4())
    if len(key) > 200:
        raise ApiError(400, "invalid_field", "Idempotency-Key is too long", "Idempotency-Key")
    facts = {"no_cache": True} if no_cache else {}
    outcome = runs.start("manual", cause.strip(), f"manual-{key}", facts=facts)
    if isinstance(outcome, runs.RunStarted):
        return 202, {"run_id": outcome.run_id, "status": "starting"}
    raise ApiError(409, "not_started", outcome.why)


@route
def retry_run(request: Request) -> tuple[int, Any]:
    """Run a failed run's cause again. The caller is kept with what they accept."""
    from chalicelib import retry, runs
    from chalicelib.api import bodies

    raw = _raw(request)
    content = bodies.decode(raw) if raw else {}
    run_id = (request.uri_params or {})["run_id"]
    if not RUN_ID.fullmatch(run_id):
        raise ApiError(404, "no_such_run", f"there is no run {run_id[:100]}")
    outcome = retry.retry(run_id, content, _caller(request))
    if isinstance(outcome, runs.RunStarted):
        return 202, {"run_id": outcome.run_id, "status": "starting"}
    raise ApiError(409, "not_started", outcome.why)


@route
def stop_run(request: Request) -> tuple[int, Any]:
    """End an active run. The caller is kept with it."""
    from chalicelib import runs
    from chalicelib.api import bodies

    run_id = (request.uri_params or {})["run_id"]
    if not RUN_ID.fullmatch(run_id):
        raise ApiError(404, "no_such_run", f"there is no run {run_id[:100]}")
    raw = _raw(request)
    content = bodies.decode(raw) if raw else {}
    if strange := sorted(content.keys() - {"why"}):
        raise ApiError(400, "unknown_field", f"there is no field {strange[0]}", strange[0])
    why = content.get("why", "")
    if not isinstance(why, str) or len(why) > 500:
        raise ApiError(400, "invalid_field", "why is a text of at most 500 letters", "why")
    runs.stop(run_id, _caller(request), why.strip())
    return 202, {"run_id": run_id, "status": "stopping"}


@route
def list_reviews(request: Request) -> tuple[int, Any]:
    """Predictions that wait for a person, newest first."""
    from chalicelib.api import reviews

    return 200, {"reviews": reviews.listed(_limit(request))}


@route
def answer_review(request: Request) -> tuple[int, Any]:
    """A person's label is ground truth. The caller is kept with it."""
    from chalicelib.api import reviews

    review_id = (request.uri_params or {})["review_id"]
    if not REVIEW_ID.fullmatch(review_id):
        raise ApiError(404, "no_review", f"no review {review_id[:100]} waits for an answer")
    return 200, reviews.answer(review_id, _raw(request), _caller(request))


@route
def decide_approval(request: Request) -> tuple[int, Any]:
    """Approve or reject a version that waits. The caller is kept with the decision."""
    from chalicelib.api import bodies
    from chalicelib.model import approval

    words = (request.uri_params or {})["version"]
    if not VERSION.fullmatch(words):
        raise ApiError(404, "no_approval", f"nobody was asked to approve version {words[:100]}")
    content = bodies.decode(_raw(request))
    if strange := sorted(content.keys() - {"decision", "reason"}):
        raise ApiError(400, "unknown_field", f"there is no field {strange[0]}", strange[0])
    decision, reason = content.get("decision"), content.get("reason", "")
    if decision not in ("approve", "reject"):
        raise ApiError(400, "invalid_field", "decision is approve or reject", "decision")
    if not isinstance(reason, str):
        raise ApiError(400, "invalid_field", "reason is a text", "reason")
    decided = approval.Decision(decision == "approve", _caller(request), reason)
    return 200, approval.public(approval.decide(int(words), decided))


def open_link(request: Request) -> Response:
    """The page behind a link of a message."""
    from chalicelib.api import decisions

    return decisions.show((request.uri_params or {})["token"])


def decide_link(request: Request) -> Response:
    from chalicelib.api import decisions

    return decisions.decide((request.uri_params or {})["token"], request)


def _caller(request: Request) -> str:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html"""
    identity = request.context.get("identity") or {}
    return identity.get("userArn") or f"an unknown caller at {identity.get('sourceIp')}"


class Lines(list[dict[str, Any]]):
    """An answer of JSON lines."""


def _is_lines(request: Request) -> bool:
    given = request.headers.get("content-type", JSON)
    return given.split(";")[0].strip().lower() in JSON_LINES


def _flag(request: Request, name: str) -> bool:
    given: Mapping[str, str] = request.query_params or {}
    words = str(given.get(name, "false"))
    if words not in ("true", "false"):
        raise ApiError(400, "invalid_field", f"{name} must be true or false", name)
    return words == "true"


def _variant(request: Request, header: str) -> str | None:
    """The variant that shall answer; whether there is one of that name, the endpoint says."""
    given = request.headers.get(header.lower())
    if given is None or VARIANT.fullmatch(given):
        return given
    raise ApiError(400, "invalid_field", f"{header} is no name of a variant", header)


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
    if isinstance(body, Lines):
        content = "".join(json.dumps(each) + "\n" for each in body)
        return Response(content, {"Content-Type": JSON_LINES[0]}, status)
    return Response(json.dumps(body), {"Content-Type": JSON}, status)
