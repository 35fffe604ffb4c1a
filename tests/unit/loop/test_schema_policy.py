"""What a dataset's policy does about columns that changed."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from chalicelib import runs, settings
from chalicelib.ingest import arrivals, schema_changes
from chalicelib.steps import data
from tests.unit.loop.memory_cloud import Cloud

TOLD = "column star_rating: integer before, string now"


@pytest.mark.parametrize(
    ("policy", "stops", "messages"),
    [("allow", False, 0), ("warn", False, 1), ("stop", True, 0)],
)
def test_the_policy_acts_and_the_change_is_on_the_run(
    memory: Cloud, monkeypatch: pytest.MonkeyPatch, policy: str, stops: bool, messages: int
) -> None:
    configured = settings.load()
    dataset = configured.dataset.model_copy(update={"schema_change": policy})
    monkeypatch.setattr(
        settings, "load", lambda: configured.model_copy(update={"dataset": dataset})
    )
    names = [column.name for column in dataset.columns]
    entry: dict[str, Any] = {"status": "pending", "columns": names, "format": "tsv"}
    arrivals.add("reviews", "a", entry | {"types": {"star_rating": "string"}})
    runs.start("data", "a file", "c", ["a"])
    (run_id,) = memory.executions
    state = {"run_id": run_id, "dataset": "reviews"}
    with (
        pytest.raises(schema_changes.SchemaStopError, match=TOLD)
        if stops
        else (contextlib.nullcontext())
    ):
        assert data.schema(state) == {"changes": [TOLD]}
    run = runs.get(run_id) or {}
    assert [each["column"] for each in run["schema_changes"]] == ["star_rating"]
    assert len(memory.told) == messages
