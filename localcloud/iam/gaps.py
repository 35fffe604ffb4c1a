"""What AWS reads from a request for its policies and ministack does not: the namespace of a metric,
and the state machine that a task's token belongs to.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from localcloud import ministack_adapter as adapter

ACTIONS = "ministack.core.iam_actions"
_machines: dict[str, str] = {}  # by the token of a task


def install() -> None:
    """Tell policies what else is in a request."""
    adapter.replace(ACTIONS, "request_tag_context", _with_namespace)
    adapter.replace(ACTIONS, "extract_resource_arn", _with_machine)


def token_of(machine: str, token: str) -> None:
    """Remember whose token this is."""
    _machines[token] = machine


def _with_namespace(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def context(service: str, action: str, body: bytes, query: Mapping[str, Any]) -> dict[str, Any]:
        found = original(service, action, body, query)
        if action == "cloudwatch:PutMetricData":
            given = _document(body) or {name: values[0] for name, values in query.items()}
            found["cloudwatch:namespace"] = str(given.get("Namespace", ""))
        return found

    return context


def _with_machine(original: Callable[..., str]) -> Callable[..., str]:
    def resource(
        service: str, method: str, path: str, headers: Any, body: bytes, *more: Any
    ) -> str:
        if service == "states" and (token := _document(body).get("taskToken")):
            return _machines.get(str(token), "*")
        return original(service, method, path, headers, body, *more)

    return resource


def _document(body: bytes) -> dict[str, Any]:
    """A body in JSON; nothing for one in the query protocol, the only other that is served."""
    if body[:1] != b"{":
        return {}
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
