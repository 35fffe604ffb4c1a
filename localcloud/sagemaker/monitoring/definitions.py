"""Job definitions: what one of the four monitors reads, holds it against, and writes.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateDataQualityJobDefinition.html
"""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker import names, tags
from localcloud.sagemaker.errors import in_use, not_found, refuse_unserved, validation
from localcloud.sagemaker.hosting import records
from localcloud.sagemaker.jobs import checks
from localcloud.sagemaker.service import operation
from localcloud.sagemaker.store import Record, now, store

# MonitoringType, and how its ARN names it.
TYPES = {
    "DataQuality": "data-quality-job-definition",
    "ModelQuality": "model-quality-job-definition",
    "ModelBias": "model-bias-job-definition",
    "ModelExplainability": "model-explainability-job-definition",
}
UNSERVED = ("ContainerEntrypoint", "ContainerArguments")


def find(kind: str, name: str) -> Record:
    found = store.get(_store(kind), name)
    if found is None:
        raise not_found(f"Job definition {names.arn(TYPES[kind], name)} does not exist.")
    return found


def endpoint_input(kind: str, definition: Record) -> dict[str, Any]:
    found: dict[str, Any] = definition[f"{kind}JobInput"]["EndpointInput"]
    return found


def _store(kind: str) -> str:
    return f"{kind}_definition"


def _check(kind: str, request: dict[str, Any]) -> None:
    refuse_unserved(request[f"{kind}JobInput"], ("BatchTransformInput",), f"{kind}JobInput.")
    refuse_unserved(request[f"{kind}AppSpecification"], UNSERVED, f"{kind}AppSpecification.")
    refuse_unserved(request.get(f"{kind}BaselineConfig", {}), ("BaseliningJobName",))
    checks.cluster(request["JobResources"]["ClusterConfig"])
    asked = request[f"{kind}JobInput"].get("EndpointInput")
    if asked is None:
        raise validation(f"{kind}JobInput needs an EndpointInput.")
    if not records.find(asked["EndpointName"]).get("DataCaptureConfig", {}).get("EnableCapture"):
        raise validation(f"Endpoint {asked['EndpointName']} does not have data capture enabled.")
    if len(request[f"{kind}JobOutputConfig"]["MonitoringOutputs"]) != 1:
        raise validation("Exactly one monitoring output is needed.")


def _serve(kind: str) -> None:
    """Register the operations of one type."""

    @operation(f"Create{kind}JobDefinition")
    def create(request: dict[str, Any]) -> dict[str, Any]:
        _check(kind, request)
        name = request["JobDefinitionName"]
        arn = names.arn(TYPES[kind], name)
        kept = {key: value for key, value in request.items() if key != "Tags"}
        if not store.add(
            _store(kind), name, {**kept, "JobDefinitionArn": arn, "CreationTime": now()}
        ):
            raise in_use(f"Job definition {arn} already exists.")
        tags.tag(arn, request.get("Tags", []))
        return {"JobDefinitionArn": arn}

    @operation(f"Describe{kind}JobDefinition")
    def describe(request: dict[str, Any]) -> dict[str, Any]:
        return find(kind, request["JobDefinitionName"])

    @operation(f"Delete{kind}JobDefinition")
    def delete(request: dict[str, Any]) -> None:
        tags.untag(find(kind, request["JobDefinitionName"])["JobDefinitionArn"])
        store.delete(_store(kind), request["JobDefinitionName"])

    @operation(f"List{kind}JobDefinitions")
    def listed(request: dict[str, Any]) -> dict[str, Any]:
        wanted = request.get("EndpointName")
        found = [
            each
            for each in store.values(_store(kind))
            if wanted in (None, endpoint_input(kind, each)["EndpointName"])
        ]
        return names.page(
            found,
            request,
            "JobDefinitionSummaries",
            lambda record: {
                "MonitoringJobDefinitionName": record["JobDefinitionName"],
                "MonitoringJobDefinitionArn": record["JobDefinitionArn"],
                "CreationTime": record["CreationTime"],
                "EndpointName": endpoint_input(kind, record)["EndpointName"],
            },
            "JobDefinitionName",
            order="Descending",
        )


for _kind in TYPES:
    _serve(_kind)
