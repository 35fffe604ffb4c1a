"""Hyper-parameter tuning: the request of the search, and what is kept of it on the run.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHyperParameterTuningJob.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chalicelib import clients, places
from chalicelib.model import jobs

if TYPE_CHECKING:
    from chalicelib.environment import Environment
    from chalicelib.searching import Range
    from chalicelib.settings import Settings

Request = dict[str, Any]
# Of a training job's request, what the search says of each training job, or of all.
NOT_DEFINED = {"TrainingJobName", "HyperParameters", "Tags"}


class TuningError(Exception):
    """The search found nothing that can be used."""


def request(
    run_id: str, environment: Environment, settings: Settings, parents: Sequence[str]
) -> Request:
    """The tuning job that takes the training job's place; `parents` are tuning jobs before it."""
    tuning, train = settings.tuning, jobs.train(run_id, environment, settings)
    names = {each.name for each in tuning.ranges}
    static = {k: v for k, v in train["HyperParameters"].items() if k not in names}
    definition = {k: v for k, v in train.items() if k not in NOT_DEFINED}
    if not settings.training.keeps_checkpoints_apart:
        del definition["CheckpointConfig"]
    limits = {"MaxParallelTrainingJobs": tuning.max_parallel}
    if tuning.strategy != "Grid":
        limits["MaxNumberOfTrainingJobs"] = tuning.max_jobs
    made = {
        "HyperParameterTuningJobName": f"{run_id}-tune",
        "HyperParameterTuningJobConfig": {
            "Strategy": tuning.strategy,
            "HyperParameterTuningJobObjective": jobs.objective(settings),
            "ResourceLimits": limits,
            "ParameterRanges": _ranges(tuning.ranges),
            "TrainingJobEarlyStoppingType": "Auto" if tuning.early_stopping else "Off",
            "RandomSeed": settings.training.seed,
        },
        "TrainingJobDefinition": {**definition, "StaticHyperParameters": static},
        "Tags": train["Tags"],
    }
    if parents:
        made["WarmStartConfig"] = {
            "ParentHyperParameterTuningJobs": [
                {"HyperParameterTuningJobName": each} for each in parents
            ],
            "WarmStartType": tuning.warm_start,
        }
    return made


def parents(runs: Iterable[Mapping[str, Any]], settings: Settings) -> list[str]:
    """The tuning jobs of earlier runs that a new one may start from, the newest first.

    SageMaker refuses a parent of another objective or with other hyper-parameters.
    https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-warm-start.html
    """
    tuning = settings.tuning
    if tuning.warm_start == "none":
        return []
    searched = {each.name: each.type for each in tuning.ranges}
    objective = jobs.objective(settings)["MetricName"]
    found = [
        str(earlier["job"])
        for run in runs
        if (earlier := run.get("tuning"))
        and (earlier["objective"], earlier["searched"]) == (objective, searched)
    ]
    return list(dict.fromkeys(found))[: tuning.parents]


def facts(
    described: Mapping[str, Any], trials: Iterable[Mapping[str, Any]], settings: Settings
) -> dict[str, Any]:
    """What a run keeps of its search: each training job with its parameters and objective.

    `described` is DescribeHyperParameterTuningJob's answer.
    """
    job, objective = str(described["HyperParameterTuningJobName"]), jobs.objective(settings)
    if "BestTrainingJob" not in described:
        raise TuningError(f"no training job of {job} completed with {objective['MetricName']}")
    return {
        "job": job,
        "strategy": settings.tuning.strategy,
        "objective": objective["MetricName"],
        "searched": {each.name: each.type for each in settings.tuning.ranges},
        "best": _trial(described["BestTrainingJob"]),
        "trials": [_trial(each) for each in trials],
    }


def trials(job: str) -> list[dict[str, Any]]:
    """The training jobs of a tuning job, in the order in which they began.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTrainingJobsForHyperParameterTuningJob.html
    """
    pages = clients.client("sagemaker").get_paginator(
        "list_training_jobs_for_hyper_parameter_tuning_job"
    )
    listed = pages.paginate(HyperParameterTuningJobName=job, SortBy="CreationTime")
    return [each for page in listed for each in page["TrainingJobSummaries"]]


def keep_model(environment: Environment, run_id: str, training_job: str) -> None:
    """Put the best training job's model where the run's model lies."""
    bucket = environment.data_bucket
    source = places.run(run_id, f"model/{training_job}/output/model.tar.gz")
    clients.client("s3").copy({"Bucket": bucket, "Key": source}, bucket, places.model(run_id))


def _trial(summary: Mapping[str, Any]) -> dict[str, Any]:
    measured = summary.get("FinalHyperParameterTuningJobObjectiveMetric") or {}
    return {
        "job": summary["TrainingJobName"],
        "status": summary["TrainingJobStatus"],
        "parameters": dict(summary["TunedHyperParameters"]),
        "objective": measured.get("Value"),
    }


def _ranges(given: Sequence[Range]) -> Request:
    found: Request = {}
    for each in given:
        entry: Request = {"Name": each.name}
        if each.type == "categorical":
            entry["Values"] = [jobs.parameter(value) for value in each.values]
        else:
            bounds = {"MinValue": each.min, "MaxValue": each.max}
            entry |= {name: _number(each, value) for name, value in bounds.items()}
            entry["ScalingType"] = each.scale
        found.setdefault(f"{each.type.title()}ParameterRanges", []).append(entry)
    return found


def _number(given: Range, value: float | None) -> str:
    return str(int(value or 0)) if given.type == "integer" else str(value)
