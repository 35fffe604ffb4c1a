"""The logs of a run's jobs, of the endpoint and of the functions, from CloudWatch Logs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from cli import target

JOB_GROUPS = ("/aws/sagemaker/ProcessingJobs", "/aws/sagemaker/TrainingJobs")


def of_run(run_id: str, step: str = "") -> Iterator[tuple[str, str]]:
    """`(stream, line)` of a run's jobs, job by job in the order they began; of one step's only."""
    streams = [
        (stream.get("firstEventTimestamp", stream.get("creationTime", 0)), group, stream)
        for group in JOB_GROUPS
        for stream in _streams(group, f"{run_id}-{step}")
    ]
    for _, group, stream in sorted(streams, key=lambda found: found[0]):
        for event in events(group, stream["logStreamName"]):
            yield _job(stream["logStreamName"]), event["message"].rstrip()


class Tail:
    """Log streams that grow: `news()` gives the lines that came since the last look."""

    def __init__(self, groups: Iterable[str], prefix: str = "", since: int = 0) -> None:
        """Streams whose names begin with `prefix`; `since`: milliseconds since 1970."""
        self._groups, self._prefix, self._since = tuple(groups), prefix, since
        self._seen: dict[tuple[str, str], str] = {}  # how far each stream was read, by its token

    def news(self) -> Iterator[tuple[str, str]]:
        """`(job or stream, line)` in the order of their times."""
        found = [
            (event["timestamp"], _job(stream["logStreamName"]), event["message"].rstrip())
            for group in self._groups
            for stream in _streams(group, self._prefix)
            for event in self._of(group, stream["logStreamName"])
        ]
        yield from ((stream, line) for _, stream, line in sorted(found, key=lambda each: each[0]))

    def _of(self, group: str, stream: str) -> Iterator[dict[str, Any]]:
        for page in _pages(group, stream, self._since, self._seen.get((group, stream))):
            self._seen[group, stream] = page["nextForwardToken"]
            yield from page["events"]


def metrics(job: str) -> dict[str, float]:
    """What a training job has measured so far; nothing where the job is no training job."""
    client = target.client("sagemaker")
    try:
        described = client.describe_training_job(TrainingJobName=job)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":
            raise
        return {}
    return {m["MetricName"]: m["Value"] for m in described.get("FinalMetricDataList", [])}


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
    for page in _pages(group, stream, since):
        yield from page["events"]


def _pages(
    group: str, stream: str, since: int, token: str | None = None
) -> Iterator[dict[str, Any]]:
    """From where a token says; the end is where the token stays.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
    """
    client = target.client("logs")
    while True:
        page = client.get_log_events(
            logGroupName=group,
            logStreamName=stream,
            startFromHead=True,
            startTime=since,
            **({"nextToken": token} if token else {}),
        )
        yield page
        if page["nextForwardToken"] == token or not page["events"]:
            return
        token = page["nextForwardToken"]


def _job(stream: str) -> str:
    """SageMaker names a stream <job>/algo-<instance>; other streams keep their names."""
    return stream.split("/algo-")[0]


def _streams(group: str, prefix: str = "") -> Iterator[dict[str, Any]]:
    pages = target.client("logs").get_paginator("describe_log_streams")
    named = {"logStreamNamePrefix": prefix} if prefix else {}
    try:
        for page in pages.paginate(logGroupName=group, **named):
            yield from page["logStreams"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
