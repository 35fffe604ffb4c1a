"""Step Functions as on AWS: errors by name, histories inside Parallel, aborts, time limits."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

pytestmark = pytest.mark.cloud

HANDLER = """
class QualityFailed(Exception):
    pass

def handler(event, context):
    if event.get("fail"):
        raise QualityFailed(event["fail"])
    return {"seen": event}
"""


@pytest.fixture(scope="module")
def function(make_function) -> str:
    return make_function(HANDLER)


@pytest.fixture
def run(cloud, role, eventually):
    """Start a machine of these states and, unless told otherwise, wait for its end."""
    states = cloud.client("stepfunctions")

    def start(definition: dict[str, Any], given: Any = None, wait: bool = True) -> dict[str, Any]:
        name = f"m-{uuid.uuid4().hex[:8]}"
        machine = states.create_state_machine(
            name=name, definition=json.dumps(definition), roleArn=role
        )["stateMachineArn"]
        arn = states.start_execution(stateMachineArn=machine, input=json.dumps(given or {}))
        described = states.describe_execution(executionArn=arn["executionArn"])
        return end(arn["executionArn"]) if wait else described

    def end(arn: str) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            found = states.describe_execution(executionArn=arn)
            return found if found["status"] != "RUNNING" else None

        return eventually(ended)

    start.end = end
    return start


def history(cloud, arn: str) -> list[dict[str, Any]]:
    pages = cloud.client("stepfunctions").get_paginator("get_execution_history")
    return [e for page in pages.paginate(executionArn=arn) for e in page["events"]]


def task(resource: str, **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, "End": True, **more}


def machine(**states: Any) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


def test_a_lambda_exception_is_caught_by_its_class_name(run, function):
    """https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html"""
    catch = [{"ErrorEquals": ["QualityFailed"], "ResultPath": "$.error", "Next": "Caught"}]
    ended = run(
        machine(Work=task(function, Catch=catch), Caught={"Type": "Pass", "End": True}),
        {"fail": "5 rows: too few"},
    )
    assert ended["status"] == "SUCCEEDED"
    error = json.loads(ended["output"])["error"]
    assert error["Error"] == "QualityFailed"
    cause = json.loads(error["Cause"])
    assert (cause["errorType"], cause["errorMessage"]) == ("QualityFailed", "5 rows: too few")
    assert 'raise QualityFailed(event["fail"])' in "".join(cause["stackTrace"])


def test_a_module_that_does_not_import_is_named(cloud, make_function):
    """https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html"""
    broken = make_function("import not_shipped")
    answer = cloud.client("lambda").invoke(FunctionName=broken, Payload=b"{}")
    body = json.loads(answer["Payload"].read())
    assert answer["FunctionError"] == "Unhandled"
    assert body["errorType"] == "Runtime.ImportModuleError"
    assert body["errorMessage"] == "Unable to import module 'app': No module named 'not_shipped'"


def test_states_inside_parallel_have_their_events(cloud, run, function):
    """https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html"""
    branches = [machine(Left=task(function)), machine(Right={"Type": "Pass", "End": True})]
    ended = run(machine(Both={"Type": "Parallel", "Branches": branches, "End": True}))
    assert ended["status"] == "SUCCEEDED"
    events = history(cloud, ended["executionArn"])
    kinds = [event["type"] for event in events]
    assert kinds[:2] == ["ExecutionStarted", "ParallelStateEntered"]
    assert kinds[2] == "ParallelStateStarted"
    assert kinds[-3:] == ["ParallelStateSucceeded", "ParallelStateExited", "ExecutionSucceeded"]
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    by_id = {event["id"]: event for event in events}
    entered = {
        event["stateEnteredEventDetails"]["name"]: event
        for event in events
        if "stateEnteredEventDetails" in event
    }
    assert set(entered) == {"Both", "Left", "Right"}
    for name in ("Left", "Right"):
        assert by_id[entered[name]["previousEventId"]]["type"] == "ParallelStateStarted"
    left = [e["type"] for e in events if e["type"].startswith("Lambda")]
    assert left == ["LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionSucceeded"]


def test_a_failing_branch_ends_the_state_at_once(cloud, run, function):
    """https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html"""
    slow = machine(Slow={"Type": "Wait", "Seconds": 30, "End": True})
    catch = [{"ErrorEquals": ["QualityFailed"], "Next": "Caught"}]
    both = {"Type": "Parallel", "Branches": [slow, machine(Bad=task(function))], "Catch": catch}
    ended = run(
        machine(Both=both | {"End": True}, Caught={"Type": "Pass", "End": True}), {"fail": "no"}
    )
    assert ended["status"] == "SUCCEEDED"
    assert (ended["stopDate"] - ended["startDate"]).total_seconds() < 10
    kinds = [event["type"] for event in history(cloud, ended["executionArn"])]
    assert "ParallelStateFailed" in kinds


def test_a_machine_times_out(run):
    """https://docs.aws.amazon.com/step-functions/latest/dg/statemachine-structure.html"""
    waiting = machine(Wait={"Type": "Wait", "Seconds": 4, "End": True}) | {"TimeoutSeconds": 1}
    ended = run(waiting)
    assert ended["status"] == "TIMED_OUT"


def test_an_aborted_execution_stays_aborted(cloud, run, function):
    """https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html"""
    states = {"Wait": {"Type": "Wait", "Seconds": 1, "Next": "Work"}, "Work": task(function)}
    started = run(machine(**states), {"fail": "never seen"}, wait=False)
    arn = started["executionArn"]
    cloud.client("stepfunctions").stop_execution(executionArn=arn, error="E", cause="because")
    assert run.end(arn)["status"] == "ABORTED"
    kinds = [event["type"] for event in history(cloud, arn)]
    assert kinds[-1] == "ExecutionAborted"


@pytest.mark.parametrize(
    ("resource", "error", "words"),
    [
        ("arn:aws:states:::sagemaker:createThing", "States.Runtime", "createThing"),
        ("arn:aws:states:::aws-sdk:sagemaker:makeTea", "States.Runtime", "MakeTea"),
        ("arn:aws:states:::sagemaker:createModel.sync", "States.Runtime", "does not support .sync"),
    ],
)
def test_what_is_not_served_says_so(run, resource, error, words):
    ended = run(machine(Work=task(resource)))
    assert (ended["status"], ended["error"]) == ("FAILED", error)
    assert words in ended["cause"]
