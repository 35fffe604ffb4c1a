"""Deployment guardrails: the steps of a deployment, and what SageMaker refuses."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.sagemaker.errors import ApiError
from localcloud.sagemaker.hosting import guardrails


def policy(kind: str, *, wait: int = 300, final: int = 60, timeout: int = 3600, **size: Any) -> Any:
    routing = {"Type": kind, "WaitIntervalInSeconds": wait, **size}
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": final,
            "MaximumExecutionTimeoutInSeconds": timeout,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]},
    }


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def instances(value: int) -> dict[str, Any]:
    return {"Type": "INSTANCE_COUNT", "Value": value}


@pytest.mark.parametrize(
    ("config", "steps"),
    [
        (None, [(1.0, 0)]),
        ({"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]}}, [(1.0, 0)]),
        (policy("ALL_AT_ONCE"), [(1.0, 60)]),
        (policy("CANARY", CanarySize=percent(10)), [(0.1, 300), (1.0, 60)]),
        (policy("CANARY", CanarySize=instances(1)), [(0.25, 300), (1.0, 60)]),
        (policy("LINEAR", LinearStepSize=percent(50)), [(0.5, 300), (1.0, 60)]),
        (
            policy("LINEAR", LinearStepSize=percent(30)),
            [(0.3, 300), (0.6, 300), (0.9, 300), (1.0, 60)],
        ),
    ],
)
def test_traffic_shifts_in_steps(config: Any, steps: list[tuple[float, int]]) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html"""
    found = guardrails.plan(config, {"primary": 4})
    assert [(step.share, step.seconds) for step in found.steps] == steps


def test_each_step_is_told_in_sagemakers_words() -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html"""
    canary, full = guardrails.plan(policy("CANARY", CanarySize=percent(25)), {"primary": 4}).steps
    assert canary.activating(4) == "Activating traffic on canary capacity of 1 instance(s)."
    assert canary.baking(4) == (
        "Baking for 300 seconds (WaitIntervalInSeconds) with traffic enabled on canary capacity "
        "of 1 instance(s)."
    )
    assert full.baking(4) == (
        "Baking for 60 seconds (TerminationWaitInSeconds) with traffic enabled on full capacity "
        "of 4 instance(s)."
    )


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (policy("CANARY", CanarySize=percent(51)), "CanarySize must be less than or equal to 50%"),
        (policy("CANARY", CanarySize=instances(3)), "CanarySize must be less than or equal to 50%"),
        (policy("CANARY"), "of type CANARY needs CanarySize"),
        (policy("ALL_AT_ONCE", CanarySize=percent(10)), "of type ALL_AT_ONCE takes no CanarySize"),
        (policy("LINEAR", LinearStepSize=percent(9)), "LinearStepSize must be 10-50%"),
        (policy("LINEAR", LinearStepSize=percent(60)), "LinearStepSize must be 10-50%"),
        (
            policy("LINEAR", LinearStepSize=percent(10), wait=400),
            "MaximumExecutionTimeoutInSeconds should be larger than the total waiting time",
        ),
        ({"RollingUpdatePolicy": {"MaximumBatchSize": percent(5)}}, "RollingUpdatePolicy"),
    ],
)
def test_what_cannot_be_is_refused(config: Any, words: str) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TrafficRoutingConfig.html"""
    with pytest.raises(ApiError, match=words) as refused:
        guardrails.plan(config, {"primary": 4})
    assert refused.value.code == "ValidationException"
