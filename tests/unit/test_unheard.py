"""Which files the sweep takes up."""

from __future__ import annotations

import datetime as dt
from typing import Any

from chalice.app import CloudWatchEvent

from chalicelib.ingest import unheard
from chalicelib.ingest.drops import Dropped

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
PATIENCE = dt.timedelta(minutes=16)


def version(key: str, minutes: float, **more: Any) -> dict[str, Any]:
    found = {"Key": key, "VersionId": "v1", "Size": 3}
    return found | {"LastModified": NOW - dt.timedelta(minutes=minutes)} | more


def test_only_files_that_wait_longer_than_intake_may_take_are_announced() -> None:
    listed = [
        version("incoming/reviews/new.tsv", 15),
        version("incoming/reviews/old.tsv", 17),
        version("incoming/reviews/older.tsv", 90),
        version("incoming/reviews/", 90),
    ]
    found = unheard.waiting(NOW, listed, PATIENCE)
    assert [each["Key"].rsplit("/", 1)[-1] for each in found] == ["older.tsv", "old.tsv"]


def test_the_event_is_as_eventbridge_would_have_brought_it() -> None:
    event = unheard.event("data", version("incoming/reviews/a b.tsv", 20))
    assert CloudWatchEvent(event, None).detail_type == "Object Created"
    dropped = Dropped.of(event)
    assert dropped == Dropped("data", "incoming/reviews/a b.tsv", 3, "v1")
    unversioned = unheard.event("data", version("incoming/reviews/a.tsv", 20, VersionId="null"))
    assert Dropped.of(unversioned).version_argument == {}
