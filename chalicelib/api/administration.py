"""The routes for whoever runs the pipeline: by IAM, the caller kept with what they decide."""

from __future__ import annotations

import re
import uuid
from typing import Any

from chalice.app import Request

from chalicelib.api import requests, schemas
from chalicelib.errors import ApiError

RUN_ID = re.compile(schemas.RUN_ID["pattern"])
REVIEW_ID = re.compile(schemas.REVIEW_ID["pattern"])
VERSION = re.compile(schemas.VERSION_IN_PATH["pattern"])


@requests.route
def models(request: Request) -> tuple[int, Any]:
    """The registry's packages, newest first, with what each measured."""
    from chalicelib import records
    from chalicelib.environment import Environment
    from chalicelib.model import approval, registry

    limit = requests.limit(request)
    champion = registry.champion() or {}
    runs = {run.get("model_version"): run for run in records.newest_runs(requests.MAX_LISTED)}
    asked = {each["model_version"]: each for each in approval.newest(requests.MAX_LISTED)}
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


@requests.route
def list_runs(request: Request) -> tuple[int, Any]:
    from chalicelib import records

    return 200, {"runs": records.newest_runs(requests.limit(request))}


@requests.route
def list_drift(request: Request) -> tuple[int, Any]:
    """What each look at the live traffic found, newest first."""
    from chalicelib import records

    found = records.newest(records.DRIFT, requests.limit(request))
    for record in found:
        record["run_id"] = record.pop("run", None)
        record.pop("pipeline", None)
    return 200, {"drift": found}


@requests.route
def start_run(request: Request) -> tuple[int, Any]:
    """Start a run by hand. The same Idempotency-Key starts one."""
    from chalicelib import runs

    content = _content(request)
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


@requests.route
def retry_run(request: Request) -> tuple[int, Any]:
    """Run a failed run's cause again. The caller is kept with what they accept."""
    from chalicelib import retry, runs

    content = _content(request)
    outcome = retry.retry(_run_id(request), content, requests.caller(request))
    if isinstance(outcome, runs.RunStarted):
        return 202, {"run_id": outcome.run_id, "status": "starting"}
    raise ApiError(409, "not_started", outcome.why)


@requests.route
def stop_run(request: Request) -> tuple[int, Any]:
    """End an active run. The caller is kept with it."""
    from chalicelib import runs

    run_id, content = _run_id(request), _content(request)
    _only(content, "why")
    why = content.get("why", "")
    if not isinstance(why, str) or len(why) > 500:
        raise ApiError(400, "invalid_field", "why is a text of at most 500 letters", "why")
    runs.stop(run_id, requests.caller(request), why.strip())
    return 202, {"run_id": run_id, "status": "stopping"}


@requests.route
def list_reviews(request: Request) -> tuple[int, Any]:
    """Predictions that wait for a person, newest first."""
    from chalicelib.api import reviews

    return 200, {"reviews": reviews.listed(requests.limit(request))}


@requests.route
def answer_review(request: Request) -> tuple[int, Any]:
    """A person's label is ground truth. The caller is kept with it."""
    from chalicelib.api import reviews

    review_id = (request.uri_params or {})["review_id"]
    if not REVIEW_ID.fullmatch(review_id):
        raise ApiError(404, "no_review", f"no review {review_id[:100]} waits for an answer")
    return 200, reviews.answer(review_id, requests.raw(request), requests.caller(request))


@requests.route
def decide_approval(request: Request) -> tuple[int, Any]:
    """Approve or reject a version that waits. The caller is kept with the decision."""
    from chalicelib.api import bodies
    from chalicelib.model import approval

    words = (request.uri_params or {})["version"]
    if not VERSION.fullmatch(words):
        raise ApiError(404, "no_approval", f"nobody was asked to approve version {words[:100]}")
    content = bodies.decode(requests.raw(request))
    _only(content, "decision", "reason")
    decision, reason = content.get("decision"), content.get("reason", "")
    if decision not in ("approve", "reject"):
        raise ApiError(400, "invalid_field", "decision is approve or reject", "decision")
    if not isinstance(reason, str):
        raise ApiError(400, "invalid_field", "reason is a text", "reason")
    decided = approval.Decision(decision == "approve", requests.caller(request), reason)
    return 200, approval.public(approval.decide(int(words), decided))


def _run_id(request: Request) -> str:
    run_id = str((request.uri_params or {})["run_id"])
    if not RUN_ID.fullmatch(run_id):
        raise ApiError(404, "no_such_run", f"there is no run {run_id[:100]}")
    return run_id


def _content(request: Request) -> dict[str, Any]:
    """The body's fields; none where there is no body."""
    from chalicelib.api import bodies

    raw = requests.raw(request)
    return bodies.decode(raw) if raw else {}


def _only(content: dict[str, Any], *fields: str) -> None:
    """ApiError where the body has others."""
    if strange := sorted(content.keys() - {*fields}):
        raise ApiError(400, "unknown_field", f"there is no field {strange[0]}", strange[0])
