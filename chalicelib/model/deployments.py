"""The changes of what the endpoint serves that are not written down yet.

SageMaker ends an update that it has begun whatever becomes of the execution that asked for it:
stopped, out of time, or failed just after. So each plan is kept until its end is written down.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpoint.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from chalicelib import clients, records
from chalicelib.model.traffic import Serving

PREFIX = "#deployment#"
MOST = 10  # looked at together
DEPLOY = "deploy"  # the action of a run
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html
BUSY = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


@dataclass(frozen=True)
class Deployment:
    """What an execution has planned: `after` serves once the endpoint has this configuration.

    `package`: the ARN of the champion that comes. `share`: the challenger's weight, where only the
    weights change.
    """

    execution: str
    action: str
    endpoint: str
    config: str | None  # none where the model serves inside Lambda
    package: str
    after: Serving
    before: Serving | None = None
    share: float | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Deployment:
        known = {name: document[name] for name in cls.__dataclass_fields__}
        known["after"] = Serving(**known["after"])
        known["before"] = Serving(**known["before"]) if known["before"] else None
        return cls(**known)

    def document(self) -> dict[str, Any]:
        return asdict(self)


def key(execution: str) -> str:
    """Of an execution's name or ARN."""
    return f"{PREFIX}{execution.rsplit(':', 1)[-1]}"


def begin(deployment: Deployment) -> None:
    records.put(key(deployment.execution), deployment.document())


def end(execution: str) -> None:
    """What serves is written down."""
    records.remove(key(execution))


def find(execution: str) -> Deployment | None:
    """An execution's own, if it has planned one that has no end yet."""
    found = records.get(key(execution))
    return Deployment.of(found) if found else None


def open_ones() -> list[Deployment]:
    return [Deployment.of(each) for each in records.newest(PREFIX, MOST)]


def sweep() -> str:
    """Have the function that deploys look at what has no end yet, if there is any: it may."""
    if not open_ones():
        return "none is under way"
    clients.client("lambda").invoke(
        FunctionName=os.environ["RUN_STEP_FUNCTION"],
        InvocationType="Event",
        Payload=json.dumps({"step": "settle", "run": {}}).encode(),
    )
    return "looked at"


def serves(deployment: Deployment) -> bool | None:
    """Whether the endpoint serves what was planned; None while it changes still."""
    describe = clients.client("sagemaker").describe_endpoint
    found = described(describe, EndpointName=deployment.endpoint)
    return False if found is None else came_about(deployment, found)


def described(describe: Callable[..., Any], **name: str) -> dict[str, Any] | None:
    """What SageMaker has of an endpoint, a configuration or a model; None where there is none."""
    try:
        return dict(describe(**name))
    except clients.client("sagemaker").exceptions.ClientError as error:
        if error.response["Error"]["Code"] == "ValidationException":
            return None
        raise


def came_about(deployment: Deployment, endpoint: Mapping[str, Any]) -> bool | None:
    """Pure: as `serves`, of DescribeEndpoint's answer."""
    status = endpoint["EndpointStatus"]
    if status in BUSY:
        return None
    if status != "InService" or endpoint["EndpointConfigName"] != deployment.config:
        return False
    if deployment.share is None:
        return True
    weights = [each["CurrentWeight"] for each in endpoint["ProductionVariants"]]
    return any(abs(each - deployment.share) < 1e-6 for each in weights[1:])
