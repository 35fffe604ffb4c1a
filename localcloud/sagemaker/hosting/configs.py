"""Endpoint configurations: which models, how many instances, what weights, what is captured.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html
"""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker import models, names, tags
from localcloud.sagemaker.errors import refuse_unserved, validation
from localcloud.sagemaker.jobs import checks
from localcloud.sagemaker.service import operation
from localcloud.sagemaker.store import Record, now, store

KIND = "endpoint_config"
UNSERVED = (
    "AsyncInferenceConfig", "ExplainerConfig", "MetricsConfig",
)  # fmt: skip
UNSERVED_OF_VARIANT = (
    "AcceleratorType", "CapacityReservationConfig", "CoreDumpConfig", "InstancePools",
    "ManagedInstanceScaling", "RoutingConfig", "ServerlessConfig",
)  # fmt: skip


def find(name: str) -> Record:
    found = store.get(KIND, name)
    if found is None:
        raise validation(
            f'Could not find endpoint configuration "{names.arn("endpoint-config", name)}".'
        )
    return found


@operation("CreateEndpointConfig")
def create_endpoint_config(request: dict[str, Any]) -> dict[str, Any]:
    name = request["EndpointConfigName"]
    refuse_unserved(request, UNSERVED)
    variants, shadows = request["ProductionVariants"], request.get("ShadowProductionVariants", [])
    if shadows and (len(variants), len(shadows)) != (1, 1):
        raise validation(
            "With ShadowProductionVariants you can only specify one variant for "
            "ProductionVariants and one variant for ShadowProductionVariants."
        )
    variants = [*variants, *shadows]
    checks.distinct((each["VariantName"] for each in variants), "The names of production variants")
    for variant in variants:
        _check(variant)
    captured = request.get("DataCaptureConfig", {}).get("DestinationS3Uri", "s3://")
    if not captured.startswith("s3://"):
        raise validation(f"DestinationS3Uri must be an S3 URI, not {captured}.")
    arn = names.arn("endpoint-config", name)
    kept = {key: value for key, value in request.items() if key != "Tags"}
    if not store.add(KIND, name, {**kept, "EndpointConfigArn": arn, "CreationTime": now()}):
        raise validation(f"Cannot create already existing endpoint configuration {arn}.")
    tags.tag(arn, request.get("Tags", []))
    return {"EndpointConfigArn": arn}


@operation("DescribeEndpointConfig")
def describe_endpoint_config(request: dict[str, Any]) -> dict[str, Any]:
    return find(request["EndpointConfigName"])


@operation("ListEndpointConfigs")
def list_endpoint_configs(request: dict[str, Any]) -> dict[str, Any]:
    wanted = ("EndpointConfigName", "EndpointConfigArn", "CreationTime")
    return names.page(
        store.values(KIND),
        request,
        "EndpointConfigs",
        lambda record: {member: record[member] for member in wanted},
        "EndpointConfigName",
        order="Descending",
    )


@operation("DeleteEndpointConfig")
def delete_endpoint_config(request: dict[str, Any]) -> None:
    tags.untag(find(request["EndpointConfigName"])["EndpointConfigArn"])
    store.delete(KIND, request["EndpointConfigName"])


def _check(variant: dict[str, Any]) -> None:
    if "ModelName" not in variant:
        raise validation("The local SageMaker serves variants with a ModelName only.")
    models.find(variant["ModelName"])
    refuse_unserved(variant, UNSERVED_OF_VARIANT, f"{variant['VariantName']}.")
    for member in ("InstanceType", "InitialInstanceCount"):
        if member not in variant:
            raise validation(f"Variant {variant['VariantName']} lacks {member}.")
