"""The search for hyper-parameters: its request, where it starts, and what a run keeps of it."""

from __future__ import annotations

import dataclasses
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from pydantic import ValidationError

from chalicelib import settings
from chalicelib.environment import Environment
from chalicelib.model import caching, jobs, tuning
from chalicelib.searching import Tuning
from chalicelib.settings import Settings

RUN, OTHER = "20260301-120000-a1b2c3", "20260302-120000-d4e5f6"
MODEL = botocore.session.get_session().get_service_model("sagemaker")
C = {"name": "C", "type": "continuous", "min": 0.1, "max": 10, "scale": "Logarithmic"}
SIZE = {"name": "max_features", "type": "integer", "min": 1000, "max": 5000}
KIND = {"name": "model", "type": "categorical", "values": ["linear", "boosted", 3, True]}


@pytest.fixture
def environment() -> Environment:
    values = {field.name: field.name for field in dataclasses.fields(Environment)}
    values["retrain_machine_arn"] = "arn:aws:states:us-east-1:000000000000:stateMachine:retrain"
    values["job_role_arn"] = "arn:aws:iam::000000000000:role/jobs"
    return Environment(**values)


def configured(**chosen: Any) -> Settings:
    """The project's settings with a search of six over C, unless said otherwise."""
    asked = Tuning.model_validate({"max_jobs": 6, "ranges": [C], **chosen})
    return settings.load().model_copy(update={"tuning": asked})


def request(environment: Environment, chosen: Settings, *parents: str) -> dict[str, Any]:
    made = tuning.request(RUN, environment, chosen, parents)
    shape = MODEL.operation_model("CreateHyperParameterTuningJob").input_shape
    report = ParamValidator().validate(made, shape)
    assert not report.has_errors(), report.generate_report()
    assert len(made["HyperParameterTuningJobName"]) <= 32
    return made


@pytest.mark.parametrize(
    ("chosen", "limits"),
    [
        ({}, {"MaxParallelTrainingJobs": 2, "MaxNumberOfTrainingJobs": 6}),
        (
            {"strategy": "Random", "max_parallel": 5},
            {"MaxParallelTrainingJobs": 5, "MaxNumberOfTrainingJobs": 6},
        ),
        (
            {"strategy": "Grid", "max_jobs": 4, "ranges": [KIND]},
            {"MaxParallelTrainingJobs": 2},
        ),
    ],
    ids=["Bayesian", "Random", "Grid"],
)
def test_how_much_is_tried(
    environment: Environment, chosen: dict[str, Any], limits: dict[str, int]
) -> None:
    config = request(environment, configured(**chosen))["HyperParameterTuningJobConfig"]
    assert config["ResourceLimits"] == limits
    assert config["Strategy"] == chosen.get("strategy", "Bayesian")
    assert config["RandomSeed"] == 42


def test_ranges_are_as_sagemaker_takes_them(environment: Environment) -> None:
    config = request(environment, configured(ranges=[C, SIZE, KIND]))
    assert config["HyperParameterTuningJobConfig"]["ParameterRanges"] == {
        "ContinuousParameterRanges": [
            {"Name": "C", "MinValue": "0.1", "MaxValue": "10.0", "ScalingType": "Logarithmic"}
        ],
        "IntegerParameterRanges": [
            {"Name": "max_features", "MinValue": "1000", "MaxValue": "5000", "ScalingType": "Auto"}
        ],
        "CategoricalParameterRanges": [
            {"Name": "model", "Values": ["linear", "boosted", "3", "true"]}
        ],
    }


def test_what_is_searched_is_not_static_and_the_rest_is_as_in_training(
    environment: Environment,
) -> None:
    chosen = configured()
    definition = request(environment, chosen)["TrainingJobDefinition"]
    train = jobs.train(RUN, environment, chosen)
    static = {k: v for k, v in train["HyperParameters"].items() if k != "C"}
    assert definition["StaticHyperParameters"] == static
    for member in ("InputDataConfig", "ResourceConfig", "StoppingCondition", "OutputDataConfig"):
        assert definition[member] == train[member]


@pytest.mark.parametrize(
    ("problem", "objective"),
    [
        ("multiclass", {"MetricName": "validation:accuracy", "Type": "Maximize"}),
        ("regression", {"MetricName": "validation:rmse", "Type": "Minimize"}),
    ],
)
def test_the_objective_is_a_metric_that_training_prints(
    environment: Environment, problem: str, objective: dict[str, str]
) -> None:
    chosen = configured()
    model = chosen.model.model_copy(update={"problem": problem})
    made = request(environment, chosen.model_copy(update={"model": model}))
    assert made["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"] == objective
    defined = made["TrainingJobDefinition"]["AlgorithmSpecification"]["MetricDefinitions"]
    assert objective["MetricName"] in {each["Name"] for each in defined}


@pytest.mark.parametrize(("early", "told"), [(True, "Auto"), (False, "Off")])
def test_early_stopping(environment: Environment, early: bool, told: str) -> None:
    config = request(environment, configured(early_stopping=early))
    assert config["HyperParameterTuningJobConfig"]["TrainingJobEarlyStoppingType"] == told


def searched(run: str, **more: Any) -> dict[str, Any]:
    found = {
        "job": f"{run}-tune",
        "objective": "validation:accuracy",
        "searched": {"C": "continuous"},
    }
    return {"run_id": run, "tuning": found | more}


@pytest.mark.parametrize(
    ("runs", "chosen", "found"),
    [
        ([searched("r1")], {"warm_start": "none"}, []),
        ([], {}, []),
        ([{"run_id": "r1"}], {}, []),
        ([searched("r2"), searched("r1")], {}, ["r2-tune"]),
        ([searched("r2"), searched("r1")], {"parents": 5}, ["r2-tune", "r1-tune"]),
        ([searched("r2", job="r1-tune"), searched("r1")], {"parents": 5}, ["r1-tune"]),
        ([searched("r2", objective="validation:rmse"), searched("r1")], {}, ["r1-tune"]),
        ([searched("r1", searched={"C": "integer"})], {}, []),
        ([searched("r1", searched={"C": "continuous", "seed": "integer"})], {}, []),
    ],
    ids=["not asked for", "no run", "no search", "the newest", "all", "reused once",
         "another objective", "another type", "more searched"],
)  # fmt: skip
def test_the_searches_that_a_new_one_may_start_from(
    runs: list[dict[str, Any]], chosen: dict[str, Any], found: list[str]
) -> None:
    asked = configured(**{"warm_start": "TransferLearning", **chosen})
    assert tuning.parents(runs, asked) == found


def test_a_warm_start_names_its_parents_and_does_not_make_it_another_job(
    environment: Environment,
) -> None:
    chosen = configured(warm_start="TransferLearning")
    warm, cold = request(environment, chosen, "r1-tune"), request(environment, chosen)
    assert warm["WarmStartConfig"] == {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "r1-tune"}],
        "WarmStartType": "TransferLearning",
    }
    assert caching.key(warm, {}, [RUN]) == caching.key(cold, {}, [RUN])


def test_spot_does_not_make_it_another_job_and_ranges_do(environment: Environment) -> None:
    plain = configured()
    training = plain.training.model_copy(update={"spot": True})
    spot = plain.model_copy(update={"training": training})
    wider = configured(ranges=[{**C, "max": 20}])
    keys = [caching.key(request(environment, each), {}, [RUN]) for each in (plain, spot, wider)]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("script", "model", "kept"),
    [("train.py", "transformer", True), ("train.py", "linear", False),
     ("mine.py", "transformer", False)],
)  # fmt: skip
def test_only_trials_that_keep_their_checkpoints_apart_share_a_folder_of_them(
    environment: Environment, script: str, model: str, kept: bool
) -> None:
    chosen = configured()
    training = chosen.training.model_copy(
        update={"entry_point": script, "hyperparameters": {"model": model}, "spot": True,
                "instance_type": "ml.g5.xlarge"}
    )  # fmt: skip
    made = request(environment, chosen.model_copy(update={"training": training}))
    definition = made["TrainingJobDefinition"]
    assert definition["EnableManagedSpotTraining"]
    shared = definition.get("CheckpointConfig", {}).get("S3Uri", "")
    assert shared.endswith(f"/runs/{RUN}/checkpoints") is kept


def trial(number: int, status: str = "Completed", **more: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": f"r-tune-{number}",
        "TrainingJobStatus": status,
        "TunedHyperParameters": {"C": str(number)},
        **more,
    }


def test_a_run_keeps_every_trial_with_its_parameters_and_objective() -> None:
    value = {"Type": "Maximize", "MetricName": "validation:accuracy", "Value": 0.5}
    good = trial(1, FinalHyperParameterTuningJobObjectiveMetric=value)
    described = {"HyperParameterTuningJobName": "r-tune", "BestTrainingJob": good}
    found = tuning.facts(described, [good, trial(2, "Failed")], configured())
    best = {"job": "r-tune-1", "status": "Completed", "parameters": {"C": "1"}, "objective": 0.5}
    failed = {"job": "r-tune-2", "status": "Failed", "parameters": {"C": "2"}, "objective": None}
    assert found == {
        "job": "r-tune",
        "strategy": "Bayesian",
        "objective": "validation:accuracy",
        "searched": {"C": "continuous"},
        "best": best,
        "trials": [best, failed],
    }


def test_a_search_without_a_best_is_an_error() -> None:
    with pytest.raises(tuning.TuningError, match="no training job of r-tune completed"):
        tuning.facts({"HyperParameterTuningJobName": "r-tune"}, [], configured())


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"ranges": []}, "ranges must say what is searched"),
        ({"ranges": [C, C]}, "ranges has C twice"),
        ({"max_parallel": 7}, "max_parallel is greater than max_jobs"),
        ({"strategy": "Grid"}, "a grid takes categorical ranges only, not C"),
        ({"strategy": "Grid", "ranges": [KIND]}, "max_jobs of this grid is 4"),
        ({"strategy": "Hyperband"}, "strategy: Input should be"),
        ({"parents": 6}, "parents: Input should be"),
        ({"ranges": [{**C, "min": 11}]}, "ranges[0]: min is greater than max"),
        ({"ranges": [{**C, "min": 0}]}, "a logarithmic scale needs values greater than 0"),
        ({"ranges": [{**C, "scale": "ReverseLogarithmic"}]}, "0 <= x < 1"),
        ({"ranges": [{**SIZE, "min": 0.5}]}, "whole numbers"),
        ({"ranges": [{**C, "values": [1]}]}, "has min and max, and no values"),
        ({"ranges": [{**KIND, "values": []}]}, "a categorical range has values"),
        ({"ranges": [{**KIND, "colour": 1}]}, "ranges[0].colour: there is no such key"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_mistakes_in_the_settings(chosen: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        configured(**chosen)
    told = [settings._words(dict(problem)) for problem in refused.value.errors()]
    assert any(words in each for each in told), told


def test_what_is_off_is_not_judged() -> None:
    assert configured(max_jobs=0, ranges=[]).tuning.max_jobs == 0
