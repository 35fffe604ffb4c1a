"""`AWS::CloudWatch::CompositeAlarm`, which ministack's CloudFormation lacks.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-compositealarm.html
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.cloudwatch.alarms import CLOUDWATCH

TYPE = "AWS::CloudWatch::CompositeAlarm"
MEMBERS = ("AlarmRule", "AlarmDescription", "ActionsEnabled", "AlarmActions", "OKActions",
           "InsufficientDataActions", "Tags")  # fmt: skip
SUPPRESSION = ("ActionsSuppressor", "ActionsSuppressorExtensionPeriod",
               "ActionsSuppressorWaitPeriod")  # fmt: skip

Made = tuple[str, dict[str, Any]]


def install() -> None:
    adapter.register_resource_type(TYPE, _create, _delete, _update)


def request(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    """PutCompositeAlarm's request for a resource's properties; what is not served is refused."""
    if unknown := sorted(set(properties) & set(SUPPRESSION)):
        raise ValueError(f"{TYPE} Properties.{unknown[0]} is not supported")
    if not properties.get("AlarmRule"):
        raise ValueError(f"AlarmRule is required for {TYPE}")
    found = {member: properties[member] for member in MEMBERS if member in properties}
    if isinstance(found.get("ActionsEnabled"), str):
        found["ActionsEnabled"] = found["ActionsEnabled"].lower() == "true"
    return {"AlarmName": name, **found}


def _create(logical_id: str, properties: dict[str, Any], stack: str) -> Made:
    name = properties.get("AlarmName") or f"{stack}-{logical_id}-{uuid.uuid4().hex[:12].upper()}"
    return _put(name, properties)


def _update(physical_id: str, before: dict[str, Any], after: dict[str, Any], stack: str) -> Made:
    """Another name is another alarm; all else changes in place."""
    if before.get("AlarmName") != after.get("AlarmName"):
        return _create("", after, stack)
    return _put(physical_id, after)


def _put(name: str, properties: dict[str, Any]) -> Made:
    _call("_put_composite_alarm", request(name, properties))
    return name, {"Arn": adapter.part(CLOUDWATCH)._composite_alarms[name]["AlarmArn"]}


def _delete(physical_id: str, properties: dict[str, Any]) -> None:
    _call("_delete_alarms", {"AlarmNames": [physical_id]})


def _call(action: str, document: dict[str, Any]) -> None:
    """Inside this process: stacks are made on the server's loop, which cannot call itself."""
    is_cbor, is_json = False, True
    status, _, body = getattr(adapter.part(CLOUDWATCH), action)({}, document, is_cbor, is_json)
    if status != 200:
        raise ValueError(json.loads(body)["message"])
