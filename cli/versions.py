"""Model versions, read back: the registry's package, the run that made it, and its lineage."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.config import Config
from rich.markup import escape
from rich.tree import Tree

from cli import records, target
from cli.errors import Problem

LINK_SECONDS = 3600
ARRIVALS = 20  # of one dataset version, in the tree
Document = dict[str, Any]


def package(stack: str, version: int) -> Document:
    """A version as the registry describes it."""
    client = target.client("sagemaker")
    pages = client.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=target.outputs(stack)["ModelGroup"]
    )
    for page in pages:
        for summary in page["ModelPackageSummaryList"]:
            if summary["ModelPackageVersion"] == version:
                name = summary["ModelPackageArn"]
                found: Document = client.describe_model_package(ModelPackageName=name)
                return found
    raise Problem(f"there is no version {version}", "The versions there are: driftloop models")


def run(stack: str, version: int) -> Document:
    """The run that made a version."""
    return records.run(stack, package(stack, version)["CustomerMetadataProperties"]["run_id"])


def lineage(stack: str, version: int) -> Document:
    """lineage.json of the run that made a version, with its dataset version."""
    run_id = str(run(stack, version)["run_id"])
    found = read(stack, f"runs/{run_id}/lineage.json")
    if found is None:
        raise Problem(
            f"version {version} has no lineage yet",
            f"Its run writes it at its end: driftloop run show {run_id}",
        )
    return {**found, "dataset": read(stack, f"runs/{run_id}/dataset.json")}


def facts(stack: str, version: int) -> Document:
    """All that is known of a version: where it serves, what it measured, who let it."""
    described, champion = package(stack, version), records.champion(stack) or {}
    made = records.run(stack, described["CustomerMetadataProperties"]["run_id"])
    run_id, bucket = str(made["run_id"]), target.outputs(stack)["DataBucket"]
    serves = champion.get("model_version") == version
    card = f"runs/{run_id}/evaluation/model_card.html"
    return {
        "model_version": version,
        "status": described["ModelApprovalStatus"],
        "serves": target.outputs(stack)["EndpointName"] if serves else None,
        "in_service_at": champion.get("in_service_at") if serves else None,
        "created_at": described["CreationTime"],
        "package": described["ModelPackageArn"],
        "run_id": run_id,
        "reason": made["reason"],
        "cause": made["cause"],
        "outcome": made.get("outcome") or made["status"],
        "dataset_rows": made.get("dataset_rows"),
        "approval": made.get("approval"),
        "gate": made.get("gate"),
        "evaluation": made.get("evaluation"),
        "training": made.get("training"),
        "lineage": read(stack, f"runs/{run_id}/lineage.json"),
        "model_card": f"s3://{bucket}/{card}",
        "model_card_link": link(bucket, card),
    }


def read(stack: str, key: str) -> Document | None:
    """A JSON document of the data bucket, or None where there is none."""
    client = target.client("s3")
    try:
        found = client.get_object(Bucket=target.outputs(stack)["DataBucket"], Key=key)
    except client.exceptions.NoSuchKey:
        return None
    document: Document = json.loads(found["Body"].read())
    return document


def link(bucket: str, key: str) -> str:
    """An address for a browser, good for an hour; objects under KMS need Signature Version 4."""
    import boto3

    target.choose()
    client = boto3.client("s3", config=Config(signature_version="s3v4"))
    where = {"Bucket": bucket, "Key": key}
    address: str = client.generate_presigned_url("get_object", Params=where, ExpiresIn=LINK_SECONDS)
    return address


def tree(version: int, document: Mapping[str, Any]) -> Tree:
    """The lineage as a tree: what the version was made of, and of what that was made."""
    model = document["model"]
    root = Tree(f"[bold]model version {version}[/bold]")
    _leaves(root, {"artefact": model["artefact"], "package": model["package"]})
    made = root.add(f"run {document['run_id']}")
    _leaves(made, {"why": f"{document['reason']}: {document['cause']}",
                   "outcome": document["outcome"], "ended": document["ended_at"]})  # fmt: skip
    if decision := document.get("approval"):
        words = "approved" if decision["approved"] else "rejected"
        _leaves(made, {words: f"by {decision['by']} {decision['reason']}"})
    _dataset(root, document)
    _training(root, document)
    jobs = root.add("jobs")
    for job, name in document["jobs"].items():
        again = " (of an earlier run)" if job in document.get("reused", {}) else ""
        jobs.add(escape(f"{job}: {name}{again}"))
    return root


def _dataset(root: Tree, document: Mapping[str, Any]) -> None:
    version, dataset = document["data"]["version"] or {}, document.get("dataset") or {}
    branch = root.add(f"dataset version {version.get('version')}")
    _leaves(branch, {"rows": version.get("total_rows"), "files": version.get("files"),
                     "schema": version.get("schema_hash"), "before": version.get("before"),
                     "digest": dataset.get("digest")})  # fmt: skip
    arrivals: list[Mapping[str, Any]] = dataset.get("arrivals", [])
    came = branch.add(f"{len(arrivals)} files came with it")
    for arrival in arrivals[:ARRIVALS]:
        name = str(arrival["source_key"]).rsplit("/", 1)[-1]
        sha = str(arrival["sha256"])[:16]
        came.add(escape(f"{name}: {arrival['rows']} rows, {arrival['key']}, sha256 {sha}"))
    if len(arrivals) > ARRIVALS:
        came.add(f"and {len(arrivals) - ARRIVALS} more: --json")


def _training(root: Tree, document: Mapping[str, Any]) -> None:
    code, training = document["code"], document.get("training") or {}
    branch = root.add(f"code {code['digest']}")
    for name, sha in (code.get("sha256") or {}).items():
        branch.add(escape(f"{code['archives']}/{name}.tar.gz: sha256 {str(sha)[:16]}"))
    parameters = root.add("parameters")
    _leaves(parameters, training.get("HyperParameters", {}))
    environment = document.get("environment") or {}
    branch = root.add("environment")
    _leaves(branch, {"image": environment.get("image"), **environment.get("versions", {})})


def _leaves(branch: Tree, facts: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
    for name, value in dict(facts).items():
        if value is not None:
            branch.add(f"{escape(str(name))}: {escape(str(value))}")
