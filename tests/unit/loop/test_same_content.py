"""The same content, dropped twice at once: its rows lie there once and whole, whoever crashes."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chalicelib import settings
from chalicelib.ingest import arrivals, intake, unheard
from tests.unit.loop.memory_cloud import Cloud, CrashError, content

NAMES = [column.name for column in settings.load().dataset.columns]


def delivered(cloud: Cloud, name: str, body: bytes) -> dict[str, Any]:
    """The event of a new drop."""
    return unheard.event("bucket", cloud.drop(f"incoming/reviews/{name}", body))


def lying(cloud: Cloud, prefix: str) -> dict[str, bytes]:
    return {key: body for (key, _), (body, _) in cloud.objects.items() if key.startswith(prefix)}


def rows(cloud: Cloud) -> list[bytes]:
    """What Athena would read of the one arrival."""
    parts = lying(cloud, "text/reviews/")
    return [row for part in parts.values() for row in gzip.decompress(part).splitlines()[1:]]


@pytest.mark.parametrize("call", range(1, 12))
@pytest.mark.parametrize("crash", [None, "before", "after"])
def test_two_invocations_at_once_leave_one_arrival_with_all_its_rows(
    memory: Cloud, call: int, crash: str | None
) -> None:
    first, second = (delivered(memory, name, content(1)) for name in ("a.tsv", "b.tsv"))

    def other() -> None:
        intake.arrived(second)
        if crash:  # the first one ends here, or after what it was about to do
            memory.calls_left, memory.after = 1, crash == "after"

    memory.meanwhile = call, other
    try:
        intake.arrived(first)
    except CrashError:
        assert len(rows(memory)) == 1  # a run may be reading them now
    for event in (first, second):
        intake.arrived(event)
    assert len(rows(memory)) == 1
    assert len(lying(memory, "raw/reviews/")) == 1
    assert len(list(arrivals.pending("reviews"))) == 1
    assert not lying(memory, "incoming/")


@pytest.mark.parametrize("body", [content(1), b"no header of ours\n1\n"], ids=["good", "bad"])
@pytest.mark.parametrize("call", range(1, 12))
def test_an_event_handled_twice_at_once_is_one(memory: Cloud, call: int, body: bytes) -> None:
    event = delivered(memory, "a.tsv", body)
    memory.meanwhile = call, lambda: intake.arrived(event)
    intake.arrived(event)
    kept = lying(memory, "raw/reviews/") | lying(memory, "quarantine/")
    assert [found for key, found in kept.items() if not key.endswith("reason.json")] == [body]
    assert not lying(memory, "incoming/")


def test_parquet_lies_once_where_athena_reads_it_whatever_it_was_called(memory: Cloud) -> None:
    packed = io.BytesIO()
    pq.write_table(pa.table({name: ["5"] for name in NAMES}), packed)
    first, second = (delivered(memory, n, packed.getvalue()) for n in ("a.parquet", "b.parquet"))
    memory.meanwhile = 5, lambda: intake.arrived(second)
    intake.arrived(first)
    intake.arrived(second)
    assert list(lying(memory, "raw/reviews/").values()) == [packed.getvalue()]


def test_rows_that_were_lost_are_back_when_the_file_comes_again(memory: Cloud) -> None:
    taken = intake.arrived(delivered(memory, "a.tsv", content(1)))
    memory.objects = {where: o for where, o in memory.objects.items() if where[0][:5] != "text/"}
    assert rows(memory) == []
    again = intake.arrived(delivered(memory, "a.tsv", content(1)))
    assert (again["became"], again["arrival_id"]) == ("duplicate", taken["arrival_id"])
    assert len(rows(memory)) == 1


def test_parts_of_an_attempt_with_other_settings_do_not_stay(memory: Cloud) -> None:
    taken = intake.arrived(delivered(memory, "a.tsv", content(1)))
    prefix = f"text/reviews/arrival={taken['arrival_id']}/"
    memory.objects[f"{prefix}part-00000.gz", "v0"] = (b"others", memory.now)
    memory.objects[f"{prefix}part-00001.gz", "v0"] = (b"others", memory.now)
    intake.arrived(delivered(memory, "a.tsv", content(1)))
    assert list(lying(memory, prefix)) == [f"{prefix}part-00000.gz"]
    assert len(rows(memory)) == 1
