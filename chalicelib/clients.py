"""AWS clients, made on first use: a function pays only for those it needs."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def client(service: str) -> Any:
    """A client that retries throttling and short outages by itself.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
    """
    import boto3
    from botocore.config import Config

    retries: Any = {"mode": "standard", "max_attempts": 4}
    config = Config(retries=retries, connect_timeout=5)
    if service == "s3":  # an address of an object under KMS must be signed with Version 4
        config = config.merge(Config(signature_version="s3v4"))
    return boto3.client(service, config=config)
