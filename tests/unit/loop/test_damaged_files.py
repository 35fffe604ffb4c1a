"""A file that Athena cannot read: it goes to quarantine, and the files beside it go on."""

from __future__ import annotations

import pytest

from chalicelib import runs
from chalicelib.ingest import arrivals, coalesce, damaged, intake, unheard
from tests.unit.loop.memory_cloud import Cloud, CrashError, content, in_memory

S3 = "s3://shop-data-1/raw/reviews/arrival=abc123/file.parquet"


SPLIT = f"HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split {S3} (offset=0, length=9): "


@pytest.mark.parametrize(
    ("reason", "wanted"),
    [
        (f"HIVE_CURSOR_ERROR: Failed to read Parquet file: {S3}", "abc123"),
        (f"HIVE_BAD_DATA: Malformed Parquet file. Metadata is missing. [{S3}]", "abc123"),
        (f"{SPLIT}Not valid Parquet file", "abc123"),
        (f"{SPLIT}Slow Down (Service: Amazon S3; Status Code: 503;)", None),
        (f"HIVE_FILESYSTEM_ERROR: Error reading from {S3} at position 4352858", None),
        ("HIVE_BAD_DATA: Error parsing field value 'x' for field 0", None),
        ("HIVE_BAD_DATA: s3://shop-data-1/curated/reviews/run=1/a.parquet", None),
        ("EXCEEDED_LOCAL_MEMORY_LIMIT: Query exceeded per-node memory limit", None),
    ],
    ids=["pages", "malformed", "split", "slow down", "reading", "no file", "not raw", "other"],
)
def test_which_file_an_athena_error_is_about(reason: str, wanted: str | None) -> None:
    assert damaged.named(f"the Athena query failed: {reason}") == wanted


def started(cloud: Cloud) -> tuple[str, list[str]]:
    """A run of three files, and their ids."""
    for number in (1, 2, 3):
        intake.arrived(
            unheard.event("bucket", cloud.drop(f"incoming/reviews/{number}.tsv", content(number)))
        )
    cloud.tick(5)
    coalesce.woken()
    (name,) = cloud.executions
    runs.begin(name)
    return name, list((runs.get(name) or {})["arrivals"])


def test_the_damaged_file_is_put_aside_and_the_others_lose_no_attempt(memory: Cloud) -> None:
    name, (bad, *others) = started(memory)
    runs.fail(name, "it failed", damaged=bad)
    assert arrivals.get("reviews", bad) is None
    waiting = list(arrivals.pending("reviews"))
    assert [(each["arrival_id"], each["attempts"]) for each in waiting] == [(o, 0) for o in others]
    (lying,) = {key for key, _ in memory.objects if key.endswith(".tsv") and "quarantine" in key}
    assert memory.objects[lying, "v0"][0] == content(1)
    assert memory.told == ["Quarantined: 1.tsv", f"Run {name} failed"]
    memory.tick(5)
    assert coalesce.woken()["files"] == 2


def test_many_damaged_files_are_found_one_after_the_other() -> None:
    with in_memory(max_attempts=1) as memory:
        name, ids = started(memory)
        for bad in ids[:2]:
            runs.fail(name, "it failed", damaged=bad)
            memory.tick(5)
            coalesce.woken()
            name = list(memory.executions)[-1]
            runs.begin(name)
        runs.succeed(name, outcome="deployed")
        assert (arrivals.get("reviews", ids[2]) or {})["status"] == "done"


def test_its_content_may_come_again(memory: Cloud) -> None:
    name, (bad, *_) = started(memory)
    runs.fail(name, "it failed", damaged=bad)
    again = memory.drop("incoming/reviews/1.tsv", content(1))
    assert intake.arrived(unheard.event("bucket", again))["became"] == "accepted"
    assert len(list(arrivals.pending("reviews"))) == 3
    memory.tick(5)
    coalesce.woken()
    assert len(memory.executions) == 2  # though it is the set that the failed run had


@pytest.mark.parametrize("call", range(1, 20))
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_anywhere_puts_it_aside_once(memory: Cloud, call: int, after: bool) -> None:
    name, (bad, *others) = started(memory)
    memory.calls_left, memory.after = call, after
    with pytest.raises(CrashError):
        runs.fail(name, "it failed", damaged=bad)
    runs.fail(name, "it failed", damaged=bad)
    assert arrivals.get("reviews", bad) is None
    assert {each["arrival_id"] for each in arrivals.pending("reviews")} == set(others)
    assert memory.told.count("Quarantined: 1.tsv") <= 1
