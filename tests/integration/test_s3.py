"""S3's events name the version: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.cloud


@pytest.mark.parametrize("versioned", [True, False])
def test_an_event_carries_the_version_id(
    cloud: Any, bucket: str, listen: Callable[..., Any], versioned: bool
) -> None:
    s3 = cloud.client("s3")
    if versioned:
        status = {"Status": "Enabled"}
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=status)
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    events = listen(
        {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {"bucket": {"name": [bucket]}},
        }
    )
    bodies = (b"one", b"three")
    put = [s3.put_object(Bucket=bucket, Key="a", Body=body) for body in bodies]
    objects = {event["detail"]["object"]["size"]: event["detail"]["object"] for event in events(2)}
    for body, answer in zip(bodies, put, strict=True):
        told = objects[len(body)]
        assert told["key"] == "a"
        assert told.get("version-id") == answer.get("VersionId")
    assert ("VersionId" in put[0]) is versioned
