"""Files under batch/in/ whose event never came, over many sweeps."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib import clock, records
from chalicelib.batch import start, unheard
from chalicelib.batch.files import BatchFile
from tests.unit.loop.memory_cloud import Cloud

PATIENCE = 960
DAY = 86_400


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The records of the files that the machine has begun with."""
    found: list[dict[str, Any]] = []
    monkeypatch.setattr(records, "newest", lambda prefix, limit: found)
    return found


def files(memory: Cloud) -> dict[str, BatchFile]:
    """What the machine was started with, by its name."""
    inputs = [json.loads(each["input"]) for each in memory.executions.values()]
    return {each["file"]["key"]: BatchFile(**each["file"]) for each in inputs}


def test_a_file_is_started_once_after_its_event_is_late(
    memory: Cloud, known: list[dict[str, Any]]
) -> None:
    memory.drop("batch/in/a.csv", b"x")
    dropped_at = memory.now
    memory.drop("batch/in/folder/", b"")
    memory.tick(PATIENCE - 1)
    assert unheard.announce() == 0
    memory.tick(1)
    assert unheard.announce() == 1
    (file,) = files(memory).values()
    assert (file.key, file.size) == ("batch/in/a.csv", 1)
    assert file.dropped_at == clock.text(dropped_at)
    memory.tick(60)
    assert unheard.announce() == 0  # its machine has not yet begun: Step Functions knows the name
    known.append({"batch_id": file.id})
    memory.executions.clear()  # as Step Functions does after 90 days
    assert unheard.announce() == 0


def test_a_file_whose_event_came_is_let_be(memory: Cloud, known: list[dict[str, Any]]) -> None:
    put = memory.drop("batch/in/a.csv", b"x")
    found = {"key": put["Key"], "version-id": put["VersionId"], "size": put["Size"]}
    start.arrived({"time": "2026-03-01T12:00:01Z", "detail": {"object": found}})
    memory.tick(PATIENCE)
    assert unheard.announce() == 0
    assert len(memory.executions) == 1


def test_another_version_of_a_file_is_another_file(
    memory: Cloud, known: list[dict[str, Any]]
) -> None:
    for _ in range(2):
        memory.drop("batch/in/a.csv", b"x")
    memory.tick(PATIENCE)
    assert unheard.announce() == 2


def test_files_of_other_days_are_let_be(memory: Cloud, known: list[dict[str, Any]]) -> None:
    memory.drop("batch/in/a.csv", b"x")
    memory.tick(DAY)
    assert unheard.announce() == 0


def test_a_bucket_without_versions_names_none() -> None:
    listed = {"Key": "batch/in/a.csv", "VersionId": "null", "Size": 1, "LastModified": Cloud().now}
    assert BatchFile.listed(listed).version_argument == {}
