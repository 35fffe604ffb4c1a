"""Data capture: what is sampled, the shape of a record, where it lies.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from local_sagemaker import LocalSageMaker, until

pytestmark = pytest.mark.cloud

KEY = re.compile(
    r"(?P<prefix>.+)/(?P<endpoint>[^/]+)/(?P<variant>[^/]+)/"
    r"(?P<hour>\d{4}/\d{2}/\d{2}/\d{2})/\d{2}-\d{2}-\d{3}-[0-9a-f-]{36}\.jsonl"
)


@pytest.fixture(scope="module")
def model(sagemaker: LocalSageMaker) -> str:
    return sagemaker.model("captured")


def capturing(sagemaker: LocalSageMaker, model: str, prefix: str, **more: Any) -> str:
    """An endpoint whose requests are captured under a prefix."""
    types = {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]}
    given = {"CaptureContentTypeHeader": types, **more}
    capture = sagemaker.capture(prefix, "Input", "Output", **given)
    return sagemaker.endpoint(sagemaker.config_with({"DataCaptureConfig": capture}, main=model))


def captured(sagemaker: LocalSageMaker, prefix: str, count: int) -> list[dict[str, Any]]:
    """The records under a prefix, once there are so many."""

    def look() -> list[dict[str, Any]]:
        objects = [sagemaker.get(f"s3://{sagemaker.bucket}/{k}") for k in sagemaker.keys(prefix)]
        found = [json.loads(line) for each in objects for line in each.splitlines()]
        return found if len(found) >= count else []

    found: list[dict[str, Any]] = until(look)
    assert len(found) == count
    return found


def test_records_have_awss_shape_and_lie_where_aws_puts_them(sagemaker, model):
    began = datetime.now(UTC).replace(microsecond=0)
    endpoint = capturing(sagemaker, model, "capture/all")
    binary = b"\x00\x01\xff"
    requests = [
        {"Body": b"1,2", "ContentType": "text/csv", "InferenceId": "one"},
        {"Body": b'{"a": 1}', "ContentType": "application/json; charset=utf-8"},
        {"Body": binary, "ContentType": "application/x-npy", "CustomAttributes": "trace=7"},
    ]
    runtime = sagemaker.cloud.client("sagemaker-runtime")
    answers = [
        runtime.invoke_endpoint(EndpointName=endpoint, **each)["Body"].read().decode()
        for each in requests
    ]
    with pytest.raises(runtime.exceptions.ModelError):
        runtime.invoke_endpoint(EndpointName=endpoint, Body=b"fail")
    records = captured(sagemaker, "capture/all", 3)
    assert [record["captureData"]["endpointInput"] for record in records] == [
        {"observedContentType": "text/csv", "mode": "INPUT", "data": "1,2", "encoding": "CSV"},
        {
            "observedContentType": "application/json; charset=utf-8",
            "mode": "INPUT",
            "data": '{"a": 1}',
            "encoding": "JSON",
        },
        {
            "observedContentType": "application/x-npy",
            "mode": "INPUT",
            "data": base64.b64encode(binary).decode(),
            "encoding": "BASE64",
        },
    ]
    assert [record["captureData"]["endpointOutput"] for record in records] == [
        {
            "observedContentType": "application/json",
            "mode": "OUTPUT",
            "data": answer,
            "encoding": "JSON",
        }
        for answer in answers
    ]
    metadata = [record["eventMetadata"] for record in records]
    assert len({each["eventId"] for each in metadata}) == 3
    assert [each.get("inferenceId") for each in metadata] == ["one", None, None]
    assert [each.get("customAttributes") for each in metadata] == [None, None, ["trace=7"]]
    for record in records:
        assert set(record) == {"captureData", "eventMetadata", "eventVersion"}
        assert record["eventVersion"] == "0"
        moment = datetime.strptime(record["eventMetadata"]["inferenceTime"], "%Y-%m-%dT%H:%M:%SZ")
        assert began <= moment.replace(tzinfo=UTC) <= datetime.now(UTC)
    for key in sagemaker.keys("capture/all"):
        found = KEY.fullmatch(key)
        assert found
        assert found.group("prefix", "endpoint", "variant") == ("capture/all", endpoint, "main")
        hour = datetime.strptime(found["hour"], "%Y/%m/%d/%H").replace(tzinfo=UTC)
        assert hour in (began.replace(minute=0, second=0), datetime.now(UTC).replace(
            minute=0, second=0, microsecond=0))  # fmt: skip
    shown = sagemaker.api.describe_endpoint(EndpointName=endpoint)["DataCaptureConfig"]
    assert shown["CaptureStatus"] == "Started"
    assert shown["CurrentSamplingPercentage"] == 100
    sagemaker.api.delete_endpoint(EndpointName=endpoint)


def test_a_share_is_sampled(sagemaker, model):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DataCaptureConfig.html"""
    endpoint = capturing(sagemaker, model, "capture/some", InitialSamplingPercentage=50)
    for _ in range(100):
        sagemaker.invoke(endpoint)
    everything = capturing(sagemaker, model, "capture/after")  # what it writes comes after the rest
    sagemaker.invoke(everything)
    captured(sagemaker, "capture/after", 1)
    keys = sagemaker.keys("capture/some")
    objects = [sagemaker.get(f"s3://{sagemaker.bucket}/{key}") for key in keys]
    assert 20 < sum(len(each.splitlines()) for each in objects) < 80
    for made in (endpoint, everything):
        sagemaker.api.delete_endpoint(EndpointName=made)
