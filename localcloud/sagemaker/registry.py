"""The model registry: groups, and in each the packages by version.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry.html
"""

from __future__ import annotations

from typing import Any

from localcloud import ministack_adapter as cloud
from localcloud.sagemaker import names, tags
from localcloud.sagemaker.errors import conflict, refuse_unserved, validation
from localcloud.sagemaker.service import operation
from localcloud.sagemaker.store import Record, now, store

GROUP = "model_package_group"
PACKAGE = "model_package"
SUMMARY = (
    "ModelPackageName",
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "ModelPackageStatus",
    "ModelApprovalStatus",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
)
UNSERVED = (
    "AdditionalInferenceSpecificationsToAdd", "CertifyForMarketplace", "ManagedStorageType",
    "SourceAlgorithmSpecification", "ValidationSpecification",
)  # fmt: skip


@operation("CreateModelPackageGroup")
def create_group(request: dict[str, Any]) -> dict[str, Any]:
    refuse_unserved(request, ("ManagedConfiguration",))
    name = request["ModelPackageGroupName"]
    arn = names.arn("model-package-group", name)
    record = {
        "ModelPackageGroupName": name,
        "ModelPackageGroupArn": arn,
        "CreationTime": now(),
        "CreatedBy": {},
        "ModelPackageGroupStatus": "Completed",
    }
    if "ModelPackageGroupDescription" in request:
        record["ModelPackageGroupDescription"] = request["ModelPackageGroupDescription"]
    if not store.add(GROUP, name, record):
        raise validation(f"Model Package Group already exists: {arn}")
    tags.tag(arn, request.get("Tags", []))
    return {"ModelPackageGroupArn": arn}


@operation("DescribeModelPackageGroup")
def describe_group(request: dict[str, Any]) -> dict[str, Any]:
    return _visible(_group(request["ModelPackageGroupName"]))


@operation("ListModelPackageGroups")
def list_groups(request: dict[str, Any]) -> dict[str, Any]:
    return names.page(
        store.values(GROUP),
        request,
        "ModelPackageGroupSummaryList",
        lambda record: {k: v for k, v in _visible(record).items() if k != "CreatedBy"},
        "ModelPackageGroupName",
    )


@operation("DeleteModelPackageGroup")
def delete_group(request: dict[str, Any]) -> None:
    group = _group(request["ModelPackageGroupName"])
    with store.lock:
        if any(_of(group, package) for package in store.values(PACKAGE)):
            raise conflict(
                f"Model Package Group cannot be deleted because it still contains Model Packages: "
                f"{group['ModelPackageGroupArn']}"
            )
        store.delete(GROUP, group["ModelPackageGroupName"])
    tags.untag(group["ModelPackageGroupArn"])


@operation("CreateModelPackage")
def create_package(request: dict[str, Any]) -> dict[str, Any]:
    """A version in a group, or a package of its own name; the same ClientToken makes one."""
    refuse_unserved(request, UNSERVED)
    with store.lock:
        if known := _by_token(request):
            return {"ModelPackageArn": known["ModelPackageArn"]}
        identity = _identity(request)
        kept = {k: v for k, v in request.items() if k not in ("Tags", "ClientToken")}
        record = {
            **kept,
            **identity,
            "CreationTime": now(),
            "CreatedBy": {},
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "_token": request.get("ClientToken"),
        }
        if "ModelPackageGroupName" in request:
            record.setdefault("ModelApprovalStatus", "PendingManualApproval")
        store.put(PACKAGE, identity["ModelPackageArn"], record)
    tags.tag(identity["ModelPackageArn"], request.get("Tags", []))
    _announce(record)
    return {"ModelPackageArn": identity["ModelPackageArn"]}


@operation("DescribeModelPackage")
def describe_package(request: dict[str, Any]) -> dict[str, Any]:
    return _visible(_package(request["ModelPackageName"]))


@operation("ListModelPackages")
def list_packages(request: dict[str, Any]) -> dict[str, Any]:
    """Of one group, or of a type: packages outside groups unless the request says otherwise."""
    found = store.values(PACKAGE)
    if name := request.get("ModelPackageGroupName"):
        group = _group(name)
        found = [package for package in found if _of(group, package)]
    elif (kind := request.get("ModelPackageType", "Unversioned")) != "Both":
        versioned = kind == "Versioned"
        found = [p for p in found if ("ModelPackageGroupName" in p) == versioned]
    if status := request.get("ModelApprovalStatus"):
        found = [p for p in found if p.get("ModelApprovalStatus") == status]
    return names.page(
        found,
        request,
        "ModelPackageSummaryList",
        lambda record: {name: record[name] for name in SUMMARY if name in record},
        "ModelPackageName",
    )


@operation("UpdateModelPackage")
def update_package(request: dict[str, Any]) -> dict[str, Any]:
    """Change approval, description, the customer's metadata or what the model is."""
    refuse_unserved(request, UNSERVED)
    with store.lock:
        package = _package(request["ModelPackageArn"])
        metadata = package.get("CustomerMetadataProperties", {})
        metadata |= request.get("CustomerMetadataProperties", {})
        for name in request.get("CustomerMetadataPropertiesToRemove", []):
            metadata.pop(name, None)
        dropped = ("ModelPackageArn", "CustomerMetadataPropertiesToRemove", "ClientToken")
        changes = {k: v for k, v in request.items() if k not in dropped}
        changes |= {"CustomerMetadataProperties": metadata, "LastModifiedTime": now()}
        record = store.update(PACKAGE, package["ModelPackageArn"], **changes)
    _announce(record)
    return {"ModelPackageArn": record["ModelPackageArn"]}


@operation("DeleteModelPackage")
def delete_package(request: dict[str, Any]) -> None:
    package = _package(request["ModelPackageName"])
    store.delete(PACKAGE, package["ModelPackageArn"])
    tags.untag(package["ModelPackageArn"])


def _identity(request: dict[str, Any]) -> Record:
    if "ModelPackageGroupName" in request and "ModelPackageName" in request:
        raise validation("Specify ModelPackageName or ModelPackageGroupName, not both.")
    if name := request.get("ModelPackageName"):
        arn = names.arn("model-package", name)
        if store.get(PACKAGE, arn):
            raise validation(f"Model Package already exists: {arn}")
        return {"ModelPackageArn": arn, "ModelPackageName": name}
    if "ModelPackageGroupName" not in request:
        raise validation("Specify ModelPackageName or ModelPackageGroupName.")
    group = _group(request["ModelPackageGroupName"])
    # A version is never given twice, also after a package is deleted.
    number = int(group.get("_versions", 0)) + 1
    store.update(GROUP, group["ModelPackageGroupName"], _versions=number)
    name = group["ModelPackageGroupName"]
    return {
        "ModelPackageArn": f"{names.arn('model-package', name)}/{number}",
        "ModelPackageGroupName": name,
        "ModelPackageName": name,
        "ModelPackageVersion": number,
    }


def _group(name: str) -> Record:
    found = store.get(GROUP, name.rsplit("/", 1)[-1])
    if found is None:
        raise validation(f"ModelPackageGroup {name} does not exist.")
    return found


def _package(name: str) -> Record:
    arn = name if name.startswith("arn:") else names.arn("model-package", name)
    found = store.get(PACKAGE, arn)
    if found is None:
        raise validation(f"ModelPackage {name} does not exist.")
    return found


def _of(group: Record, package: Record) -> bool:
    return bool(package.get("ModelPackageGroupName") == group["ModelPackageGroupName"])


def _by_token(request: dict[str, Any]) -> Record | None:
    token = request.get("ClientToken")
    return next((p for p in store.values(PACKAGE) if token and p.get("_token") == token), None)


def _visible(record: Record) -> Record:
    return {key: value for key, value in record.items() if not key.startswith("_")}


def _announce(package: Record) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html"""
    detail = {name: package[name] for name in SUMMARY if name in package}
    cloud.put_event(
        "aws.sagemaker",
        "SageMaker Model Package State Change",
        detail,
        [package["ModelPackageArn"]],
    )
