"""What is known of each endpoint, and the event that tells each change of it."""

from __future__ import annotations

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


def serves(name: str, members: Record) -> None:
    """The endpoint is in service with these members, and no failure or capture of before."""
    with store.lock:
        record = find(name)
        for member in ("FailureReason", "DataCaptureConfig"):
            record.pop(member, None)
        store.put(KIND, name, record)
        record = store.update(
            KIND, name, **members, EndpointStatus="InService", LastModifiedTime=now()
        )
    announce(record)


def announce(record: Record) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html"""
    detail = {key: value for key, value in record.items() if not key.startswith("_")}
    for member in ("CreationTime", "LastModifiedTime"):
        detail[member] = int(detail[member] * 1000)
    # The event gives the status in capitals and underscores: IN_SERVICE.
    status = {"InService": "IN_SERVICE"}.get(record["EndpointStatus"])
    detail["EndpointStatus"] = status or record["EndpointStatus"].upper()
    arn = record["EndpointArn"]
    cloud.put_event("aws.sagemaker", "SageMaker Endpoint State Change", detail, [arn])
