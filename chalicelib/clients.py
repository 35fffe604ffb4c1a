"""AWS clients, made on first use: a function pays only for those it needs."""

from __future__ import annotations

from functools import cache
from typing import Any

# The API waits for these, and API Gateway for the API, for 29 s: an attempt must end in time to say
# so, and there is none for a second.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
WAITED_FOR = ("sagemaker-runtime", "lambda")
CONNECT_SECONDS, ANSWER_SECONDS = 2, 24


@cache
def client(service: str) -> Any:
    """A client that retries throttling and short outages by itself.

    Without more, botocore waits 60 s for an answer, and asks again after that.
    https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
    https://docs.aws.amazon.com/botocore/latest/reference/config.html
    """
    import boto3
    from botocore.config import Config

    retries: Any = {"mode": "standard", "max_attempts": 4}
    config = Config(retries=retries, connect_timeout=5)
    if service in WAITED_FOR:
        once: Any = {"mode": "standard", "total_max_attempts": 1}
        config = Config(retries=once, connect_timeout=CONNECT_SECONDS, read_timeout=ANSWER_SECONDS)
    if service == "s3":  # an address of an object under KMS must be signed with Version 4
        config = config.merge(Config(signature_version="s3v4"))
    return boto3.client(service, config=config)
