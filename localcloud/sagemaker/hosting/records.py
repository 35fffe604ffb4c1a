"""What is known of each endpoint, and the event that tells each change of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from localcloud import ministack_adapter as cloud
from localcloud.sagemaker import names
from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.store import Record, now, store

KIND = "endpoint"


def find(name: str) -> Record:
    """An endpoint's record, or the error that AWS gives for an unknown one."""
    found = store.get(KIND, name)
    if found is None:
        raise validation(f'Could not find endpoint "{names.arn("endpoint", name)}".')
    return found


def change(name: str, **changes: Any) -> None:
    """Change members of a record; its state change is an event."""
    announce(store.update(KIND, name, LastModifiedTime=now(), **changes))


def settle(name: str, **changes: Any) -> None:
    """No deployment is under way any more."""
    _without(name, ("PendingDeploymentSummary",), changes)


def serves(name: str, members: Record) -> None:
    """The endpoint is in service with these members, and no failure or capture of before."""
    gone = (
        "FailureReason", "DataCaptureConfig", "PendingDeploymentSummary",
        "ShadowProductionVariants",
    )  # fmt: skip
    _without(name, gone, members | {"EndpointStatus": "InService"})


def progress(name: str, summary: Record) -> None:
    """How far a deployment is; each step of it is an event."""
    record = store.update(KIND, name, LastModifiedTime=now(), PendingDeploymentSummary=summary)
    announce(record, "SageMaker Endpoint Deployment State Change")


def _without(name: str, members: Iterable[str], changes: Record) -> None:
    with store.lock:
        record = find(name)
        for member in members:
            record.pop(member, None)
        store.put(KIND, name, record)
        record = store.update(KIND, name, **changes, LastModifiedTime=now())
    announce(record)


def announce(record: Record, detail_type: str = "SageMaker Endpoint State Change") -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html"""
    shown = {key: value for key, value in record.items() if not key.startswith("_")}
    detail = _milliseconds(shown)
    # The event gives the status in capitals and underscores: IN_SERVICE.
    status = {"InService": "IN_SERVICE"}.get(record["EndpointStatus"])
    detail["EndpointStatus"] = status or record["EndpointStatus"].upper()
    arn = record["EndpointArn"]
    cloud.put_event("aws.sagemaker", detail_type, detail, [arn])


def _milliseconds(value: Any) -> Any:
    """Times as the events give them."""
    if isinstance(value, dict):
        return {
            key: int(item * 1000) if key.endswith("Time") else _milliseconds(item)
            for key, item in value.items()
        }
    return [_milliseconds(item) for item in value] if isinstance(value, list) else value
