"""The managed engine's requests, held against SageMaker's own model, and its words."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace
from typing import Any

import jmespath
import pytest
from botocore.exceptions import ClientError
from sagemaker import image_uris
from sagemaker.clarify import ModelConfig

from chalicelib import settings
from chalicelib.environment import Environment
from chalicelib.monitoring import clarify, images, managed, preprocessors, schedules, timings
from localcloud.sagemaker import validation
from localcloud.sagemaker.monitoring import expressions

RUN = "20260301-120000-a1b2c3"


@pytest.fixture
def environment() -> Environment:
    values = {field.name: field.name.replace("_", "-") for field in dataclasses.fields(Environment)}
    return Environment(
        **values
        | {
            "retrain_machine_arn": "arn:aws:states:us-east-1:000000000000:stateMachine:x-retrain",
            "job_role_arn": "arn:aws:iam::000000000000:role/jobs",
            "endpoint_name": "reviews",
        }
    )


def configured(**model: Any) -> settings.Settings:
    given = settings.load()
    monitor = given.monitor.model_copy(update={"engine": "managed"})
    changed = given.model.model_copy(update=model)
    return given.model_copy(update={"monitor": monitor, "model": changed})


def test_each_kind_has_a_definition_and_a_schedule(environment: Environment) -> None:
    wide = configured(features=("product_category",))
    found = managed.monitors(RUN, environment, wide)
    assert [each.type for each in found] == [
        "DataQuality", "ModelQuality", "ModelBias", "ModelExplainability",
    ]  # fmt: skip
    for each in found:
        validation.check(f"Create{each.type}JobDefinition", each.definition)
        validation.check("CreateMonitoringSchedule", each.schedule)
        assert managed.kind_of(each.schedule["MonitoringScheduleName"], environment) == each.kind
        limits = each.definition[f"{each.type}BaselineConfig"]["ConstraintsResource"]["S3Uri"]
        assert limits.endswith(f"runs/{RUN}/monitor/{each.kind}/constraints.json")


def test_labels_may_come_late_and_two_jobs_fit_into_an_hour(environment: Environment) -> None:
    found = {each.kind: each for each in managed.monitors(RUN, environment, configured())}
    for kind, monitor in found.items():
        given = monitor.definition[f"{monitor.type}JobInput"]["EndpointInput"]
        longest = monitor.definition["StoppingCondition"]["MaxRuntimeInSeconds"]
        labelled = kind in ("model-quality", "bias")
        assert given.get("StartTimeOffset") == ("-P7D" if labelled else None)
        assert longest == (1800 if labelled else 3600)


ANSWER = {"predictions": [{"label": "5", "probabilities": {"1": 0.1, "5": 0.9}}]}


def test_clarify_finds_features_answers_and_probabilities(environment: Environment) -> None:
    wide = configured(features=("product_category",))
    found = managed.monitors(RUN, environment, wide, ["1", "5"])
    given = {each.kind: each.definition[f"{each.type}JobInput"]["EndpointInput"] for each in found}
    request = {"records": [{name: f"{name}'s value" for name in wide.model.inputs}]}
    for kind, names in (
        ("bias", wide.model.inputs),
        ("attribution", ("review_body", "product_category")),
    ):
        values = jmespath.search(given[kind]["FeaturesAttribute"], request)
        assert values == [f"{name}'s value" for name in names]
    assert jmespath.search(given["bias"]["InferenceAttribute"], ANSWER) == "5"
    chances = jmespath.search(given["attribution"]["ProbabilityAttribute"], ANSWER)
    assert chances == [[0.1, 0.9]]
    assert jmespath.search(clarify.features(["a-2"]), {"records": [{"a-2": 3}]}) == [3]
    regression = configured(problem="regression")
    number = {"predictions": [{"prediction": 3.5}]}
    assert jmespath.search(clarify.prediction(regression), number) == 3.5
    assert jmespath.search(clarify.probabilities(regression, []), number) == [3.5]


def test_clarify_asks_the_model_as_our_api_does() -> None:
    """https://sagemaker.readthedocs.io/en/stable/api/training/processing.html#sagemaker.clarify.ModelConfig"""
    row = {"review_body": "", "product_category": "Baby"}
    wide = configured(features=("product_category",))
    found = clarify.explanation_config(RUN, wide, ["1", "5"], row)
    given = found["predictor"]
    model = ModelConfig(
        instance_count=1,
        **{
            key: given[key]
            for key in given
            if key not in ("initial_instance_count", "label_headers")
        },
    )
    assert {**model.get_predictor_config(), "label_headers": ["1", "5"]} == given
    body = given["content_template"].replace("$record", json.dumps(row))
    assert json.loads(body) == {"records": [row]}
    assert found["headers"] == list(row)
    [line] = found["methods"]["shap"]["baseline"]
    assert jmespath.search(clarify.features(found["headers"]), line) == ["", "Baby"]


def test_aws_gets_a_baseline_by_its_own_members() -> None:
    """What our analysis adds for itself would be columns that no request has."""
    ours = {
        "version": 0.0,
        "features": [
            {"name": "body", "inferred_type": "String", "completeness": 1.0,
             "type_counts": {"String": 3}},
            {"name": "body_words", "inferred_type": "Integral", "derived_from": "body"},
        ],
        "monitoring_config": {"emit_metrics": "Enabled",
                              "significance_constraints": {"alpha": 0.005}},
        "metrics": [{"name": "DPPL", "value": 0.1, "standard_error": 0.2,
                     "confidence_interval": [0.0, 0.2]}],
    }  # fmt: skip
    assert managed.as_aws_has_it(ours) == {
        "version": 0.0,
        "features": [{"name": "body", "inferred_type": "String", "completeness": 1.0}],
        "monitoring_config": {"emit_metrics": "Enabled"},
        "metrics": [{"name": "DPPL", "value": 0.1}],
    }


@pytest.mark.parametrize(
    ("answers", "label", "row"),
    [
        ([{"label": "5", "probabilities": {}}], "4\n",
         {"endpointOutput_prediction": "5", "groundTruthData_0": "4"}),
        ([{"prediction": 2.5}], "3",
         {"endpointOutput_prediction": 2.5, "groundTruthData_0": 3.0}),
        ([{"label": "5"}, {"label": "4"}], "4", []),
    ],
)  # fmt: skip
def test_the_analyzer_gets_answer_and_label(answers: Any, label: str, row: Any) -> None:
    script: dict[str, Any] = {}
    exec(preprocessors.MODEL_QUALITY, script)
    side = SimpleNamespace(data=json.dumps({"predictions": answers}))
    record = SimpleNamespace(endpoint_output=side, ground_truth=SimpleNamespace(data=label))
    assert script["preprocess_handler"](record) == row


def test_what_a_pipeline_cannot_be_judged_by_has_none(environment: Environment) -> None:
    kinds = [each.kind for each in managed.monitors(RUN, environment, configured())]
    assert kinds == ["data-quality", "model-quality", "bias"]


@pytest.mark.parametrize(
    ("schedule", "expression"),
    [
        ("hourly", "cron(0 * ? * * *)"),
        ("rate(1 hour)", "cron(0 * ? * * *)"),
        ("daily", "cron(0 0 ? * * *)"),
        ("rate(6 hours)", "cron(0 0/6 ? * * *)"),
        ("cron(0 6 * * ? *)", "cron(0 6 ? * * *)"),
        ("cron(0 6 ? * * *)", "cron(0 6 ? * * *)"),
        ("rate(15 minutes)", None),
        ("rate(48 hours)", None),
        ("cron(30 6 * * ? *)", None),
        ("cron(0 6 1 * ? *)", None),
    ],
)
def test_schedules_as_sagemaker_has_them(schedule: str, expression: str | None) -> None:
    assert timings.expression(schedule) == expression
    if expression:
        expressions.hours(expression)


def test_a_schedule_that_sagemaker_does_not_take_is_named() -> None:
    text = settings.FILE.read_text().replace('engine = "driftloop"', 'engine = "managed"')
    settings.parse(text)
    with pytest.raises(settings.SettingsError, match=r"monitor\.schedule: managed schedules are"):
        settings.parse(text.replace('schedule = "hourly"', 'schedule = "rate(15 minutes)"'))


@pytest.mark.parametrize("region", sorted(images.REGISTRIES))
def test_images_are_the_sdks(region: str) -> None:
    assert images.analyzer(region) == image_uris.retrieve("model-monitor", region)
    assert images.clarify(region) == image_uris.retrieve("clarify", region)


@pytest.mark.parametrize(
    ("code", "message", "closed"),
    [
        ("ValidationException", "Model Monitor is no longer open to new customers.", True),
        ("AccessDeniedException", "This feature is not available in your account.", True),
        ("ValidationException", 'Could not find endpoint "reviews".', False),
        ("AccessDeniedException", "User x is not authorized to perform y", False),
        ("ThrottlingException", "Rate exceeded; not available", False),
    ],
)
def test_a_closed_service_is_told_with_the_way_out(code: str, message: str, closed: bool) -> None:
    error = ClientError({"Error": {"Code": code, "Message": message}}, "CreateMonitoringSchedule")
    words = schedules.told(error)
    assert message in words
    assert ('monitor.engine = "driftloop"' in words) is closed
