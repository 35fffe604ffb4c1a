"""Deployment guardrails: in which steps traffic shifts to a new fleet, and what each bakes for.

https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker.errors import refuse_unserved, validation

CANARY_MOST = 50  # percent of a variant's instances
LINEAR_LEAST, LINEAR_MOST = 10, 50
SIZES = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}


@dataclass(frozen=True)
class Step:
    """From here on the new fleet answers `share` of the requests, watched for `seconds`."""

    share: float
    seconds: int
    setting: str = "TerminationWaitInSeconds"  # the one that says how long

    def activating(self, instances: int) -> str:
        return f"Activating traffic on {self._capacity(instances)}."

    def baking(self, instances: int) -> str:
        where = self._capacity(instances)
        return (
            f"Baking for {self.seconds} seconds ({self.setting}) with traffic enabled on {where}."
        )

    def _capacity(self, instances: int) -> str:
        """In the words of SageMaker's deployment events.

        https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
        """
        part = "full" if self.share == 1 else "canary"
        return f"{part} capacity of {self.active(instances)} instance(s)"

    def active(self, instances: int) -> int:
        """How many of a variant's instances the step's share comes to."""
        return max(1, round(instances * self.share))


@dataclass(frozen=True)
class Plan:
    """All steps of a deployment, the alarms that end it, the seconds that it may take."""

    steps: tuple[Step, ...] = (Step(1.0, 0),)
    alarms: tuple[str, ...] = ()
    timeout: float = float("inf")


def plan(config: Mapping[str, Any] | None, counts: Mapping[str, int]) -> Plan:
    """Of a DeploymentConfig and the new fleet's instances by variant; what AWS refuses is refused.

    Without a policy all traffic shifts at once.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TrafficRoutingConfig.html
    """
    if not config:
        return Plan()
    refuse_unserved(config, ("RollingUpdatePolicy",), "DeploymentConfig.")
    policy = config.get("BlueGreenUpdatePolicy", {})
    routing = policy.get("TrafficRoutingConfiguration", {"Type": "ALL_AT_ONCE"})
    final = Step(1.0, policy.get("TerminationWaitInSeconds", 0))
    wait = routing.get("WaitIntervalInSeconds", 0)
    shares = _shares(routing, counts)
    steps = (*(Step(share, wait, "WaitIntervalInSeconds") for share in shares), final)
    timeout = policy.get("MaximumExecutionTimeoutInSeconds", float("inf"))
    if sum(step.seconds for step in steps) >= timeout:
        raise validation(
            "MaximumExecutionTimeoutInSeconds should be larger than the total waiting time "
            "specified in TerminationWaitInSeconds and WaitIntervalInSeconds."
        )
    alarms = config.get("AutoRollbackConfiguration", {}).get("Alarms", [])
    return Plan(steps, tuple(alarm["AlarmName"] for alarm in alarms), timeout)


def _shares(routing: Mapping[str, Any], counts: Mapping[str, int]) -> list[float]:
    """What the new fleet has of the traffic before it has all."""
    kind = routing["Type"]
    for other, member in SIZES.items():
        if (member in routing) != (kind == other):
            need = "needs" if kind == other else "takes no"
            raise validation(f"TrafficRoutingConfiguration of type {kind} {need} {member}.")
    if kind == "ALL_AT_ONCE":
        return []
    share = _share(SIZES[kind], routing[SIZES[kind]], counts, kind == "LINEAR")
    if kind == "CANARY":
        return [share]
    found = [share]
    while found[-1] + share < 1 - 1e-9:
        found.append(round(found[-1] + share, 9))
    return found


def _share(member: str, size: Mapping[str, Any], counts: Mapping[str, int], linear: bool) -> float:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CapacitySize.html"""
    least, most = (LINEAR_LEAST, LINEAR_MOST) if linear else (0, CANARY_MOST)
    value = size["Value"]
    for variant, count in counts.items():
        percent = value if size["Type"] == "CAPACITY_PERCENT" else 100 * value / count
        if not least <= percent <= most:
            limits = f"{least}-{most}%" if linear else f"less than or equal to {most}%"
            raise validation(
                f"{member} must be {limits} of the instance count of variant {variant}: "
                f"{value} ({size['Type']}) of {count} is not."
            )
    if size["Type"] == "CAPACITY_PERCENT":
        return float(value) / 100
    return float(value) * len(counts) / sum(counts.values())
