"""The compiled state machines: as their Python says, whole, and right for the services called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest

ROOT = Path(__file__).parents[2]
MACHINES = ("retrain", "monitor", "batch", "rollout")
CALLED = {
    "glue:updateCrawler", "glue:startCrawler", "glue:getCrawler", "athena:startQueryExecution",
    "sagemaker:createProcessingJob", "sagemaker:createTrainingJob",
    "sagemaker:createHyperParameterTuningJob", "sagemaker:createModel",
    "sagemaker:createEndpointConfig", "sagemaker:createEndpoint", "sagemaker:updateEndpoint",
    "sagemaker:describeEndpoint", "sagemaker:deleteEndpoint", "sagemaker:createTransformJob",
    "lambda:invoke",
    "sagemaker:updateEndpointWeightsAndCapacities",
}  # fmt: skip


def load(name: str) -> dict[str, Any]:
    return json.loads((ROOT / "statemachines" / f"{name}.asl.json").read_text())


def scopes(definition: dict[str, Any], caught: bool = False) -> Iterator[tuple[dict, bool]]:
    """Each set of states that may go on to one another, and whether an outer Catch holds it."""
    yield definition, caught
    for state in definition["States"].values():
        for branch in state.get("Branches", []):
            yield from scopes(branch, caught or catches_all(state))
        if state["Type"] == "Map":
            yield from scopes(state["ItemProcessor"], caught or catches_all(state))


def catches_all(state: dict[str, Any]) -> bool:
    return any(catch["ErrorEquals"] == ["States.ALL"] for catch in state.get("Catch", []))


def targets(state: dict[str, Any]) -> set[str]:
    found = {state.get("Next"), state.get("Default")}
    found |= {item["Next"] for item in state.get("Choices", []) + state.get("Catch", [])}
    return found - {None}


def test_the_checked_in_machines_are_what_the_python_compiles_to():
    environment = os.environ | {"AWS_DEFAULT_REGION": "us-east-1"}
    command = [sys.executable, "-m", "statemachines", "--check"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\nRun: python -m statemachines"


@pytest.mark.parametrize("name", MACHINES)
def test_every_state_is_reached_and_every_next_exists(name: str):
    for scope, _ in scopes(load(name)):
        states = scope["States"]
        reached, waiting = set(), [scope["StartAt"]]
        while waiting:
            current = waiting.pop()
            assert current in states, f"{current} does not exist"
            if current not in reached:
                reached.add(current)
                waiting += targets(states[current])
        assert reached == set(states)


@pytest.mark.parametrize("name", MACHINES)
def test_every_state_goes_on_or_ends(name: str):
    for scope, _ in scopes(load(name)):
        for key, state in scope["States"].items():
            if state["Type"] in ("Succeed", "Fail"):
                assert not targets(state), key
            elif state["Type"] == "Choice":
                assert "Default" in state, f"{key}: no rule may match"
            else:
                assert ("Next" in state) != bool(state.get("End")), key


@pytest.mark.parametrize("name", MACHINES)
def test_every_task_retries_transient_errors_and_catches_the_rest(name: str):
    for scope, caught in scopes(load(name)):
        for key, state in scope["States"].items():
            if state["Type"] == "Parallel":
                assert catches_all(state) or caught, key
            if state["Type"] != "Task":
                continue
            assert state["Retry"], key
            assert catches_all(state) or caught, key
            for retrier in state["Retry"]:
                assert retrier["MaxDelaySeconds"] > retrier["IntervalSeconds"], key


@pytest.mark.parametrize("name", MACHINES)
def test_every_failure_is_recorded_before_the_machine_fails(name: str):
    for scope, _ in scopes(load(name)):
        for key, state in scope["States"].items():
            everything = [c for c in state.get("Catch", []) if c["ErrorEquals"] == ["States.ALL"]]
            for catch in everything:
                if key == "Offenders":  # the verdict stands without them
                    assert (catch["Next"], catch["ResultPath"]) == ("Quality", "$.judge.offenders")
                elif key != "RecordFailure":
                    assert (catch["Next"], catch["ResultPath"]) == ("RecordFailure", "$.error")
            if state["Type"] == "Fail":
                before = {k for k, s in scope["States"].items() if key in targets(s)}
                assert before in ({"RecordFailure"}, {"AnyFailed"})  # of the looks, each recorded


def calls() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for name in MACHINES:
        for scope, _ in scopes(load(name)):
            for key, state in scope["States"].items():
                if state.get("Resource", "").startswith("arn:aws:states:::"):
                    called = state["Resource"].removeprefix("arn:aws:states:::")
                    service, operation = called.removeprefix("aws-sdk:").split(":")
                    yield key, service, operation.split(".")[0], state


@pytest.mark.parametrize(
    ("key", "service", "operation", "state"), [pytest.param(*c, id=c[0]) for c in calls()]
)
def test_calls_name_operations_and_members_that_the_service_has(
    key: str, service: str, operation: str, state: dict[str, Any]
):
    assert f"{service}:{operation}" in CALLED
    model = botocore.session.get_session().get_service_model(service)
    shape = model.operation_model(operation[0].upper() + operation[1:]).input_shape
    assert not {"Parameters", "InputPath"} <= set(state), "a request is built in one place"
    if "Parameters" in state:
        given = {member.removesuffix(".$") for member in state["Parameters"]}
        assert given <= set(shape.members)
        assert set(shape.required_members) <= given


@pytest.mark.parametrize(
    ("key", "service", "operation", "state"), [pytest.param(*c, id=c[0]) for c in calls()]
)
def test_retried_errors_are_of_the_service_that_is_called(
    key: str, service: str, operation: str, state: dict[str, Any]
):
    prefix = {"glue": "Glue", "athena": "Athena", "sagemaker": "SageMaker", "lambda": "Lambda"}
    for retrier in state["Retry"]:
        errors = set(retrier["ErrorEquals"])
        if service == "lambda":  # what a function's own client raises
            errors -= {"ConnectTimeoutError", "EndpointConnectionError", "ReadTimeoutError"}
        assert all(error.startswith(f"{prefix[service]}.") for error in errors)


def payload(state: dict[str, Any]) -> dict[str, Any]:
    """What a state sends to a function."""
    parameters = state.get("Parameters", {})
    return parameters.get("Payload", parameters)


def test_lambda_steps_are_ones_that_the_functions_know():
    steps = {
        name: {
            given["step"]
            for scope, _ in scopes(load(name))
            for state in scope["States"].values()
            if "step" in (given := payload(state))
        }
        for name in MACHINES
    }
    retrain = {
        "begin", "convert", "plan_part", "schema", "reconcile", "judge", "quality", "plan",
        "plan_training", "keep_best", "gate", "register", "ask", "expire", "plan_deploy", "finish",
        "finish_data", "fail",
    }  # fmt: skip
    three = {"begin", "finish", "fail"}
    rollout = {"plan_rollout", "finish_rollout", "fail_rollout"}
    assert steps == {"retrain": retrain, "monitor": three, "batch": three, "rollout": rollout}
