"""Rollouts on a real endpoint: a canary that fails, and what a person asks of the versions.

The machines' own states; their Lambda states are left out and done here.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from local_sagemaker import INFERENCE, archive, name
from roles import ROLE

from chalicelib import clock, places, records, runs, settings
from chalicelib.environment import Environment
from chalicelib.model import autoscaling, deployments, registry, traffic
from chalicelib.releasing import Endpoint
from chalicelib.steps import data, model, rollout, settle
from chalicelib.steps import deploy as deployment

pytestmark = pytest.mark.cloud

MACHINES = Path(__file__).parents[2] / "statemachines"
CANARY = 'strategy = "canary"\nshare = 0.5\nbake_seconds = 600\n'
DAYS = {"first": 1, "second": 2, "failing": 3, "third": 4}
BAKED = 'strategy = "all_at_once"\nshare = 0.5\nbake_seconds = 1\n'
AT_ONCE = 'strategy = "all_at_once"\nshare = 0.5\nbake_seconds = 0\n'


@pytest.fixture
def environment(
    request: pytest.FixtureRequest, stack: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> Environment:
    """A pipeline whose rollouts are watched by an alarm on 5xx; at once, or as a test says."""
    endpoint = name("endpoint")
    here = dataclasses.replace(
        Environment.from_env(),
        endpoint_name=endpoint,
        model_group=endpoint,
        rollout_alarms=f"{endpoint}-errors",
        code_prefix=f"s3://{bucket}/code",
        job_role_arn=ROLE,
    )
    monkeypatch.setattr(Environment, "from_env", classmethod(lambda cls: here))
    text = settings.FILE.read_text(encoding="utf-8")
    begin, end = text.index('strategy = "all_at_once"'), text.index("max_error_rate")
    configured = settings.parse(text[:begin] + getattr(request, "param", AT_ONCE) + text[end:])
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
def execute(
    stack: Any, environment: Environment, eventually: Callable[..., Any]
) -> Callable[[str, str, dict[str, Any]], dict[str, Any]]:
    """Run a machine from a state on, as far as a Lambda state that is left out; its output."""
    states = stack.client("stepfunctions")

    def run(machine: str, start_at: str, given: dict[str, Any]) -> dict[str, Any]:
        definition = json.loads((MACHINES / f"{machine}.asl.json").read_text())
        for state in {"PlanDeploy", "Finish", "RecordFailure"} & definition["States"].keys():
            definition["States"][state] = {"Type": "Succeed"}
        definition["StartAt"] = start_at
        made = states.create_state_machine(
            name=name("machine"),
            definition=json.dumps(definition),
            roleArn=environment.job_role_arn,
        )["stateMachineArn"]
        arn = states.start_execution(stateMachineArn=made, input=json.dumps(given))["executionArn"]
        found = eventually(
            lambda: (
                (each := states.describe_execution(executionArn=arn))["status"] != "RUNNING"
                and each
            ),
            120,
        )
        assert found["status"] == "SUCCEEDED", found
        return dict(json.loads(found["output"]))

    return run


@pytest.fixture
def approved(
    execute: Callable[[str, str, dict[str, Any]], dict[str, Any]],
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What the retrain machine does once a registered model may serve; how it ended."""

    def run(state: dict[str, Any]) -> dict[str, Any]:
        looked = execute("retrain", "DescribeEndpointFirst", state)
        return execute("retrain", "CreateModel", looked | {"plan_deploy": deployment.plan(looked)})

    return run


@pytest.fixture
def deploy(
    stack: Any,
    environment: Environment,
    approved: Callable[[dict[str, Any]], dict[str, Any]],
) -> Iterator[Callable[[str], dict[str, Any]]]:
    """Register a model that answers its name and let the retrain machine deploy it."""

    def run(answers: str) -> dict[str, Any]:
        run_id = run_of(environment, answers)
        ended = approved(registered_of(stack, environment, answers))
        if "error" not in ended:
            runs.record(run_id, evaluation=ended["gate"]["metrics"])
            arn = ended["register"]["model_package_arn"]
            registry.crown(run_id, arn, {"accuracy": 0.5}, clock.text(clock.now()))
            deployments.end(run_id)
        return ended

    yield run
    stack.client("sagemaker").delete_endpoint(EndpointName=environment.endpoint_name)


@pytest.fixture
def two_versions(deploy: Callable[[str], dict[str, Any]]) -> None:
    """The first was in service, the second is."""
    deploy("first")
    deploy("second")


@pytest.fixture
def ask(execute: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """What a person asks for, done by the rollout machine; what serves then."""

    def done(action: str, **more: Any) -> dict[str, Any]:
        request = {"action": action, **more}
        planned = {**request, "plan_rollout": rollout.plan({**request, "execution": name("asked")})}
        ended = execute("rollout", "InPlace", planned)
        assert "error" not in ended, ended["error"]
        return dict(rollout.finish(ended)["serving"])

    return done


def state_of(stack: Any, environment: Environment, answers: str) -> dict[str, Any]:
    """Of the run that made this model, after its gate."""
    run_id = run_of(environment, answers)
    stack.client("s3").put_object(
        Bucket=environment.data_bucket, Key=places.model(run_id), Body=archive({"name": answers})
    )
    given = {"run_id": run_id, "reason": "data", "cause": "a file", "arrivals": []}
    records.put(run_id, {**given, "status": "running", "started_at": clock.text(clock.now())})
    left: dict[str, Any] = {
        "begin": {},
        "plan": {},
        "prepared": {},
        "plan_training": {},
        "gate": {"metrics": {"accuracy": 0.5}},
    }
    return {**given, **left}


def registered_of(stack: Any, environment: Environment, answers: str) -> dict[str, Any]:
    """Of the run that made this model, once it is in the registry."""
    state = state_of(stack, environment, answers)
    return {**state, "register": model.register(state)}


def run_of(environment: Environment, answers: str) -> str:
    """The run that made this model; a test's runs are its own."""
    return f"2026030{DAYS[answers]}-120000-{environment.endpoint_name[-6:]}"


def answers_of(stack: Any, environment: Environment, count: int) -> Counter[str]:
    """Which models answer so many requests."""
    runtime = stack.client("sagemaker-runtime")
    found: Counter[str] = Counter()
    for _ in range(count):
        answer = runtime.invoke_endpoint(
            EndpointName=environment.endpoint_name, Body=b"hello", ContentType="text/plain"
        )
        found[json.loads(answer["Body"].read())["model"]] += 1
    return found


@pytest.mark.parametrize("environment", [CANARY], indirect=True, ids=["canary"])
def test_a_failing_canary_is_rolled_back_while_good_answers_go_on(
    stack: Any, environment: Environment, deploy: Callable[[str], dict[str, Any]]
) -> None:
    assert "error" not in deploy("first")  # the first deployment has no guardrails: it is new
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

    run = records.get(run_of(environment, "failing"))
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
    assert champion["run"] == run_of(environment, "first")
    package = stack.client("sagemaker").describe_model_package(
        ModelPackageName=ended["register"]["model_package_arn"]
    )
    assert package["ModelApprovalStatus"] == "Rejected"
    assert environment.rollout_alarms in package["ApprovalDescription"]


@pytest.mark.usefixtures("two_versions")
def test_back_to_the_version_before(
    stack: Any,
    environment: Environment,
    ask: Callable[..., dict[str, Any]],
) -> None:
    assert ask("rollback")["champion"] == 1
    assert answers_of(stack, environment, 10) == {"first": 10}
    champion = registry.champion()
    assert champion is not None
    assert (champion["model_version"], champion["run"]) == (1, run_of(environment, "first"))
    assert champion["evaluation"] == {"accuracy": 0.5}
    listed = {p["ModelPackageVersion"]: p for p in registry.packages(environment, 5)}
    assert {v: p["ModelApprovalStatus"] for v, p in listed.items()} == {
        1: "Approved",
        2: "Rejected",
    }
    with pytest.raises(traffic.RefusedError, match="no earlier version"):
        rollout.plan({"action": "rollback", "execution": "x"})
    with pytest.raises(traffic.RefusedError, match="there is no model version 9"):
        rollout.plan({"action": "rollback", "version": 9, "execution": "x"})


@pytest.mark.usefixtures("two_versions")
def test_what_was_deleted_is_made_anew(
    stack: Any,
    environment: Environment,
    ask: Callable[..., dict[str, Any]],
) -> None:
    kept = f"{environment.endpoint_name}-{run_of(environment, 'first')}"
    stack.client("sagemaker").delete_endpoint_config(EndpointConfigName=kept)
    stack.client("sagemaker").delete_model(ModelName=kept)
    ask("rollback", version=1)
    assert answers_of(stack, environment, 5) == {"first": 5}


@pytest.mark.usefixtures("two_versions")
def test_an_ab_test_from_start_to_promotion(
    stack: Any,
    environment: Environment,
    ask: Callable[..., dict[str, Any]],
) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/model-ab-testing.html"""
    ask("start", kind="ab", version=1, share=0.5)
    found = answers_of(stack, environment, 100)
    assert 25 < found["first"] < 75  # 50 expected; five standard deviations are 25
    ask("start", kind="ab", version=1, share=0.9)
    endpoint = stack.client("sagemaker").describe_endpoint(EndpointName=environment.endpoint_name)
    weights = {v["VariantName"]: v["CurrentWeight"] for v in endpoint["ProductionVariants"]}
    assert weights == {"primary": 0.1, "challenger": 0.9}
    assert ask("promote", kind="ab")["champion"] == 1
    assert answers_of(stack, environment, 10) == {"first": 10}
    assert registry.experiment() is None


@pytest.mark.usefixtures("two_versions")
def test_an_ab_test_that_is_stopped_leaves_the_champion(
    stack: Any,
    environment: Environment,
    ask: Callable[..., dict[str, Any]],
) -> None:
    ask("start", kind="ab", version=1, share=0.5)
    experiment = registry.experiment()
    assert experiment is not None
    assert (experiment["kind"], experiment["model_version"]) == ("ab", 1)
    ask("stop", kind="ab")
    assert answers_of(stack, environment, 10) == {"second": 10}
    assert (registry.champion() or {})["model_version"] == 2
    assert registry.experiment() is None


@pytest.mark.usefixtures("two_versions")
def test_a_shadow_from_start_to_promotion(
    stack: Any,
    environment: Environment,
    ask: Callable[..., dict[str, Any]],
    eventually: Callable[..., Any],
) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/model-shadow-deployment.html"""
    ask("start", kind="shadow", version=1, share=1.0)
    assert answers_of(stack, environment, 10) == {"second": 10}

    def copies() -> float:
        found = stack.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName="Invocations",
            Dimensions=[
                {"Name": "EndpointName", "Value": environment.endpoint_name},
                {"Name": "VariantName", "Value": places.SHADOW},
            ],
            StartTime=clock.now() - dt.timedelta(minutes=10),
            EndTime=clock.now() + dt.timedelta(minutes=1),
            Period=3600,
            Statistics=["Sum"],
        )
        return sum(float(point["Sum"]) for point in found["Datapoints"])

    eventually(lambda: copies() == 10)
    assert ask("promote", kind="shadow")["champion"] == 1
    assert answers_of(stack, environment, 5) == {"first": 5}


@pytest.fixture
def aborted(
    stack: Any, environment: Environment, eventually: Callable[..., Any]
) -> Callable[[str], str]:
    """An execution of this name that a person stopped; its ARN."""
    states = stack.client("stepfunctions")

    def run(called: str) -> str:
        waits = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}}
        made = states.create_state_machine(
            name=name("machine"), definition=json.dumps(waits), roleArn=environment.job_role_arn
        )["stateMachineArn"]
        started = states.start_execution(stateMachineArn=made, name=called)["executionArn"]
        states.stop_execution(executionArn=started, cause="by hand")
        found = eventually(lambda: states.describe_execution(executionArn=started)["status"])
        assert found == "ABORTED"
        return str(started)

    return run


def test_a_run_that_was_aborted_while_its_model_took_over_leaves_the_record_right(
    stack: Any,
    environment: Environment,
    deploy: Callable[[str], dict[str, Any]],
    approved: Callable[[dict[str, Any]], dict[str, Any]],
    aborted: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """UpdateEndpoint goes on, whatever becomes of the execution that asked for it."""
    deploy("first")
    run_id = run_of(environment, "second")
    monkeypatch.setattr(runs, "execution_arn", aborted)
    ended = approved(registered_of(stack, environment, "second"))  # and Finish never came
    runs.record(run_id, evaluation={"accuracy": 0.5})
    assert (registry.champion() or {})["model_version"] == 1
    assert settle.sweep({})["settled"] == ["the deploy was done"]
    champion = registry.champion() or {}
    assert (champion["model_version"], champion["run"]) == (2, run_id)
    assert champion["model_package_arn"] == ended["register"]["model_package_arn"]
    assert champion["evaluation"] == {"accuracy": 0.5}
    (told,) = records.newest(records.NOTIFICATION, 1)
    assert told["subject"] == "Model version 2 is in service, though the deploy failed"
    assert "ended as ABORTED: by hand" in told["message"]
    assert settle.sweep({})["settled"] == []


@pytest.mark.usefixtures("two_versions")
def test_a_rollback_that_was_aborted_before_it_began_is_told(
    environment: Environment, aborted: Callable[[str], str], ask: Callable[..., dict[str, Any]]
) -> None:
    rollout.plan({"action": "rollback", "execution": aborted("lost")})
    with pytest.raises(traffic.RefusedError, match="a rollback is under way"):
        rollout.plan({"action": "rollback", "execution": "another"})
    assert settle.sweep({})["settled"] == ["the rollback was not done"]
    assert (registry.champion() or {})["model_version"] == 2
    (told,) = records.newest(records.NOTIFICATION, 1)
    assert told["subject"] == "The rollback was not done"
    assert ask("rollback")["champion"] == 1


@pytest.mark.usefixtures("two_versions")
def test_a_rollback_whose_last_step_failed_is_written_down_all_the_same(
    environment: Environment, execute: Callable[..., dict[str, Any]]
) -> None:
    request = {"action": "rollback", "execution": name("asked")}
    ended = execute("rollout", "InPlace", {**request, "plan_rollout": rollout.plan(request)})
    error = {"Error": "ReadTimeoutError", "Cause": "DynamoDB did not answer"}
    assert rollout.fail({**ended, "error": error})["error"].endswith("DynamoDB did not answer")
    assert (registry.champion() or {})["model_version"] == 1
    (told,) = records.newest(records.NOTIFICATION, 1)
    assert told["subject"] == "Model version 1 is in service, though the rollback failed"
    assert deployments.open_ones() == []


@pytest.mark.parametrize("environment", [BAKED], indirect=True, ids=["baked"])
def test_a_version_that_waits_for_approval_is_tried_and_then_approved(
    stack: Any,
    environment: Environment,
    deploy: Callable[[str], dict[str, Any]],
    approved: Callable[[dict[str, Any]], dict[str, Any]],
    ask: Callable[..., dict[str, Any]],
) -> None:
    """Guardrails need the variants that the endpoint has when the person has decided.

    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html
    """
    deploy("first")
    waiting = registered_of(stack, environment, "second")
    ask("start", kind="ab", version=2, share=0.5)
    assert set(answers_of(stack, environment, 40)) == {"first", "second"}
    ended = approved(waiting)
    assert "error" not in ended, ended.get("error")
    assert "DeploymentConfig" not in ended["plan_deploy"]["update"]
    assert answers_of(stack, environment, 10) == {"second": 10}


@pytest.mark.parametrize("environment", [BAKED], indirect=True, ids=["baked"])
def test_a_test_that_was_stopped_before_the_approval_costs_no_bake(
    stack: Any,
    environment: Environment,
    deploy: Callable[[str], dict[str, Any]],
    approved: Callable[[dict[str, Any]], dict[str, Any]],
    ask: Callable[..., dict[str, Any]],
) -> None:
    deploy("first")
    deploy("second")
    ask("start", kind="ab", version=1, share=0.5)
    waiting = registered_of(stack, environment, "third")
    ask("stop", kind="ab")
    ended = approved(waiting)
    assert "DeploymentConfig" in ended["plan_deploy"]["update"]
    assert answers_of(stack, environment, 10) == {"third": 10}


def test_a_run_that_was_stopped_meanwhile_puts_nothing_into_service(
    stack: Any, environment: Environment, approved: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    waiting = registered_of(stack, environment, "first")
    records.change(waiting["run_id"], {"status": "stopping"})
    with pytest.raises(runs.RunEndedError):
        approved(waiting)


def test_the_endpoints_scaling_is_what_the_settings_say(
    stack: Any, environment: Environment, deploy: Callable[[str], dict[str, Any]]
) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html"""
    deploy("first")
    resource = f"endpoint/{environment.endpoint_name}/variant/{places.VARIANT}"

    def found(kind: str) -> list[dict[str, Any]]:
        client = stack.client("application-autoscaling")
        ids = {"ResourceIds": [resource]} if kind == "scalable_targets" else {}
        given = ids or {"ResourceId": resource}
        answer = getattr(client, f"describe_{kind}")(ServiceNamespace="sagemaker", **given)
        answer.pop("ResponseMetadata")
        return list(next(iter(answer.values())))

    def apply(**endpoint: Any) -> None:
        configured = settings.load().model_copy(update={"endpoint": Endpoint(**endpoint)})
        autoscaling.apply(environment, configured)

    apply()
    assert found("scalable_targets") == []
    night = {"at": "cron(0 20 * * ? *)", "min_instances": 1, "max_instances": 1}
    apply(max_instances=4, schedule=[night])
    (target,) = found("scalable_targets")
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 4)
    assert [each["Schedule"] for each in found("scheduled_actions")] == [night["at"]]
    assert len(found("scaling_policies")) == 1
    apply(max_instances=2)  # the schedule is gone from the settings
    assert [each["MaxCapacity"] for each in found("scalable_targets")] == [2]
    assert found("scheduled_actions") == []
    serves = f"{environment.endpoint_name}-{run_of(environment, 'first')}"
    autoscaling.release_before(environment, serves, "ml.m5.large")
    assert found("scalable_targets")
    autoscaling.release_before(environment, serves, "ml.c5.large")
    assert found("scalable_targets") == []
