"""Logs read back and followed, from CloudWatch Logs."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cli import logs, target

pytestmark = pytest.mark.cloud
Write = Callable[..., None]


@pytest.fixture
def group(cloud: Any) -> Iterator[str]:
    """A new log group; the command talks to this cloud."""
    target.client.cache_clear()
    name = f"/test/{uuid.uuid4().hex[:8]}"
    cloud.client("logs").create_log_group(logGroupName=name)
    yield name
    target.client.cache_clear()


@pytest.fixture
def write(cloud: Any, group: str) -> Write:
    """Write lines to a stream, at times of one moment after the other."""
    client, begun = cloud.client("logs"), set[str]()

    def lines(stream: str, *words: str, ago: int = 0) -> None:
        if stream not in begun:
            client.create_log_stream(logGroupName=group, logStreamName=stream)
            begun.add(stream)
        now = int((time.time() - ago) * 1000)
        events = [{"timestamp": now + i, "message": word} for i, word in enumerate(words)]
        client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    return lines


def test_a_tail_gives_each_line_once(group: str, write: Write) -> None:
    tail = logs.Tail([group], "r-")
    assert list(tail.news()) == []
    write("r-train/algo-1-1", "one", "two")
    write("other-train/algo-1-1", "of another run")
    assert list(tail.news()) == [("r-train", "one"), ("r-train", "two")]
    assert list(tail.news()) == []
    write("r-train/algo-1-1", "three")
    write("r-evaluate/algo-1-1", "four")
    assert sorted(tail.news()) == [("r-evaluate", "four"), ("r-train", "three")]


def test_lines_come_by_their_times(group: str, write: Write) -> None:
    write("b", "second", ago=10)
    write("a", "third", ago=5)
    write("c", "first", ago=20)
    found = [line for _, line in logs.Tail([group]).news()]
    assert found == ["first", "second", "third"]
    assert [line for _, line in logs.of_group(group, 1)] == found


def test_a_tail_begins_where_it_is_told(group: str, write: Write) -> None:
    write("a", "long ago", ago=3600)
    write("a", "now")
    tail = logs.Tail([group], since=int((time.time() - 60) * 1000))
    assert [line for _, line in tail.news()] == ["now"]


def test_a_group_that_is_not_there_yet_is_silent(group: str) -> None:
    assert list(logs.Tail([f"{group}/none"]).news()) == []


def test_a_job_that_is_no_training_job_measured_nothing(group: str) -> None:
    assert logs.metrics("20260301-120000-a1b2c3-prepare") == {}
