"""A deployment under way: traffic shifts step by step, and goes back when an alarm fires.

https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from localcloud.cloudwatch import alarms
from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.hosting.fleet import Fleet
from localcloud.sagemaker.hosting.guardrails import Plan, Step

LOOK_SECONDS = 0.2  # between two looks at the alarms

Tell = Callable[[str, Callable[[int], str], Step], None]


class RolledBackError(Exception):
    """Traffic has gone back to the old fleet; the words are a FailureReason."""


@dataclass
class Pending:
    """A fleet that is to take over, and its share of the requests so far."""

    fleet: Fleet
    share: float = 0.0


def check_alarms(names: Iterable[str]) -> None:
    """Refuse alarms that there are not."""
    if missing := [name for name in names if alarms.state(name) is None]:
        raise validation(f"Could not find the CloudWatch alarm(s) {', '.join(missing)}.")


def shift(pending: Pending, plan: Plan, tell: Tell, stopped: threading.Event) -> None:
    """Through all steps of the plan; RolledBackError where an alarm fires or time is up."""
    deadline = time.monotonic() + plan.timeout
    for step in plan.steps:
        tell("ActivatingTraffic", step.activating, step)
        pending.share = step.share
        if step.seconds:
            tell("Baking", step.baking, step)
        _bake(step, plan.alarms, deadline, stopped)


def _bake(step: Step, watched: Iterable[str], deadline: float, stopped: threading.Event) -> None:
    end = time.monotonic() + step.seconds
    while True:
        if fired := [name for name in watched if alarms.state(name) == "ALARM"]:
            raise RolledBackError(
                f"The CloudWatch alarm(s) {', '.join(fired)} went into ALARM while "
                f"{step.share:.0%} of the traffic was on the new fleet; it was rolled back."
            )
        now = time.monotonic()
        if now > deadline:
            raise RolledBackError("The deployment ran past MaximumExecutionTimeoutInSeconds.")
        if now >= end:
            return
        if stopped.wait(min(LOOK_SECONDS, end - now)):
            raise RolledBackError("The local cloud was stopped.")
