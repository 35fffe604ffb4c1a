"""InvokeEndpoint: choose a variant, ask its process, capture and count.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote

from localcloud import ministack_adapter as cloud
from localcloud.sagemaker import validation
from localcloud.sagemaker.errors import ApiError
from localcloud.sagemaker.hosting import deployment
from localcloud.sagemaker.hosting.capture import Body, capture
from localcloud.sagemaker.hosting.fleet import Fleet, Variant
from localcloud.sagemaker.hosting.serving import Answer, GoneError, Server

Response = tuple[int, dict[str, str], bytes]
PATH = re.compile(r"/endpoints/(?P<name>[^/]+)/invocations")
OPERATION = ("InvokeEndpoint", "sagemaker-runtime")
_copies = ThreadPoolExecutor(8, "shadow")
CUSTOM = "X-Amzn-SageMaker-Custom-Attributes"
UNSERVED = (
    "TargetModel", "TargetContainerHostname", "EnableExplanations", "InferenceComponentName",
    "SessionId", "PrefixAwareId",
)  # fmt: skip


async def handle(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
) -> Response:
    """Answer one request of the runtime API."""
    found = PATH.fullmatch(path)
    try:
        if method != "POST" or found is None:
            raise ApiError("UnknownOperationException", f"{method} {path} is not served here.", 404)
        request = _request(unquote(found["name"]), headers, body)
        return await asyncio.to_thread(invoke, request)
    except ApiError as error:
        return _error(error.code, error.status, {"Message": error.message})


def invoke(request: Mapping[str, Any]) -> Response:
    """Ask one instance of the endpoint; a refusal of the model is a ModelError."""
    name, body = request["EndpointName"], request["Body"]
    passed = {
        "Content-Type": request.get("ContentType", "application/octet-stream"),
        "Accept": request.get("Accept", "*/*"),
    }
    if "CustomAttributes" in request:
        passed[CUSTOM] = request["CustomAttributes"]
    arrived = time.perf_counter()
    fleet, variant, answer, latency = _ask(name, request.get("TargetVariant"), body, passed)
    _keep(fleet, variant, request, passed["Content-Type"], answer)
    overhead = time.perf_counter() - arrived - latency
    _count(fleet, variant, answer.status, latency, overhead)
    if shadow := fleet.shadow():
        _copies.submit(_copy, fleet, shadow, request, passed)
    if not answer.good:
        return _refused(name, answer)
    shown = {
        "Content-Type": answer.content_type,
        "x-Amzn-Invoked-Production-Variant": variant.name,
    }
    return 200, shown, answer.content


def _copy(
    fleet: Fleet, shadow: Variant, request: Mapping[str, Any], passed: Mapping[str, str]
) -> None:
    """The shadow answers nobody: its answer is captured and counted.

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-shadow-deployment.html
    """
    began = time.perf_counter()
    try:
        answer = _living(shadow).invoke(request["Body"], passed)
    except (ApiError, GoneError) as error:
        answer = Answer(0, "text/plain", str(error).encode())
    latency = time.perf_counter() - began
    _keep(fleet, shadow, request, passed["Content-Type"], answer)
    _count(fleet, shadow, answer.status, latency, 0.0)


def _keep(
    fleet: Fleet, variant: Variant, request: Mapping[str, Any], content_type: str, answer: Answer
) -> None:
    """Capture a good answer, if the configuration says so."""
    if answer.good:
        capture.add(
            fleet.endpoint,
            variant.name,
            fleet.config.get("DataCaptureConfig"),
            Body(content_type, request["Body"]),
            Body(answer.content_type, answer.content),
            request.get("InferenceId"),
            request.get("CustomAttributes"),
        )


def _request(name: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The members of the request, out of path, headers and body, checked against the model."""
    given = {key.lower(): value for key, value in headers.items()}
    members = validation.members_in_headers(*OPERATION)
    request: dict[str, Any] = {
        member: given[header.lower()]
        for member, header in members.items()
        if header.lower() in given
    }
    try:
        checked = validation.check(
            OPERATION[0], {"EndpointName": name, "Body": body, **request}, OPERATION[1]
        )
    except ApiError as error:
        raise ApiError("ValidationError", error.message) from error
    if found := [member for member in UNSERVED if member in checked]:
        words = f"The local SageMaker does not serve {', '.join(found)}."
        raise ApiError("ValidationError", words)
    return checked


def _ask(
    name: str, target: str | None, body: bytes, headers: Mapping[str, str]
) -> tuple[Fleet, Variant, Answer, float]:
    """The answer of an instance that is not being replaced, and its seconds."""
    while True:
        fleet = deployment.serving(name)
        variant = _variant(fleet, name, target)
        server = _living(variant)
        began = time.perf_counter()
        try:
            return fleet, variant, server.invoke(body, headers), time.perf_counter() - began
        except GoneError:
            time.sleep(0.01)  # until the next fleet, or the endpoint's end, is there to see


def _variant(fleet: Fleet, name: str, target: str | None) -> Variant:
    if target is None:
        return fleet.choose()
    if target not in fleet.variants:
        raise ApiError(
            "ValidationError",
            f"Variant {target} not found for Endpoint {name} of account {cloud.config().account}.",
        )
    return fleet.variants[target]


def _living(variant: Variant) -> Server:
    server = variant.server()
    if server is None:
        raise ApiError("ServiceUnavailable", f"No instance of {variant.name} answers.", 503)
    return server


def _refused(name: str, answer: Answer) -> Response:
    words = answer.content.decode("utf-8", "replace")
    here = cloud.config()
    group = f"/aws/sagemaker/Endpoints/{name}"
    kind = "client" if 400 <= answer.status < 500 else "server"
    console = (
        f"https://{here.region}.console.aws.amazon.com/cloudwatch/home?region={here.region}"
        f"#logEventViewer:group={group}"
    )
    return _error(
        "ModelError",
        424,
        {
            "Message": f"Received {kind} error ({answer.status}) from primary with message "
            f'"{words[:1024]}". See {console} in account {here.account} for more information.',
            "OriginalMessage": words,
            "OriginalStatusCode": answer.status,
            "LogStreamArn": f"arn:aws:logs:{here.region}:{here.account}:log-group:{group}",
        },
    )


def _error(code: str, status: int, document: dict[str, Any]) -> Response:
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": code}
    return status, headers, json.dumps(document).encode()


def _count(fleet: Fleet, variant: Variant, status: int, latency: float, overhead: float) -> None:
    """By variant, and by the variant of a configuration, so that alarms can tell two fleets apart.

    https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html
    """
    values = {
        "Invocations": (1.0, "None"),
        "InvocationsPerInstance": (1.0 / max(len(variant.servers), 1), "None"),
        "Invocation4XXErrors": (float(400 <= status < 500), "None"),
        "Invocation5XXErrors": (float(status >= 500), "None"),
        "InvocationModelErrors": (float(not 200 <= status < 300), "None"),
        "ModelLatency": (latency * 1e6, "Microseconds"),
        "OverheadLatency": (overhead * 1e6, "Microseconds"),
    }
    where = {"EndpointName": fleet.endpoint, "VariantName": variant.name}
    fleets = where, where | {"EndpointConfigName": fleet.config["EndpointConfigName"]}
    for metric, (value, unit) in values.items():
        for dimensions in fleets:
            cloud.put_metric("AWS/SageMaker", metric, value, dimensions, unit)
