"""The endpoint's automatic scaling: between two limits by its traffic, and limits by the clock.

The endpoint is made by a run, not by the template, so its scaling is registered when it serves.
https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from chalicelib import clients, places, records

if TYPE_CHECKING:
    from chalicelib.environment import Environment
    from chalicelib.settings import Settings

Request = dict[str, Any]
REGISTERED = "#autoscaling"  # the record of what is registered


def requests(environment: Environment, settings: Settings) -> list[tuple[str, Request]]:
    """Each operation with its request; none where the endpoint has a fixed size."""
    endpoint = settings.endpoint
    if not endpoint.scales:
        return []
    named = _named(environment)
    tracking = {
        "TargetValue": float(endpoint.target_invocations),
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
        },
    }
    target = {**named, **_limits(endpoint.min_instances, endpoint.max_instances)}
    policy = {
        **named,
        "PolicyName": f"{environment.endpoint_name}-invocations",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": tracking,
    }
    actions = [
        {
            **named,
            "ScheduledActionName": f"{environment.endpoint_name}-{index}",
            "Schedule": each.at,
            "Timezone": settings.pipeline.time_zone,
            "ScalableTargetAction": _limits(each.min_instances, each.max_instances),
        }
        for index, each in enumerate(endpoint.schedule)
    ]
    return [
        ("register_scalable_target", target),
        ("put_scaling_policy", policy),
        *(("put_scheduled_action", action) for action in actions),
    ]


def apply(environment: Environment, settings: Settings) -> None:
    """Bring what is registered to what the settings say, once the endpoint serves.

    A schedule that is no longer there goes with the whole registration, which is made anew.
    """
    wanted = requests(environment, settings)
    before = records.get(REGISTERED)
    names = [request.get("ScheduledActionName", "") for _, request in wanted]
    if before and set(before["names"]) - set(names):
        release(environment)
    if not wanted:
        return
    client = clients.client("application-autoscaling")
    for operation, request in wanted:
        getattr(client, operation)(**request)
    records.put(REGISTERED, {"names": names})


def release_before(environment: Environment, serves: str | None, instance_type: str) -> None:
    """An update that changes the instance type of a variant that is scaled would be refused.

    `serves`: the endpoint configuration in service; `instance_type`: the one that comes.
    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-update.html
    """
    if serves is None or not records.get(REGISTERED):
        return
    found = clients.client("sagemaker").describe_endpoint_config(EndpointConfigName=serves)
    if any(each["InstanceType"] != instance_type for each in found["ProductionVariants"]):
        release(environment)


def release(environment: Environment) -> None:
    """The variant is scaled no more."""
    client = clients.client("application-autoscaling")
    with contextlib.suppress(client.exceptions.ObjectNotFoundException):  # gone with the endpoint
        client.deregister_scalable_target(**_named(environment))
    records.remove(REGISTERED)


def _named(environment: Environment) -> Request:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{environment.endpoint_name}/variant/{places.VARIANT}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }


def _limits(least: int, most: int) -> Request:
    return {"MinCapacity": least, "MaxCapacity": most}
