"""The model registry: groups, versions, approval, metadata, tags.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry.html
"""

from __future__ import annotations

from typing import Any

import pytest
from local_sagemaker import ACCOUNT, IMAGE, REGION, LocalSageMaker, name, refusal, until

pytestmark = pytest.mark.cloud

SPECIFICATION = {
    "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://models/model.tar.gz"}],
    "SupportedContentTypes": ["application/json"],
    "SupportedResponseMIMETypes": ["application/json"],
}
METRICS = {
    "ModelQuality": {
        "Statistics": {"ContentType": "application/json", "S3Uri": "s3://models/evaluation.json"}
    }
}


@pytest.fixture
def group(sagemaker: LocalSageMaker) -> str:
    made = name("group")
    sagemaker.api.create_model_package_group(
        ModelPackageGroupName=made,
        ModelPackageGroupDescription="reviews",
        Tags=[{"Key": "pipeline", "Value": "reviews"}],
    )
    return made


def register(sagemaker: LocalSageMaker, group: str, **more: Any) -> str:
    made = sagemaker.api.create_model_package(
        ModelPackageGroupName=group,
        InferenceSpecification=SPECIFICATION,
        ModelMetrics=METRICS,
        **more,
    )
    return str(made["ModelPackageArn"])


def test_versions_count_up_and_are_never_given_twice(sagemaker, group):
    base = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/{group}"
    arns = [register(sagemaker, group) for _ in range(3)]
    assert arns == [f"{base}/1", f"{base}/2", f"{base}/3"]
    sagemaker.api.delete_model_package(ModelPackageName=arns[2])
    assert register(sagemaker, group) == f"{base}/4"
    found = sagemaker.api.describe_model_package(ModelPackageName=arns[1])
    assert found["ModelPackageVersion"] == 2
    assert found["ModelPackageGroupName"] == group
    assert found["InferenceSpecification"] == SPECIFICATION
    assert found["ModelMetrics"] == METRICS
    assert found["ModelPackageStatus"] == "Completed"
    assert found["ModelApprovalStatus"] == "PendingManualApproval"


def test_approval_and_metadata_change_and_approval_is_an_event(sagemaker, group):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-approve.html"""
    hear = sagemaker.listen("SageMaker Model Package State Change")
    arn = register(sagemaker, group, CustomerMetadataProperties={"run": "r1", "old": "x"})
    sagemaker.api.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="better by 0.02",
        CustomerMetadataProperties={"by": "gate"},
        CustomerMetadataPropertiesToRemove=["old"],
    )
    found = sagemaker.api.describe_model_package(ModelPackageName=arn)
    assert found["ModelApprovalStatus"] == "Approved"
    assert found["ApprovalDescription"] == "better by 0.02"
    assert found["CustomerMetadataProperties"] == {"run": "r1", "by": "gate"}

    def told() -> list[str]:
        mine = [each["detail"] for each in hear() if each["resources"] == [arn]]
        return sorted(detail["ModelApprovalStatus"] for detail in mine)

    until(lambda: told() == ["Approved", "PendingManualApproval"])


def test_the_same_client_token_makes_one_package(sagemaker, group):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html"""
    token = name("token")
    assert len({register(sagemaker, group, ClientToken=token) for _ in range(2)}) == 1
    assert register(sagemaker, group, ClientToken=name("token")).endswith("/2")


def test_packages_are_listed_by_group_type_and_approval(sagemaker, group):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListModelPackages.html"""
    first = register(sagemaker, group)
    second = register(sagemaker, group, ModelApprovalStatus="Approved")
    alone = sagemaker.api.create_model_package(
        ModelPackageName=name("alone"), InferenceSpecification=SPECIFICATION
    )["ModelPackageArn"]

    def listed(**filters: Any) -> list[str]:
        pages = sagemaker.api.get_paginator("list_model_packages").paginate(**filters)
        return [p["ModelPackageArn"] for page in pages for p in page["ModelPackageSummaryList"]]

    assert listed(ModelPackageGroupName=group) == [first, second]
    assert listed(ModelPackageGroupName=group, SortOrder="Descending") == [second, first]
    assert listed(ModelPackageGroupName=group, ModelApprovalStatus="Approved") == [second]
    assert alone in listed()
    assert first not in listed()
    assert first in listed(ModelPackageType="Versioned")
    assert alone not in listed(ModelPackageType="Versioned")
    assert {first, alone} <= set(listed(ModelPackageType="Both"))
    groups = sagemaker.api.list_model_package_groups(NameContains=group)
    assert groups["ModelPackageGroupSummaryList"][0]["ModelPackageGroupName"] == group


def test_a_group_goes_only_when_it_is_empty(sagemaker, group):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteModelPackageGroup.html"""
    arn = register(sagemaker, group)
    delete = sagemaker.api.delete_model_package_group
    assert refusal(delete, ModelPackageGroupName=group)[0] == "ConflictException"
    sagemaker.api.delete_model_package(ModelPackageName=arn)
    delete(ModelPackageGroupName=group)
    describe = sagemaker.api.describe_model_package_group
    code, message = refusal(describe, ModelPackageGroupName=group)
    assert (code, "does not exist" in message) == ("ValidationException", True)


def test_names_that_are_taken_or_unknown(sagemaker, group):
    api = sagemaker.api
    code, message = refusal(api.create_model_package_group, ModelPackageGroupName=group)
    assert (code, "already exists" in message) == ("ValidationException", True)
    unknown = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/{group}/9"
    for act, request in (
        (api.create_model_package, {"ModelPackageGroupName": "none-such"}),
        (api.create_model_package, {}),
        (api.describe_model_package, {"ModelPackageName": unknown}),
        (api.delete_model_package, {"ModelPackageName": unknown}),
        (api.update_model_package, {"ModelPackageArn": unknown, "ModelApprovalStatus": "Approved"}),
        (api.list_model_packages, {"ModelPackageGroupName": "none-such"}),
    ):
        assert refusal(act, **request)[0] == "ValidationException"


def test_tags_of_a_resource(sagemaker, group):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AddTags.html"""
    api = sagemaker.api
    arn = api.describe_model_package_group(ModelPackageGroupName=group)["ModelPackageGroupArn"]

    def tags() -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in api.list_tags(ResourceArn=arn)["Tags"]}

    assert tags() == {"pipeline": "reviews"}
    api.add_tags(
        ResourceArn=arn, Tags=[{"Key": "pipeline", "Value": "x"}, {"Key": "b", "Value": ""}]
    )
    assert tags() == {"pipeline": "x", "b": ""}
    api.delete_tags(ResourceArn=arn, TagKeys=["pipeline", "none"])
    assert tags() == {"b": ""}
    api.add_tags(ResourceArn=arn, Tags=[{"Key": f"k{n}", "Value": "v"} for n in range(49)])
    code, _ = refusal(api.add_tags, ResourceArn=arn, Tags=[{"Key": "more", "Value": "v"}])
    assert code == "ResourceLimitExceeded"
    api.delete_model_package_group(ModelPackageGroupName=group)
    code, message = refusal(api.list_tags, ResourceArn=arn)
    assert (code, group in message) == ("ResourceNotFound", True)
