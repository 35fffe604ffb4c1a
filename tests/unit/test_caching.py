"""When a job is the same as an earlier run's, and which run's."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import pytest

from chalicelib import settings
from chalicelib.environment import Environment
from chalicelib.ingest import dataset
from chalicelib.model import caching, jobs
from chalicelib.monitoring import requests

ONE, TWO = "20260301-120000-a1b2c3", "20260302-120000-d4e5f6"
CHAMPION, OTHER = "20260101-120000-aaaaaa", "20260102-120000-bbbbbb"
INPUTS = {"dataset": "d1"}


@pytest.fixture
def environment() -> Environment:
    values = {field.name: field.name for field in dataclasses.fields(Environment)}
    values["retrain_machine_arn"] = "arn:aws:states:us-east-1:000000000000:stateMachine:retrain"
    return Environment(**values)


def request(job: str, run_id: str, environment: Environment, champion: str = CHAMPION) -> Any:
    loaded = settings.load()
    if job == "prepare":
        return jobs.prepare(run_id, environment, loaded, live=True)
    if job == "evaluate":
        return jobs.evaluate(run_id, environment, loaded, champion_run=champion)
    make = {
        "train": jobs.train,
        "baseline": requests.data_baseline,
        "model_baselines": requests.model_baselines,
    }
    return make[job](run_id, environment, loaded)


@pytest.mark.parametrize("job", ["prepare", "train", "evaluate", "baseline", "model_baselines"])
def test_the_same_job_of_two_runs_has_one_key(environment: Environment, job: str) -> None:
    one = caching.key(request(job, ONE, environment), INPUTS, [ONE, CHAMPION])
    two = caching.key(request(job, TWO, environment, OTHER), INPUTS, [TWO, OTHER])
    assert one == two
    assert one


def changed(request: Any, path: tuple[str | int, ...], value: Any) -> Any:
    made = copy.deepcopy(request)
    *before, last = path
    inner = made
    for part in before:
        inner = inner[part]
    inner[last] = value
    return made


@pytest.mark.parametrize(
    ("path", "value", "same"),
    [
        (("HyperParameters", "C"), "0.6", False),
        (("HyperParameters", "sagemaker_submit_directory"), "s3://code/2/training.tar.gz", False),
        (("AlgorithmSpecification", "TrainingImage"), "another", False),
        (("ResourceConfig", "InstanceType"), "ml.m5.2xlarge", False),
        (("InputDataConfig", 0, "ChannelName"), "more", False),
        (("StoppingCondition",), {"MaxRuntimeInSeconds": 5}, True),
        (("EnableManagedSpotTraining",), True, True),
        (("RoleArn",), "another", True),
        (("Tags",), [], True),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else None,
)
def test_what_changes_a_key(
    environment: Environment, path: tuple[str | int, ...], value: Any, same: bool
) -> None:
    given = request("train", ONE, environment)
    again = changed(given, path, value)
    assert (caching.key(given, INPUTS, [ONE]) == caching.key(again, INPUTS, [ONE])) is same


@pytest.mark.parametrize(
    ("inputs", "same"),
    [
        ({"dataset": "d1"}, True),
        ({"dataset": "d2"}, False),
        ({"dataset": "d1", "labels": "l1"}, False),
        ({"splits": "d1"}, False),
    ],
)
def test_other_inputs_are_another_key(inputs: dict[str, str | None], same: bool) -> None:
    assert (caching.key({}, INPUTS, []) == caching.key({}, inputs, [])) is same


def test_the_order_of_inputs_does_not_matter() -> None:
    assert caching.key({}, {"a": "1", "b": "2"}, []) == caching.key({}, {"b": "2", "a": "1"}, [])


def test_an_unknown_input_has_no_key() -> None:
    assert caching.key({}, {"dataset": "d1", "splits": None}, []) is None


def run(run_id: str, **train: str) -> dict[str, Any]:
    return {"run_id": run_id, "jobs": {"train": train}}


@pytest.mark.parametrize(
    ("runs", "found"),
    [
        ([], []),
        ([{"run_id": "r1"}], []),
        ([{"run_id": "r1", "jobs": {"prepare": {"key": "k"}}}], []),
        ([run("r1", key="other")], []),
        ([run("r1", key="k")], ["r1"]),
        ([run("r2", key="k"), run("r1", key="k")], ["r2", "r1"]),
        ([run("r3", key="k", reused="r1"), run("r2", key="k"), run("r1", key="k")], ["r1", "r2"]),
        ([run("r9", key="k", reused="r0")], ["r0"]),
    ],
    ids=["none", "old record", "other job", "other key", "one", "two", "reused", "beyond the list"],
)
def test_the_runs_that_did_a_job(runs: list[dict[str, Any]], found: list[str]) -> None:
    assert caching.origins("train", "k", runs) == found


def test_a_job_without_a_key_was_done_by_nobody() -> None:
    assert caching.origins("train", None, [{"run_id": "r1", "jobs": {"train": {}}}]) == []


A, B = {"arrival_id": "1", "sha256": "aa"}, {"arrival_id": "2", "sha256": "bb"}
FIRST = {"version": "r1", "digest": "dd"}


@pytest.mark.parametrize(
    ("before", "conversion", "new", "same"),
    [
        (FIRST, "INSERT", [B, A], True),
        (FIRST, "INSERT", [A], False),
        (FIRST, "INSERT other", [A, B], False),
        (None, "INSERT", [A, B], False),
        ({"version": "dd"}, "INSERT", [A, B], True),
    ],
    ids=["order", "fewer files", "another cast", "no version before", "a version without digest"],
)
def test_equal_rows_are_one_version(before: Any, conversion: str, new: Any, same: bool) -> None:
    digest = dataset.digest(FIRST, "INSERT", [A, B])
    assert (dataset.digest(before, conversion, new) == digest) is same


def test_a_version_without_new_files_is_the_one_before() -> None:
    assert dataset.digest(FIRST, "", []) == "dd"
