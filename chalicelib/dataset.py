"""What a run trains on: the curated files of every run that went well, and of this one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chalicelib import clients, places, runs

if TYPE_CHECKING:
    from chalicelib.environment import Environment
    from chalicelib.settings import Dataset


class NoDataError(Exception):
    """There is nothing to train on."""


def run_prefix(dataset: Dataset, run_id: str) -> str:
    return f"curated/{dataset.name}/run={run_id}/"


def write(
    run_id: str, arrivals: Sequence[str], dataset: Dataset, environment: Environment
) -> dict[str, Any]:
    """Put dataset.json and the manifest of the files; returns the document."""
    chosen = list(dict.fromkeys([*runs.curated(), *([run_id] if arrivals else [])]))
    keys = [key for each in chosen for key in _keys(environment, run_prefix(dataset, each))]
    if not keys:
        raise NoDataError(
            f"no rows are curated yet: drop files under incoming/{dataset.name}/ first"
        )
    document = {
        "run_id": run_id,
        "runs": chosen,
        "files": len(keys),
        "arrivals": list(arrivals),
        "schema_hash": schema_hash(dataset),
    }
    _put(environment, places.run(run_id, "dataset.json"), document)
    prefix = f"curated/{dataset.name}/"
    listed = [{"prefix": places.uri(environment, prefix)}, *[k.removeprefix(prefix) for k in keys]]
    _put(environment, places.run(run_id, "dataset.manifest"), listed)
    return document


def schema_hash(dataset: Dataset) -> str:
    """Changes when a column does."""
    columns = [column.model_dump(mode="json") for column in dataset.columns]
    return hashlib.sha256(json.dumps(columns, sort_keys=True).encode()).hexdigest()[:16]


def empty(environment: Environment, prefix: str) -> None:
    """Remove what an earlier attempt of this run left under a prefix."""
    client = clients.client("s3")
    keys = _keys(environment, prefix, every=True)
    for first in range(0, len(keys), 1000):
        answer = client.delete_objects(
            Bucket=environment.data_bucket,
            Delete={"Objects": [{"Key": key} for key in keys[first : first + 1000]], "Quiet": True},
        )
        if errors := answer.get("Errors"):
            raise RuntimeError(f"S3 kept {errors[0]['Key']}: {errors[0]['Message']}")


def _keys(environment: Environment, prefix: str, every: bool = False) -> list[str]:
    """Keys under a prefix; without `every`, those that hold rows."""
    pages = clients.client("s3").get_paginator("list_objects_v2")
    listed = pages.paginate(Bucket=environment.data_bucket, Prefix=prefix)
    found = [entry for page in listed for entry in page.get("Contents", [])]
    return [entry["Key"] for entry in found if every or entry["Size"]]


def _put(environment: Environment, key: str, content: Any) -> None:
    clients.client("s3").put_object(
        Bucket=environment.data_bucket,
        Key=key,
        Body=json.dumps(content, indent=2).encode(),
        ContentType="application/json",
    )
