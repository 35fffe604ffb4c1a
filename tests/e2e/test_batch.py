"""A file dropped under batch/in/ comes out under batch/out/, each row beside its prediction."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import main, records, reviews

Eventually = Callable[..., Any]
ROWS = 200
runner = CliRunner()


def read(stack: Any, key: str) -> bytes:
    found = stack.client("s3").get_object(Bucket=stack.outputs["DataBucket"], Key=key)
    return found["Body"].read()


def put(stack: Any, name: str, content: bytes) -> str:
    """Drop a file under batch/in/; its version."""
    key = f"batch/in/{name}"
    answer = stack.client("s3").put_object(
        Bucket=stack.outputs["DataBucket"], Key=key, Body=content
    )
    return answer["VersionId"]


def ended(stack: Any, name: str, eventually: Eventually) -> dict[str, Any]:
    """What became of a file."""

    def look() -> dict[str, Any] | None:
        mine = [each for each in records.batches(stack.name) if each["name"] == name]
        return next((each for each in mine if "ended_at" in each), None)

    return eventually(look, 120)


def subjects(stack: Any) -> list[str]:
    return [str(each["subject"]) for each in records.notifications(stack.name, None)]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reviews as they are dropped for training, the last two rows broken."""
    path = reviews.write(tmp_path_factory.mktemp("batch") / "week 7.tsv.gz", ROWS, seed=5)
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    names, last = lines[0].split("\t"), lines[-1].split("\t")
    last[names.index("review_body")] = ""
    broken = [*lines[:-2], lines[-2] + "\tmore", "\t".join(last)]
    path.write_bytes(gzip.compress("\n".join(broken).encode()))
    return path


@pytest.fixture(scope="module")
def answered(
    stack: Any, first: dict[str, Any], asked: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder into which the command fetched everything."""
    folder = tmp_path_factory.mktemp("answers")
    answer = runner.invoke(main.app, ["batch", str(asked), "--wait", "--to", str(folder)])
    assert answer.exit_code == 0, answer.output
    return folder


def test_each_row_comes_out_beside_its_prediction(answered: Path) -> None:
    lines = [json.loads(line) for line in (answered / "week 7.tsv.gz.out").open()]
    assert [line["row"] for line in lines] == [*range(1, ROWS - 1)]
    for line in lines:
        answer = line["SageMakerOutput"]
        assert answer["label"] == max(answer["probabilities"], key=answer["probabilities"].get)
        assert line["record"]["review_body"]
        assert "star_rating" not in line["record"], "the model is not told the label"
    right = [each["SageMakerOutput"]["label"] == each["other"]["star_rating"] for each in lines]
    assert sum(right) / len(right) > 0.4


def test_rows_that_cannot_be_predicted_are_told(answered: Path) -> None:
    rejects = [json.loads(line) for line in (answered / "week 7.tsv.gz.rejects.jsonl").open()]
    assert rejects == [
        {"row": ROWS - 1, "message": "the row has 16 values, the header 15"},
        {"row": ROWS, "message": "review_body is missing"},
    ]


def test_the_manifest_accounts_for_every_row(stack: Any, answered: Path) -> None:
    manifest = json.loads((answered / "week 7.tsv.gz.manifest.json").read_text())
    counts = ("rows", "predicted", "rejected")
    assert [manifest[name] for name in counts] == [ROWS, ROWS - 2, 2]
    assert manifest["model_version"] == (records.champion(stack.name) or {})["model_version"]
    source = manifest["source"]
    head = stack.client("s3").head_object(
        Bucket=stack.outputs["DataBucket"], Key=source["key"], VersionId=source["version_id"]
    )
    assert source["etag"] == head["ETag"].strip('"')
    assert manifest["started_at"] < manifest["finished_at"]
    assert "Predictions of week 7.tsv.gz" in subjects(stack)
    listed = json.loads(runner.invoke(main.app, ["batch", "list", "--json"]).output)
    assert [(each["name"], each["status"]) for each in listed] == [("week 7.tsv.gz", "succeeded")]


def test_an_event_that_comes_twice_makes_one_job(
    stack: Any, answered: Path, eventually: Eventually
) -> None:
    record = records.batches(stack.name)[0]
    detail = {
        "bucket": {"name": stack.outputs["DataBucket"]},
        "object": {"key": record["key"], "version-id": record["version_id"], "size": 1},
    }
    answer = invoke(stack, "Batch", {"id": "again", "detail-type": "Object Created",
                                     "source": "aws.s3", "detail": detail})  # fmt: skip
    assert "was started before" in answer
    own = str(record["run_id"]).rpartition("-")[2]
    listed = stack.client("sagemaker").list_transform_jobs(NameContains=own)
    jobs = listed["TransformJobSummaries"]
    assert [job["TransformJobStatus"] for job in jobs] == ["Completed"]


def test_the_sweep_finds_nothing_that_its_event_told_of(stack: Any, answered: Path) -> None:
    told = {"id": "by hand", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}
    assert json.loads(invoke(stack, "Sweep", told))["batch"] == 0


def invoke(stack: Any, function: str, event: dict[str, Any]) -> str:
    """What a function of the stack answers to an event."""
    resource = stack.client("cloudformation").describe_stack_resource(
        StackName=stack.name, LogicalResourceId=function
    )["StackResourceDetail"]
    common = {"version": "0", "account": "000000000000", "region": "us-east-1",
              "time": "2026-01-01T00:00:00Z", "resources": []}  # fmt: skip
    answer = stack.client("lambda").invoke(
        FunctionName=resource["PhysicalResourceId"], Payload=json.dumps({**common, **event})
    )
    return str(answer["Payload"].read().decode())


def test_json_lines_come_out_in_their_order(
    stack: Any, first: dict[str, Any], eventually: Eventually
) -> None:
    bodies = ["Love it, works perfectly.", "Terrible, it broke."]
    content = "".join(json.dumps({"review_body": body}) + "\n" for body in bodies)
    put(stack, "deep/two.jsonl", content.encode())
    assert ended(stack, "deep/two.jsonl", eventually)["status"] == "succeeded"
    lines = [json.loads(line) for line in read(stack, "batch/out/deep/two.jsonl.out").splitlines()]
    assert [line["record"]["review_body"] for line in lines] == bodies
    good, bad = (int(line["SageMakerOutput"]["label"]) for line in lines)
    assert good > bad


@pytest.mark.parametrize(
    ("name", "content", "reason", "words"),
    [
        ("picture.png", b"\x89PNG", "unknown_type", "this kind of file is not taken"),
        (
            "lacks.tsv",
            b"review_headline\tvine\nfine\tN\n",
            "missing_column",
            "lacks review_body",
        ),
        ("none.jsonl", b'{"review_body": " "}\n', "no_rows", "review_body is empty"),
    ],
)
def test_a_bad_file_has_the_reason_beside_it(
    stack: Any, first: dict[str, Any], eventually: Eventually, name, content, reason, words
) -> None:
    put(stack, name, content)
    record = ended(stack, name, eventually)
    told = json.loads(read(stack, f"batch/out/{name}.error.json"))
    assert (record["status"], told["reason"]) == ("failed", reason)
    assert words in told["message"]
    assert eventually(lambda: f"No predictions of {name}" in subjects(stack))
