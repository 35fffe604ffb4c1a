"""Tags of SageMaker's resources.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AddTags.html
"""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker.errors import limit_exceeded, not_found
from localcloud.sagemaker.service import operation
from localcloud.sagemaker.store import store

KIND = "tags"
MOST = 50


def tag(arn: str, tags: list[dict[str, str]]) -> list[dict[str, str]]:
    """Add tags to a resource, at least when it is made; a key that is there gets the new value."""
    with store.lock:
        held = (store.get(KIND, arn) or {}) | {entry["Key"]: entry["Value"] for entry in tags}
        if len(held) > MOST:
            raise limit_exceeded(f"A resource may have {MOST} tags at most.")
        store.put(KIND, arn, held)
    return [{"Key": key, "Value": value} for key, value in held.items()]


def untag(arn: str) -> None:
    """Forget the tags of a resource that is deleted."""
    store.delete(KIND, arn)


def _held(arn: str) -> dict[str, str]:
    """The tags of a resource; every resource has some, if only none."""
    held = store.get(KIND, arn)
    if held is None:
        raise not_found(f"Could not find the resource {arn}.")
    return held


@operation("AddTags")
def add_tags(request: dict[str, Any]) -> dict[str, Any]:
    """Add or overwrite tags."""
    _held(request["ResourceArn"])
    return {"Tags": tag(request["ResourceArn"], request["Tags"])}


@operation("ListTags")
def list_tags(request: dict[str, Any]) -> dict[str, Any]:
    """The tags of a resource."""
    held = _held(request["ResourceArn"])
    return {"Tags": [{"Key": key, "Value": value} for key, value in held.items()]}


@operation("DeleteTags")
def delete_tags(request: dict[str, Any]) -> dict[str, Any]:
    """Take tags off a resource."""
    with store.lock:
        held = _held(request["ResourceArn"])
        gone = set(request["TagKeys"])
        store.put(KIND, request["ResourceArn"], {k: v for k, v in held.items() if k not in gone})
    return {}
