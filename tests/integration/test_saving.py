"""What a call has acknowledged stays, as in AWS's durable services: over a stop, and nearly all
of it over a kill."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from localcloud.saving import INTERVAL

pytestmark = pytest.mark.cloud


def remember(cloud: Any, word: str) -> None:
    """Leave a word with services that keep their state in different ways."""
    cloud.client("ssm").put_parameter(Name=f"/{word}", Value=word, Type="String")
    cloud.client("s3").create_bucket(Bucket=f"bucket-{word}")
    cloud.client("s3").put_object(Bucket=f"bucket-{word}", Key="key", Body=word.encode())
    cloud.client("sagemaker").create_model_package_group(ModelPackageGroupName=word)


def remembered(cloud: Any, word: str) -> list[str]:
    parameter = cloud.client("ssm").get_parameter(Name=f"/{word}")["Parameter"]["Value"]
    body = cloud.client("s3").get_object(Bucket=f"bucket-{word}", Key="key")["Body"].read()
    group = cloud.client("sagemaker").describe_model_package_group(ModelPackageGroupName=word)
    return [parameter, body.decode(), group["ModelPackageGroupName"]]


def test_state_survives_a_kill_up_to_the_last_save(
    own_cloud: Any, eventually: Callable[..., Any]
) -> None:
    remember(own_cloud.start(), "early")
    files = own_cloud.state / "services"

    def saved() -> bool:
        return sum("early" in file.read_text() for file in files.glob("*.json")) >= 3

    eventually(saved, INTERVAL + 60)
    own_cloud.kill()
    assert remembered(own_cloud.start(), "early") == ["early"] * 3


def test_state_survives_an_orderly_stop_entirely(own_cloud: Any) -> None:
    remember(own_cloud.start(), "late")
    assert own_cloud.stop() == 0
    assert remembered(own_cloud.start(), "late") == ["late"] * 3
