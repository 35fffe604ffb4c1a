"""InvokeEndpoint: choose a variant, ask its process, capture and count.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import urllib3

from localcloud import ministack_adapter as cloud
from localcloud.sagemaker.errors import ApiError
from localcloud.sagemaker.hosting import endpoints
from localcloud.sagemaker.hosting.capture import Body, capture
from localcloud.sagemaker.hosting.fleet import Fleet, Variant

Response = tuple[int, dict[str, str], bytes]
BODY_LIMIT = 25 * 1024 * 1024
PATH = re.compile(r"/endpoints/(?P<name>[^/]+)/invocations")
TARGET = "x-amzn-sagemaker-target-variant"
CUSTOM = "x-amzn-sagemaker-custom-attributes"
INFERENCE = "x-amzn-sagemaker-inference-id"


async def handle(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
) -> Response:
    """Answer one request of the runtime API."""
    given = {key.lower(): value for key, value in headers.items()}
    found = PATH.fullmatch(path)
    try:
        if method != "POST" or found is None:
            raise ApiError("UnknownOperationException", f"{method} {path} is not served here.", 404)
        return await asyncio.to_thread(invoke, unquote(found["name"]), given, body)
    except ApiError as error:
        return _error(error.code, error.status, {"Message": error.message})


def invoke(name: str, headers: Mapping[str, str], body: bytes) -> Response:
    """Ask one instance of the endpoint; a refusal of the model is a ModelError."""
    if len(body) > BODY_LIMIT:
        raise ApiError("ValidationError", f"Request body exceeds {BODY_LIMIT} bytes.", 413)
    arrived = time.perf_counter()
    fleet = endpoints.serving(name)
    variant = _variant(fleet, name, headers.get(TARGET))
    server = variant.server()
    if server is None:
        raise ApiError("ServiceUnavailable", f"No instance of {variant.name} answers.", 503)
    began = time.perf_counter()
    passed = {
        "Content-Type": headers.get("content-type", "application/octet-stream"),
        "Accept": headers.get("accept", "*/*"),
    }
    if CUSTOM in headers:
        passed["X-Amzn-SageMaker-Custom-Attributes"] = headers[CUSTOM]
    try:
        status, content_type, content = server.invoke(body, passed)
    except urllib3.exceptions.HTTPError as error:
        status, content_type, content = 500, "text/plain", f"no answer: {error}".encode()
    latency, overhead = time.perf_counter() - began, began - arrived
    _count(name, variant, status, latency, overhead)
    if status >= 400:
        return _refused(name, variant.name, status, content)
    capture.add(
        name,
        variant.name,
        fleet.config.get("DataCaptureConfig"),
        Body(passed["Content-Type"], body),
        Body(content_type, content),
        headers.get(INFERENCE),
        headers.get(CUSTOM),
    )
    shown = {"Content-Type": content_type, "x-Amzn-Invoked-Production-Variant": variant.name}
    return 200, shown, content


def _variant(fleet: Fleet, name: str, target: str | None) -> Variant:
    if target is None:
        return fleet.choose()
    if target not in fleet.variants:
        raise ApiError(
            "ValidationError",
            f"Variant {target} not found for Endpoint {name} of account {cloud.config().account}.",
        )
    return fleet.variants[target]


def _refused(name: str, variant: str, status: int, content: bytes) -> Response:
    words = content.decode("utf-8", "replace")
    here = cloud.config()
    group = f"/aws/sagemaker/Endpoints/{name}"
    kind = "server" if status >= 500 else "client"
    console = f"See the log group {group} in account {here.account} for more information."
    return _error(
        "ModelError",
        424,
        {
            "Message": f"Received {kind} error ({status}) from {variant} with message "
            f'"{words[:1024]}". {console}',
            "OriginalMessage": words,
            "OriginalStatusCode": status,
            "LogStreamArn": f"arn:aws:logs:{here.region}:{here.account}:log-group:{group}",
        },
    )


def _error(code: str, status: int, document: dict[str, Any]) -> Response:
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": code}
    return status, headers, json.dumps(document).encode()


def _count(name: str, variant: Variant, status: int, latency: float, overhead: float) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html"""
    where = {"EndpointName": name, "VariantName": variant.name}
    values = {
        "Invocations": 1.0,
        "InvocationsPerInstance": 1.0 / max(len(variant.servers), 1),
        "Invocation4XXErrors": float(400 <= status < 500),
        "Invocation5XXErrors": float(status >= 500),
    }
    for metric, value in values.items():
        cloud.put_metric("AWS/SageMaker", metric, value, where)
    cloud.put_metric("AWS/SageMaker", "ModelLatency", latency * 1e6, where, "Microseconds")
    cloud.put_metric("AWS/SageMaker", "OverheadLatency", overhead * 1e6, where, "Microseconds")
