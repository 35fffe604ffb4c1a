"""Models: an image, an artefact and an environment, under a name.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModel.html
"""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker import names, roles, tags
from localcloud.sagemaker.errors import refuse_unserved, validation
from localcloud.sagemaker.jobs import files
from localcloud.sagemaker.jobs.lifecycle import JobError
from localcloud.sagemaker.service import operation
from localcloud.sagemaker.store import Record, now, store

KIND = "model"
UNSERVED = (
    "AdditionalModelDataSources", "ContainerMetricsConfig", "ImageConfig",
    "InferenceSpecificationName", "ModelDataSource", "ModelPackageName", "MultiModelConfig",
)  # fmt: skip


def find(name: str) -> Record:
    """A model, or the error that AWS gives for an unknown one."""
    found = store.get(KIND, name)
    if found is None:
        raise validation(f'Could not find model "{names.arn("model", name)}".')
    return found


@operation("CreateModel")
def create_model(request: dict[str, Any]) -> dict[str, Any]:
    """Write a model down; its artefact must be there, and is read when it is served."""
    name = request["ModelName"]
    kept = {key: value for key, value in request.items() if key not in ("Tags", "Containers")}
    kept["PrimaryContainer"] = _container(request)
    arn = names.arn("model", name)
    if not store.add(KIND, name, {**kept, "ModelArn": arn, "CreationTime": now()}):
        raise validation(f"Cannot create already existing model {arn}.")
    tags.tag(arn, request.get("Tags", []))
    return {"ModelArn": arn}


@operation("DescribeModel")
def describe_model(request: dict[str, Any]) -> dict[str, Any]:
    return {"EnableNetworkIsolation": False, **find(request["ModelName"])}


@operation("ListModels")
def list_models(request: dict[str, Any]) -> dict[str, Any]:
    wanted = ("ModelName", "ModelArn", "CreationTime")
    return names.page(
        store.values(KIND),
        request,
        "Models",
        lambda record: {member: record[member] for member in wanted},
        "ModelName",
        order="Descending",
    )


@operation("DeleteModel")
def delete_model(request: dict[str, Any]) -> None:
    tags.untag(find(request["ModelName"])["ModelArn"])
    store.delete(KIND, request["ModelName"])


def _container(request: dict[str, Any]) -> dict[str, Any]:
    """The one container of a model; inference pipelines have more, and are not served here."""
    refuse_unserved(request, ("InferenceExecutionConfig",))
    given = [request[key] for key in ("PrimaryContainer",) if key in request]
    given += request.get("Containers", [])
    if len(given) != 1:
        raise validation("Specify PrimaryContainer, or Containers with one container.")
    container: dict[str, Any] = given[0]
    refuse_unserved(container, UNSERVED, "PrimaryContainer.")
    if container.get("Mode", "SingleModel") != "SingleModel":
        raise validation("The local SageMaker does not serve the mode MultiModel.")
    if "Image" not in container:
        raise validation("Specify the Image of the container.")
    if url := container.get("ModelDataUrl"):
        if "ExecutionRoleArn" not in request:
            raise validation(f"Specify an ExecutionRoleArn that may read {url}.")
        try:
            with roles.acting_as(request["ExecutionRoleArn"]):
                files.check_there(url)
        except JobError:
            raise validation(f"Could not find model data at {url}.") from None
    return container
