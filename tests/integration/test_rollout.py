"""A model that fails under its canary: the machine, the endpoint, the alarm, the words on the run.

The retrain machine's own states from CreateModel on, with its Lambda states left out.
"""

from __future__ import annotations

import dataclasses
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from local_sagemaker import INFERENCE, archive, name

from chalicelib import clock, places, records, settings
from chalicelib.environment import Environment
from chalicelib.model import registry
from chalicelib.steps import data, model

pytestmark = pytest.mark.cloud

MACHINE = Path(__file__).parents[2] / "statemachines" / "retrain.asl.json"
CANARY = 'strategy = "canary"\nshare = 0.5\nbake_seconds = 600\n'
RUNS = {"good": "20260301-120000-a1b2c3", "bad": "20260302-120000-d4e5f6"}


@pytest.fixture
def environment(stack: Any, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """A pipeline whose rollouts are canaries watched by an alarm on 5xx."""
    endpoint = name("endpoint")
    here = dataclasses.replace(
        Environment.from_env(),
        endpoint_name=endpoint,
        model_group=endpoint,
        rollout_alarms=f"{endpoint}-errors",
        code_prefix=f"s3://{bucket}/code",
        job_role_arn="arn:aws:iam::000000000000:role/jobs",
    )
    monkeypatch.setattr(Environment, "from_env", classmethod(lambda cls: here))
    text = settings.FILE.read_text(encoding="utf-8")
    begin, end = text.index('strategy = "all_at_once"'), text.index("max_error_rate")
    configured = settings.parse(text[:begin] + CANARY + text[end:])
    renamed = configured.model_copy(
        update={"pipeline": configured.pipeline.model_copy(update={"name": endpoint})}
    )
    monkeypatch.setattr(settings, "load", lambda: renamed)
    stack.client("sagemaker").create_model_package_group(ModelPackageGroupName=endpoint)
    stack.client("cloudwatch").put_metric_alarm(
        AlarmName=here.rollout_alarms,
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[
            {"Name": "EndpointName", "Value": endpoint},
            {"Name": "VariantName", "Value": places.VARIANT},
        ],
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0.05,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    stack.client("s3").put_object(
        Bucket=bucket, Key="code/inference.tar.gz", Body=archive({"inference.py": INFERENCE})
    )
    return here


@pytest.fixture
def deploy(
    stack: Any, environment: Environment, eventually: Callable[..., Any]
) -> Iterator[Callable[[str], dict[str, Any]]]:
    """Register a model that `answers` and let the machine deploy it; the execution, ended."""
    definition = json.loads(MACHINE.read_text())
    for state in ("Finish", "RecordFailure"):
        definition["States"][state] = {"Type": "Succeed"}
    definition["StartAt"] = "CreateModel"
    machine = stack.client("stepfunctions").create_state_machine(
        name=name("machine"), definition=json.dumps(definition), roleArn=environment.job_role_arn
    )["stateMachineArn"]

    def run(answers: str) -> dict[str, Any]:
        run_id = RUNS["bad" if answers == "failing" else "good"]
        stack.client("s3").put_object(
            Bucket=environment.data_bucket,
            Key=places.model(run_id),
            Body=archive({"name": answers}),
        )
        given = {"run_id": run_id, "reason": "data", "cause": "a file", "arrivals": []}
        records.put(run_id, {**given, "status": "running", "started_at": clock.text(clock.now())})
        state = {**given, "begin": {}, "plan": {}, "prepared": {}}
        state["gate"] = {"metrics": {"accuracy": 0.5}}
        state["register"] = model.register(state)
        arn = stack.client("stepfunctions").start_execution(
            stateMachineArn=machine, input=json.dumps(state)
        )["executionArn"]
        describe = stack.client("stepfunctions").describe_execution
        found = eventually(
            lambda: (each := describe(executionArn=arn))["status"] != "RUNNING" and each, 120
        )
        return dict(json.loads(found["output"]))

    yield run
    stack.client("sagemaker").delete_endpoint(EndpointName=environment.endpoint_name)


def test_a_failing_canary_is_rolled_back_while_good_answers_go_on(
    stack: Any, environment: Environment, deploy: Callable[[str], dict[str, Any]]
) -> None:
    assert "error" not in deploy("first")  # the first deployment has no guardrails: it is new
    registry.crown(RUNS["good"], "arn:aws:x:model-package/g/1", {}, clock.text(clock.now()))
    answers: Counter[str] = Counter()
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.02):
            try:
                answer = stack.client("sagemaker-runtime").invoke_endpoint(
                    EndpointName=environment.endpoint_name, Body=b"hello", ContentType="text/plain"
                )
                answers[json.loads(answer["Body"].read())["model"]] += 1
            except ClientError as error:
                answers[error.response["Error"]["Code"]] += 1

    traffic = threading.Thread(target=ask)
    traffic.start()
    try:
        ended = deploy("failing")
    finally:
        over.set()
        traffic.join(60)
    assert set(answers) == {"first", "ModelError"}
    assert ended["error"]["Error"] == "EndpointFailed"
    data.fail(ended)

    run = records.get(RUNS["bad"])
    assert run is not None
    assert run["status"] == "failed"
    assert run["error_state"] == "Deploy"
    assert f"the alarm {environment.rollout_alarms} fired: Threshold Crossed" in run["error"]
    (fired,) = run["rolled_back"]
    assert fired["alarm"] == environment.rollout_alarms
    (told,) = records.newest(records.NOTIFICATION, 5)
    assert environment.rollout_alarms in told["message"]
    champion = registry.champion()
    assert champion is not None
    assert champion["run"] == RUNS["good"]
    package = stack.client("sagemaker").describe_model_package(
        ModelPackageName=ended["register"]["model_package_arn"]
    )
    assert package["ModelApprovalStatus"] == "Rejected"
    assert environment.rollout_alarms in package["ApprovalDescription"]
