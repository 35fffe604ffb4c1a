"""The operations of Application Auto Scaling that an endpoint's scaling needs.

https://docs.aws.amazon.com/autoscaling/application/APIReference/Welcome.html
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.autoscaling import scaling, targets
from localcloud.autoscaling.targets import ACTION, DIMENSION, NAMESPACE, POLICY, TARGET, store
from localcloud.sagemaker import validation as model
from localcloud.sagemaker.errors import ApiError, refuse_unserved, validation
from localcloud.sagemaker.service import Response, error_reply, reply
from localcloud.sagemaker.store import now

SERVICE = "application-autoscaling"
log = logging.getLogger(__name__)
Request = dict[str, Any]


async def handle(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
) -> Response:
    """Answer one request of the JSON 1.1 protocol."""
    target = next((v for k, v in headers.items() if k.lower() == "x-amz-target"), "")
    try:
        return reply(await asyncio.to_thread(call, target.partition(".")[2], json.loads(body)))
    except ApiError as error:
        return error_reply(error)
    except Exception:
        log.exception("an Application Auto Scaling request failed")
        return error_reply(ApiError("InternalServiceException", "See the local cloud's log.", 500))


def call(name: str, given: Request) -> Request:
    if name not in OPERATIONS:
        raise ApiError("UnknownOperationException", f"{name} is not served here.")
    request = model.check(name, given, SERVICE)
    if request["ServiceNamespace"] != NAMESPACE:
        raise validation(f"Only the service namespace {NAMESPACE} is served here.")
    if request.get("ScalableDimension", DIMENSION) != DIMENSION:
        raise validation(f"Only the scalable dimension {DIMENSION} is served here.")
    return OPERATIONS[name](request)


def register(request: Request) -> Request:
    refuse_unserved(request, ("SuspendedState", "Tags"))
    resource = request["ResourceId"]
    scaling.capacity(*targets.endpoint_and_variant(resource))
    before = store.get(TARGET, resource) or {}
    limits = {
        limit: request.get(limit, before.get(limit)) for limit in ("MinCapacity", "MaxCapacity")
    }
    if None in limits.values():
        raise validation("MinCapacity and MaxCapacity are required of a new scalable target.")
    if limits["MinCapacity"] > limits["MaxCapacity"]:
        raise validation("Maximum capacity cannot be less than minimum capacity")
    made = {"CreationTime": now(), "ScalableTargetARN": _arn("scalable-target", uuid.uuid4().hex)}
    named = {key: request[key] for key in ("ServiceNamespace", "ResourceId", "ScalableDimension")}
    store.put(TARGET, resource, made | before | named | limits)
    return {"ScalableTargetARN": (made | before)["ScalableTargetARN"]}


def deregister(request: Request) -> Request:
    targets.find(request)
    scaling.forget(request["ResourceId"])
    return {}


def put_policy(request: Request) -> Request:
    targets.find(request)
    if request.get("PolicyType") != "TargetTrackingScaling":
        raise validation("Only policies of the type TargetTrackingScaling are served here.")
    tracking = request["TargetTrackingScalingPolicyConfiguration"]
    refuse_unserved(tracking, ("CustomizedMetricSpecification",))
    metric = tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
    if metric != "SageMakerVariantInvocationsPerInstance":
        raise validation(f"The metric {metric} is not served here.")
    key = f"{request['ResourceId']}/{request['PolicyName']}"
    before = store.get(POLICY, key) or {}
    made = {"CreationTime": now(), "PolicyARN": _arn("scalingPolicy", uuid.uuid4().hex)}
    policy = {**made, **before, **request}
    policy["Alarms"] = before.get("Alarms") or scaling.alarms_of(request["ResourceId"])
    scaling.put_alarms(policy)
    store.put(POLICY, key, policy)
    return {"PolicyARN": policy["PolicyARN"], "Alarms": policy["Alarms"]}


def put_action(request: Request) -> Request:
    targets.find(request)
    refuse_unserved(request, ("StartTime", "EndTime"))
    if scaling.following(request, now()) is None:
        raise validation(f"Invalid schedule: {request.get('Schedule')}.")
    key = f"{request['ResourceId']}/{request['ScheduledActionName']}"
    made = {"CreationTime": now(), "ScheduledActionARN": _arn("scheduledAction", uuid.uuid4().hex)}
    store.put(ACTION, key, {**made, **request, "_looked": now()})
    return {}


def delete_action(request: Request) -> Request:
    key = f"{request['ResourceId']}/{request['ScheduledActionName']}"
    if store.delete(ACTION, key) is None:
        raise ApiError("ObjectNotFoundException", f"No scheduled action found: {key}")
    return {}


def _describing(kind: str, member: str) -> Callable[[Request], Request]:
    def describe(request: Request) -> Request:
        wanted = request.get("ResourceIds") or [request.get("ResourceId")]
        return {
            member: [
                {key: value for key, value in each.items() if not key.startswith("_")}
                for each in store.values(kind)
                if wanted == [None] or each["ResourceId"] in wanted
            ]
        }

    return describe


def _arn(kind: str, name: str) -> str:
    here = adapter.config()
    return f"arn:aws:{SERVICE}:{here.region}:{here.account}:{kind}/{name}"


OPERATIONS: dict[str, Callable[[Request], Request]] = {
    "RegisterScalableTarget": register,
    "DeregisterScalableTarget": deregister,
    "DescribeScalableTargets": _describing(TARGET, "ScalableTargets"),
    "PutScalingPolicy": put_policy,
    "DescribeScalingPolicies": _describing(POLICY, "ScalingPolicies"),
    "PutScheduledAction": put_action,
    "DeleteScheduledAction": delete_action,
    "DescribeScheduledActions": _describing(ACTION, "ScheduledActions"),
}
