"""Take a deployed pipeline away: what the stack made, and what its runs made beside it."""

from __future__ import annotations

import contextlib
from typing import Any

from botocore.exceptions import ClientError

from cli import deploy, target
from cli.errors import Problem


def delete(stack: str | None = None, progress: deploy.Progress = print) -> None:
    """Endpoint, models, every object, then the stack and its artifacts."""
    stack = stack or deploy.stack_name()
    found = deploy.describe(stack)
    if found is None:
        raise Problem(f"no stack named {stack} is deployed")
    outputs = {item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", [])}
    if outputs:
        progress("deleting the endpoint and the models")
        _delete_schedules(outputs["EndpointName"])
        _delete_endpoint(outputs["EndpointName"])
        _delete_models(outputs["EndpointName"])
        _delete_packages(outputs["ModelGroup"])
        progress(f"emptying {outputs['DataBucket']}")
        _empty(outputs["DataBucket"])
    seen = {event["EventId"] for event in deploy.events(stack)}
    target.client("cloudformation").delete_stack(StackName=stack)
    deploy.wait(found["StackId"], progress, seen)
    artifacts = deploy.artifact_bucket(stack)
    _empty(artifacts)
    with _missing_is_fine():
        target.client("s3").delete_bucket(Bucket=artifacts)
    target.outputs.cache_clear()
    progress(f"{stack} is deleted")


def _delete_schedules(endpoint: str) -> None:
    """A managed monitor's schedule and its job definition, each of which names the endpoint."""
    sagemaker = target.client("sagemaker")
    for kind in ("data_quality", "model_quality", "model_bias", "model_explainability"):
        listed = f"list_{kind}_job_definitions"
        for item in _pages(listed, "JobDefinitionSummaries", EndpointName=endpoint):
            name = item["MonitoringJobDefinitionName"]
            schedules = _pages(
                "list_monitoring_schedules",
                "MonitoringScheduleSummaries",
                MonitoringJobDefinitionName=name,
            )
            for schedule in schedules:
                sagemaker.delete_monitoring_schedule(
                    MonitoringScheduleName=schedule["MonitoringScheduleName"]
                )
            getattr(sagemaker, f"delete_{kind}_job_definition")(JobDefinitionName=name)


def _delete_endpoint(name: str) -> None:
    with _missing_is_fine():
        target.client("sagemaker").delete_endpoint(EndpointName=name)


def _delete_models(pipeline: str) -> None:
    """A run's model and endpoint configuration are named <pipeline>-<run id>."""
    sagemaker = target.client("sagemaker")
    for item in _pages("list_endpoint_configs", "EndpointConfigs", NameContains=pipeline):
        if item["EndpointConfigName"].startswith(f"{pipeline}-20"):
            sagemaker.delete_endpoint_config(EndpointConfigName=item["EndpointConfigName"])
    for item in _pages("list_models", "Models", NameContains=pipeline):
        if item["ModelName"].startswith(f"{pipeline}-20"):
            sagemaker.delete_model(ModelName=item["ModelName"])


def _delete_packages(group: str) -> None:
    """CloudFormation deletes a model package group only when it is empty."""
    with _missing_is_fine():
        for item in _pages(
            "list_model_packages", "ModelPackageSummaryList", ModelPackageGroupName=group
        ):
            target.client("sagemaker").delete_model_package(
                ModelPackageName=item["ModelPackageArn"]
            )


def _pages(operation: str, member: str, **request: Any) -> list[dict[str, Any]]:
    pages = target.client("sagemaker").get_paginator(operation).paginate(**request)
    return [item for page in pages for item in page[member]]


def _empty(bucket: str) -> None:
    """Every object and every version of it."""
    s3 = target.client("s3")
    with _missing_is_fine():
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            listed = page.get("Versions", []) + page.get("DeleteMarkers", [])
            keys = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in listed]
            if not keys:
                continue
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
            if errors := answer.get("Errors"):
                first = errors[0]
                raise Problem(f"{bucket}/{first['Key']} was not deleted: {first['Message']}")


@contextlib.contextmanager
def _missing_is_fine() -> Any:
    try:
        yield
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        unknown = code == "ValidationException" and (
            "Could not find" in message or "does not exist" in message
        )
        if not unknown and code not in ("404", "NoSuchBucket", "ResourceNotFound"):
            raise
