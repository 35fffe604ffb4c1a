"""Optimised integrations of SageMaker, Athena and Glue, and waiting for their jobs (`.sync`).

https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
https://docs.aws.amazon.com/step-functions/latest/dg/connect-athena.html
https://docs.aws.amazon.com/step-functions/latest/dg/connect-glue.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.ministack_adapter import StatesError
from localcloud.service_models import service_model
from localcloud.stepfunctions import errors, history, permissions, scope

LOOK_SECONDS = 0.2  # between two looks while no event comes

TARGETS = {"sagemaker": "SageMaker", "athena": "AmazonAthena", "glue": "AWSGlue"}
ACTIONS = {
    "sagemaker": {
        "createTrainingJob",
        "createProcessingJob",
        "createTransformJob",
        "createHyperParameterTuningJob",
        "createModel",
        "createEndpointConfig",
        "createEndpoint",
        "updateEndpoint",
    },
    "athena": {
        "startQueryExecution",
        "stopQueryExecution",
        "getQueryExecution",
        "getQueryResults",
    },
    "glue": {"startJobRun"},
}


@dataclass(frozen=True)
class Job:
    """How to wait for what an action starts."""

    describe: str
    stop: str
    key: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]  # of the request, the answer
    status: Callable[[dict[str, Any]], str]
    result: Callable[[dict[str, Any]], dict[str, Any]] = lambda described: described


def _sagemaker_job(kind: str) -> Job:
    name, status = f"{kind}JobName", f"{kind}JobStatus"
    return Job(
        f"Describe{kind}Job",
        f"Stop{kind}Job",
        lambda request, answer: {name: request[name]},
        lambda described: str(described[status]),
    )


JOBS = {
    ("sagemaker", f"create{kind}Job"): _sagemaker_job(kind)
    for kind in ("Training", "Processing", "Transform")
} | {
    ("sagemaker", "createHyperParameterTuningJob"): _sagemaker_job("HyperParameterTuning"),
    ("athena", "startQueryExecution"): Job(
        "GetQueryExecution",
        "StopQueryExecution",
        lambda request, answer: {"QueryExecutionId": answer["QueryExecutionId"]},
        lambda described: str(described["QueryExecution"]["Status"]["State"]).capitalize(),
    ),
    ("glue", "startJobRun"): Job(
        "GetJobRun",
        "BatchStopJobRun",
        lambda request, answer: {"JobName": request["JobName"], "RunId": answer["JobRunId"]},
        lambda described: str(described["JobRun"]["JobRunState"]).capitalize(),
        lambda described: dict(described["JobRun"]),
    ),
}
GOOD = {"Completed", "Succeeded"}
BAD = {"Failed", "Stopped", "Cancelled", "Timeout", "Error", "Expired"}


def install() -> None:
    """Serve every action of these services; one that AWS lacks is refused by name."""
    for service in ACTIONS:
        adapter.register_integration(f"arn:aws:states:::{service}:", invoke)


def invoke(arn: str, request: Any) -> dict[str, Any]:
    """Run one task; with `.sync` until its job has ended."""
    service, _, action = arn.removeprefix("arn:aws:states:::").partition(":")
    action, _, pattern = action.partition(".")
    if action not in ACTIONS[service] or pattern not in ("", "sync"):
        raise StatesError("States.Runtime", f"The resource {arn} is not an integration served here")
    if pattern and (service, action) not in JOBS:
        raise StatesError("States.Runtime", f"The resource {arn} does not support .sync")
    scope.check()
    answer = call(service, action[0].upper() + action[1:], request)
    if not pattern:
        return answer
    _submitted(service, f"{action}.sync", answer)
    return _wait(service, JOBS[service, action], request, answer)


def call(service: str, operation: str, request: Any) -> dict[str, Any]:
    """Call an operation and give its answer as Step Functions does: times in milliseconds."""
    status, answer = adapter.call_json(
        service, f"{TARGETS[service]}.{operation}", request, permissions.key()
    )
    if status >= 400:
        code, message = errors.refusal(answer)
        raise errors.optimized_error(service, status, code, message)
    shape = service_model(service).operation_model(operation).output_shape
    shaped: dict[str, Any] = _milliseconds(answer, shape) if shape else answer
    return shaped


def _wait(service: str, job: Job, request: Any, answer: dict[str, Any]) -> dict[str, Any]:
    """By the service's events and by polling, as on AWS.

    https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-sync
    """
    key = job.key(request, answer)
    while True:
        heard = adapter.events_put(f"aws.{service}")
        described = call(service, job.describe, key)
        status = job.status(described)
        if status in GOOD:
            return job.result(described)
        if status in BAD:
            raise StatesError("States.TaskFailed", json.dumps(job.result(described)))
        if scope.cancelled():
            call(service, job.stop, _named_to_stop(job, key))
            raise scope.Cancelled
        adapter.await_event(f"aws.{service}", heard, LOOK_SECONDS)


def _named_to_stop(job: Job, key: dict[str, Any]) -> dict[str, Any]:
    """Glue stops several runs of a job by one call; the others one job by its own key."""
    if job.stop != "BatchStopJobRun":
        return key
    return {"JobName": key["JobName"], "JobRunIds": [key["RunId"]]}


def _submitted(service: str, resource: str, answer: dict[str, Any]) -> None:
    here = scope.current.get()
    if here is None:
        return
    details = {"resourceType": service, "resource": resource, "output": json.dumps(answer)}
    history.add(here.execution, "TaskSubmitted", {"taskSubmittedEventDetails": details})


def _milliseconds(value: Any, shape: Any) -> Any:
    """Times as optimised integrations give them: milliseconds since 1970."""
    kind = shape.type_name
    if kind == "timestamp" and isinstance(value, (int, float)):
        return int(value * 1000)
    if kind == "structure" and isinstance(value, dict):
        known = shape.members
        return {k: _milliseconds(v, known[k]) if k in known else v for k, v in value.items()}
    if kind == "list" and isinstance(value, list):
        return [_milliseconds(item, shape.member) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {k: _milliseconds(v, shape.value) for k, v in value.items()}
    return value
