"""The logs of a run's jobs, of the endpoint and of the functions, from CloudWatch Logs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from cli import target

JOB_GROUPS = ("/aws/sagemaker/ProcessingJobs", "/aws/sagemaker/TrainingJobs")


def of_run(run_id: str) -> Iterator[tuple[str, str]]:
    """`(stream, line)` of every job of a run, job by job in the order they began."""
    streams = [
        (stream.get("firstEventTimestamp", stream.get("creationTime", 0)), group, stream)
        for group in JOB_GROUPS
        for stream in _streams(group)
        if run_id in stream["logStreamName"]
    ]
    for _, group, stream in sorted(streams, key=lambda found: found[0]):
        for event in events(group, stream["logStreamName"]):
            yield stream["logStreamName"].split("/")[0], event["message"].rstrip()


def of_failure(stack: str, record: dict[str, Any], lines: int = 15) -> list[str]:
    """The last log lines that a failed run kept with its error."""
    del stack
    return str(record.get("error_detail") or "").splitlines()[-lines:]


def of_group(group: str, minutes: int) -> Iterator[tuple[str, str]]:
    """`(stream, line)` of a log group's last minutes, by time."""
    since = int((time.time() - minutes * 60) * 1000)
    found = [
        (event["timestamp"], stream["logStreamName"], event["message"].rstrip())
        for stream in _streams(group)
        for event in events(group, stream["logStreamName"], since)
    ]
    yield from ((stream, message) for _, stream, message in sorted(found))


def events(group: str, stream: str, since: int = 0) -> Iterator[dict[str, Any]]:
    """A stream's events from its beginning, or from a time in milliseconds."""
    client, token = target.client("logs"), None
    while True:
        page = client.get_log_events(
            logGroupName=group,
            logStreamName=stream,
            startFromHead=True,
            startTime=since,
            **({"nextToken": token} if token else {}),
        )
        yield from page["events"]
        if page["nextForwardToken"] == token or not page["events"]:
            return
        token = page["nextForwardToken"]


def _streams(group: str) -> Iterator[dict[str, Any]]:
    pages = target.client("logs").get_paginator("describe_log_streams")
    try:
        for page in pages.paginate(logGroupName=group):
            yield from page["logStreams"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
