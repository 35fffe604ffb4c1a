"""The operations on tuning jobs.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHyperParameterTuningJob.html
"""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker import names
from localcloud.sagemaker.errors import not_found
from localcloud.sagemaker.jobs import lifecycle
from localcloud.sagemaker.service import operation
from localcloud.sagemaker.store import Record, store
from localcloud.sagemaker.tuning import requests, trials, tuner
from localcloud.sagemaker.tuning.trials import KIND

SUMMARY = (
    "HyperParameterTuningJobName", "HyperParameterTuningJobArn", "HyperParameterTuningJobStatus",
    "CreationTime", "HyperParameterTuningEndTime", "LastModifiedTime",
)  # fmt: skip
BY_OBJECTIVE = "FinalObjectiveMetricValue"


@operation("CreateHyperParameterTuningJob")
def create(request: dict[str, Any]) -> dict[str, Any]:
    requests.check(request)
    return lifecycle.create(KIND, request, tuner.run)


@operation("DescribeHyperParameterTuningJob")
def describe(request: dict[str, Any]) -> dict[str, Any]:
    tuning = _found(request["HyperParameterTuningJobName"])
    return lifecycle.shown(KIND, tuning) | trials.progress(tuning)


@operation("ListHyperParameterTuningJobs")
def listed(request: dict[str, Any]) -> dict[str, Any]:
    jobs = store.values(KIND.store)
    member = "HyperParameterTuningJobSummaries"
    return names.page(jobs, request, member, _summary, KIND.name, KIND.status)


@operation("StopHyperParameterTuningJob")
def stop(request: dict[str, Any]) -> None:
    lifecycle.stop(KIND, request["HyperParameterTuningJobName"])


@operation("ListTrainingJobsForHyperParameterTuningJob")
def training_jobs(request: dict[str, Any]) -> dict[str, Any]:
    """Sorted by the objective, those that have none are left out, as on AWS.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTrainingJobsForHyperParameterTuningJob.html
    """
    tuning = _found(request["HyperParameterTuningJobName"])
    found = [trials.summary(tuning, each) for each in trials.of(tuning)]
    if request.get("SortBy") == BY_OBJECTIVE:
        found = [{**each, BY_OBJECTIVE: _value(each)} for each in found if _value(each) is not None]
    return names.page(
        found,
        request,
        "TrainingJobSummaries",
        lambda each: {name: value for name, value in each.items() if name != BY_OBJECTIVE},
        "TrainingJobName",
        "TrainingJobStatus",
    )


def _found(name: str) -> Record:
    tuning = store.get(KIND.store, name)
    if tuning is None:
        raise not_found(f"Could not find HyperParameterTuningJob with name {name}.")
    return tuning


def _summary(tuning: Record) -> Record:
    config = tuning["HyperParameterTuningJobConfig"]
    return {
        **{member: tuning[member] for member in SUMMARY if member in tuning},
        **trials.counters(tuning, trials.of(tuning)),
        "Strategy": config["Strategy"],
        "ResourceLimits": config["ResourceLimits"],
    }


def _value(summary: Record) -> float | None:
    found = summary.get("FinalHyperParameterTuningJobObjectiveMetric", {})
    value: float | None = found.get("Value")
    return value
