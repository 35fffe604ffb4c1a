"""Files that intake has not taken, over many sweeps."""

from __future__ import annotations

import json

from chalicelib.ingest import intake, unheard
from tests.unit.loop.memory_cloud import Cloud, content

PATIENCE = 960


def test_a_file_is_handed_over_again_only_after_as_long_and_put_aside_in_the_end(
    memory: Cloud,
) -> None:
    memory.drop("incoming/reviews/1.tsv", content(1))
    memory.tick(PATIENCE)
    assert unheard.announce() == 1
    memory.tick(60)
    assert unheard.announce() == 0
    for _ in range(intake.ATTEMPTS):
        memory.tick(PATIENCE)
        assert unheard.announce() == 1
    events = [json.loads(each) for each in memory.invoked]
    assert [each["detail"]["attempts"] for each in events] == list(range(1, len(events) + 1))
    assert intake.arrived(events[-1])["reason"] == "not_taken"
    assert memory.told == ["Quarantined: 1.tsv"]
    memory.tick(PATIENCE)
    assert unheard.announce() == 0


def test_a_file_that_is_handed_over_is_taken_in(memory: Cloud) -> None:
    memory.drop("incoming/reviews/1.tsv", content(1))
    memory.tick(PATIENCE)
    unheard.announce()
    assert intake.arrived(json.loads(memory.invoked[0]))["became"] == "accepted"


def test_a_sweep_takes_a_bounded_number_and_the_next_one_the_others(memory: Cloud) -> None:
    for number in range(unheard.MOST + 1):
        memory.drop(f"incoming/reviews/{number}.tsv", content(1))
    memory.tick(PATIENCE)
    assert [unheard.announce(), unheard.announce(), unheard.announce()] == [unheard.MOST, 1, 0]
