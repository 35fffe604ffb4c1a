"""The model inside a Lambda function, for traffic that does not earn an endpoint.

Event: {"model": {"key", "version"}, "capture": {"prefix", "percent"}, "inference_id", "body"};
answer: {"status", "body"}, the body as the endpoint gives it, or words where it refuses.
"""

from __future__ import annotations

import json
import logging
import os
import random
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

import boto3
import captured
import served_model
from botocore.exceptions import BotoCoreError, ClientError
from records import JSON, BadRequestError, input_fn

log = logging.getLogger()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    body = json.dumps(event["body"])
    try:
        predictions = model(event["model"]["key"])(input_fn(body, JSON))
    except BadRequestError as error:
        return {"status": error.status_code, "body": error.message}
    answer = {"predictions": predictions, "model_version": str(event["model"]["version"])}
    if random.random() * 100 < event["capture"]["percent"]:
        _capture(event["capture"]["prefix"], body, json.dumps(answer), event["inference_id"])
    return {"status": 200, "body": answer}


@lru_cache(maxsize=1)
def model(key: str) -> served_model.Predict:
    """The one that answered last stays in memory; another takes its place when it is asked for."""
    archive = _s3().get_object(Bucket=os.environ["DATA_BUCKET"], Key=key)["Body"]
    return served_model.load(archive)


def _capture(prefix: str, body: str, answer: str, inference_id: str) -> None:
    """As with an endpoint, the answer does not depend on it."""
    moment = datetime.now(UTC)
    line = json.dumps(captured.event(body, answer, inference_id, moment)) + "\n"
    key = prefix + captured.name(moment)
    try:
        _s3().put_object(Bucket=os.environ["DATA_BUCKET"], Key=key, Body=line.encode())
    except (BotoCoreError, ClientError):
        log.exception("a request could not be captured as %s", key)


@cache
def _s3() -> Any:
    return boto3.client("s3")
