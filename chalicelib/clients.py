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
    return boto3.client(service, config=Config(retries=retries, connect_timeout=5))
