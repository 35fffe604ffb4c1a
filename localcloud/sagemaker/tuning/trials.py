"""The training jobs of a tuning job: their summaries, how many are how far, which is the best.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperParameterTrainingJobSummary.html
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from localcloud.sagemaker.jobs import lifecycle, training
from localcloud.sagemaker.store import Record, store

KIND = lifecycle.KINDS["HyperParameterTuning"]
SUMMARY = (
    "TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingStartTime", "TrainingEndTime",
    "TrainingJobStatus", "FailureReason",
)  # fmt: skip
UNDER_WAY = ("InProgress", "Stopping")


def of(tuning: Record) -> list[Record]:
    """The records of the training jobs that a tuning job has launched, oldest first."""
    arn = tuning[KIND.arn]
    return [each for each in store.values(training.KIND.store) if each.get("TuningJobArn") == arn]


def objective(tuning: Record, trial: Record) -> float | None:
    """The last value of the objective metric, once the training job has ended well or early."""
    if trial["TrainingJobStatus"] not in ("Completed", "Stopped"):
        return None
    wanted = _objective(tuning)["MetricName"]
    for each in trial.get("FinalMetricDataList", []):
        if each["MetricName"] == wanted:
            return float(each["Value"])
    return None


def objective_status(tuning: Record, trial: Record) -> str:
    if trial["TrainingJobStatus"] in UNDER_WAY:
        return "Pending"
    return "Failed" if objective(tuning, trial) is None else "Succeeded"


def summary(tuning: Record, trial: Record) -> Record:
    """As Describe and List show it."""
    found = {member: trial[member] for member in SUMMARY if member in trial}
    value = objective(tuning, trial)
    if value is not None:
        found["FinalHyperParameterTuningJobObjectiveMetric"] = {
            **_objective(tuning),
            "Value": value,
        }
    return found | {
        "TunedHyperParameters": trial["_tuned"],
        "ObjectiveStatus": objective_status(tuning, trial),
    }


def best(tuning: Record, trials: list[Record]) -> Record | None:
    """The training job that completed with the best objective."""
    done = [
        (value, each)
        for each in trials
        if each["TrainingJobStatus"] == "Completed"
        and (value := objective(tuning, each)) is not None
    ]
    if not done:
        return None
    choose = max if maximises(tuning) else min
    return choose(done, key=lambda pair: pair[0])[1]


def progress(tuning: Record) -> dict[str, Any]:
    """What Describe says of the training jobs as they are now."""
    launched = of(tuning)
    found: dict[str, Any] = counters(tuning, launched)
    if chosen := best(tuning, launched):
        found["BestTrainingJob"] = summary(tuning, chosen)
    warm = tuning.get("WarmStartConfig", {})
    if warm.get("WarmStartType") == "IdenticalDataAndAlgorithm":
        every = launched + [each for parent in parents(tuning) for each in of(parent)]
        if chosen := best(tuning, every):
            owner = str(chosen["TuningJobArn"]).rsplit("/", 1)[-1]
            overall = summary(tuning, chosen) | {"TuningJobName": owner}
            found["OverallBestTrainingJob"] = overall
    return found


def counters(tuning: Record, launched: list[Record]) -> dict[str, dict[str, int]]:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TrainingJobStatusCounters.html"""
    states = Counter(_counted(each) for each in launched)
    objectives = Counter(objective_status(tuning, each) for each in launched)
    names = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
    return {
        "TrainingJobStatusCounters": {name: states[name] for name in names},
        "ObjectiveStatusCounters": {
            name: objectives[name] for name in ("Succeeded", "Pending", "Failed")
        },
    }


def parents(tuning: Record) -> list[Record]:
    """The tuning jobs that this one starts from."""
    listed = tuning.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", [])
    names = [each["HyperParameterTuningJobName"] for each in listed]
    return [each for name in names if (each := store.get(KIND.store, name)) is not None]


def maximises(tuning: Record) -> bool:
    return bool(_objective(tuning)["Type"] == "Maximize")


def _objective(tuning: Record) -> Record:
    found: Record = tuning["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    return found


def _counted(trial: Record) -> str:
    """A job that SageMaker itself broke may be tried again."""
    status = str(trial["TrainingJobStatus"])
    if status == "Failed":
        retryable = trial.get("FailureReason", "").startswith("InternalServerError")
        return "RetryableError" if retryable else "NonRetryableError"
    return "InProgress" if status in UNDER_WAY else status
