"""What is registered: scalable targets, their policies and scheduled actions.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from localcloud.sagemaker.errors import ApiError, validation
from localcloud.sagemaker.store import Record, Store

TARGET, POLICY, ACTION = "target", "policy", "action"
NAMESPACE, DIMENSION = "sagemaker", "sagemaker:variant:DesiredInstanceCount"
VARIANT = re.compile(r"endpoint/(?P<endpoint>[^/]+)/variant/(?P<variant>[^/]+)")
store = Store()


def endpoint_and_variant(resource: str) -> tuple[str, str]:
    """Of a resource id; ValidationException where it names something else."""
    found = VARIANT.fullmatch(resource)
    if found is None:
        raise validation(f"Unsupported resource ID: {resource}; it is endpoint/NAME/variant/NAME.")
    return found["endpoint"], found["variant"]


def find(request: Mapping[str, Any]) -> Record:
    """The registered target that a request names."""
    found = store.get(TARGET, request["ResourceId"])
    if found is None:
        raise ApiError(
            "ObjectNotFoundException",
            f"No scalable target registered for service namespace: {request['ServiceNamespace']}, "
            f"resource ID: {request['ResourceId']}, scalable dimension: "
            f"{request['ScalableDimension']}",
        )
    return found


def of(kind: str, resource: str) -> list[Record]:
    """Policies or actions of a target."""
    return [each for each in store.values(kind) if each["ResourceId"] == resource]


def check_update(endpoint: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """An update may not change the instance type of a variant that is scaled.

    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-update.html
    """
    for variant, instance_type in before.items():
        scaled = store.get(TARGET, f"endpoint/{endpoint}/variant/{variant}")
        if scaled and after.get(variant) != instance_type:
            raise validation(
                f"The instance type of variant {variant} cannot be changed while it is a target of "
                "automatic scaling. Deregister it first."
            )
