"""Which alarms ended a deployment: read from their history, for they may be calm again by now.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib import clients, clock

Fired = dict[str, str]


def fired(names: Iterable[str], since: dt.datetime) -> list[Fired]:
    """{"alarm", "reason", "at"} of each that went into ALARM since then, the first change of it."""
    found = []
    for name in names:
        history = clients.client("cloudwatch").describe_alarm_history(
            AlarmName=name,
            HistoryItemType="StateUpdate",
            StartDate=since,
            EndDate=clock.now() + dt.timedelta(minutes=1),
            ScanBy="TimestampAscending",
        )
        found += [of for item in history["AlarmHistoryItems"] if (of := of_item(item))][:1]
    return found


def of_item(item: Mapping[str, Any]) -> Fired | None:
    """A change of state into ALARM; None where it is another change."""
    state = json.loads(item["HistoryData"]).get("newState", {})
    if state.get("stateValue") != "ALARM":
        return None
    at = clock.text(item["Timestamp"])
    return {"alarm": str(item["AlarmName"]), "reason": str(state.get("stateReason", "")), "at": at}


def watched(endpoint: Mapping[str, Any]) -> list[str]:
    """The alarms of an endpoint's last deployment, of DescribeEndpoint's answer."""
    config = endpoint.get("LastDeploymentConfig") or {}
    listed = (config.get("AutoRollbackConfiguration") or {}).get("Alarms") or []
    return [str(alarm["AlarmName"]) for alarm in listed]
