"""Where a model came from: data, code, jobs, verdict, in one document beside the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chalicelib import clients, places

if TYPE_CHECKING:
    from chalicelib.environment import Environment


def document(
    run: Mapping[str, Any],
    environment: Environment,
    outcome: str,
    ended_at: str,
    tuning: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Pure: from the execution's state when it finishes, and the search on its record, if any."""
    run_id = str(run["run_id"])

    def at(name: str) -> str:
        return places.uri(environment, places.run(run_id, name))

    registered = run.get("register") or {}
    return {
        "run_id": run_id,
        "reason": run["reason"],
        "cause": run["cause"],
        "arrivals": run.get("arrivals", []),
        "outcome": outcome,
        "ended_at": ended_at,
        "data": {
            "dataset": at("dataset.json"),
            "version": (run.get("plan") or {}).get("dataset"),
            "splits": at("splits/"),
        },
        "code": {"archives": environment.code_prefix, "digest": environment.code_digest},
        "jobs": {job: found["job"] for job, found in run["plan_training"]["jobs"].items()}
        | ({"train": tuning["best"]["job"]} if tuning else {}),
        "tuning": tuning,
        "reused": {
            job: found["reused"]
            for job, found in run["plan_training"]["jobs"].items()
            if "reused" in found
        },
        "evaluation": at("evaluation/evaluation.json"),
        "baseline": at("baseline/"),
        "gate": run["gate"],
        "approval": run.get("approval"),
        "model": {
            "artefact": places.uri(environment, places.model(run_id)),
            "version": registered.get("model_version"),
            "package": registered.get("model_package_arn"),
            "endpoint": registered.get("endpoint"),
        },
    }


def write(
    run: Mapping[str, Any],
    environment: Environment,
    outcome: str,
    ended_at: str,
    tuning: Mapping[str, Any] | None,
) -> str:
    """Put runs/<run>/lineage.json; returns its URI."""
    key = places.run(str(run["run_id"]), "lineage.json")
    content = document(run, environment, outcome, ended_at, tuning)
    clients.client("s3").put_object(
        Bucket=environment.data_bucket,
        Key=key,
        Body=json.dumps(content, indent=2).encode(),
        ContentType="application/json",
    )
    return places.uri(environment, key)
