"""Step caching: a job whose code, inputs and parameters have not changed is not run again.

A job's key is made of its request, which names the code by its digest, and of what its inputs are.
The runs' records hold the keys of their jobs: the newest run with the same key, whose job completed
and whose outputs are still there, has its outputs copied. So a run's folder holds all it stands on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from chalicelib import clients, places

if TYPE_CHECKING:
    from chalicelib.environment import Environment

LOOK_BACK = 50  # runs
THREADS = 8
# Of a request: who runs the job, for how long at most and on which market, and where a search
# starts; not what is made.
NEUTRAL = {
    "RoleArn", "Tags", "StoppingCondition", "EnableManagedSpotTraining", "CheckpointConfig",
    "WarmStartConfig",
}  # fmt: skip
KINDS = ("ProcessingJob", "TrainingJob", "HyperParameterTuningJob")
# What the rest of a run cannot do without.
DOCUMENTS = {
    "prepare": ("prepare/prepare.json",),
    "evaluate": ("evaluation/evaluation.json",),
    "baseline": ("baseline/data-quality/statistics.json", "baseline/data-quality/constraints.json"),
    "model_baselines": (),
}
Request = Mapping[str, Any]


def key(request: Request, inputs: Mapping[str, str | None], runs: Iterable[str]) -> str | None:
    """Equal for two jobs that would make the same; None where an input is not known.

    `inputs`: what lies where the request reads, by any name. `runs`: the runs whose folders it
    reads and writes, whose ids mean nothing themselves.
    """
    if not all(inputs.values()):
        return None
    text = json.dumps(_telling(request), sort_keys=True)
    for run_id in runs:
        text = text.replace(run_id, "")
    return _digest([text, dict(sorted(inputs.items()))])


def _telling(request: Request) -> dict[str, Any]:
    """A request without what is neutral, also in the definition of a search's training jobs."""
    return {
        name: _telling(value) if isinstance(value, Mapping) else value
        for name, value in request.items()
        if name not in NEUTRAL
    }


def origins(job: str, wanted: str | None, runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The runs that did this very job, by records of runs: those first that the newest name.

    A run that reused it names the run that did it.
    """
    found = [(str(run["run_id"]), (run.get("jobs") or {}).get(job, {})) for run in runs]
    same = [(run_id, told) for run_id, told in found if wanted and told.get("key") == wanted]
    return list(dict.fromkeys(str(told.get("reused", run_id)) for run_id, told in same))


def reuse(
    job: str,
    run_id: str,
    request: Request,
    wanted: str | None,
    runs: Sequence[Mapping[str, Any]],
    environment: Environment,
) -> str | None:
    """Bring an earlier run's outputs of the same job into this run; says whose they are."""
    for origin in origins(job, wanted, [run for run in runs if run["run_id"] != run_id]):
        there = _outputs(job, run_id, request, environment, origin)
        if there is not None and _completed(run_id, request, origin):
            _copy(environment, there, origin, run_id)
            return origin
    return None


def job_name(request: Request) -> str:
    """The name that SageMaker knows the job by."""
    return str(request[f"{_kind(request)}Name"])


def listing(environment: Environment, prefix: str) -> str:
    """What lies under a prefix, as one text: it changes when an object does."""
    hasher = hashlib.sha256()
    for entry in _listed(environment, prefix):
        hasher.update(f"{entry['Key']} {entry['ETag']}\n".encode())
    return hasher.hexdigest()


def _outputs(
    job: str, run_id: str, request: Request, environment: Environment, origin: str
) -> list[str] | None:
    """The keys of what the origin's job wrote; None where any part of it is gone."""
    found: dict[str, None] = {}
    for prefix in _prefixes(job, run_id, request, environment):
        keys = [entry["Key"] for entry in _listed(environment, prefix.replace(run_id, origin))]
        if not keys:
            return None
        found |= dict.fromkeys(map(str, keys))
    return list(found)


def _prefixes(job: str, run_id: str, request: Request, environment: Environment) -> list[str]:
    if job == "train":
        return [places.model(run_id)]
    bucket = places.uri(environment, "")
    written = [each["S3Output"]["S3Uri"] for each in request["ProcessingOutputConfig"]["Outputs"]]
    documents = [places.run(run_id, name) for name in DOCUMENTS[job]]
    return [f"{uri.removeprefix(bucket)}/" for uri in written] + documents


def _completed(run_id: str, request: Request, origin: str) -> bool:
    """Whether the origin's job ended well: a stopped or failed one leaves outputs too."""
    client = clients.client("sagemaker")
    kind = _kind(request)
    describe = {
        "ProcessingJob": client.describe_processing_job,
        "TrainingJob": client.describe_training_job,
        "HyperParameterTuningJob": client.describe_hyper_parameter_tuning_job,
    }[kind]
    name = job_name(request).replace(run_id, origin)
    try:
        return bool(describe(**{f"{kind}Name": name})[f"{kind}Status"] == "Completed")
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in ("ValidationException", "ResourceNotFound"):
            raise
        return False  # SageMaker knows of no such job


def _kind(request: Request) -> str:
    return next(kind for kind in KINDS if f"{kind}Name" in request)


def _copy(environment: Environment, keys: Iterable[str], origin: str, run_id: str) -> None:
    client, bucket = clients.client("s3"), environment.data_bucket

    def copy(key: str) -> None:
        client.copy({"Bucket": bucket, "Key": key}, bucket, key.replace(origin, run_id))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(copy, keys))


def _listed(environment: Environment, prefix: str) -> Iterable[Mapping[str, Any]]:
    pages = clients.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=environment.data_bucket, Prefix=prefix):
        yield from page.get("Contents", [])


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]
