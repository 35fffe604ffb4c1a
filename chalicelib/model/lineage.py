"""Where a model came from: data, code, jobs, verdict, in one document beside the run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chalicelib import clients, places

if TYPE_CHECKING:
    from chalicelib.environment import Environment

ARCHIVES = ("training", "inference", "monitoring")
# All that CreateTrainingJob takes of what DescribeTrainingJob tells.
REQUEST = (
    "TrainingJobName", "AlgorithmSpecification", "HyperParameters", "InputDataConfig",
    "OutputDataConfig", "ResourceConfig", "RoleArn", "StoppingCondition", "VpcConfig",
    "EnableNetworkIsolation", "EnableManagedSpotTraining", "CheckpointConfig", "Environment",
)  # fmt: skip


def document(
    run: Mapping[str, Any],
    environment: Environment,
    outcome: str,
    ended_at: str,
    tuning: Mapping[str, Any] | None = None,
    archives: Mapping[str, str] | None = None,
    training: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Pure: from the execution's state when it finishes, and what is on its record: the arrivals
    beside the state, and the search, if any.

    `archives`: the code's digests by name. `training`: the request of the job that trained.
    """
    run_id, request = str(run["run_id"]), dict(training or {})

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
        "code": {
            "archives": environment.code_prefix,
            "digest": environment.code_digest,
            "sha256": dict(archives or {}),
        },
        "training": request,
        "environment": {
            "image": request.get("AlgorithmSpecification", {}).get("TrainingImage"),
            "versions": run["gate"].get("versions", {}),
        },
        "jobs": {job: found["job"] for job, found in run["plan_training"]["jobs"].items()}
        | {"train": train_job(run, tuning)},
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


def train_job(run: Mapping[str, Any], tuning: Mapping[str, Any] | None) -> str:
    """The training job that made the model: of a search the best one."""
    return str(tuning["best"]["job"] if tuning else run["plan_training"]["jobs"]["train"]["job"])


def write(
    run: Mapping[str, Any],
    environment: Environment,
    outcome: str,
    ended_at: str,
    tuning: Mapping[str, Any] | None,
) -> str:
    """Put runs/<run>/lineage.json; returns its URI."""
    key = places.run(str(run["run_id"]), "lineage.json")
    content = document(
        run,
        environment,
        outcome,
        ended_at,
        tuning,
        _archives(environment),
        _request(train_job(run, tuning)),
    )
    clients.client("s3").put_object(
        Bucket=environment.data_bucket,
        Key=key,
        Body=json.dumps(content, indent=2).encode(),
        ContentType="application/json",
    )
    return places.uri(environment, key)


def _archives(environment: Environment) -> dict[str, str]:
    """SHA-256 of each archive of code, as it lies where the jobs took it."""
    found = {}
    for name in ARCHIVES:
        bucket, _, key = places.code(environment, name).removeprefix("s3://").partition("/")
        body = clients.client("s3").get_object(Bucket=bucket, Key=key)["Body"]
        found[name] = hashlib.sha256(body.read()).hexdigest()
    return found


def _request(job: str) -> dict[str, Any]:
    described = clients.client("sagemaker").describe_training_job(TrainingJobName=job)
    return {name: described[name] for name in REQUEST if described.get(name)}
