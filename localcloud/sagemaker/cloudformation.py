"""The CloudFormation types of SageMaker that a pipeline's template uses.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-sagemaker-modelpackagegroup.html
"""

from __future__ import annotations

from typing import Any

from localcloud import ministack_adapter as cloud
from localcloud.sagemaker import service
from localcloud.sagemaker.errors import ApiError

Made = tuple[str, dict[str, Any]]


def install() -> None:
    cloud.register_resource_type("AWS::SageMaker::ModelPackageGroup", _create, _delete, _update)


def _create(logical_id: str, properties: dict[str, Any], stack: str) -> Made:
    made = service.call("CreateModelPackageGroup", dict(properties))
    arn = made["ModelPackageGroupArn"]
    return arn, {"ModelPackageGroupArn": arn, "ModelPackageGroupStatus": "Completed"}


def _update(physical_id: str, before: dict[str, Any], after: dict[str, Any], stack: str) -> Made:
    """Only tags can change in place; another name is another group."""
    name = "ModelPackageGroupName"
    if before.get(name) != after.get(name):
        return _create("", after, stack)
    if tags := after.get("Tags"):
        service.call("AddTags", {"ResourceArn": physical_id, "Tags": tags})
    return physical_id, {"ModelPackageGroupArn": physical_id}


def _delete(physical_id: str, properties: dict[str, Any]) -> None:
    name = properties["ModelPackageGroupName"]
    try:
        service.call("DeleteModelPackageGroup", {"ModelPackageGroupName": name})
    except ApiError as error:
        if "does not exist" not in error.message:
            raise
