"""The requests of every SageMaker job: pure functions of a run, the settings, the environment.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chalicelib import places
from chalicelib.model import containers

if TYPE_CHECKING:
    from chalicelib.environment import Environment
    from chalicelib.settings import Settings

Request = dict[str, Any]
INPUT = "/opt/ml/processing/input"
OUTPUT = "/opt/ml/processing/output"
VOLUME_GB = 30
GROUND_TRUTH = "ground-truth/"


def prepare(run_id: str, environment: Environment, settings: Settings, *, live: bool) -> Request:
    """Curated Parquet (and labelled live records) into splits and the baseline's sample."""
    inputs = [given(environment, "curated", places.run(run_id, "dataset.manifest"), manifest=True)]
    if live:
        inputs.append(given(environment, "capture", places.capture(environment)))
        inputs.append(given(environment, "ground_truth", GROUND_TRUTH))
    outputs = {
        name: places.run(run_id, f"splits/{name}/") for name in ("train", "validation", "test")
    }
    training = settings.training
    return processing(
        f"{run_id}-prepare",
        environment,
        settings,
        instance=training.instance_type,
        program="prepare.py",
        inputs=inputs,
        outputs={
            **outputs,
            "baseline": places.run(run_id, "baseline-data/"),
            "held_out": places.run(run_id, "held-out/"),
            "report": places.run(run_id, "prepare/"),
        },
        variables={
            "LABEL": settings.dataset.label,
            "PROBLEM": settings.model.problem,
            "TEXT": compact(settings.model.text),
            "FEATURES": compact(settings.model.features),
            "INPUTS": compact(settings.model.inputs),
            "KEEP": compact(settings.evaluation.columns),
            "BALANCE": training.balance,
            "BALANCE_EVALUATION": json.dumps(training.balance_evaluation),
            "SPLIT": training.split,
            "SPLIT_COLUMN": training.split_column or "",
            "SIMILARITY": str(training.similarity),
            "MOST_FEATURES": str(training.most_features),
            "VALIDATION_SHARE": str(training.validation_share),
            "TEST_SHARE": str(training.test_share),
            "SEED": str(training.seed),
        },
    )


def train(run_id: str, environment: Environment, settings: Settings) -> Request:
    """Script mode: the user's entry point, found in the code archive."""
    training = settings.training
    parameters = {
        "sagemaker_program": training.entry_point,
        "sagemaker_submit_directory": places.code(environment, "training"),
        "sagemaker_region": places.region(environment),
        "label": settings.dataset.label,
        "problem": settings.model.problem,
        "text": compact(settings.model.text),
        "features": compact(settings.model.features),
        "inputs": compact(settings.model.inputs),
        "class_weight": "balanced" if training.balance == "weights" else "none",
        "seed": training.seed,
        **training.hyperparameters,
    }
    return {
        "TrainingJobName": f"{run_id}-train",
        "AlgorithmSpecification": {
            "TrainingImage": containers.training(places.region(environment), settings),
            "TrainingInputMode": "File",
            "MetricDefinitions": _metrics(settings),
        },
        "HyperParameters": {key: parameter(value) for key, value in parameters.items()},
        "InputDataConfig": [
            _channel(name, uri) for name, uri in _channels(run_id, environment, settings).items()
        ],
        "OutputDataConfig": {
            "S3OutputPath": places.uri(environment, places.run(run_id, "model/").rstrip("/"))
        },
        "ResourceConfig": _cluster(training.instance_type),
        "RoleArn": environment.job_role_arn,
        "CheckpointConfig": {"S3Uri": places.uri(environment, places.run(run_id, "checkpoints"))},
        **_patience(settings),
        "Tags": _tags(settings),
    }


def _channels(run_id: str, environment: Environment, settings: Settings) -> dict[str, str]:
    """What training reads. A transformer's artefact holds the code that serves it."""
    found = {
        split: places.uri(environment, places.run(run_id, f"splits/{split}/"))
        for split in ("train", "validation")
    }
    if settings.training.pretrained:
        found["pretrained"] = places.uri(environment, places.pretrained(settings))
    if settings.training.transformer:
        found["inference"] = places.code(environment, "inference")
    return found


def _patience(settings: Settings) -> Request:
    """How long training may take, and on which market its instances are bought.

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-managed-spot-training.html
    """
    training = settings.training
    longest = {"MaxRuntimeInSeconds": training.max_runtime_seconds}
    if not training.spot:
        return {"StoppingCondition": longest}
    return {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {**longest, "MaxWaitTimeInSeconds": training.max_wait_seconds},
    }


def evaluate(
    run_id: str, environment: Environment, settings: Settings, *, champion_run: str | None
) -> Request:
    """The new model, and the champion where there is one, on the same test split."""
    inputs = [
        given(environment, "model", places.model(run_id)),
        given(environment, "test", places.run(run_id, "splits/test/")),
        given(environment, "prepare", places.run(run_id, "prepare/")),
    ]
    if champion_run is not None:
        inputs.append(given(environment, "champion", places.model(champion_run)))
    inputs.append(fetched("inference", places.code(environment, "inference")))
    return processing(
        f"{run_id}-evaluate",
        environment,
        settings,
        instance=settings.training.instance_type,
        program="evaluate.py",
        image=containers.training(places.region(environment), settings),
        inputs=inputs,
        outputs={"evaluation": places.run(run_id, "evaluation/")},
        variables={
            "LABEL": settings.dataset.label,
            "PROBLEM": settings.model.problem,
            "INPUTS": compact(settings.model.inputs),
            "SLICES": compact(settings.evaluation.slices),
            "FACETS": compact(settings.evaluation.facets),
            "POSITIVE": compact(settings.evaluation.positive),
            "GROUP": settings.evaluation.group or "",
            "SEED": str(settings.training.seed),
        },
    )


def processing(
    name: str,
    environment: Environment,
    settings: Settings,
    *,
    instance: str,
    program: str,
    inputs: list[Request],
    outputs: Mapping[str, str],
    variables: Mapping[str, str],
    archive: str = "training",
    image: str = "",
) -> Request:
    code = fetched("code", places.code(environment, archive))
    start = (
        f"cd ${{SAGEMAKER_BASE_DIR:-/opt/ml}}/processing/input/code && "
        f"tar xzf {archive}.tar.gz && exec python3 {program}"
    )
    return {
        "ProcessingJobName": name,
        "ProcessingInputs": [*inputs, code],
        "ProcessingOutputConfig": {
            "Outputs": [_output(key, places.uri(environment, to)) for key, to in outputs.items()]
        },
        "ProcessingResources": {"ClusterConfig": _cluster(instance)},
        "StoppingCondition": {"MaxRuntimeInSeconds": settings.training.max_runtime_seconds},
        "AppSpecification": {
            "ImageUri": image or containers.image(places.region(environment)),
            "ContainerEntrypoint": ["/bin/sh", "-c", start],
        },
        "Environment": dict(variables),
        "NetworkConfig": {"EnableNetworkIsolation": True},
        "RoleArn": environment.job_role_arn,
        "Tags": _tags(settings),
    }


def given(environment: Environment, name: str, key: str, *, manifest: bool = False) -> Request:
    return fetched(name, places.uri(environment, key), manifest=manifest)


def fetched(name: str, uri: str, *, manifest: bool = False) -> Request:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"{INPUT}/{name}",
            "S3DataType": "ManifestFile" if manifest else "S3Prefix",
            "S3InputMode": "File",
        },
    }


def _output(name: str, uri: str) -> Request:
    return {
        "OutputName": name,
        "S3Output": {
            "S3Uri": uri.rstrip("/"),
            "LocalPath": f"{OUTPUT}/{name}",
            "S3UploadMode": "EndOfJob",
        },
    }


def _channel(name: str, uri: str) -> Request:
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": uri,
        "S3DataDistributionType": "FullyReplicated",
    }
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def _cluster(instance: str) -> Request:
    return {"InstanceCount": 1, "InstanceType": instance, "VolumeSizeInGB": VOLUME_GB}


def _tags(settings: Settings) -> list[dict[str, str]]:
    return [{"Key": "driftloop:pipeline", "Value": settings.pipeline.name}]


def objective(settings: Settings) -> dict[str, str]:
    """The metric of training that says how good a model is, and which way."""
    less_is_better = settings.model.problem == "regression"
    return {
        "MetricName": f"validation:{_metric(settings)}",
        "Type": "Minimize" if less_is_better else "Maximize",
    }


def _metrics(settings: Settings) -> list[dict[str, str]]:
    """What SageMaker reads from the log of training."""
    metric = _metric(settings)
    return [
        {"Name": f"{split}:{metric}", "Regex": f"{split}_{metric}=([0-9.eE+-]+)"}
        for split in ("train", "validation")
    ]


def _metric(settings: Settings) -> str:
    return "rmse" if settings.model.problem == "regression" else "accuracy"


def compact(value: Any) -> str:
    return json.dumps(list(value), separators=(",", ":"))


def parameter(value: Any) -> str:
    """A hyperparameter is text; the training toolkit reads JSON where it is JSON."""
    return value if isinstance(value, str) else json.dumps(value)
