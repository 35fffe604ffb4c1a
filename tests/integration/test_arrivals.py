"""The table of files on DynamoDB: what waits is found by its index, and by that alone."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.environment import Environment
from chalicelib.ingest import arrivals


@pytest.fixture(autouse=True)
def table(stack: Any) -> Any:
    return stack


def came(number: int, dataset: str = "reviews") -> str:
    """A file that was accepted in that minute."""
    at, name = f"2026-03-01T12:{number:02d}:00.000Z", f"f{number}"
    waits = {"status": arrivals.PENDING, "arrived_at": at, "waiting_since": at}
    assert arrivals.add(dataset, name, {**waits, "attempts": 0, "rows": number})
    return name


def pending() -> list[str]:
    return [str(each["arrival_id"]) for each in arrivals.pending("reviews")]


def test_what_waits_is_found_oldest_first_and_nothing_else() -> None:
    for number in (3, 1, 2):
        came(number)
    came(4, "products")
    arrivals.add("reviews", f"{arrivals.DROP}d", {"became": "accepted"})
    assert pending() == ["f1", "f2", "f3"]
    assert arrivals.claim("reviews", "f2", "run-1")
    assert not arrivals.claim("reviews", "f2", "run-2")
    assert pending() == ["f1", "f3"]


def test_a_file_waits_again_in_its_old_place_until_it_is_held() -> None:
    for number in (1, 2):
        came(number)
    for wanted in (["f1", "f2"], ["f2"]):
        arrivals.claim("reviews", "f1", "run-1")
        arrivals.release("reviews", ["f1"], "run-1", max_attempts=2)
        assert pending() == wanted
    assert not arrivals.readmit("reviews", "f1", "another run")
    assert arrivals.readmit("reviews", "f1", "run-1")
    assert pending() == ["f1", "f2"]
    arrivals.claim("reviews", "f1", "run-2")
    arrivals.settle("reviews", ["f1"], "run-2")
    assert pending() == ["f2"]


def test_more_than_a_page_comes_in_order_and_no_more_is_read_than_is_taken(table: Any) -> None:
    writes = table.client("dynamodb").batch_write_item
    entries = [(f"f{n:03d}", f"2026-03-01T12:00:00.{n:03d}Z") for n in range(250)]
    for first in range(0, 250, 25):
        puts = [
            {"PutRequest": {"Item": {
                "dataset": {"S": "reviews"}, "arrival_id": {"S": name}, "waiting_since": {"S": at},
                "status": {"S": arrivals.PENDING}}}}
            for name, at in entries[first : first + 25]
        ]  # fmt: skip
        writes(RequestItems={Environment.from_env().arrivals_table: puts})
    assert pending() == [name for name, _ in entries]
    found = arrivals.pending("reviews")
    assert next(found)["arrival_id"] == "f000"
    for name, _ in entries[100:]:
        arrivals.claim("reviews", name, "run-1")
    assert len(list(found)) == 99  # of the first page: the others were not read before
