"""Outputs of an earlier run's jobs, brought into a new run from where the jobs left them."""

from __future__ import annotations

from typing import Any

import pytest
from local_sagemaker import LocalSageMaker

from chalicelib import places
from chalicelib.environment import Environment
from chalicelib.model import caching

pytestmark = pytest.mark.cloud

OLD, NEW = "20260301-120000-a1b2c3", "20260302-120000-d4e5f6"
WRITES = """
import os, pathlib
folder = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"], "processing/output/evaluation")
(folder / "deep").mkdir(parents=True)
(folder / "evaluation.json").write_text("{}")
(folder / "deep" / "page.html").write_text("a page")
"""


@pytest.fixture
def it(stack: Any, bucket: str) -> LocalSageMaker:
    """The SageMaker whose jobs write into the pipeline's bucket."""
    return LocalSageMaker(stack, bucket)


def evaluate(it: LocalSageMaker, run_id: str, script: str = WRITES) -> dict[str, Any]:
    """The evaluation of a run; the bucket makes its name one that no other test has."""
    output = {
        "S3Uri": f"s3://{it.bucket}/runs/{run_id}/evaluation",
        "LocalPath": "/opt/ml/processing/output/evaluation",
        "S3UploadMode": "EndOfJob",
    }
    outputs = {"Outputs": [{"OutputName": "evaluation", "S3Output": output}]}
    name = f"{run_id}-{it.bucket[-6:]}-evaluate"
    return it.processing(script, ProcessingJobName=name, ProcessingOutputConfig=outputs)


def train(it: LocalSageMaker, run_id: str, script: str = "print()") -> dict[str, Any]:
    target = {"S3OutputPath": f"s3://{it.bucket}/runs/{run_id}/model"}
    return it.training(script, TrainingJobName=f"{run_id}-train", OutputDataConfig=target)


def done(job: str) -> list[dict[str, Any]]:
    """The records of two runs, the newer of which begins."""
    return [{"run_id": NEW}, {"run_id": OLD, "jobs": {job: {"key": "k"}}}]


def reuse(it: LocalSageMaker, job: str, request: dict[str, Any]) -> str | None:
    return caching.reuse(job, NEW, request, "k", done(job), Environment.from_env())


def test_the_outputs_of_a_job_that_completed_are_copied(it: LocalSageMaker) -> None:
    request = evaluate(it, OLD)
    it.api.create_processing_job(**request)
    it.end("Processing", request["ProcessingJobName"])
    assert reuse(it, "evaluate", evaluate(it, NEW)) == OLD
    below = f"runs/{NEW}/evaluation"
    assert it.keys(below) == [f"{below}/deep/page.html", f"{below}/evaluation.json"]
    assert it.get(f"s3://{it.bucket}/{below}/deep/page.html") == b"a page"


def test_a_model_is_copied_to_where_the_new_run_would_have_it(it: LocalSageMaker) -> None:
    request = train(it, OLD)
    it.api.create_training_job(**request)
    assert it.end("Training", request["TrainingJobName"])["TrainingJobStatus"] == "Completed"
    assert reuse(it, "train", train(it, NEW)) == OLD
    assert it.keys(f"runs/{NEW}/") == [places.model(NEW)]
    vanished(it, places.model(OLD))
    assert reuse(it, "train", train(it, NEW)) is None


def test_outputs_that_have_vanished_in_part_are_not_reused(it: LocalSageMaker) -> None:
    request = evaluate(it, OLD)
    it.api.create_processing_job(**request)
    it.end("Processing", request["ProcessingJobName"])
    vanished(it, f"runs/{OLD}/evaluation/evaluation.json")
    assert reuse(it, "evaluate", evaluate(it, NEW)) is None
    assert it.keys(f"runs/{NEW}/") == []


def test_outputs_of_a_job_that_failed_are_not_reused(it: LocalSageMaker) -> None:
    request = evaluate(it, OLD, f"{WRITES}\nraise SystemExit(3)")
    it.api.create_processing_job(**request)
    it.end("Processing", request["ProcessingJobName"])
    it.put(f"runs/{OLD}/evaluation/evaluation.json", "{}")
    assert reuse(it, "evaluate", evaluate(it, NEW)) is None


def test_a_job_that_sagemaker_does_not_know_is_not_reused(it: LocalSageMaker) -> None:
    it.put(f"runs/{OLD}/evaluation/evaluation.json", "{}")
    assert reuse(it, "evaluate", evaluate(it, NEW)) is None


def test_a_listing_changes_with_what_lies_there(it: LocalSageMaker) -> None:
    environment = Environment.from_env()
    it.put("ground-truth/1.jsonl", "a")
    before = caching.listing(environment, "ground-truth/")
    assert caching.listing(environment, "ground-truth/") == before
    it.put("ground-truth/1.jsonl", "b")
    changed = caching.listing(environment, "ground-truth/")
    it.put("ground-truth/2.jsonl", "b")
    assert len({before, changed, caching.listing(environment, "ground-truth/")}) == 3


def vanished(it: LocalSageMaker, key: str) -> None:
    it.cloud.client("s3").delete_object(Bucket=it.bucket, Key=key)
