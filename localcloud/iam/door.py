"""A service's front door: a call goes through when its caller's policies allow all it needs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from localcloud import ministack_adapter as adapter
from localcloud.iam.needs import Names, needs
from localcloud.ministack_adapter import Handler, Response

RUNTIME = re.compile(r"/endpoints/([^/]+)/invocations")


def guarded(
    service: str, handler: Handler, workgroup: Callable[[str], str] = lambda query_id: "primary"
) -> Handler:
    """The handler, behind a check of every call."""
    here = adapter.config()
    names = Names(here.region, here.account, workgroup)
    adapter.authorise_here(service)

    async def handle(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Response:
        operation, request = _call(path, headers, body)
        for need in needs(service, operation, request, names) if operation else ():
            if refused := adapter.refusal(headers, query, need.action, need.resource, need.context):
                return _denied(refused)
        return await handler(method, path, headers, body, query)

    return handle


def _call(path: str, headers: Mapping[str, str], body: bytes) -> tuple[str, dict[str, Any]]:
    """What is asked; a request that says nothing sensible is the handler's to refuse."""
    if found := RUNTIME.fullmatch(path):
        return "InvokeEndpoint", {"EndpointName": unquote(found[1])}
    target = next((v for k, v in headers.items() if k.lower() == "x-amz-target"), "")
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return "", {}
    return target.rpartition(".")[2], request if isinstance(request, dict) else {}


def _denied(message: str) -> Response:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html"""
    document = {"__type": "AccessDeniedException", "Message": message, "message": message}
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "x-amzn-ErrorType": "AccessDeniedException",
    }
    return 400, headers, json.dumps(document).encode()
