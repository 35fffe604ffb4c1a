"""Monitoring schedules: which job definition runs when.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateMonitoringSchedule.html
"""

from __future__ import annotations

from typing import Any

from localcloud.sagemaker import names, tags
from localcloud.sagemaker.errors import in_use, not_found, validation
from localcloud.sagemaker.monitoring import definitions, executions, expressions
from localcloud.sagemaker.service import operation
from localcloud.sagemaker.store import Record, now, store

KIND = "monitoring_schedule"
NAME, STATUS, CONFIG = (
    "MonitoringScheduleName",
    "MonitoringScheduleStatus",
    "MonitoringScheduleConfig",
)
SUMMARY = (NAME, "MonitoringScheduleArn", "CreationTime", "LastModifiedTime", STATUS,
           "EndpointName", "MonitoringJobDefinitionName", "MonitoringType")  # fmt: skip


def enabled() -> list[Record]:
    return [record for record in store.values(KIND) if record[STATUS] == "Scheduled"]


@operation("CreateMonitoringSchedule")
def create(request: dict[str, Any]) -> dict[str, Any]:
    name = request[NAME]
    arn = names.arn("monitoring-schedule", name)
    moment = now()
    record = {
        NAME: name,
        "MonitoringScheduleArn": arn,
        STATUS: "Scheduled",
        "CreationTime": moment,
        "LastModifiedTime": moment,
        **_configured(request[CONFIG]),
    }
    if not store.add(KIND, name, record):
        raise in_use(f"Monitoring schedule {arn} already exists.")
    tags.tag(arn, request.get("Tags", []))
    return {"MonitoringScheduleArn": arn}


@operation("UpdateMonitoringSchedule")
def update(request: dict[str, Any]) -> dict[str, Any]:
    name = _find(request[NAME])[NAME]
    changes = _configured(request[CONFIG])
    record = store.update(KIND, name, LastModifiedTime=now(), **changes)
    return {"MonitoringScheduleArn": record["MonitoringScheduleArn"]}


@operation("DescribeMonitoringSchedule")
def describe(request: dict[str, Any]) -> dict[str, Any]:
    record = _find(request[NAME])
    last = executions.of(record[NAME])[-1:]
    shown = {
        key: value
        for key, value in record.items()
        if not key.startswith("_") and key != "MonitoringJobDefinitionName"
    }
    return {**shown, **({"LastMonitoringExecutionSummary": last[0]} if last else {})}


@operation("StopMonitoringSchedule")
def stop(request: dict[str, Any]) -> None:
    _set(request[NAME], "Stopped")


@operation("StartMonitoringSchedule")
def start(request: dict[str, Any]) -> None:
    """What was due while it was stopped is not made up for."""
    if _find(request[NAME])[STATUS] != "Scheduled":
        store.update(KIND, request[NAME], _fired=now())
    _set(request[NAME], "Scheduled")


@operation("DeleteMonitoringSchedule")
def delete(request: dict[str, Any]) -> None:
    """The history of its executions stays."""
    tags.untag(_find(request[NAME])["MonitoringScheduleArn"])
    store.delete(KIND, request[NAME])


@operation("ListMonitoringSchedules")
def listed(request: dict[str, Any]) -> dict[str, Any]:
    members = {
        "EndpointName": "EndpointName",
        "MonitoringJobDefinitionName": "MonitoringJobDefinitionName",
        "MonitoringTypeEquals": "MonitoringType",
    }
    found = [
        record
        for record in store.values(KIND)
        if all(request.get(asked) in (None, record[has]) for asked, has in members.items())
    ]
    return names.page(
        found,
        request,
        "MonitoringScheduleSummaries",
        lambda record: {name: record[name] for name in SUMMARY},
        NAME,
        STATUS,
        order="Descending",
    )


@operation("ListMonitoringExecutions")
def list_executions(request: dict[str, Any]) -> dict[str, Any]:
    members = {
        NAME: NAME,
        "EndpointName": "EndpointName",
        "MonitoringJobDefinitionName": "MonitoringJobDefinitionName",
        "MonitoringTypeEquals": "MonitoringType",
    }
    found = [
        each
        for each in executions.of(request.get(NAME))
        if all(request.get(asked) in (None, each[has]) for asked, has in members.items())
        and request.get("ScheduledTimeAfter", 0) <= each["ScheduledTime"]
        and each["ScheduledTime"] <= request.get("ScheduledTimeBefore", float("inf"))
    ]
    return names.page(
        found,
        request,
        "MonitoringExecutionSummaries",
        dict,
        NAME,
        "MonitoringExecutionStatus",
        order="Descending",
    )


def _find(name: str) -> Record:
    found = store.get(KIND, name)
    if found is None:
        raise not_found(
            f"Monitoring schedule {names.arn('monitoring-schedule', name)} does not exist."
        )
    return found


def _set(name: str, status: str) -> None:
    _find(name)
    store.update(KIND, name, LastModifiedTime=now(), **{STATUS: status})


def _configured(config: dict[str, Any]) -> Record:
    """What follows of a configuration; one that names a job definition, and its type."""
    if "MonitoringJobDefinition" in config:
        raise validation("The local SageMaker takes job definitions by their name.")
    name, kind = config.get("MonitoringJobDefinitionName"), config.get("MonitoringType")
    if not name or not kind:
        raise validation("MonitoringJobDefinitionName and MonitoringType are needed.")
    timing = config.get("ScheduleConfig", {"ScheduleExpression": expressions.DAILY})
    if timing["ScheduleExpression"] != expressions.NOW:
        expressions.hours(timing["ScheduleExpression"])
    elif not {"DataAnalysisStartTime", "DataAnalysisEndTime"} <= set(timing):
        raise validation("NOW needs DataAnalysisStartTime and DataAnalysisEndTime.")
    definition = definitions.find(kind, name)
    return {
        CONFIG: config,
        "MonitoringType": kind,
        "MonitoringJobDefinitionName": name,
        "EndpointName": definitions.endpoint_input(kind, definition)["EndpointName"],
    }
