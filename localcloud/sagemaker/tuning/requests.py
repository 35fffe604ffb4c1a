"""What CreateHyperParameterTuningJob may ask for, and the training jobs that it asks for.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHyperParameterTuningJob.html
"""

from __future__ import annotations

import math
from typing import Any

from localcloud.sagemaker.errors import limit_exceeded, refuse_unserved, validation
from localcloud.sagemaker.jobs import lifecycle, training
from localcloud.sagemaker.store import Record, store
from localcloud.sagemaker.tuning import ranges
from localcloud.sagemaker.tuning.ranges import Range
from localcloud.sagemaker.tuning.trials import KIND

OBJECTIVE = "_tuning_objective_metric"  # the hyper-parameter that tells a script what is looked for
# https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-limits.html
MOST_PARALLEL, MOST_JOBS = 10, 750
MOST_CHANGES = 10  # of static hyper-parameters in a warm start
Request = dict[str, Any]


def check(request: Request) -> list[Range]:
    """The ranges of a request that can be served; otherwise AWS's refusal."""
    refuse_unserved(request, ("TrainingJobDefinitions", "Autotune"))
    config = request["HyperParameterTuningJobConfig"]
    refuse_unserved(config, ("StrategyConfig", "TuningJobCompletionCriteria"))
    refuse_unserved(config["ResourceLimits"], ("MaxRuntimeInSeconds",), "ResourceLimits.")
    if config["Strategy"] == "Hyperband":
        raise validation("The local SageMaker searches by Bayesian, Random or Grid.")
    definition = request.get("TrainingJobDefinition")
    if definition is None:
        raise validation("TrainingJobDefinition is required for a tuning job.")
    refuse_unserved(
        definition,
        ("DefinitionName", "TuningObjective", "HyperParameterRanges",
         "HyperParameterTuningResourceConfig", "RetryStrategy"),
        "TrainingJobDefinition.",
    )  # fmt: skip
    _check_objective(config, definition)
    found = ranges.read(config.get("ParameterRanges", {}))
    static = definition.get("StaticHyperParameters", {})
    if both := sorted({each.name for each in found} & static.keys()):
        raise validation(f"Hyperparameter {both[0]} is both static and tunable.")
    _check_limits(config, found)
    sample = dict.fromkeys((each.name for each in found), "1")
    training.check(training_job(request, "x", sample))
    for parent in request.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", []):
        _check_parent(request, found, _parent(parent["HyperParameterTuningJobName"]))
    return found


def training_job(request: Request, name: str, values: dict[str, str]) -> Request:
    """CreateTrainingJob's request for these values; a tuning job's tags are its jobs' too."""
    definition = dict(request["TrainingJobDefinition"])
    objective = request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    static = definition.pop("StaticHyperParameters", {})
    parameters = {**static, **values, OBJECTIVE: objective["MetricName"]}
    return {
        **definition,
        "TrainingJobName": name,
        "HyperParameters": parameters,
        "Tags": request.get("Tags", []),
    }


def budget(config: Request, found: list[Range]) -> int:
    """How many training jobs: of a grid, as many as there are combinations."""
    if config["Strategy"] == "Grid":
        return math.prod(len(each.values) for each in found)
    return int(config["ResourceLimits"]["MaxNumberOfTrainingJobs"])


def _check_objective(config: Request, definition: Request) -> None:
    objective = config.get("HyperParameterTuningJobObjective")
    if objective is None:
        raise validation("HyperParameterTuningJobObjective is required for a tuning job.")
    metrics = definition["AlgorithmSpecification"].get("MetricDefinitions", [])
    if objective["MetricName"] not in {each["Name"] for each in metrics}:
        # https://github.com/aws/amazon-sagemaker-examples/issues/1207
        raise validation(
            "A metric is required for this hyperparameter tuning job objective. "
            "Provide a metric in the metric definitions."
        )


def _check_limits(config: Request, found: list[Range]) -> None:
    limits, strategy = config["ResourceLimits"], config["Strategy"]
    if strategy == "Grid":
        if others := [each.name for each in found if each.kind != "Categorical"]:
            raise validation(
                f"Grid search takes categorical hyperparameters only: {', '.join(others)}."
            )
        count = budget(config, found)
        if limits.get("MaxNumberOfTrainingJobs", count) != count:
            raise validation(
                f"MaxNumberOfTrainingJobs must be {count}, the number of combinations, or absent "
                "for grid search."
            )
    elif "MaxNumberOfTrainingJobs" not in limits:
        raise validation(f"MaxNumberOfTrainingJobs is required for {strategy} search.")
    jobs, parallel = budget(config, found), limits["MaxParallelTrainingJobs"]
    if parallel > jobs:
        raise validation(
            f"MaxParallelTrainingJobs ({parallel}) must not be greater than "
            f"MaxNumberOfTrainingJobs ({jobs})."
        )
    for what, asked, most in (
        ("concurrent training jobs per tuning job", parallel, MOST_PARALLEL),
        ("training jobs per tuning job", jobs, MOST_JOBS),
    ):
        if asked > most:
            raise limit_exceeded(
                f"The account-level service limit 'Number of {what}' is {most}, with a request "
                f"of {asked}. Please use AWS Service Quotas to request an increase for this quota."
            )


def _parent(name: str) -> Record:
    found = store.get(KIND.store, name)
    if found is None:
        raise validation(f"The parent tuning job {name} does not exist.")
    if found[KIND.status] not in lifecycle.ENDED:
        raise validation(
            f"The parent tuning job {name} is in status {found[KIND.status]}: parents must be "
            "Completed, Stopped or Failed."
        )
    return found


def _check_parent(request: Request, found: list[Range], parent: Record) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-warm-start.html"""
    name = parent[KIND.name]
    config, before = (each["HyperParameterTuningJobConfig"] for each in (request, parent))
    objective = "HyperParameterTuningJobObjective"
    if config[objective] != before[objective]:
        raise validation(f"The objective metric differs from that of the parent {name}.")
    old = {each.name: each for each in ranges.read(before["ParameterRanges"])}
    definition, earlier = (each["TrainingJobDefinition"] for each in (request, parent))
    static, was = (each.get("StaticHyperParameters", {}) for each in (definition, earlier))
    if len(found) + len(static) != len(old) + len(was):
        raise validation(
            "The total number of static and tunable hyperparameters must be that of the parent "
            f"{name}: {len(old) + len(was)}, not {len(found) + len(static)}."
        )
    for each in found:
        if each.name in old and old[each.name].kind != each.kind:
            raise validation(f"The type of {each.name} differs from that in the parent {name}.")
    changes = 2 * sum(static[key] != was[key] for key in static.keys() & was.keys())
    changes += sum(len(old[key].values) or 1 for key in old.keys() & static.keys())
    if changes > MOST_CHANGES:
        raise validation(f"{changes} changes of static values since {name}: more than 10.")
    if request["WarmStartConfig"]["WarmStartType"] == "IdenticalDataAndAlgorithm":
        same = (
            definition.get("InputDataConfig") == earlier.get("InputDataConfig")
            and definition["AlgorithmSpecification"]["TrainingImage"]
            == earlier["AlgorithmSpecification"]["TrainingImage"]
        )
        if not same:
            raise validation(
                f"IdenticalDataAndAlgorithm needs the input data and the image of {name}."
            )
