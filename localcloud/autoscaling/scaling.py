"""Scaling itself: by the two alarms of a target-tracking policy, and by scheduled actions.

https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking.html
https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scheduled-scaling.html
"""

from __future__ import annotations

import logging
import math
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.autoscaling import targets
from localcloud.autoscaling.targets import ACTION, POLICY, TARGET, store
from localcloud.cloudwatch import alarms
from localcloud.sagemaker import service
from localcloud.sagemaker.errors import ApiError, validation
from localcloud.sagemaker.store import Record, now
from localcloud.scheduler import due

TICK_SECONDS = 1.0
COOLDOWN_SECONDS = 300
# How many minutes above the target scale out, and how many well below it scale in.
PERIODS = {"AlarmHigh": 3, "AlarmLow": 15}
LOW = 0.9  # of the target
EVENTBRIDGE = "ministack.services.eventbridge"
log = logging.getLogger(__name__)


def desired(current: int, value: float, target: float, least: int, most: int) -> int:
    """How many instances bring the metric of each near its target."""
    return min(max(math.ceil(current * value / target), least, 1), most)


def bounded(current: int, least: int, most: int) -> int:
    """A scheduled action moves capacity only where it lies outside the new limits."""
    return min(max(current, least), most)


def capacity(endpoint: str, variant: str) -> int:
    """The instances that a variant has now; ValidationException where there is none."""
    found = service.call("DescribeEndpoint", {"EndpointName": endpoint})
    for each in found.get("ProductionVariants", []):
        if each["VariantName"] == variant:
            return int(each["DesiredInstanceCount"])
    raise validation(f"Could not find variant {variant} of endpoint {endpoint}.")


def alarms_of(resource: str) -> list[dict[str, str]]:
    """The names of a new policy's alarms, as Application Auto Scaling gives them."""
    here = adapter.config()
    names = [f"TargetTracking-{resource}-{kind}-{uuid.uuid4()}" for kind in PERIODS]
    arn = f"arn:aws:cloudwatch:{here.region}:{here.account}:alarm"
    return [{"AlarmName": name, "AlarmARN": f"{arn}:{name}"} for name in names]


def put_alarms(policy: Record) -> None:
    """One for above the target, one for below."""
    endpoint, variant = targets.endpoint_and_variant(policy["ResourceId"])
    target = policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"]
    for alarm, (kind, periods) in zip(policy["Alarms"], PERIODS.items(), strict=True):
        high = kind == "AlarmHigh"
        adapter.client("cloudwatch").put_metric_alarm(
            AlarmName=alarm["AlarmName"],
            Namespace="AWS/SageMaker",
            MetricName="InvocationsPerInstance",
            Dimensions=[
                {"Name": "EndpointName", "Value": endpoint},
                {"Name": "VariantName", "Value": variant},
            ],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=periods,
            Threshold=target if high else target * LOW,
            ComparisonOperator="GreaterThanThreshold" if high else "LessThanThreshold",
        )


def forget(resource: str) -> None:
    """A target is no more, with all that belongs to it."""
    for policy in targets.of(POLICY, resource):
        names = [alarm["AlarmName"] for alarm in policy["Alarms"]]
        adapter.client("cloudwatch").delete_alarms(AlarmNames=names)
        store.delete(POLICY, f"{resource}/{policy['PolicyName']}")
    for action in targets.of(ACTION, resource):
        store.delete(ACTION, f"{resource}/{action['ScheduledActionName']}")
    store.delete(TARGET, resource)


def following(action: Record, after: float) -> datetime | None:
    """The next moment of an action's schedule; None where the schedule cannot be read."""
    events, zone = adapter.part(EVENTBRIDGE), action.get("Timezone") or "UTC"
    expression = action.get("Schedule", "")
    if not due.known(zone):
        return None
    moment = datetime.fromtimestamp(after, UTC)
    if (once := due.once(expression, zone)) is not None:
        return once if once > moment else None
    if (seconds := events._parse_rate_seconds(expression)) is not None:
        return due.every(seconds, moment)
    fields = events._parse_cron_fields(expression)
    if fields is None:
        return None
    return due.following(lambda face: events._cron_next_fire(fields, face), zone, moment)


def run(stopped: threading.Event) -> None:
    """Look at every target each second."""
    while not stopped.wait(TICK_SECONDS):
        for target in store.values(TARGET):
            try:
                _look(target)
            except Exception:
                log.exception("%s could not be scaled", target["ResourceId"])


def _look(target: Record) -> None:
    resource = target["ResourceId"]
    try:
        current = capacity(*targets.endpoint_and_variant(resource))
    except ApiError:  # deleting an endpoint deregisters its variants
        forget(resource)
        return
    for action in targets.of(ACTION, resource):
        moment = following(action, action["_looked"])
        if moment is not None and moment.timestamp() <= time.time():
            key = f"{resource}/{action['ScheduledActionName']}"
            store.update(ACTION, key, _looked=now())
            target = store.update(TARGET, resource, **action.get("ScalableTargetAction", {}))
            wanted = bounded(current, target["MinCapacity"], target["MaxCapacity"])
            current = _scale(resource, current, wanted)
    for policy in targets.of(POLICY, resource):
        current = _track(policy, target, current)


def _track(policy: Record, target: Record, current: int) -> int:
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    for alarm, kind in zip(policy["Alarms"], PERIODS, strict=True):
        out = kind == "AlarmHigh"
        cooldown = tracking.get(f"Scale{'Out' if out else 'In'}Cooldown", COOLDOWN_SECONDS)
        cool = now() - policy.get(f"_{kind}", 0) >= cooldown
        refused = not out and tracking.get("DisableScaleIn")
        if refused or not cool or alarms.state(alarm["AlarmName"]) != "ALARM":
            continue
        value = alarms.latest(alarm["AlarmName"])
        limits = target["MinCapacity"], target["MaxCapacity"]
        wanted = desired(current, value, tracking["TargetValue"], *limits)
        if (wanted > current) if out else (wanted < current):
            key = f"{policy['ResourceId']}/{policy['PolicyName']}"
            store.update(POLICY, key, **{f"_{kind}": now()})
            return _scale(policy["ResourceId"], current, wanted)
    return current


def _scale(resource: str, current: int, wanted: int) -> int:
    if wanted == current:
        return current
    endpoint, variant = targets.endpoint_and_variant(resource)
    entry: dict[str, Any] = {"VariantName": variant, "DesiredInstanceCount": wanted}
    try:
        service.call(
            "UpdateEndpointWeightsAndCapacities",
            {"EndpointName": endpoint, "DesiredWeightsAndCapacities": [entry]},
        )
    except ApiError as error:  # an update is under way: the next look tries again
        log.info("%s stays at %d instances for now: %s", resource, current, error.message)
        return current
    return wanted
