"""A dataset's version as it is written: the files of every run that went well, and of this one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib import records, settings
from chalicelib.environment import Environment
from chalicelib.ingest import dataset as data

pytestmark = pytest.mark.cloud

DATASET = settings.load().dataset
NEW = [{"arrival_id": "a", "sha256": "1"}]
ROWS = {"accepted": 2, "curated": 2, "rejected": 0, "duplicates": 0}


@pytest.fixture
def put(stack: Any, bucket: str) -> Any:
    def into(run_id: str, kind: str, body: bytes = b"rows") -> None:
        key = f"curated/{DATASET.name}/run={run_id}/product_category={kind}/0"
        stack.client("s3").put_object(Bucket=bucket, Key=key, Body=body)

    return into


def learned(run_id: str) -> None:
    records.put(f"#dataset#{DATASET.name}", {"last": run_id, "columns": {}})


def written(run_id: str, new: list[dict[str, Any]]) -> dict[str, Any]:
    return data.write(run_id, new, ROWS if new else {}, DATASET, Environment.from_env(), "INSERT")


def manifest(stack: Any, bucket: str, run_id: str) -> list[Any]:
    key = f"runs/{run_id}/dataset.manifest"
    body = stack.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return json.loads(body)


def test_the_files_of_learned_runs_and_of_this_one(stack: Any, bucket: str, put: Any) -> None:
    put("r1", "Baby")
    put("r1", "Books")
    first = written("r1", NEW)
    assert (first["before"], first["files"], first["partitions"]) == (None, 2, 2)
    learned("r1")
    put("r2", "Baby")
    put("r2", "empty", b"")
    put("r0", "of a run that is not learned from")
    second = written("r2", NEW)
    assert (second["before"], second["files"], second["partitions"]) == ("r1", 3, 1)
    assert second["total_rows"] == 4
    prefix, *files = manifest(stack, bucket, "r2")
    assert prefix == {"prefix": f"s3://{bucket}/curated/{DATASET.name}/"}
    assert files == [
        "run=r1/product_category=Baby/0",
        "run=r1/product_category=Books/0",
        "run=r2/product_category=Baby/0",
    ]


def test_a_run_without_new_rows_has_those_of_the_others(stack: Any, bucket: str, put: Any) -> None:
    put("r1", "Baby")
    written("r1", NEW)
    learned("r1")
    assert written("r2", [])["total_rows"] == 2
    assert manifest(stack, bucket, "r2")[1:] == ["run=r1/product_category=Baby/0"]


def test_a_step_that_is_repeated_after_the_runs_end_writes_the_same(stack: Any, put: Any) -> None:
    for run_id, before in (("r1", None), ("r2", "r1")):
        put(run_id, "Baby")
        first = written(run_id, NEW)
        learned(run_id)
        again = written(run_id, NEW)
        assert again == {**first, "created_at": again["created_at"]}
        assert again["before"] == before


def test_the_requests_do_not_grow_with_the_runs(stack: Any, put: Any) -> None:
    asked: list[str] = []
    events = stack.client("s3").meta.events
    events.register("before-call.s3", lambda model, **_: asked.append(model.name), "counted")
    try:
        for number in range(12):
            put(f"r{number:02}", "Baby")
            asked.clear()
            assert written(f"r{number:02}", NEW)["files"] == number + 1
            learned(f"r{number:02}")
    finally:
        events.unregister("before-call.s3", unique_id="counted")
    assert sorted(asked) == ["GetObject", "ListObjectsV2", "PutObject", "PutObject"]


def test_without_any_rows_there_is_nothing_to_train_on(stack: Any) -> None:
    with pytest.raises(data.NoDataError, match="no rows are curated yet"):
        written("r1", [])
