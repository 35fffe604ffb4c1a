"""What machines that change the endpoint share: look at it, wait until it serves what is wanted."""

from __future__ import annotations

from stepfunctions.steps.choice_rule import ChoiceRule
from stepfunctions.steps.states import Chain, Choice, Task, Wait

from statemachines import asl

BUSY = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


def in_service(failure: Chain, then: Task, planned: str) -> Task:
    """Wait until the planned configuration serves; an older one in service was rolled back to.

    `planned`: where the state has `endpoint` (both names) and `poll_seconds`.
    """
    status = "$.deployed.EndpointStatus"
    look = describe("DescribeEndpoint", planned, "$.deployed")
    asl.guard([look], failure)
    wait = Wait("WaitForEndpoint", seconds_path=f"{planned}.poll_seconds")
    wait.next(look)
    failed = asl.failed("EndpointFailed", "$.deployed", failure)
    ready = Choice("EndpointReady")
    serves = ChoiceRule.StringEquals(status, "InService")
    ours = ChoiceRule.StringEqualsPath(
        "$.deployed.EndpointConfigName", f"{planned}.endpoint.EndpointConfigName"
    )
    ready.add_choice(ChoiceRule.And([serves, ours]), then)
    ready.add_choice(ChoiceRule.Or([ChoiceRule.StringEquals(status, s) for s in BUSY]), wait)
    ready.default_choice(failed)
    look.next(ready)
    return look


def describe(name: str, planned: str, result_path: str) -> Task:
    return asl.call(
        name,
        "aws-sdk:sagemaker:describeEndpoint",
        parameters={"EndpointName.$": f"{planned}.endpoint.EndpointName"},
        result_path=result_path,
    )
