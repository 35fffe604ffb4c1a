"""A batch whose data is bad: stopped before training, told, kept apart, and taken on a word."""

from __future__ import annotations

import csv
import gzip
import itertools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from chalicelib.settings import load
from cli import api, athena, drop, quality, records, reviews
from cli.errors import Problem
from tests.e2e.own_project import wait

Eventually = Callable[..., Any]
WHY = "the shop lost its texts this week"


def ended(stack: Any, run_id: str, eventually: Eventually) -> dict[str, Any]:
    def closed() -> dict[str, Any] | None:
        run = records.run(stack.name, run_id)
        return run if run["status"] in ("succeeded", "failed") else None

    return eventually(closed, 180)


def bad_reviews(path: Path, count: int, stars: Sequence[str] = ("5",)) -> Path:
    """Reviews whose stars are these in turn; one value alone is nothing to learn from, as
    `count_distinct` says."""
    columns = [column.name for column in load().dataset.columns]
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        out = csv.writer(file, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None)
        out.writerow(columns)
        for row, star in zip(reviews.rows(count, seed=11), itertools.cycle(stars), strict=False):
            out.writerow([{**row, "star_rating": star}[name] for name in columns])
    return path


def arrival(stack: Any, run: dict[str, Any]) -> dict[str, Any]:
    table = stack.client("dynamodb")
    (arrival_id,) = run["arrivals"]
    key = {"dataset": {"S": "reviews"}, "arrival_id": {"S": arrival_id}}
    return table.get_item(TableName=stack.outputs["ArrivalsTable"], Key=key)["Item"]


def curated(stack: Any, run_id: str) -> int:
    """Rows of a run, as anybody's query counts them."""
    (row,) = athena.rows(
        stack.client("athena"),
        QueryString=f"SELECT count(*) AS n FROM curated_reviews WHERE run = '{run_id}'",
        QueryExecutionContext={"Database": stack.outputs["GlueDatabase"]},
        WorkGroup=stack.outputs["AthenaWorkGroup"],
    )
    return int(row["n"] or 0)


def run_of(stack: Any, path: Path, eventually: Eventually) -> dict[str, Any]:
    """Drop a file; the run that took it, ended."""
    before = {run["run_id"] for run in records.runs(stack.name, None)}
    (fate,) = drop.fates(stack.name, drop.upload(stack.name, [path]), None, 60)
    assert fate.status == "accepted", fate.words
    run_id = drop.run_of(stack.name, before, 60)
    assert run_id
    return ended(stack, run_id, eventually)


@pytest.fixture(scope="module")
def stopped(stack: Any, tmp_path_factory: Any) -> dict[str, Any]:
    """The run of a bad file."""
    path = bad_reviews(tmp_path_factory.mktemp("drop") / "bad.tsv.gz", 500)
    return run_of(stack, path, wait)


def test_a_broken_check_stops_the_run_before_training(stack: Any, stopped: dict[str, Any]) -> None:
    assert (stopped["status"], stopped["error_state"]) == ("failed", "Quality")
    assert "count_distinct(star_rating) is 1; wanted at least 2" in stopped["error"]
    jobs = stack.client("sagemaker").list_processing_jobs(NameContains=stopped["run_id"])
    assert jobs["ProcessingJobSummaries"] == []


def test_people_are_told_what_broke_and_what_to_do(
    stack: Any, stopped: dict[str, Any], eventually: Eventually
) -> None:
    subject = f"Run {stopped['run_id']} failed"
    (told,) = eventually(
        lambda: [n for n in records.notifications(stack.name, None) if n["subject"] == subject]
    )
    for words in (
        "One star value alone cannot train a classifier.",
        "mean(star_rating) is 5; wanted at least 1.5 and at most 4.9",
        f"driftloop run retry {stopped['run_id']} --accept-quality --why",
        stopped["quality"]["report"],
    ):
        assert words in told["message"]


def test_the_report_lies_in_the_runs_folder(stack: Any, stopped: dict[str, Any]) -> None:
    bucket, key = stopped["quality"]["report"].removeprefix("s3://").split("/", 1)
    assert key.endswith("quality.html")
    assert (
        stack.client("s3")
        .head_object(Bucket=bucket, Key=key)["ContentType"]
        .startswith("text/html")
    )
    body = stack.client("s3").get_object(Bucket=bucket, Key=key.replace(".html", ".json"))
    report = json.loads(body["Body"].read())
    assert report["passed"] is False
    assert report["histograms"]["star_rating"] == {"5": report["rows"]}


def test_the_report_and_suggestions_on_the_command_line(
    stack: Any, stopped: dict[str, Any]
) -> None:
    document, page = quality.report(stack.name, stopped["run_id"])
    assert document["run_id"] == stopped["run_id"]
    assert "count_distinct(star_rating) is 1" in page.read_text(encoding="utf-8")
    with pytest.raises(Problem, match="nothing is neither a file nor a dataset"):
        quality.suggest_of_dataset(stack.name, "nothing")


def test_the_files_are_held_and_no_run_takes_them(stack: Any, stopped: dict[str, Any]) -> None:
    assert arrival(stack, stopped)["status"] == {"S": "held"}


def test_its_rows_are_in_no_query(stack: Any, stopped: dict[str, Any]) -> None:
    assert curated(stack, stopped["run_id"]) == 0


@pytest.mark.parametrize("function", ["RunEnded", "Sweep"])
def test_whoever_comes_to_settle_it_removes_what_it_left(
    stack: Any, stopped: dict[str, Any], eventually: Eventually, function: str
) -> None:
    """As if the machine's last step had crashed: the lease is there, and so are rows."""
    s3, bucket = stack.client("s3"), stack.outputs["DataBucket"]
    place = f"curated/reviews/run={stopped['run_id']}/product_category=Baby/"
    storage = {"Location": f"s3://{bucket}/{place}"}
    catalog = {"DatabaseName": stack.outputs["GlueDatabase"], "TableName": "curated_reviews"}
    table, key = (
        stack.outputs["RunsTable"],
        {"pipeline": {"S": "reviews"}, "run_id": {"S": "#lease"}},
    )
    dynamodb = stack.client("dynamodb")

    def leased() -> bool:
        return "Item" in dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)

    eventually(lambda: not leased(), 120)
    s3.put_object(Bucket=bucket, Key=f"{place}part", Body=b"rows")
    values = [stopped["run_id"], "Baby"]
    part = {"Values": values, "StorageDescriptor": storage}
    stack.client("glue").batch_create_partition(**catalog, PartitionInputList=[part])
    dynamodb.put_item(TableName=table, Item={**key, "run": {"S": stopped["run_id"]}})
    detail = {
        "name": stopped["run_id"],
        "status": "FAILED",
        "stateMachineArn": stack.outputs["RetrainMachineArn"],
    }
    dynamodb.update_item(  # the sweep lets a run be that has only just ended
        TableName=table,
        Key={**key, "run_id": {"S": stopped["run_id"]}},
        UpdateExpression="SET ended_at = :long_ago",
        ExpressionAttributeValues={":long_ago": {"S": "2026-01-01T00:00:00.000Z"}},
    )
    known = ("id", "version", "account", "region", "time", "source", "detail-type")
    event = {**dict.fromkeys(known, "x"), "resources": [], "detail": detail}
    resource = stack.client("cloudformation").describe_stack_resource(
        StackName=stack.name, LogicalResourceId=function
    )["StackResourceDetail"]
    stack.client("lambda").invoke(
        FunctionName=resource["PhysicalResourceId"], Payload=json.dumps(event)
    )
    assert not leased()
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket, Prefix=place)
    with pytest.raises(stack.client("glue").exceptions.EntityNotFoundException):
        stack.client("glue").get_partition(**catalog, PartitionValues=values)


def test_the_data_is_taken_on_a_persons_word(
    stack: Any, stopped: dict[str, Any], eventually: Eventually
) -> None:
    path = f"/runs/{stopped['run_id']}/retry"
    with pytest.raises(Problem, match="400: accepting broken checks needs a reason"):
        api.call(stack.name, "POST", path, {"accept_quality": True})
    wishes = {"accept_quality": True, "why": WHY}
    eventually(lambda: not any(r["status"] in ("starting", "running")
                               for r in records.runs(stack.name)), 120)  # fmt: skip
    started = api.call(stack.name, "POST", path, wishes)
    run = ended(stack, started["run_id"], eventually)
    assert run["retry_of"] == stopped["run_id"]
    assert run["quality"]["accepted"]["why"] == WHY
    assert run["quality"]["accepted"]["who"]
    assert run.get("error_state") != "Quality"
    learned = run["status"] == "succeeded"
    kept = run["quality"]["rows"] if learned else 0
    eventually(lambda: curated(stack, run["run_id"]) == kept, 60)
    assert curated(stack, stopped["run_id"]) == 0
    if learned:  # another test's rows are learned from beside these
        assert "[quality]" in quality.suggest_of_dataset(stack.name, "reviews")
    again = api.call(stack.name, "POST", path, wishes)
    assert again["run_id"] == started["run_id"]


def test_rows_that_mostly_do_not_fit_stop_the_run_before_anything_is_trained(
    stack: Any, stopped: dict[str, Any], tmp_path: Path, eventually: Eventually
) -> None:
    path = bad_reviews(tmp_path / "half.tsv.gz", 400, ("many", "1", "few", "5"))
    run = run_of(stack, path, eventually)
    assert (run["status"], run["error_state"]) == ("failed", "RejectsWithinLimit")
    assert "200 of 400 rows (50.0%) do not fit the schema; 5.0% may" in run["error"]
    assert "quality" not in run
    sagemaker = stack.client("sagemaker")
    jobs = sagemaker.list_processing_jobs(NameContains=run["run_id"])["ProcessingJobSummaries"]
    trained = sagemaker.list_training_jobs(NameContains=run["run_id"])["TrainingJobSummaries"]
    assert jobs == trained == []
    s3, bucket = stack.client("s3"), stack.outputs["DataBucket"]
    prefix = f"runs/{run['run_id']}/rejects/"
    kept = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    lines = [
        json.loads(line)
        for each in kept
        for line in gzip.decompress(
            s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
        ).splitlines()
    ]
    assert len(lines) == 200
    assert {(line["reject_column"], line["reject_value"]) for line in lines} == {
        ("star_rating", "many"),
        ("star_rating", "few"),
    }
    eventually(lambda: curated(stack, run["run_id"]) == 0, 60)
    eventually(lambda: arrival(stack, run)["status"] == {"S": "held"}, 120)
