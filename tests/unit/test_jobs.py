"""Every request that the loop sends to SageMaker holds against SageMaker's own model."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from chalicelib import clock, settings
from chalicelib.batch import requests as batch_requests
from chalicelib.batch.files import BatchFile
from chalicelib.environment import Environment
from chalicelib.model import autoscaling, jobs, registry, rollout
from chalicelib.monitoring import attribution, kinds, requests
from chalicelib.releasing import Endpoint, Rollout
from localcloud.sagemaker.hosting import guardrails

RUN = "20260301-120000-a1b2c3"
MODEL = botocore.session.get_session().get_service_model("sagemaker")


@pytest.fixture
def environment() -> Environment:
    values = {field.name: field.name.replace("_", "-") for field in dataclasses.fields(Environment)}
    values |= {
        "retrain_machine_arn": "arn:aws:states:us-east-1:000000000000:stateMachine:x-retrain",
        "job_role_arn": "arn:aws:iam::000000000000:role/jobs",
        "code_prefix": "s3://artifacts/code/abc/",
        "endpoint_name": "reviews",
        "model_group": "reviews",
    }
    return Environment(**values)


def check(operation: str, request: dict[str, Any]) -> None:
    """Members and types by botocore; lengths, patterns and enumerations by its shapes."""
    shape = MODEL.operation_model(operation).input_shape
    report = ParamValidator().validate(request, shape)
    assert not report.has_errors(), report.generate_report()
    walk(shape, request, operation)


def walk(shape: Any, value: Any, path: str) -> None:
    if shape.type_name == "structure":
        for name, entry in value.items():
            walk(shape.members[name], entry, f"{path}.{name}")
    elif shape.type_name == "list":
        for entry in value:
            walk(shape.member, entry, path + "[]")
    elif shape.type_name == "map":
        for key, entry in value.items():
            walk(shape.key, key, f"{path}.{key}")
            walk(shape.value, entry, f"{path}.{key}")
    if shape.type_name in {"list", "map", "string"}:
        assert shape.metadata.get("min", 0) <= len(value) <= shape.metadata.get("max", 10**6), path
    if shape.type_name == "string":
        assert value in (shape.metadata.get("enum") or [value]), path
        pattern = shape.metadata.get("pattern", ".*")
        if r"\p{" not in pattern and "[^/])/" not in pattern:
            assert re.fullmatch(pattern, value, re.DOTALL), (path, pattern, value)


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("champion", ["20260201-120000-d4e5f6", None])
def test_a_runs_jobs(environment: Environment, live: bool, champion: str | None) -> None:
    loaded = settings.load()
    check("CreateTrainingJob", jobs.train(RUN, environment, loaded))
    made = {
        "prepare": jobs.prepare(RUN, environment, loaded, live=live),
        "evaluate": jobs.evaluate(RUN, environment, loaded, champion_run=champion),
        "baseline": requests.data_baseline(RUN, environment, loaded),
        "model-baselines": requests.model_baselines(RUN, environment, loaded),
    }
    for request in made.values():
        check("CreateProcessingJob", request)
    inputs = {i["InputName"] for i in made["prepare"]["ProcessingInputs"]}
    assert ({"capture", "ground_truth"} <= inputs) is live
    compared = {i["InputName"] for i in made["evaluate"]["ProcessingInputs"]}
    assert ("champion" in compared) is (champion is not None)


def test_the_training_job_writes_where_the_others_read(environment: Environment) -> None:
    train = jobs.train(RUN, environment, settings.load())
    evaluate = jobs.evaluate(RUN, environment, settings.load(), champion_run=None)
    written = f"{train['OutputDataConfig']['S3OutputPath']}/{train['TrainingJobName']}"
    model = next(i for i in evaluate["ProcessingInputs"] if i["InputName"] == "model")
    assert model["S3Input"]["S3Uri"] == f"{written}/output/model.tar.gz"
    assert (
        rollout.container(environment, settings.load(), RUN)["ModelDataUrl"]
        == model["S3Input"]["S3Uri"]
    )


def transformer() -> settings.Settings:
    loaded = settings.load()
    changes = {
        "hyperparameters": {"model": "transformer", "export": "onnx-int8"},
        "pretrained": "minilm",
        "instance_type": "ml.g5.xlarge",
    }
    training = loaded.training.model_copy(update=changes)
    return loaded.model_copy(update={"training": training})


def test_a_transformers_jobs(environment: Environment) -> None:
    train = jobs.train(RUN, environment, transformer())
    evaluate = jobs.evaluate(RUN, environment, transformer(), champion_run=None)
    check("CreateTrainingJob", train)
    check("CreateProcessingJob", evaluate)
    channels = {
        each["ChannelName"]: each["DataSource"]["S3DataSource"]["S3Uri"]
        for each in train["InputDataConfig"]
    }
    assert channels["pretrained"] == "s3://data-bucket/pretrained/minilm/"
    assert channels["inference"] == "s3://artifacts/code/abc/inference.tar.gz"
    assert train["AlgorithmSpecification"]["TrainingImage"] == (
        "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-training:"
        "2.9.0-transformers5.3.0-gpu-py312-cu130-ubuntu22.04"
    )
    assert (
        evaluate["AppSpecification"]["ImageUri"]
        == (train["AlgorithmSpecification"]["TrainingImage"])
    )


@pytest.mark.parametrize(
    ("instance_type", "device"), [("ml.m5.large", "cpu"), ("ml.g4dn.xlarge", "gpu")]
)
def test_a_transformers_endpoint(environment: Environment, instance_type: str, device: str) -> None:
    loaded = transformer()
    endpoint = loaded.endpoint.model_copy(update={"instance_type": instance_type})
    loaded = loaded.model_copy(update={"endpoint": endpoint})
    container = rollout.container(environment, loaded, RUN)
    image = container["Image"]
    assert "/huggingface-pytorch-inference:2.6.0-transformers5.5.3-" in image
    assert f"-{device}-py312-" in image
    assert "SAGEMAKER_SUBMIT_DIRECTORY" not in container["Environment"]  # code/ of the artefact


@pytest.mark.parametrize(
    ("loaded", "payload"), [(settings.load(), 6), (transformer(), 1)], ids=["linear", "transformer"]
)
def test_a_batch_transform_waits_for_its_model(
    environment: Environment, loaded: settings.Settings, payload: int
) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ModelClientConfig.html"""
    file = BatchFile("batch/in/a.csv", "v1", 10, "2026-01-01T00:00:00Z")
    request = batch_requests.transform(file, "reviews-r1", environment, loaded)
    check("CreateTransformJob", request)
    assert request["MaxPayloadInMB"] == payload
    assert request["ModelClientConfig"]["InvocationsTimeoutInSeconds"] == 3600
    assert request["Environment"]["SAGEMAKER_MODEL_SERVER_TIMEOUT"] == "3600"


def test_hyperparameters_are_text(environment: Environment) -> None:
    given = jobs.train(RUN, environment, settings.load())["HyperParameters"]
    assert given["label"] == "star_rating"
    assert given["text"] == '["review_body"]'
    assert given["C"] == "0.5"
    assert given["model"] == "linear"
    assert given["class_weight"] == "balanced"
    assert given["sagemaker_program"] == "train.py"


@pytest.mark.parametrize("spot", [True, False])
def test_training_on_spot_instances(environment: Environment, spot: bool) -> None:
    loaded = settings.load()
    training = loaded.training.model_copy(update={"spot": spot})
    request = jobs.train(RUN, environment, loaded.model_copy(update={"training": training}))
    check("CreateTrainingJob", request)
    limits = {"MaxRuntimeInSeconds": 3600} | ({"MaxWaitTimeInSeconds": 7200} if spot else {})
    assert request["StoppingCondition"] == limits
    assert request.get("EnableManagedSpotTraining", False) is spot
    assert request["CheckpointConfig"]["S3Uri"].endswith(f"/runs/{RUN}/checkpoints")


@pytest.mark.parametrize(
    ("train", "validation"), [("0.91", "0.57"), ("1", "0"), ("1.2e-05", "3.45e+06")]
)
def test_a_metric_regex_reads_the_scripts_line(
    environment: Environment, train: str, validation: str
) -> None:
    wanted = jobs.train(RUN, environment, settings.load())["AlgorithmSpecification"]
    line = f"train_accuracy={train}; validation_accuracy={validation};"
    found = {m["Name"]: re.search(m["Regex"], line)[1] for m in wanted["MetricDefinitions"]}  # type: ignore[index]
    assert found == {"train:accuracy": train, "validation:accuracy": validation}


WINDOW = clock.parse("2026-03-01T11:00:00Z"), clock.parse("2026-03-01T12:00:00Z")
SHARED = {"capture", "baseline", "code"}


@pytest.mark.parametrize(
    ("kind", "more", "variable"),
    [
        ("data-quality", {"history"}, "HISTORY"),
        ("model-quality", {"ground_truth"}, "problem_type"),
        ("bias", {"ground_truth", "config"}, "MIN_RECORDS"),
        ("attribution", {"model", "inference"}, "features_attribute"),
    ],
)
def test_the_job_of_a_look(
    environment: Environment, kind: str, more: set[str], variable: str
) -> None:
    found, report = kinds.KINDS[kind], "monitor/x/"
    configured = settings.load()
    request = requests.look(
        "x-1", environment, configured, found, WINDOW, report, RUN, history=bool("history" in more)
    )
    check("CreateProcessingJob", request)
    assert request["Environment"]["MODE"] == "analyze"
    assert request["Environment"]["start_time"] == "2026-03-01T11:00:00.000Z"
    assert variable in request["Environment"]
    inputs = {given["InputName"]: given["S3Input"] for given in request["ProcessingInputs"]}
    assert set(inputs) == SHARED | more
    assert inputs["baseline"]["S3Uri"].endswith(f"/runs/{RUN}/baseline/{kind}/")
    assert request["AppSpecification"]["ContainerEntrypoint"][-1].endswith(f" {found.program}")


def test_a_look_without_earlier_ones_lists_none(environment: Environment) -> None:
    kind = kinds.KINDS["data-quality"]
    request = requests.look(
        "x-1", environment, settings.load(), kind, WINDOW, "monitor/x/", RUN, history=False
    )
    assert "HISTORY" not in request["Environment"]
    assert {given["InputName"] for given in request["ProcessingInputs"]} == SHARED


def test_names_too_long_for_a_variable_are_left_out() -> None:
    """Then all inputs are explained."""
    names = tuple(f"feature_{n:03d}" for n in range(40))
    model = settings.load().model.model_copy(update={"features": names})
    configured = settings.load().model_copy(update={"model": model})
    assert attribution.variables(configured) == {}


def test_the_model_package_and_the_endpoint(environment: Environment) -> None:
    run = {"run_id": RUN, "reason": "drift", "cause": "drift in body, at 12 o'clock (x)"}
    configured = settings.load()
    package = registry.request(run, environment, configured, {"accuracy": 0.5})
    check("CreateModelPackage", package)
    assert set(package["DriftCheckBaselines"]) == {"ModelDataQuality", "ModelQuality", "Bias"}
    assert package["CustomerMetadataProperties"]["cause"] == "drift in body at 12 o clock x"
    check("CreateModel", rollout.create_model(RUN, environment, configured, 3))
    check("CreateEndpointConfig", rollout.create_endpoint_config(RUN, environment, configured))
    check("CreateEndpoint", rollout.endpoint(RUN, environment, configured))


def rollout_settings(**given: Any) -> settings.Settings:
    return settings.load().model_copy(update={"rollout": Rollout(**given)})


@pytest.mark.parametrize(
    ("given", "routing"),
    [
        ({"bake_seconds": 60}, {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 60}),
        (
            {"strategy": "canary", "share": 0.25, "bake_seconds": 600},
            {
                "Type": "CANARY",
                "WaitIntervalInSeconds": 600,
                "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 25},
            },
        ),
        (
            {"strategy": "linear", "share": 0.2, "bake_seconds": 3600},
            {
                "Type": "LINEAR",
                "WaitIntervalInSeconds": 3600,
                "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 20},
            },
        ),
    ],
)
def test_an_update_with_guardrails(environment: Environment, given: Any, routing: Any) -> None:
    configured = rollout_settings(**given)
    request = rollout.update(RUN, environment, configured, ["primary"])
    check("UpdateEndpoint", request)
    policy = request["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    assert policy["TrafficRoutingConfiguration"] == routing
    counts = {"primary": 2}
    plan = guardrails.plan(request["DeploymentConfig"], counts)
    assert sum(step.seconds for step in plan.steps) == configured.rollout.total_seconds


@pytest.mark.parametrize(
    ("given", "variants"),
    [
        ({}, ["primary"]),  # no bake: nothing to watch
        ({"bake_seconds": 60}, []),  # no endpoint yet
        ({"bake_seconds": 60}, ["primary", "challenger"]),  # refused: other variants
    ],
)
def test_an_update_without(environment: Environment, given: Any, variants: list[str]) -> None:
    request = rollout.update(RUN, environment, rollout_settings(**given), variants)
    assert "DeploymentConfig" not in request
    check("UpdateEndpoint", request)


def test_a_long_bake_is_looked_at_seldom() -> None:
    """An execution's history holds 25,000 events; a look costs nine."""
    assert rollout.poll_seconds(rollout_settings()) == 1
    longest = rollout_settings(strategy="linear", share=0.2, bake_seconds=3600)
    assert longest.rollout.total_seconds / rollout.poll_seconds(longest) * 9 < 25_000


def test_a_version_is_the_end_of_its_arn() -> None:
    arn = "arn:aws:sagemaker:us-east-1:000000000000:model-package/reviews/12"
    assert registry.version(arn) == 12


SCHEDULE = [{"at": "cron(0 20 * * ? *)", "min_instances": 1, "max_instances": 1}]


def scaled(environment: Environment, **given: Any) -> list[tuple[str, dict[str, Any]]]:
    configured = settings.load().model_copy(update={"endpoint": Endpoint(**given)})
    return autoscaling.requests(environment, configured)


def test_the_requests_of_automatic_scaling(environment: Environment) -> None:
    made = scaled(environment, max_instances=4, target_invocations=600, schedule=SCHEDULE)
    model = botocore.session.get_session().get_service_model("application-autoscaling")
    for operation, request in made:
        name = "".join(part.title() for part in operation.split("_"))
        report = ParamValidator().validate(request, model.operation_model(name).input_shape)
        assert not report.has_errors(), report.generate_report()
    target, policy, action = (request for _, request in made)
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 4)
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 600
    assert action["ScalableTargetAction"] == {"MinCapacity": 1, "MaxCapacity": 1}
    assert action["Timezone"] == "UTC"


def test_an_endpoint_of_a_fixed_size_is_not_scaled(environment: Environment) -> None:
    assert scaled(environment, instance_count=3) == []


def test_an_update_of_a_scaled_endpoint_keeps_its_instances(environment: Environment) -> None:
    configured = settings.load().model_copy(update={"endpoint": Endpoint(max_instances=4)})
    request = rollout.update(RUN, environment, configured, ["primary"])
    check("UpdateEndpoint", request)
    assert request["RetainAllVariantProperties"] is True
