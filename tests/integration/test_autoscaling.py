"""Application Auto Scaling of an endpoint's variant: its API, its alarms, real instances.

https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from local_sagemaker import LocalSageMaker, refusal, until

pytestmark = pytest.mark.cloud

POLICY = {
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 10.0,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
        },
    },
}


@pytest.fixture(scope="module")
def scaling(sagemaker: LocalSageMaker) -> Any:
    return sagemaker.cloud.client("application-autoscaling")


@pytest.fixture
def variant(sagemaker: LocalSageMaker) -> Iterator[dict[str, str]]:
    """What names the variant of an endpoint in service."""
    endpoint = sagemaker.endpoint(sagemaker.config(main=sagemaker.model("first")))
    yield {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/main",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    sagemaker.settled(endpoint)
    sagemaker.api.delete_endpoint(EndpointName=endpoint)


def instances(sagemaker: LocalSageMaker, variant: dict[str, str]) -> int:
    endpoint = variant["ResourceId"].split("/")[1]
    (found,) = sagemaker.api.describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
    return int(found["CurrentInstanceCount"])


def test_traffic_above_the_target_scales_out(sagemaker, scaling, variant):
    scaling.register_scalable_target(**variant, MinCapacity=1, MaxCapacity=3)
    made = scaling.put_scaling_policy(**variant, PolicyName="p", **POLICY)
    assert ["AlarmHigh" in made["Alarms"][0]["AlarmName"], len(made["Alarms"])] == [True, 2]
    endpoint = variant["ResourceId"].split("/")[1]
    now = dt.datetime.now(dt.UTC)
    dimensions = {"EndpointName": endpoint, "VariantName": "main"}
    sagemaker.cloud.client("cloudwatch").put_metric_data(
        Namespace="AWS/SageMaker",
        MetricData=[
            {
                "MetricName": "InvocationsPerInstance",
                "Dimensions": [{"Name": key, "Value": dimensions[key]} for key in dimensions],
                "Timestamp": now - dt.timedelta(minutes=minute),
                "Value": 25.0,
            }
            for minute in range(4)
        ],
    )
    until(lambda: instances(sagemaker, variant) == 3)


def test_a_scheduled_action_moves_capacity_into_its_limits(sagemaker, scaling, variant):
    """https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scheduled-scaling.html"""
    scaling.register_scalable_target(**variant, MinCapacity=1, MaxCapacity=3)
    at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2)
    scaling.put_scheduled_action(
        **variant,
        ScheduledActionName="morning",
        Schedule=f"at({at:%Y-%m-%dT%H:%M:%S})",
        ScalableTargetAction={"MinCapacity": 2, "MaxCapacity": 3},
    )
    until(lambda: instances(sagemaker, variant) == 2)
    (target,) = scaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[variant["ResourceId"]]
    )["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 3)


def test_an_update_keeps_the_instances_that_there_are(sagemaker, scaling, variant):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpoint.html"""
    endpoint = variant["ResourceId"].split("/")[1]
    sagemaker.api.update_endpoint_weights_and_capacities(
        EndpointName=endpoint,
        DesiredWeightsAndCapacities=[{"VariantName": "main", "DesiredInstanceCount": 2}],
    )
    sagemaker.settled(endpoint)
    update = {"EndpointName": endpoint, "RetainAllVariantProperties": True}
    second, third = (sagemaker.config(main=sagemaker.model(each)) for each in ("two", "three"))
    sagemaker.api.update_endpoint(**update, EndpointConfigName=second)
    sagemaker.settled(endpoint)
    assert instances(sagemaker, variant) == 2
    excluded = [{"VariantPropertyType": "DesiredInstanceCount"}]
    sagemaker.api.update_endpoint(
        **update, EndpointConfigName=third, ExcludeRetainedVariantProperties=excluded
    )
    sagemaker.settled(endpoint)
    assert instances(sagemaker, variant) == 1


def test_what_is_deregistered_is_forgotten(sagemaker, scaling, variant):
    code, message = refusal(scaling.put_scaling_policy, **variant, PolicyName="p", **POLICY)
    assert code == "ObjectNotFoundException"
    assert "No scalable target registered" in message
    scaling.register_scalable_target(**variant, MinCapacity=1, MaxCapacity=3)
    (alarm, _) = scaling.put_scaling_policy(**variant, PolicyName="p", **POLICY)["Alarms"]
    scaling.deregister_scalable_target(**variant)
    named = {"AlarmNames": [alarm["AlarmName"]]}
    assert not sagemaker.cloud.client("cloudwatch").describe_alarms(**named)["MetricAlarms"]
    assert refusal(scaling.deregister_scalable_target, **variant)[0] == "ObjectNotFoundException"


def test_what_is_refused(sagemaker, scaling, variant):
    register = scaling.register_scalable_target
    nowhere = variant | {"ResourceId": "endpoint/nothing-here/variant/main"}
    for given, words in (
        ({**variant, "MinCapacity": 1}, "MinCapacity and MaxCapacity are required"),
        ({**variant, "MinCapacity": 3, "MaxCapacity": 1}, "Maximum capacity cannot be less"),
        ({**nowhere, "MinCapacity": 1, "MaxCapacity": 3}, "Could not find endpoint"),
    ):
        code, message = refusal(register, **given)
        assert code == "ValidationException"
        assert words in message
