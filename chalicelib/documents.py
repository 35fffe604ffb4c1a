"""JSON documents in the data bucket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chalicelib import clients

if TYPE_CHECKING:
    from chalicelib.environment import Environment


def write(environment: Environment, key: str, content: Any) -> None:
    clients.client("s3").put_object(
        Bucket=environment.data_bucket,
        Key=key,
        Body=json.dumps(content).encode(),
        ContentType="application/json",
    )


def read(environment: Environment, key: str) -> Any:
    found = clients.client("s3").get_object(Bucket=environment.data_bucket, Key=key)
    return json.loads(found["Body"].read())


def find(environment: Environment, key: str) -> Any | None:
    """The document, or None where there is none."""
    try:
        return read(environment, key)
    except clients.client("s3").exceptions.NoSuchKey:
        return None


def exists(environment: Environment, prefix: str) -> bool:
    """Whether there is anything under a prefix, or a key."""
    listed = clients.client("s3").list_objects_v2(
        Bucket=environment.data_bucket, Prefix=prefix, MaxKeys=1
    )
    return bool(listed["KeyCount"])
