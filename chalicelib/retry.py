"""Run a failed run's cause again, as a person asks; with its data as it is, if they say why."""

from __future__ import annotations

from typing import Any

from chalicelib import clock, runs
from chalicelib.errors import ApiError
from chalicelib.ingest import arrivals

LONGEST = 500  # letters of a reason


def retry(run_id: str, content: dict[str, Any], who: str) -> runs.RunStarted | runs.NotStarted:
    """Start a run with the files of one that failed. The same failed run is retried once.

    `content` is {"accept_quality": bool, "why": text, "no_cache": bool}; `who` is kept with an
    acceptance.
    """
    accept, why, no_cache = _wishes(content)
    run = runs.get(run_id)
    if run is None or run_id.startswith("#"):
        raise ApiError(404, "no_such_run", f"there is no run {run_id}")
    if run["status"] != "failed":
        raise ApiError(409, "not_failed", f"run {run_id} is {run['status']}: nothing to retry")
    if accept and not runs.refused_for_quality(run):
        raise ApiError(
            409, "nothing_to_accept", f"quality did not stop run {run_id}", "accept_quality"
        )
    cause_id = f"retry-{run_id}"
    if earlier := runs.started_by(cause_id):
        return runs.RunStarted(earlier)
    if active := runs.active():
        return runs.NotStarted(f"run {active} is active")
    ids = [str(each) for each in run.get("arrivals", [])]
    for arrival_id in ids:
        arrivals.readmit(str(run["dataset"]), arrival_id, run_id)
    facts: dict[str, Any] = {"retry_of": run_id} | ({"no_cache": True} if no_cache else {})
    if accept:
        facts["accept_quality"] = {"who": who, "why": why, "at": clock.text(clock.now())}
    cause = f"retry of {run_id}" + (f": {why}" if why else "")
    return runs.start("retry", cause, cause_id, ids, run["dataset"], facts)


def _wishes(content: dict[str, Any]) -> tuple[bool, str, bool]:
    if strange := sorted(content.keys() - {"accept_quality", "why", "no_cache"}):
        raise ApiError(400, "unknown_field", f"there is no field {strange[0]}", strange[0])
    accept, no_cache = content.get("accept_quality", False), content.get("no_cache", False)
    why = content.get("why", "")
    for name, value in (("accept_quality", accept), ("no_cache", no_cache)):
        if not isinstance(value, bool):
            raise ApiError(400, "invalid_field", f"{name} is true or false", name)
    if not isinstance(why, str) or len(why) > LONGEST:
        raise ApiError(400, "invalid_field", f"why is a text of at most {LONGEST} letters", "why")
    if accept and not why.strip():
        raise ApiError(400, "missing_field", "accepting broken checks needs a reason: why", "why")
    return accept, why.strip(), no_cache
