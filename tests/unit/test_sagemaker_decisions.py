"""What the local SageMaker decides without a cloud: capture, splits of a transform, prefixes."""

from __future__ import annotations

import base64
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from localcloud.sagemaker import quotas, transform
from localcloud.sagemaker.errors import ApiError
from localcloud.sagemaker.hosting import server
from localcloud.sagemaker.hosting.capture import Body, event, sampled
from localcloud.sagemaker.jobs import files, process, secondary

CAPTURE = {"EnableCapture": True, "InitialSamplingPercentage": 25}
MOMENT = datetime(2026, 3, 1, 8, 3, 35, 999_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("config", "draw", "wanted"),
    [
        (CAPTURE, 0.249, True),
        (CAPTURE, 0.25, False),
        (CAPTURE | {"InitialSamplingPercentage": 100}, 0.9999999, True),
        (CAPTURE | {"InitialSamplingPercentage": 0}, 0.0, False),
        (CAPTURE | {"EnableCapture": False}, 0.0, False),
        (None, 0.0, False),
    ],
)
def test_what_is_captured(config: dict[str, Any] | None, draw: float, wanted: bool) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DataCaptureConfig.html"""
    assert sampled(config, draw) is wanted


@pytest.mark.parametrize(
    ("modes", "parts"),
    [
        (["Input"], ["endpointInput"]),
        (["Output"], ["endpointOutput"]),
        (["Input", "Output"], ["endpointInput", "endpointOutput"]),
        (["InputAndOutput"], ["endpointInput", "endpointOutput"]),
    ],
)
def test_which_sides_are_captured(modes: list[str], parts: list[str]) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CaptureOption.html"""
    config = {"CaptureOptions": [{"CaptureMode": mode} for mode in modes]}
    record = event(config, Body("text/csv", b"1"), Body("text/csv", b"2"), None, None, MOMENT)
    assert list(record["captureData"]) == parts
    assert record["eventMetadata"]["inferenceTime"] == "2026-03-01T08:03:35Z"
    assert set(record["eventMetadata"]) == {"eventId", "inferenceTime"}


@pytest.mark.parametrize(
    ("kind", "encoding"),
    [
        ("text/csv", "CSV"),
        ("Text/CSV; charset=utf-8", "CSV"),
        ("application/json", "JSON"),
        ("application/jsonlines", "BASE64"),
        ("", "BASE64"),
    ],
)
def test_the_encoding_is_by_content_type(kind: str, encoding: str) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CaptureContentTypeHeader.html"""
    headers = {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]}
    config = {"CaptureOptions": [{"CaptureMode": "Input"}], "CaptureContentTypeHeader": headers}
    record = event(config, Body(kind, b"a,b"), Body("", b""), "id-1", "a=b", MOMENT)
    part = record["captureData"]["endpointInput"]
    data = base64.b64encode(b"a,b").decode() if encoding == "BASE64" else "a,b"
    assert part == {
        "observedContentType": kind,
        "mode": "INPUT",
        "data": data,
        "encoding": encoding,
    }
    assert record["eventMetadata"]["inferenceId"] == "id-1"
    assert record["eventMetadata"]["customAttributes"] == ["a=b"]


@pytest.mark.parametrize(
    ("split", "strategy", "most", "payloads"),
    [
        (None, None, 4, [b"aa\nbb\ncc\n"]),
        ("None", "MultiRecord", 4, [b"aa\nbb\ncc\n"]),
        ("Line", "SingleRecord", 100, [b"aa", b"bb", b"cc"]),
        ("Line", "MultiRecord", 100, [b"aa\nbb\ncc"]),
        ("Line", "MultiRecord", 6, [b"aa\nbb", b"cc"]),
        ("Line", None, 3, [b"aa", b"bb", b"cc"]),
        ("Line", "MultiRecord", 0, [b"aa\nbb\ncc"]),
    ],
)
def test_what_a_transform_sends_at_once(
    split: str | None, strategy: str | None, most: int, payloads: list[bytes]
) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html"""
    request: dict[str, Any] = {"TransformInput": {"SplitType": split} if split else {}}
    if strategy:
        request["BatchStrategy"] = strategy
    sent = list(transform.payloads(request, b"aa\nbb\ncc\n", most, lambda record: record))
    assert [payload for _, payload in sent] == payloads
    assert [b"\n".join(records) for records, _ in sent] == payloads


@pytest.mark.parametrize(
    ("prefix", "key", "name"),
    [
        ("data/train/", "data/train/a.csv", "a.csv"),
        ("data/train", "data/train/a.csv", "a.csv"),
        ("data/train", "data/train/deep/a.csv", "deep/a.csv"),
        ("data/train", "data/training.csv", "training.csv"),
        ("data/train/a.csv", "data/train/a.csv", "a.csv"),
        ("", "data/a.csv", "data/a.csv"),
    ],
)
def test_where_an_object_of_a_prefix_goes(prefix: str, key: str, name: str) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html"""
    assert files.below(prefix, key) == name


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/opt/ml/input/data", "/jobs/1/input/data"),
        ("cat /opt/ml/a '/opt/ml/b'", "cat /jobs/1/a '/jobs/1/b'"),
        ("--data=/opt/ml/x", "--data=/jobs/1/x"),
        ("s3://bucket/opt/ml/x", "s3://bucket/opt/ml/x"),
        ("/mnt/opt/ml/x", "/mnt/opt/ml/x"),
        ("${SAGEMAKER_BASE_DIR:-/opt/ml}", "${SAGEMAKER_BASE_DIR:-/opt/ml}"),
    ],
)
def test_paths_of_the_container_are_those_of_the_job(text: str, found: str) -> None:
    assert process.inside(Path("/jobs/1"), text) == found


def test_secondary_statuses_join_without_a_gap() -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_SecondaryStatusTransition.html"""
    record: dict[str, Any] = {}
    for status in ("Starting", "Downloading", "Failed"):
        record |= secondary.entered(record, status, "why" if status == "Failed" else "")
    entries = record["SecondaryStatusTransitions"]
    assert record["SecondaryStatus"] == "Failed"
    assert [each["Status"] for each in entries] == ["Starting", "Downloading", "Failed"]
    assert entries[0]["EndTime"] == entries[1]["StartTime"]
    assert entries[-1]["StatusMessage"] == "why"
    assert all("EndTime" in each for each in entries)


def test_instances_beyond_the_quota_are_refused_in_awss_words() -> None:
    """https://docs.aws.amazon.com/general/latest/gr/sagemaker.html#limits_sagemaker"""
    used = [("ml.m5.large", 15), ("ml.c5.large", 20)]
    quotas.check_usage("training job", ("ml.m5.large", 5), used)
    with pytest.raises(ApiError) as refused:
        quotas.check_usage("training job", ("ml.m5.large", 6), used)
    assert refused.value.code == "ResourceLimitExceeded"
    assert refused.value.message.startswith(
        "The account-level service limit 'ml.m5.large for training job usage' is 20 Instances, "
        "with current utilization of 15 Instances and a request delta of 6 Instances."
    )


def test_requests_go_one_by_one_until_one_was_answered() -> None:
    """A model's late imports are whole before another request needs them."""
    at_once, most = 0, 0

    def transform(data: Any, context: server.Context) -> list[str]:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        time.sleep(0.02)
        at_once -= 1
        context.status = 500 if data == "bad" else 200
        return ["answer"]

    def ask(first: server.FirstAlone, data: str) -> None:
        first(data, server.Context({}, ""))

    first = server.FirstAlone(transform)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: ask(first, "bad"), range(4)))
    assert most == 1
    ask(first, "good")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: ask(first, "good"), range(8)))
    assert most > 1
