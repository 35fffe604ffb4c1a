"""The loop, whole: what people drop, call and see. In the order in which it happens."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli import api, drop, follow_logs, records, reproduce, reviews, run_comparison, versions
from cli.errors import Problem
from cli.history import Execution
from tests.e2e.conftest import dropped, ended
from tests.e2e.own_project import browse

Eventually = Callable[..., Any]
STATES = {
    "Begin", "StartCrawler", "PlanConvert", "Schema", "Convert", "Count", "Reconcile",
    "Check", "Quality", "Plan", "Prepare", "PlanTraining", "Train", "Evaluate", "Baseline",
    "ModelBaselines", "Gate", "Register", "PlanDeploy", "CreateModel",
    "Finish",
}  # fmt: skip


KIND = "model-quality"


def told(stack: Any, subject: str, eventually: Eventually) -> int:
    """How often people were told; the message comes just after what it tells of."""

    def count() -> int:
        subjects = [str(each["subject"]) for each in records.notifications(stack.name, None)]
        return sum(words.startswith(subject) for words in subjects)

    return int(eventually(count))


def test_a_dropped_file_becomes_a_model_in_service(stack: Any, first: dict[str, Any]) -> None:
    assert (first["status"], first["outcome"], first["model_version"]) == (
        "succeeded",
        "deployed",
        1,
    ), first.get("error")
    assert first["reason"] == "data"
    assert first["dataset_rows"] == 3000
    assert float(first["evaluation"]["accuracy"]) > 0.4
    execution = Execution(first["execution_arn"])
    list(execution.news())
    assert execution.durations().keys() >= STATES
    found = stack.client("sagemaker").describe_endpoint(EndpointName=stack.outputs["EndpointName"])
    assert found["EndpointStatus"] == "InService"
    package = stack.client("sagemaker").describe_model_package(
        ModelPackageName=first["model_package_arn"]
    )
    assert package["ModelApprovalStatus"] == "Approved"
    assert package["CustomerMetadataProperties"]["run_id"] == first["run_id"]


def test_what_the_run_made_lies_in_its_folder(stack: Any, first: dict[str, Any]) -> None:
    prefix = f"runs/{first['run_id']}/"
    listed = stack.client("s3").list_objects_v2(Bucket=stack.outputs["DataBucket"], Prefix=prefix)
    names = {entry["Key"].removeprefix(prefix) for entry in listed["Contents"]}
    assert names >= {
        "quality.json",
        "dataset.json",
        "dataset.manifest",
        "lineage.json",
        "prepare/prepare.json",
        "evaluation/evaluation.json",
        "evaluation/slices.json",
        "evaluation/bias.json",
        "evaluation/explanations.json",
        "evaluation/model_card.html",
        "baseline/data-quality/statistics.json",
        "baseline/data-quality/constraints.json",
        "baseline/model-quality/constraints.json",
        "baseline/bias/constraints.json",
        f"model/{first['run_id']}-train/output/model.tar.gz",
    }


def test_a_version_is_known_and_trained_again_from_its_lineage(
    stack: Any, first: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    found = versions.facts(stack.name, 1)
    assert (found["status"], found["run_id"]) == ("Approved", first["run_id"])
    assert found["training"]["metrics"].keys() == {"train:accuracy", "validation:accuracy"}
    lineage = versions.lineage(stack.name, 1)
    assert lineage["environment"]["versions"]["scikit-learn"]
    assert lineage["training"]["HyperParameters"]["model"] == "linear"
    (arrival,) = lineage["dataset"]["arrivals"]
    assert (arrival["source_key"], arrival["rows"]) == ("incoming/reviews/reviews.tsv.gz", 3000)
    rows = run_comparison.compare(stack.name, first["run_id"], first["run_id"])
    sections = {row.section for row in rows if row.one is not None}
    assert sections >= {"data", "parameters", "training", "evaluation", "seconds"}
    assert not [row for row in rows if row.differs]
    follow_logs.run(stack.name, first["run_id"])
    shown = capsys.readouterr().out
    assert "PlanTraining" in shown
    assert "fitted after" in shown
    assert "validation:accuracy 0." in shown
    again = reproduce.run(stack.name, 1, lambda line: None)
    assert again.reproduced, again.rows
    assert {"file model.joblib", "validation:accuracy"} <= {row["what"] for row in again.rows}


def test_predictions_through_the_api(stack: Any, first: dict[str, Any]) -> None:
    texts = ("Love it, works perfectly.", "Terrible, it broke.")
    body = {"records": [{"review_body": text} for text in texts]}
    answer = api.call(stack.name, "POST", "/predictions", body)
    assert answer["model_version"] == 1
    good, bad = answer["predictions"]
    assert set(good["probabilities"]) == {"1", "2", "3", "4", "5"}
    assert sum(good["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert int(good["label"]) > int(bad["label"])


def test_what_the_model_is_unsure_of_waits_for_a_person(stack: Any, first: dict[str, Any]) -> None:
    """The answer is ground truth for the captured request."""
    unclear = {"records": [{"review_body": words} for words in ("it", "the box", "a thing")]}
    answer = api.call(stack.name, "POST", "/predictions", unclear)
    ids = {each["inference_id"] for each in answer["predictions"]}
    waiting = api.call(stack.name, "GET", "/reviews")["reviews"]
    entry = next(each for each in waiting if each["inference_id"] in ids)
    path = f"/reviews/{entry['review_id']}"
    with pytest.raises(Problem, match="400: label must be one of 1, 2, 3, 4, 5"):
        api.call(stack.name, "POST", path, {"label": 6})
    assert api.call(stack.name, "POST", path, {"label": 3})["label"] == "3"
    with pytest.raises(Problem, match="404: no review"):
        api.call(stack.name, "POST", path, {"label": 3})
    s3, bucket = stack.client("s3"), stack.outputs["DataBucket"]
    truth = s3.list_objects_v2(Bucket=bucket, Prefix="ground-truth/")["Contents"]
    (key,) = [each["Key"] for each in truth if entry["review_id"] in each["Key"]]
    told = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    assert told["groundTruthData"]["data"] == "3"
    assert told["eventMetadata"]["eventId"] == entry["inference_id"]


def test_the_words_that_mattered(stack: Any, first: dict[str, Any]) -> None:
    record = {"review_body": "Terrible, it broke."}
    (found,) = api.call(stack.name, "POST", "/predictions?explain=true", record)["predictions"]
    terms = {term["term"] for term in found["explanation"]["terms"]}
    assert terms & {"terrible", "broke", "it broke"}


@pytest.mark.parametrize("path", ["/predictions", "/feedback"])
def test_a_call_without_the_key_is_forbidden(
    stack: Any, first: dict[str, Any], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(api, "key", lambda stack: "not-the-key")
    with pytest.raises(Problem, match=f"POST {path} answered 403"):
        api.call(stack.name, "POST", path, {"review_body": "x"})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "400: review_body is missing"),
        ({"review_body": ""}, "400: review_body is empty"),
        ({"review_body": 5}, "400: review_body: Input should be a valid string"),
        ({"review_body": "x", "stars": 5}, "400: stars is not a field of this model"),
        ([1], "400: "),
        ({"review_body": "x" * 7_000_000}, "413: "),
    ],
)
def test_a_bad_request_is_told_what_is_wrong(
    stack: Any, first: dict[str, Any], body: Any, words: str
) -> None:
    with pytest.raises(Problem) as refused:
        api.call(stack.name, "POST", "/predictions", body)
    assert words in refused.value.headline


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("header.tsv", b"a\tb\n1\t2\n", "wrong_header"),
        ("binary.tsv", bytes(range(256)) * 4, "binary"),
        ("empty.tsv", b"", "empty"),
        ("cut.tsv.gz", gzip.compress(b"x" * 100_000)[:-20], None),
        ("report.docx", b"PK\x03\x04", "unknown_type"),
    ],
)
def test_a_bad_file_is_quarantined_and_the_loop_goes_on(
    stack: Any,
    first: dict[str, Any],
    tmp_path: Path,
    eventually: Eventually,
    name: str,
    content: bytes,
    code: str | None,
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    put = drop.upload(stack.name, [path])
    (fate,) = drop.fates(stack.name, put, None, 30)
    assert fate.status == "quarantined"
    s3, bucket = stack.client("s3"), stack.outputs["DataBucket"]
    listed = s3.list_objects_v2(Bucket=bucket, Prefix="quarantine/reviews/")["Contents"]
    reasons = [
        json.loads(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read())
        for entry in listed
        if entry["Key"].endswith("reason.json")
    ]
    (reason,) = [each for each in reasons if each["source_key"].endswith(name)]
    assert reason["message"] == fate.words
    assert code is None or reason["reason"] == code
    assert told(stack, f"Quarantined: {name}", eventually) == 1


def test_the_same_content_again_starts_nothing(
    stack: Any, first: dict[str, Any], tmp_path: Path
) -> None:
    path = reviews.write(tmp_path / "again.tsv.gz", 3000, seed=1)
    put = drop.upload(stack.name, [path])
    (fate,) = drop.fates(stack.name, put, None, 30)
    assert fate.status == "duplicate"
    assert len(records.runs(stack.name)) == 1


def test_the_same_cause_starts_one_run(
    stack: Any, first: dict[str, Any], eventually: Eventually
) -> None:
    started = api.call(stack.name, "POST", "/runs", {"cause": "to see"})
    with pytest.raises(Problem, match=f"409: run {started['run_id']} is active"):
        api.call(stack.name, "POST", "/runs", {"cause": "to see again"})
    run = ended(stack, started["run_id"], eventually)
    assert (run["reason"], run["status"]) == ("manual", "succeeded"), run.get("error")
    assert run["model_version"] == 2


def test_a_run_with_nothing_new_deploys_what_was_trained(
    stack: Any, first: dict[str, Any], eventually: Eventually
) -> None:
    before = records.runs(stack.name, 1)[0]
    did = {job: found.get("reused", before["run_id"]) for job, found in before["jobs"].items()}
    del did["evaluate"]  # a comparison with another champion is another job
    started = api.call(stack.name, "POST", "/runs", {"cause": "to deploy again"})
    run = ended(stack, started["run_id"], eventually)
    assert (run["status"], run["model_version"]) == ("succeeded", 3), run.get("error")
    assert {job: run["jobs"][job]["reused"] for job in did} == did
    execution = Execution(run["execution_arn"])
    list(execution.news())
    told = {state.name: state.reused_from for state in execution.states if state.reused_from}
    names = {"PrepareReused": "prepare", "TrainReused": "train", "BaselineReused": "baseline"}
    assert {name: told[name] for name in names} == {name: did[job] for name, job in names.items()}
    assert not {"Prepare", "Train", "Baseline"} & execution.durations().keys()
    key = f"runs/{run['run_id']}/lineage.json"
    found = stack.client("s3").get_object(Bucket=stack.outputs["DataBucket"], Key=key)
    lineage = json.loads(found["Body"].read())
    assert {job: lineage["reused"][job] for job in did} == did
    assert lineage["jobs"]["train"] == f"{did['train']}-train"
    answer = api.call(stack.name, "POST", "/predictions", {"review_body": "fine"})
    assert answer["model_version"] == 3


def test_drift_is_seen_told_and_answered_with_a_new_model(
    stack: Any, first: dict[str, Any], eventually: Eventually
) -> None:
    inputs = ("review_body", "review_headline", "product_category")
    rows = list(reviews.rows(200, seed=2, drifted=True))
    for begin in range(0, len(rows), 50):
        batch = [{name: row[name] for name in inputs} for row in rows[begin : begin + 50]]
        answer = api.call(stack.name, "POST", "/predictions", {"records": batch})
        labels = [
            {"inference_id": each["inference_id"], "label": int(row["star_rating"])}
            for each, row in zip(answer["predictions"], rows[begin : begin + 50], strict=True)
        ]
        assert api.call(stack.name, "POST", "/feedback", {"feedback": labels})["accepted"] == 50
    look = eventually(
        lambda: next((each for each in records.drift(stack.name) if each["violations"]), None), 100
    )
    features = {each["feature_name"] for each in look["violations"]}
    assert {"product_category", "review_body_oov"} <= features
    run = eventually(
        lambda: next((r for r in records.runs(stack.name) if r["reason"] == "drift"), None), 60
    )
    run = ended(stack, run["run_id"], eventually)
    assert (run["status"], run["outcome"]) == ("succeeded", "deployed"), run.get("error")
    answer = api.call(stack.name, "POST", "/predictions", {"review_body": "fine"})
    assert answer["model_version"] == run["model_version"] == 4
    assert told(stack, "Drift in", eventually) == 1


def test_the_message_of_drift_leads_to_the_report_and_to_a_decision(
    stack: Any, first: dict[str, Any]
) -> None:
    (message,) = [m for m in records.notifications(stack.name, None) if m["kind"] == "drift"]
    examples = message["message"].split("What came in, for example:")[1]
    assert "product_category" in examples
    endpoint, links = os.environ["AWS_ENDPOINT_URL"], message["links"]
    found = [browse(endpoint, each) for each in links["reports"]]
    assert {each.status for each in found} == {302}
    (page,) = [where for each in found if ".html" in (where := each.headers["location"])]
    report = browse(endpoint, page)
    assert (report.status, report.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert 'value="seen"' in browse(endpoint, links["decide"]).text
    seen = browse(endpoint, links["decide"], {"action": "seen", "who": "Ann"})
    assert (seen.status, 'value="seen"' in seen.text) == (200, False)
    incident = records.incident(stack.name, message["incident"])
    assert incident
    assert incident["acknowledged_by"].startswith("Ann (by the link in the message")


def test_a_failing_script_is_told_and_the_old_model_serves_on(
    stack: Any, first: dict[str, Any], eventually: Eventually
) -> None:
    """The job's last words are on the run; the files wait to be tried again."""
    version = api.call(stack.name, "GET", "/health")["model_version"]
    with broken(stack, "training", "prepare.py"):
        body = {"cause": "a broken script", "no_cache": True}
        started = api.call(stack.name, "POST", "/runs", body)
        run = ended(stack, started["run_id"], eventually)
    assert run["status"] == "failed"
    assert run["error_state"] == "Prepare"
    assert "the splits are wet" in run["error_detail"]
    assert api.call(stack.name, "GET", "/health")["model_version"] == version
    assert told(stack, f"Run {run['run_id']} failed", eventually) == 1


def test_real_reviews(
    stack: Any, first: dict[str, Any], shared_reviews: Path, eventually: Eventually
) -> None:
    """M/D/YYYY dates, lone quotes and all: another category's file is learned from too."""
    run = dropped(stack, shared_reviews / "microwave.tsv", eventually)
    assert run["status"] == "succeeded", run.get("error")
    assert run["quality"]["rejects"] == 0


def test_a_run_that_failed_after_training_is_retried_without_training(
    stack: Any, first: dict[str, Any], eventually: Eventually
) -> None:
    with broken(stack, "inference", "inference.py"):
        body = {"cause": "a broken evaluation", "no_cache": True}
        started = api.call(stack.name, "POST", "/runs", body)
        failed = ended(stack, started["run_id"], eventually)
    assert failed["status"] == "failed"
    assert failed["error_state"] in ("Evaluate", "ModelBaselines")  # side by side

    def retried() -> dict[str, Any] | None:
        """The failed run is closed a moment before it gives way to another."""
        try:
            return dict(api.call(stack.name, "POST", f"/runs/{failed['run_id']}/retry", {}))
        except Problem as refused:
            if "is active" not in refused.headline:
                raise
            return None

    started = eventually(retried)
    again = ended(stack, started["run_id"], eventually)
    assert (again["status"], again["reason"]) == ("succeeded", "retry"), again.get("error")
    assert again["jobs"]["train"]["reused"] == failed["run_id"]
    assert "reused" not in again["jobs"]["evaluate"]


@contextmanager
def broken(stack: Any, name: str, script: str) -> Iterator[None]:
    """While this lasts, a code archive holds a script that fails."""
    bucket, prefix = stack.outputs["CodePrefix"].removeprefix("s3://").split("/", 1)
    where, s3 = {"Bucket": bucket, "Key": f"{prefix}/{name}.tar.gz"}, stack.client("s3")
    kept = s3.get_object(**where)["Body"].read()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        content = b"raise SystemExit('the splits are wet')\n"
        entry = tarfile.TarInfo(script)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    s3.put_object(**where, Body=packed.getvalue())
    try:
        yield
    finally:
        s3.put_object(**where, Body=kept)
