"""The managed engine's requests, held against SageMaker's own model, and its words."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sagemaker import image_uris

from chalicelib import settings
from chalicelib.environment import Environment
from chalicelib.monitoring import images, managed, schedules, timings
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
        assert limits.endswith(f"runs/{RUN}/baseline/{each.kind}/constraints.json")


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
