"""The model registry: one package a promoted run, and the record of the champion.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chalicelib import clients, clock, places, records
from chalicelib.model import rollout

if TYPE_CHECKING:
    from chalicelib.environment import Environment
    from chalicelib.settings import Settings

LOOK_BACK = 10  # packages of this group that a retried registration can lie behind


def request(
    run: Mapping[str, Any],
    environment: Environment,
    settings: Settings,
    metrics: Mapping[str, float],
) -> dict[str, Any]:
    """CreateModelPackage: the model, what it measured, and what drift is judged against."""
    run_id = str(run["run_id"])
    baselines = _baselines(environment, settings, run_id)
    evaluation = _source(environment, run_id, "evaluation/evaluation.json")
    return {
        "ModelPackageGroupName": environment.model_group,
        "ModelPackageDescription": f"run {run_id}, reason {run['reason']}",
        "ClientToken": run_id,
        "ModelApprovalStatus": "PendingManualApproval" if settings.gate.by_hand else "Approved",
        "InferenceSpecification": {
            "Containers": [rollout.container(environment, settings, run_id)],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
            "SupportedRealtimeInferenceInstanceTypes": [settings.endpoint.instance_type],
        },
        "ModelMetrics": {
            "ModelQuality": {"Statistics": evaluation},
            "ModelDataQuality": baselines["ModelDataQuality"],
            "Explainability": {
                "Report": _source(environment, run_id, "evaluation/explanations.json")
            },
            **_bias(environment, settings, run_id),
        },
        "DriftCheckBaselines": baselines,
        "CustomerMetadataProperties": metadata(run, environment, metrics),
    }


def _baselines(environment: Environment, settings: Settings, run_id: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-quality-clarify-baseline-lifecycle.html"""
    from chalicelib.monitoring import kinds

    def document(kind: str, name: str) -> dict[str, str]:
        return _source(environment, run_id, f"baseline/{kind}/{name}.json")

    made = [kinds.OF_DATA, *kinds.of_model(settings)]
    found = {
        "data-quality": ("ModelDataQuality", ("statistics", "constraints")),
        "model-quality": ("ModelQuality", ("statistics", "constraints")),
        "bias": ("Bias", ("post_training_constraints",)),
        "attribution": ("Explainability", ("constraints",)),
    }
    return {
        member: {
            "".join(word.title() for word in name.split("_")): document(kind, name.split("_")[-1])
            for name in names
        }
        for kind, (member, names) in found.items()
        if kind in made
    }


def _bias(environment: Environment, settings: Settings, run_id: str) -> dict[str, Any]:
    """Clarify's report, where facets are compared."""
    if not settings.evaluation.facets:
        return {}
    return {"Bias": {"PostTrainingReport": _source(environment, run_id, "evaluation/bias.json")}}


def metadata(
    run: Mapping[str, Any], environment: Environment, metrics: Mapping[str, float]
) -> dict[str, str]:
    """What a person looks for in the registry; values as SageMaker's pattern allows them."""
    found = {
        "run_id": run["run_id"],
        "reason": run["reason"],
        "cause": run.get("cause") or "none",
        "code_digest": environment.code_digest,
        "lineage": places.uri(environment, places.run(str(run["run_id"]), "lineage.json")),
        **{name: f"{value:.6f}" for name, value in metrics.items()},
    }
    return {key: _allowed(str(value)) for key, value in found.items()}


def register(
    run: Mapping[str, Any],
    environment: Environment,
    settings: Settings,
    metrics: Mapping[str, float],
) -> tuple[str, int]:
    """The run's package: its ARN and version. Registering twice gives the first one."""
    client = clients.client("sagemaker")
    arn = _find(environment, str(run["run_id"]))
    if arn is None:
        package = request(run, environment, settings, metrics)
        arn = str(client.create_model_package(**package)["ModelPackageArn"])
    return arn, version(arn)


def experiment() -> records.Record | None:
    """The version beside the champion: {"kind", "model_version", "share", "since"}; or None."""
    return records.get(records.EXPERIMENT)


def experiment_runs(serving: Mapping[str, Any] | None) -> None:
    """Write down which version is beside the champion from now on, or that none is."""
    if serving is None:
        records.remove(records.EXPERIMENT)
        return
    since = clock.text(clock.now())
    values = {"kind": serving["kind"], "share": serving["share"], "since": since}
    records.put(records.EXPERIMENT, {**values, "model_version": serving["beside"]})


def arn(package: str, version: int) -> str:
    """Of another version of a package's group."""
    return f"{package.rsplit('/', 1)[0]}/{version}"


def run_of(arn: str) -> str:
    """The run that a package came from."""
    described = clients.client("sagemaker").describe_model_package(ModelPackageName=arn)
    return str(described["CustomerMetadataProperties"]["run_id"])


def set_status(arn: str, status: str, words: str) -> None:
    """`Approved` or `Rejected`, and by whom, on one line: a description holds no line break.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateModelPackage.html
    """
    line = " ".join(words.split())[:1024]
    clients.client("sagemaker").update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus=status, ApprovalDescription=line
    )


def changed_by(arn: str) -> tuple[str, str]:
    """Who changed a package last, and what they wrote to it."""
    found = clients.client("sagemaker").describe_model_package(ModelPackageName=arn)
    who = found.get("LastModifiedBy") or {}
    name = who.get("UserProfileName") or (who.get("IamIdentity") or {}).get("Arn")
    return str(name or "somebody in the registry"), str(found.get("ApprovalDescription", ""))


def version(arn: str) -> int:
    return int(arn.rsplit("/", 1)[-1])


def packages(environment: Environment, limit: int) -> list[dict[str, Any]]:
    """Summaries of the group's packages, newest first."""
    pages = clients.client("sagemaker").get_paginator("list_model_packages")
    listed = pages.paginate(
        ModelPackageGroupName=environment.model_group,
        SortBy="CreationTime",
        SortOrder="Descending",
        PaginationConfig={"MaxItems": limit},
    )
    return [summary for page in listed for summary in page["ModelPackageSummaryList"]]


def champion() -> records.Record | None:
    """The model in service, or None before the first."""
    return records.get(records.CHAMPION)


def crown(
    run_id: str, model_package_arn: str, evaluation: Mapping[str, float], in_service_at: str
) -> None:
    """Write down which model is in service."""
    records.put(
        records.CHAMPION,
        {
            "model_version": version(model_package_arn),
            "run": run_id,
            "model_package_arn": model_package_arn,
            "evaluation": dict(evaluation),
            "in_service_at": in_service_at,
        },
    )


def _find(environment: Environment, run_id: str) -> str | None:
    client = clients.client("sagemaker")
    for summary in packages(environment, LOOK_BACK):
        arn = str(summary["ModelPackageArn"])
        described = client.describe_model_package(ModelPackageName=arn)
        if described.get("CustomerMetadataProperties", {}).get("run_id") == run_id:
            return arn
    return None


def _source(environment: Environment, run_id: str, name: str) -> dict[str, str]:
    return {
        "ContentType": "application/json",
        "S3Uri": places.uri(environment, places.run(run_id, name)),
    }


def _allowed(value: str) -> str:
    return re.sub(r"[^\w.:/=+\-@]+", " ", value)[:256].strip() or "none"
