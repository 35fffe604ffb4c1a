"""Deployments with guardrails: traffic by share, baking, real alarms, rollback.

https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from local_sagemaker import LocalSageMaker, name, refusal, until

pytestmark = pytest.mark.cloud


@pytest.fixture
def endpoint(sagemaker: LocalSageMaker) -> Iterator[str]:
    """One variant of the model `blue`."""
    made = sagemaker.endpoint(sagemaker.config(main=sagemaker.model("blue")))
    yield made
    sagemaker.settled(made)
    sagemaker.api.delete_endpoint(EndpointName=made)


def alarm(
    sagemaker: LocalSageMaker, endpoint: str, metric: str = "Invocation5XXErrors", **more: Any
) -> str:
    """Fires when more than a tenth of the last minute's requests failed."""
    made = name("alarm")
    dimensions = {"EndpointName": endpoint, "VariantName": "main"}
    given = {
        "Namespace": "AWS/SageMaker",
        "MetricName": metric,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0.1,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }
    given |= more
    if "ExtendedStatistic" in more:
        del given["Statistic"]
    sagemaker.cloud.client("cloudwatch").put_metric_alarm(AlarmName=made, **given)
    return made


def policy(kind: str, alarms: list[str], wait: int, final: int, **size: int) -> dict[str, Any]:
    routing: dict[str, Any] = {"Type": kind, "WaitIntervalInSeconds": wait}
    routing |= {
        member: {"Type": "CAPACITY_PERCENT", "Value": value} for member, value in size.items()
    }
    found: dict[str, Any] = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": final,
        }
    }
    if alarms:
        found["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": each} for each in alarms]}
    return found


class Traffic:
    """Requests without a pause; which model answered how many, and how many failed."""

    def __init__(self, sagemaker: LocalSageMaker, endpoint: str, body: str = "hello") -> None:
        self.sagemaker, self.endpoint, self.body = sagemaker, endpoint, body
        self.answers: Counter[str] = Counter()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._over.wait(0.02):
            try:
                self.answers[self.sagemaker.invoke(self.endpoint, self.body)["model"]] += 1
            except ClientError as error:
                self.answers[error.response["Error"]["Code"]] += 1

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(60)


def baking(sagemaker: LocalSageMaker, endpoint: str) -> dict[str, Any] | None:
    """The pending variant, once its fleet bakes."""
    found = sagemaker.api.describe_endpoint(EndpointName=endpoint)
    for variant in found.get("PendingDeploymentSummary", {}).get("ProductionVariants", []):
        if variant["VariantStatus"][0]["Status"] == "Baking":
            return dict(variant)
    return None


def test_a_canary_takes_its_share_and_then_all(sagemaker, endpoint):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green-canary.html"""
    hear = sagemaker.listen("SageMaker Endpoint Deployment State Change")
    quiet = alarm(sagemaker, endpoint)
    green = sagemaker.config(main=sagemaker.model("green"))
    before = sagemaker.api.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    given = policy("CANARY", [quiet], wait=6, final=1, CanarySize=50)
    sagemaker.api.update_endpoint(
        EndpointName=endpoint, EndpointConfigName=green, DeploymentConfig=given
    )
    variant = until(lambda: baking(sagemaker, endpoint))
    assert (
        "Baking for 6 seconds (WaitIntervalInSeconds)"
        in variant["VariantStatus"][0]["StatusMessage"]
    )
    answers = Counter(sagemaker.invoke(endpoint)["model"] for _ in range(60))
    described = sagemaker.api.describe_endpoint(EndpointName=endpoint)
    assert described["EndpointStatus"] == "Updating"
    assert described["EndpointConfigName"] == before
    assert described["PendingDeploymentSummary"]["EndpointConfigName"] == green
    assert 10 < answers["green"] < 50  # 30 expected; five standard deviations are 19
    assert answers["green"] + answers["blue"] == 60
    after = sagemaker.settled(endpoint)
    assert after["EndpointConfigName"] == green
    assert after["LastDeploymentConfig"] == given
    assert "PendingDeploymentSummary" not in after
    assert "FailureReason" not in after
    assert {sagemaker.invoke(endpoint)["model"] for _ in range(20)} == {"green"}

    def steps() -> list[str]:
        ours = [event["detail"] for event in hear() if event["detail"]["EndpointName"] == endpoint]
        pending = [each["PendingDeploymentSummary"]["ProductionVariants"][0] for each in ours]
        return [each["VariantStatus"][0]["Status"] for each in pending]

    wanted = ["Creating", "ActivatingTraffic", "Baking", "ActivatingTraffic", "Baking"]
    until(lambda: sorted(steps()) == sorted(wanted))


@pytest.mark.parametrize(
    ("metric", "more"),
    [
        ("Invocation5XXErrors", {}),
        ("InvocationModelErrors", {}),
        (
            "ModelLatency",
            {"ExtendedStatistic": "p99", "Threshold": 500_000, "Unit": "Microseconds"},
        ),
    ],
)
def test_an_alarm_brings_the_old_fleet_back(sagemaker, endpoint, metric, more):
    """A model that fails, or is slow, under the canary: the alarm on real traffic rolls it back."""
    before = sagemaker.api.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    fires = alarm(sagemaker, endpoint, metric, **more)
    quiet = alarm(sagemaker, endpoint, "Invocation4XXErrors")
    bad = sagemaker.config(main=sagemaker.model("slow" if more else "failing"))
    with Traffic(sagemaker, endpoint) as traffic:
        sagemaker.api.update_endpoint(
            EndpointName=endpoint,
            EndpointConfigName=bad,
            DeploymentConfig=policy("CANARY", [quiet, fires], wait=600, final=0, CanarySize=50),
        )
        after = sagemaker.settled(endpoint)
        assert after["EndpointStatus"] == "InService"
        assert after["EndpointConfigName"] == before
        assert fires in after["FailureReason"]
        assert quiet not in after["FailureReason"]
        assert "PendingDeploymentSummary" not in after
        answered = traffic.answers["blue"]
        until(lambda: traffic.answers["blue"] > answered + 10)
        failed = traffic.answers["ModelError"]
        until(lambda: traffic.answers["blue"] > answered + 30)
        assert traffic.answers["ModelError"] == failed
    assert set(traffic.answers) <= {"blue", "slow", "ModelError"}


def test_linear_steps_and_a_retained_configuration(sagemaker, endpoint):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green-linear.html"""
    second, third = (sagemaker.config(main=sagemaker.model(each)) for each in ("two", "three"))
    given = policy("LINEAR", [], wait=1, final=0, LinearStepSize=50)
    update = sagemaker.api.update_endpoint
    update(EndpointName=endpoint, EndpointConfigName=second, DeploymentConfig=given)
    assert sagemaker.settled(endpoint)["EndpointConfigName"] == second
    update(EndpointName=endpoint, EndpointConfigName=third, RetainDeploymentConfig=True)
    assert until(lambda: baking(sagemaker, endpoint))["CurrentInstanceCount"] == 1
    assert sagemaker.settled(endpoint)["LastDeploymentConfig"] == given


def test_metrics_tell_the_fleets_apart_by_their_configuration(sagemaker, endpoint):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html"""
    config = sagemaker.api.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    sagemaker.invoke(endpoint)
    found = sagemaker.cloud.client("cloudwatch").list_metrics(
        Namespace="AWS/SageMaker",
        MetricName="ModelLatency",
        Dimensions=[{"Name": "EndpointConfigName", "Value": config}],
    )["Metrics"]
    named = [{each["Name"]: each["Value"] for each in metric["Dimensions"]} for metric in found]
    assert named == [
        {"EndpointName": endpoint, "VariantName": "main", "EndpointConfigName": config}
    ]


def test_deployments_that_are_refused(sagemaker, endpoint):
    good = sagemaker.config(main=sagemaker.model("green"))
    other = sagemaker.config(another=sagemaker.model("green"))
    update = sagemaker.api.update_endpoint
    for config, given, words in (
        (good, policy("CANARY", ["no-such"], 0, 0, CanarySize=10), "Could not find the CloudWatch"),
        (other, policy("ALL_AT_ONCE", [], 0, 0), "needs the variant names that the endpoint has"),
        (good, policy("CANARY", [], 3601, 0, CanarySize=10), "less than or equal to 3600"),
        (good, policy("LINEAR", [], 0, 0, LinearStepSize=5), "must be 10-50%"),
        (
            good,
            policy("ALL_AT_ONCE", [f"a{index}" for index in range(11)], 0, 0),
            "length less than or equal to 10",
        ),
    ):
        code, message = refusal(
            update, EndpointName=endpoint, EndpointConfigName=config, DeploymentConfig=given
        )
        assert code == "ValidationException"
        assert words in message
    assert "LastDeploymentConfig" not in sagemaker.api.describe_endpoint(EndpointName=endpoint)
