"""A dataset beside the reviews, on a project and a local cloud of its own: what people drop, look
at and let in again; events that never come; a cloud that is killed in the middle of a run.
"""

from __future__ import annotations

import io
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backports import zstd
from boto3.dynamodb.conditions import Key

from cli import arrivals, datasets, drop, quarantine, records, reviews, target
from tests.conftest import Cloud
from tests.e2e.own_project import deployed, forget, wait

PRODUCTS = """
[[datasets]]
name = "products"
max_mb = 1
schema_change = "stop"
columns = [
    { name = "product_id", type = "string", required = true },
    { name = "price", type = "number" },
    { name = "since", type = "date", formats = ["%d.%m.%Y", "%Y-%m-%d"] },
    { name = "note", type = "string" },
]
[datasets.quality]
checks = [{ check = "uniqueness", column = "product_id", at_least = 1 }]
max_rejects = 0.5

[[datasets]]
name = "orders"
partition_by = "town"
columns = [
    { name = "order_id", type = "string", required = true },
    { name = "town", type = "string", required = true },
]
"""
Eventually = Callable[..., Any]
CSV = b"product_id,price,since,note\n"


class Shop:
    """The project, deployed."""

    def __init__(self, cloud: Cloud, stack: str) -> None:
        self.cloud, self.stack = cloud, stack

    def put(self, name: str, content: bytes, dataset: str = "products") -> dict[str, str]:
        bucket, key = target.outputs(self.stack)["DataBucket"], f"incoming/{dataset}/{name}"
        answer = target.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
        return {key: answer["VersionId"]}

    def fate(self, put: dict[str, str], timeout: float = 60) -> drop.Fate:
        (found,) = drop.fates(self.stack, put, "products", timeout)
        return found

    def runs(self, dataset: str = "products") -> list[dict[str, Any]]:
        return [run for run in records.runs(self.stack, None) if run["dataset"] == dataset]

    def arrivals(self, dataset: str = "products") -> list[dict[str, Any]]:
        """Files that were accepted."""
        condition = Key("dataset").eq(dataset)
        found = arrivals.table(self.stack).query(KeyConditionExpression=condition)["Items"]
        return [each for each in found if "#" not in each["arrival_id"]]

    def ended(self, before: int) -> dict[str, Any]:
        """The run that follows so many others, ended."""
        wait(lambda: len(self.runs()) > before)
        wait(lambda: self.runs()[0]["status"] in ("succeeded", "failed"))
        return self.runs()[0]

    def taken(self, name: str, content: bytes) -> dict[str, Any]:
        """Drop a file; the run that took it, ended."""
        before = len(self.runs())
        fate = self.fate(self.put(name, content))
        assert fate.status == "accepted", fate.words
        return self.ended(before)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    def settings(text: str) -> str:
        text = text.replace('name = "reviews"', 'name = "shop"', 1)
        text = text.replace("[intake]\n", PRODUCTS + "\n[intake]\n")
        text = text.replace("unheard_seconds = 960", "unheard_seconds = 60")
        return text.replace("max_attempts = 2", "max_attempts = 20")

    with deployed(tmp_path_factory.mktemp("shop"), settings) as (cloud, stack, _):
        yield Shop(cloud, stack)


@pytest.fixture(scope="module")
def first(shop: Shop) -> dict[str, Any]:
    """A file that people wrote with care."""
    rows = b'"p1",9.5,31.12.2024,"two\nlines"\n"p2",,2024-12-31,\n"p2",,2024-12-31,\n"",1,,\n'
    return shop.taken("first.csv", CSV + rows)


def test_a_run_of_a_dataset_beside_ends_with_its_rows(shop: Shop, first: dict[str, Any]) -> None:
    assert (first["status"], first["outcome"]) == ("succeeded", "data_ready"), first.get("error")
    rows = {"accepted": 4, "curated": 2, "rejected": 1, "duplicates": 1}
    assert {name: int(count) for name, count in first["rows"].items()} == rows
    assert not target.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    bucket = target.outputs(shop.stack)["DataBucket"]
    prefix = f"curated/products/run={first['run_id']}/"
    listed = target.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    body = target.client("s3").get_object(Bucket=bucket, Key=listed[0]["Key"])["Body"].read()
    found = pq.read_table(io.BytesIO(body)).sort_by("product_id").to_pylist()
    assert [row["price"] for row in found] == [9.5, None]
    assert found[0]["note"] == "two\nlines"
    assert found[0]["since"].isoformat() == found[1]["since"].isoformat() == "2024-12-31"


def test_formats_may_come_together(shop: Shop, first: dict[str, Any]) -> None:
    packed = io.BytesIO()
    pq.write_table(pa.table({"product_id": ["p5"], "price": [5], "since": ["2024-01-01"],
                             "note": ["x"]}), packed)  # fmt: skip
    put = {}
    record = {"note": "n", "since": "1.2.2024", "price": 4, "product_id": "p4"}
    for name, content in (
        ("turned.csv.zst", zstd.compress(b"price,product_id,note,since\n3,p3,,\n")),
        ("lines.jsonl", json.dumps(record).encode()),
        ("table.parquet", packed.getvalue()),
    ):
        put |= shop.put(name, content)
    fates = drop.fates(shop.stack, put, "products", 60)
    assert [fate.status for fate in fates] == ["accepted"] * 3
    wait(lambda: all(each["status"] == "done" for each in shop.arrivals()))
    newest = datasets.version(shop.stack, "products", "latest")
    assert newest["total_rows"] == 5
    assert {run["status"] for run in shop.runs()} == {"succeeded"}
    assert len(shop.runs()) <= 4


def test_fifty_files_at_once_make_few_runs_and_a_damaged_one_stops_none(
    shop: Shop, first: dict[str, Any]
) -> None:
    wait(lambda: all(each["status"] == "done" for each in shop.arrivals()))
    runs, rows = len(shop.runs()), datasets.version(shop.stack, "products", "latest")["total_rows"]
    packed = io.BytesIO()
    pq.write_table(pa.table({"product_id": [f"d{n}" for n in range(5000)], "price": [5] * 5000,
                             "since": ["2024-01-01"] * 5000, "note": ["x"] * 5000}),
                   packed)  # fmt: skip
    sound = packed.getvalue()
    put = shop.put("many.parquet", sound[:400] + b"\x00" * 300 + sound[700:])
    for number in range(50):
        put |= shop.put(f"many-{number}.csv", CSV + b"m%d,1,,\n" % number)
    fates = drop.fates(shop.stack, put, "products", 180)
    assert {fate.status for fate in fates} == {"accepted"}
    wait(lambda: all(each["status"] == "done" for each in shop.arrivals()), 180)
    (aside,) = [e for e in quarantine.every(shop.stack, "products") if e["reason"] == "corrupt"]
    assert aside["source_key"].endswith("many.parquet")
    assert "HIVE_CURSOR_ERROR" in aside["message"]
    assert len(shop.runs()) - runs <= 10
    good = [run for run in shop.runs() if run["status"] == "succeeded"]
    taken = [each for run in good for each in run["arrivals"]]
    assert sorted(taken) == sorted(each["arrival_id"] for each in shop.arrivals())
    assert datasets.version(shop.stack, "products", "latest")["total_rows"] == rows + 50


def test_a_file_whose_execution_is_aborted_ends_in_another_run(
    shop: Shop, first: dict[str, Any]
) -> None:
    before = len(shop.runs())
    assert shop.fate(shop.put("aborted.csv", CSV + b"a1,1,,\n")).status == "accepted"
    wait(lambda: len(shop.runs()) > before and shop.runs()[0].get("execution_arn"))
    (run, *_) = shop.runs()
    target.client("stepfunctions").stop_execution(executionArn=run["execution_arn"], cause="gone")
    wait(lambda: records.run(shop.stack, run["run_id"])["status"] == "failed")
    assert "ABORTED: gone" in records.run(shop.stack, run["run_id"])["error"]
    wait(lambda: all(each["status"] == "done" for each in shop.arrivals()))
    (arrival,) = [e for e in shop.arrivals() if e["source_key"].endswith("aborted.csv")]
    assert arrival["run_id"] != run["run_id"]


def test_versions_are_read_back(shop: Shop, first: dict[str, Any]) -> None:
    (*_, oldest) = datasets.versions(shop.stack, "products", 20)
    assert (oldest["version"], oldest["before"]) == (first["run_id"], None)
    (arrival,) = oldest["arrivals"]
    kept = target.client("s3").head_object(
        Bucket=target.outputs(shop.stack)["DataBucket"],
        Key=arrival["key"],
        VersionId=arrival["raw_version_id"],
    )
    assert kept["ETag"].strip('"') == arrival["etag"]
    assert (arrival["rows"], kept["ContentLength"]) == (4, arrival["size"])
    newest = datasets.version(shop.stack, "products", "latest")
    changed = datasets.diff(oldest, newest)
    assert changed["rows"] == newest["total_rows"] - 2
    assert first["run_id"] not in changed["runs_added"]
    assert changed["schema_changed"] is False


def test_a_column_that_comes_stops_the_run_where_the_dataset_says_so(
    shop: Shop, first: dict[str, Any]
) -> None:
    run = shop.taken("wider.csv", CSV.replace(b"note", b"note,colour") + b"p6,1,,,red\n")
    for _ in range(3):  # an earlier file's run may have been the one that ended
        if run["status"] == "failed":
            break
        run = shop.ended(len(shop.runs()) - 1)
    assert run["status"] == "failed"
    assert "the files of products have changed: column added: colour" in run["error"]
    assert run["error_state"] == "Schema"
    for held in shop.arrivals():  # so that it is not tried again and again
        if held["source_key"].endswith("wider.csv"):
            key = {name: held[name] for name in ("dataset", "arrival_id")}
            arrivals.table(shop.stack).update_item(
                Key=key,
                UpdateExpression="SET #s = :held",
                ExpressionAttributeNames={"#s": "status"},
                ExpressionAttributeValues={":held": "held"},
            )


def test_a_person_looks_into_quarantine_and_lets_a_file_in(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = CSV + b"".join(b"q%d,1,,%s\n" % (n, b"x" * 100) for n in range(12_000))
    fate = shop.fate(shop.put("large.csv", large))
    assert (fate.status, "1 is the most" in fate.words) == ("quarantined", True)
    (entry,) = [e for e in quarantine.every(shop.stack, None) if e["reason"] == "too_large"]
    assert quarantine.one(shop.stack, entry["id"][:6])["state"] == "quarantined"
    assert quarantine.head(shop.stack, entry).startswith(CSV)
    with monkeypatch.context() as broken:
        broken.setattr(target.client("s3"), "copy_object", _broken)
        with pytest.raises(ConnectionError):
            quarantine.release(shop.stack, entry, "the list")
    entry = quarantine.one(shop.stack, entry["id"])
    assert (entry["state"], entry["released"]["why"]) == ("quarantined", "the list")
    again = quarantine.release(shop.stack, entry, "the yearly list")
    assert shop.fate(again).status == "accepted"
    assert quarantine.one(shop.stack, entry["id"])["state"] == "released"
    (taken,) = [each for each in shop.arrivals() if each.get("released")]
    assert taken["released"]["why"] == "the yearly list"
    assert taken["released"]["by"].startswith("arn:aws:")
    with pytest.raises(Exception, match="was released"):
        quarantine.release(shop.stack, quarantine.one(shop.stack, entry["id"]), "again")


def test_more_partitions_than_one_insert_may_write(shop: Shop) -> None:
    """Athena refuses the one INSERT, so the run goes on with three; the next run knows before."""
    rows = b"".join(b"o%d,town %d\n" % (n, n % 230) for n in range(460))
    for number, name in enumerate(("many.csv", "again.csv"), 1):
        content = b"order_id,town\n" + rows + b"o%d,here\n" % (1000 + number)
        shop.put(name, content, "orders")
        wait(lambda: len(shop.runs("orders")) == number)  # noqa: B023
        wait(lambda: shop.runs("orders")[0]["status"] in ("succeeded", "failed"))
        run = shop.runs("orders")[0]
        assert run["status"] == "succeeded", run["error"]
        newest = datasets.version(shop.stack, "orders", "latest")
        assert (newest["rows"]["curated"], newest["partitions"]) == (461, 231)
        states = target.client("stepfunctions").get_execution_history(
            executionArn=run["execution_arn"], maxResults=1000
        )["events"]
        entered = [e["stateEnteredEventDetails"]["name"] for e in states
                   if "stateEnteredEventDetails" in e]  # fmt: skip
        assert entered.count("ConvertPart") == 3
        assert entered.count("Convert") == (1 if number == 1 else 0)


def _broken(**request: Any) -> Any:
    raise ConnectionError("the line is cut")


def workers(cloud: Cloud, function: str) -> list[int]:
    """The processes that run a function on the cloud."""
    assert cloud.process
    found = psutil.Process(cloud.process.pid).children(recursive=True)
    return [each.pid for each in found if function in _function(each)]


def _function(process: psutil.Process) -> str:
    try:
        return process.environ().get("AWS_LAMBDA_FUNCTION_NAME", "")
    except psutil.Error:  # it has just ended
        return ""


@pytest.mark.timeout(400)
def test_a_file_whose_worker_is_killed_and_one_that_no_event_tells_of_are_found_by_the_sweep(
    shop: Shop,
) -> None:
    frozen = workers(shop.cloud, "ntake")
    assert frozen
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    killed = shop.put("killed.csv", CSV + b"k1,1,,\n")
    time.sleep(2)  # the event has come to a worker that cannot go on
    for pid in frozen:
        os.kill(pid, signal.SIGKILL)
    bucket, s3 = target.outputs(shop.stack)["DataBucket"], target.client("s3")
    told = s3.get_bucket_notification_configuration(Bucket=bucket)
    told.pop("ResponseMetadata", None)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    put = shop.put("silent.csv", CSV + b"s1,1,,\n")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=told)
    fates = drop.fates(shop.stack, killed | put, "products", 240)
    assert [fate.status for fate in fates] == ["accepted"] * 2


@pytest.mark.timeout(900)
def test_a_cloud_killed_in_the_middle_of_a_run_loses_and_doubles_nothing(
    shop: Shop, tmp_path: Path
) -> None:
    """Killed while a model is trained, started again: the file ends in one run that goes well."""
    put = drop.upload(shop.stack, [reviews.write(tmp_path / "killed.tsv.gz", 6000, seed=5)])
    (fate,) = drop.fates(shop.stack, put, None, 60)
    assert fate.status == "accepted"
    wait(lambda: shop.runs("reviews") and shop.runs("reviews")[0]["status"] == "running")
    time.sleep(6)  # the local cloud keeps what is older than five seconds
    (run,) = shop.runs("reviews")
    assert run["status"] == "running"
    port = int(shop.cloud.endpoint.rsplit(":", 1)[-1])
    shop.cloud.stop(signal.SIGKILL)
    shop.cloud.start(port)
    forget()
    wait(lambda: [each["status"] for each in shop.arrivals("reviews")] == ["done"], 600)
    (arrival,) = shop.arrivals("reviews")
    took = [run for run in shop.runs("reviews") if arrival["arrival_id"] in run["arrivals"]]
    assert sum(run["status"] == "succeeded" for run in took) == 1
    assert datasets.version(shop.stack, "reviews", "latest")["total_rows"] == 6000
