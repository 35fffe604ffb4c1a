"""Models: an image, an artefact and an environment, under a name.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModel.html
"""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker import names, tags
from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.service import operation
from localcloud.sagemaker.store import Record, now, store

KIND = "model"


def find(name: str) -> Record:
    """A model, or the error that AWS gives for an unknown one."""
    found = store.get(KIND, name)
    if found is None:
        raise validation(f'Could not find model "{names.arn("model", name)}".')
    return found


@operation("CreateModel")
def create_model(request: dict[str, Any]) -> dict[str, Any]:
    """Write a model down; its artefact is read when it is served."""
    name = request["ModelName"]
    if not any(key in request for key in ("PrimaryContainer", "Containers")):
        raise validation("Specify PrimaryContainer or Containers.")
    arn = names.arn("model", name)
    kept = {key: value for key, value in request.items() if key != "Tags"}
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
        store.values(KIND), request, "Models", lambda r: {k: r[k] for k in wanted}, "ModelName"
    )


@operation("DeleteModel")
def delete_model(request: dict[str, Any]) -> None:
    tags.untag(find(request["ModelName"])["ModelArn"])
    store.delete(KIND, request["ModelName"])
