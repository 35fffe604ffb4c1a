"""Step Functions as on AWS: errors by name, histories inside Parallel, aborts, time limits."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

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


def test_an_execution_begins_without_a_pause(cloud, run):
    """On a busy machine some begin late, so one of many is enough."""

    def pause() -> float:
        ended = run(machine(Only={"Type": "Pass", "End": True}))
        started, entered, *_ = history(cloud, ended["executionArn"])
        return (entered["timestamp"] - started["timestamp"]).total_seconds()

    assert any(pause() < 0.1 for _ in range(20))


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


# The largest payload: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html

LARGEST = 256 * 1024
TOO_LARGE = "returned a result with a size exceeding the maximum number of bytes service limit."
CATCH_ALL = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Caught"}]
RETRY_ALL = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 60}]
CAUGHT = {"Type": "Pass", "End": True}


@pytest.mark.parametrize(
    ("letters", "status"),
    [
        ("x" * (LARGEST - len('{"a":""}')), "SUCCEEDED"),
        ("x" * (LARGEST - len('{"a":""}') + 1), "FAILED"),
        ("\N{BULLET}" * (LARGEST // 3), "FAILED"),
    ],
    ids=["the largest", "a byte more", "bytes and not letters"],
)
def test_a_states_output_has_a_largest_size(run, letters, status):
    grow = {"Type": "Pass", "Result": letters, "ResultPath": "$.a", "End": True}
    ended = run(machine(Grow=grow))
    assert ended["status"] == status
    if status == "FAILED":
        assert ended["error"] == "States.DataLimitExceeded"
        assert ended["cause"] == f"The state/task 'Grow' {TOO_LARGE}"


def test_no_catch_of_all_errors_takes_an_answer_that_is_too_large(run, make_function):
    large = make_function(f"def handler(event, context):\n    return 'x' * {LARGEST}")
    ended = run(machine(Work=task(large, Catch=CATCH_ALL, Retry=RETRY_ALL), Caught=CAUGHT))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded")
    assert ended["cause"] == f"The state/task '{large}' {TOO_LARGE}"


def test_results_that_are_too_large_together_end_the_execution(run, make_function):
    half = make_function(f"def handler(event, context):\n    return 'x' * {LARGEST // 2}")
    branches = [machine(Left=task(half)), machine(Right=task(half))]
    both = {"Type": "Parallel", "Branches": branches, "Catch": CATCH_ALL, "End": True}
    ended = run(machine(Both=both, Caught=CAUGHT))
    assert ended["cause"] == f"The state/task 'Both' {TOO_LARGE}"


def test_a_task_is_given_no_more_than_the_largest_payload(run, function):
    twice = {"one.$": "$.a", "two.$": "$.a"}
    ended = run(machine(Work=task(function, Parameters=twice)), {"a": "x" * (LARGEST // 2)})
    assert ended["cause"] == f"The state/task 'Work' {TOO_LARGE}"


def test_no_catch_of_all_errors_takes_a_runtime_error(run):
    nowhere = {"Type": "Task", "Resource": "arn:aws:states:::sagemaker:createThing"}
    ended = run(machine(Work=nowhere | {"Catch": CATCH_ALL, "Next": "Caught"}, Caught=CAUGHT))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")


def test_an_execution_begins_with_no_more_than_the_largest_payload(cloud, run):
    with pytest.raises(ClientError, match="'input' failed to satisfy constraint"):
        run(machine(Only=CAUGHT), "x" * LARGEST)


# Tasks that wait for their token:
# https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-wait-token


@pytest.fixture
def waiting(function):
    """A task that hands its token to the function and waits; and where a failure goes."""

    def task_of(**more: Any) -> dict[str, Any]:
        payload = {"token.$": "$$.Task.Token", "fail.$": "$.fail"}
        catch = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Caught"}]
        wait = task(
            "arn:aws:states:::lambda:invoke.waitForTaskToken",
            Parameters={"FunctionName": function, "Payload": payload}, Catch=catch, **more,
        )  # fmt: skip
        return machine(Wait=wait, Caught={"Type": "Pass", "End": True})

    return task_of


@pytest.fixture
def token(cloud, eventually):
    """The token that an execution handed out."""

    def of(arn: str) -> str:
        def submitted() -> dict[str, Any] | None:
            found = (e.get("taskSubmittedEventDetails") for e in history(cloud, arn))
            return next((details for details in found if details), None)

        answer = json.loads(eventually(submitted)["output"])
        return answer["Payload"]["seen"]["token"]

    return of


def test_a_task_waits_for_its_token_once(cloud, run, waiting, token):
    states = cloud.client("stepfunctions")
    arn = run(waiting(), {"fail": ""}, wait=False)["executionArn"]
    sent = {"taskToken": token(arn), "output": json.dumps({"approved": True})}
    states.send_task_success(**sent)
    ended = run.end(arn)
    assert (ended["status"], json.loads(ended["output"])) == ("SUCCEEDED", {"approved": True})
    with pytest.raises(states.exceptions.ClientError):
        states.send_task_success(**sent)


def test_a_token_that_cannot_be_handed_out_fails_the_task(run, waiting):
    ended = run(waiting(), {"fail": "nobody to ask"})
    assert json.loads(ended["output"])["error"]["Error"] == "QualityFailed"


@pytest.mark.parametrize("limit", [{"TimeoutSeconds": 1}, {"TimeoutSecondsPath": "$.limit"}])
def test_nobody_waits_longer_than_the_time_limit(run, waiting, limit):
    ended = run(waiting(**limit), {"fail": "", "limit": 1})
    assert json.loads(ended["output"])["error"]["Error"] == "States.Timeout"


def test_an_execution_that_waits_for_a_token_can_be_stopped(cloud, run, waiting, token, eventually):
    states = cloud.client("stepfunctions")
    arn = run(waiting(), {"fail": ""}, wait=False)["executionArn"]
    late = {"taskToken": token(arn), "output": "{}"}
    states.stop_execution(executionArn=arn)
    assert run.end(arn)["status"] == "ABORTED"

    def refused() -> bool:
        try:
            states.send_task_success(**late)
        except states.exceptions.ClientError:
            return True
        return False

    eventually(refused)


# Jobs that a task waits for: https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html

SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


def athena_task(bucket: str, sql: str) -> tuple[str, dict[str, Any]]:
    where = {"OutputLocation": f"s3://{bucket}/results/"}
    return "athena:startQueryExecution", {"QueryString": sql, "ResultConfiguration": where}


def sagemaker_task(role: str, code: str) -> tuple[str, dict[str, Any]]:
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    return "sagemaker:createProcessingJob", {
        "ProcessingJobName": f"job-{uuid.uuid4().hex[:8]}",
        "AppSpecification": {"ImageUri": SKLEARN, "ContainerEntrypoint": ["python3", "-c", code]},
        "ProcessingResources": {"ClusterConfig": cluster},
        "RoleArn": role,
    }


def glue_task(cloud, role: str, bucket: str, code: str) -> tuple[str, dict[str, Any]]:
    name = f"job-{uuid.uuid4().hex[:8]}"
    cloud.client("s3").put_object(Bucket=bucket, Key=f"{name}.py", Body=code.encode())
    command = {"Name": "pythonshell", "ScriptLocation": f"s3://{bucket}/{name}.py"}
    cloud.client("glue").create_job(Name=name, Role=role, Command=command)
    return "glue:startJobRun", {"JobName": name}


@pytest.fixture
def job(cloud, role, bucket):
    """The resource and the parameters of a task whose job succeeds, or fails."""

    def of(service: str, good: bool) -> tuple[str, dict[str, Any]]:
        code = "print('fine')" if good else "raise SystemExit('no data')"
        if service == "athena":
            return athena_task(bucket, "SELECT 1" if good else "SELECT 1/0")
        if service == "glue":
            return glue_task(cloud, role, bucket, code)
        return sagemaker_task(role, code)

    return of


ENDS = {
    "athena": lambda told: told["QueryExecution"]["Status"]["State"],
    "glue": lambda told: told["JobRunState"],
    "sagemaker": lambda told: told["ProcessingJobStatus"],
}


@pytest.mark.parametrize(("service", "state"), [
    ("athena", "SUCCEEDED"), ("glue", "SUCCEEDED"), ("sagemaker", "Completed"),
])  # fmt: skip
def test_a_task_waits_for_its_job_and_gives_what_it_became(cloud, run, job, service, state):
    resource, parameters = job(service, True)
    work = task(f"arn:aws:states:::{resource}.sync", Parameters=parameters)
    ended = run(machine(Work=work))
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    assert ENDS[service](json.loads(ended["output"])) == state
    kinds = [event["type"] for event in history(cloud, ended["executionArn"])]
    assert [k for k in kinds if k.startswith("Task") and "State" not in k] == [
        "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded",
    ]  # fmt: skip


@pytest.mark.parametrize(("service", "state", "words"), [
    ("athena", "FAILED", "DIVISION_BY_ZERO"),
    ("glue", "FAILED", "no data"),
    ("sagemaker", "Failed", "no data"),
])  # fmt: skip
def test_a_job_that_fails_fails_its_task_with_the_cause(run, job, service, state, words):
    """https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html"""
    resource, parameters = job(service, False)
    catch = [{"ErrorEquals": ["States.TaskFailed"], "ResultPath": "$.error", "Next": "Told"}]
    work = task(f"arn:aws:states:::{resource}.sync", Parameters=parameters, Catch=catch)
    ended = run(machine(Work=work, Told={"Type": "Pass", "End": True}))
    error = json.loads(ended["output"])["error"]
    assert error["Error"] == "States.TaskFailed"
    assert ENDS[service](json.loads(error["Cause"])) == state
    assert words in error["Cause"]


def test_without_sync_a_task_gives_the_answer_of_the_call(run, job):
    resource, parameters = job("athena", False)
    ended = run(machine(Work=task(f"arn:aws:states:::{resource}", Parameters=parameters)))
    assert ended["status"] == "SUCCEEDED"
    assert list(json.loads(ended["output"])) == ["QueryExecutionId"]


def test_a_refused_call_has_the_services_own_error(run, bucket):
    resource, parameters = athena_task(bucket, "SELEC 1")
    ended = run(machine(Work=task(f"arn:aws:states:::{resource}.sync", Parameters=parameters)))
    assert (ended["status"], ended["error"]) == ("FAILED", "Athena.InvalidRequestException")
    assert "mismatched input 'SELEC'" in ended["cause"]


def test_the_job_of_an_aborted_execution_is_stopped(cloud, run, bucket, eventually):
    many = "UNNEST(sequence(1, 100000))"
    sql = f"SELECT sum(sqrt(x * y)) FROM {many} AS a(x) CROSS JOIN {many} AS b(y)"
    resource, parameters = athena_task(bucket, sql)
    work = task(f"arn:aws:states:::{resource}.sync", Parameters=parameters)
    arn = run(machine(Work=work), wait=False)["executionArn"]

    def submitted() -> dict[str, Any] | None:
        events = history(cloud, arn)
        return next((e for e in events if e["type"] == "TaskSubmitted"), None)

    output = json.loads(eventually(submitted, 60)["taskSubmittedEventDetails"]["output"])
    cloud.client("stepfunctions").stop_execution(executionArn=arn)

    def state() -> str:
        found = cloud.client("athena").get_query_execution(**output)
        return found["QueryExecution"]["Status"]["State"]

    eventually(lambda: state() == "CANCELLED", 60)


# Redriving: https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html

ONCE_BROKEN = """
import boto3

def handler(event, context):
    s3 = boto3.client("s3")
    body = s3.get_object(Bucket=event["bucket"], Key="state")["Body"].read()
    if body == b"broken":
        raise RuntimeError("still broken")
    return {"read": body.decode(), "given": event.get("before")}
"""


@pytest.fixture
def mend(cloud, bucket):
    """A bucket that says "broken" until it is mended."""
    cloud.client("s3").put_object(Bucket=bucket, Key="state", Body=b"broken")
    return lambda: cloud.client("s3").put_object(Bucket=bucket, Key="state", Body=b"mended")


@pytest.fixture(scope="module")
def fragile(make_function) -> str:
    return make_function(ONCE_BROKEN)


def test_a_failed_execution_goes_on_from_the_state_that_failed(
    cloud, run, mend, fragile, bucket, listen
):
    states = cloud.client("stepfunctions")
    heard = listen({"source": ["aws.states"], "detail": {"status": ["FAILED", "SUCCEEDED"]}})
    before = {"Type": "Pass", "Result": {"n": 1}, "ResultPath": "$.before", "Next": "Work"}
    first = run(machine(Before=before, Work=task(fragile)), {"bucket": bucket})
    arn = first["executionArn"]
    assert (first["status"], first["redriveCount"]) == ("FAILED", 0)
    assert first["redriveStatus"] == "REDRIVABLE"
    mend()
    redriven = states.redrive_execution(executionArn=arn)
    ended = run.end(arn)
    assert ended["executionArn"] == arn
    assert (ended["status"], ended["redriveCount"]) == ("SUCCEEDED", 1)
    assert ended["redriveDate"] == redriven["redriveDate"]
    assert ended["startDate"] == first["startDate"]
    assert "error" not in ended
    assert json.loads(ended["output"]) == {"read": "mended", "given": {"n": 1}}
    events = history(cloud, arn)
    kinds = [event["type"] for event in events]
    assert kinds == [
        "ExecutionStarted", "PassStateEntered", "PassStateExited", "TaskStateEntered",
        "LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionFailed",
        "ExecutionFailed", "ExecutionRedriven", "LambdaFunctionScheduled",
        "LambdaFunctionStarted", "LambdaFunctionSucceeded", "TaskStateExited",
        "ExecutionSucceeded",
    ]  # fmt: skip
    assert events[8]["executionRedrivenEventDetails"] == {"redriveCount": 1}
    assert [event["previousEventId"] for event in events[8:]] == [8, 9, 10, 11, 12, 13]
    failed, succeeded = (event["detail"] for event in heard(2))
    assert (failed["redriveStatus"], failed["redriveCount"]) == ("REDRIVABLE", 0)
    assert (succeeded["status"], succeeded["redriveCount"]) == ("SUCCEEDED", 1)


def test_branches_that_ended_are_not_run_again(cloud, run, mend, fragile, function, bucket):
    good, bad = machine(Good=task(function)), machine(First=task(function, ResultPath=None))
    bad["States"]["First"] |= {"Next": "Bad"}
    del bad["States"]["First"]["End"]
    bad["States"]["Bad"] = task(fragile)
    wait = machine(Pause={"Type": "Wait", "Seconds": 1, "Next": "Both"})
    wait["States"]["Both"] = {"Type": "Parallel", "Branches": [good, bad], "End": True}
    ended = run(wait, {"bucket": bucket})
    assert ended["status"] == "FAILED"
    mend()
    cloud.client("stepfunctions").redrive_execution(executionArn=ended["executionArn"])
    ended = run.end(ended["executionArn"])
    left, right = json.loads(ended["output"])
    assert (left, right) == ({"seen": {"bucket": bucket}}, {"read": "mended", "given": None})
    entered = [
        event["stateEnteredEventDetails"]["name"]
        for event in history(cloud, ended["executionArn"])
        if "stateEnteredEventDetails" in event
    ]
    assert sorted(entered) == ["Bad", "Both", "First", "Good", "Pause"]


def test_an_aborted_execution_is_redriven(cloud, run, function, eventually):
    waiting = {"Type": "Wait", "Seconds": 2, "Next": "Work"}
    started = run(machine(Wait=waiting, Work=task(function)), {"x": 1}, wait=False)
    arn, states = started["executionArn"], cloud.client("stepfunctions")
    eventually(lambda: len(history(cloud, arn)) > 1)
    states.stop_execution(executionArn=arn)
    states.redrive_execution(executionArn=arn, clientToken="once")
    again = states.redrive_execution(executionArn=arn, clientToken="once")
    ended = run.end(arn)
    assert (ended["status"], ended["redriveCount"]) == ("SUCCEEDED", 1)
    assert again["redriveDate"] == ended["redriveDate"]
    kinds = [event["type"] for event in history(cloud, arn)]
    assert kinds.count("WaitStateExited") == 1  # what was cut off does not go on beside it
    assert kinds[-1] == "ExecutionSucceeded"


def test_a_definition_that_changed_since_is_not_used(cloud, run, mend, fragile, bucket):
    states = cloud.client("stepfunctions")
    ended = run(machine(Work=task(fragile)), {"bucket": bucket})
    other = machine(Other={"Type": "Fail", "Error": "Changed"})
    states.update_state_machine(
        stateMachineArn=ended["stateMachineArn"], definition=json.dumps(other)
    )
    mend()
    states.redrive_execution(executionArn=ended["executionArn"])
    assert run.end(ended["executionArn"])["status"] == "SUCCEEDED"


def test_a_redriven_execution_may_fail_again(cloud, run):
    states = cloud.client("stepfunctions")
    ended = run(machine(No={"Type": "Fail", "Error": "Never", "Cause": "on purpose"}))
    for count in (1, 2):
        states.redrive_execution(executionArn=ended["executionArn"])
        ended = run.end(ended["executionArn"])
        assert (ended["status"], ended["error"]) == ("FAILED", "Never")
        assert ended["redriveCount"] == count


def test_what_cannot_be_redriven_is_refused(cloud, run):
    states = cloud.client("stepfunctions")
    ended = run(machine(Fine={"Type": "Pass", "End": True}))
    assert ended["redriveStatus"] == "NOT_REDRIVABLE"
    assert ended["redriveStatusReason"] == "Execution is SUCCEEDED and cannot be redriven"
    with pytest.raises(states.exceptions.ExecutionNotRedrivable, match="is SUCCEEDED"):
        states.redrive_execution(executionArn=ended["executionArn"])
    with pytest.raises(states.exceptions.ExecutionDoesNotExist):
        states.redrive_execution(executionArn=ended["executionArn"] + "x")
