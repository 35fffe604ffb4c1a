"""Batch transform: a model over every object of a prefix.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from local_sagemaker import INSTANCE, LocalSageMaker, name, until

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def model(sagemaker: LocalSageMaker) -> str:
    return sagemaker.model("batch")


def request(sagemaker: LocalSageMaker, model: str, prefix: str, **more: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{sagemaker.bucket}/{prefix}"}
    return {
        "TransformJobName": name("transform"),
        "ModelName": model,
        "TransformInput": {
            "DataSource": {"S3DataSource": source},
            "ContentType": "text/plain",
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": f"s3://{sagemaker.bucket}/out-{prefix}",
            "AssembleWith": "Line",
            "Accept": "application/json",
        },
        "TransformResources": {"InstanceType": INSTANCE, "InstanceCount": 1},
        **more,
    }


def transformed(sagemaker: LocalSageMaker, asked: dict[str, Any]) -> dict[str, Any]:
    sagemaker.api.create_transform_job(**asked)
    return sagemaker.end("Transform", asked["TransformJobName"])


def answers(sagemaker: LocalSageMaker, prefix: str) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for key in sagemaker.keys(prefix):
        lines = sagemaker.get(f"s3://{sagemaker.bucket}/{key}").splitlines()
        found[key] = [json.loads(line) for line in lines]
    return found


def test_each_object_has_its_answers_beside_it(sagemaker, model):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TransformOutput.html"""
    hear = sagemaker.listen("SageMaker Transform Job State Change")
    sagemaker.put("batch/a.txt", "one\ntwo\n")
    sagemaker.put("batch/deep/b.txt", "three\n")
    asked = request(
        sagemaker, model, "batch/", BatchStrategy="SingleRecord", Environment={"MINE": "yes"}
    )
    job = transformed(sagemaker, asked)
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert job["TransformStartTime"] <= job["TransformEndTime"]
    found = answers(sagemaker, "out-batch/")
    assert {key: [each["text"] for each in lines] for key, lines in found.items()} == {
        "out-batch/a.txt.out": ["one", "two"],
        "out-batch/deep/b.txt.out": ["three"],
    }
    answer = found["out-batch/a.txt.out"][0]
    assert (answer["model"], answer["accept"]) == ("batch", "application/json")
    assert (answer["env"]["MINE"], answer["env"]["SAGEMAKER_BATCH"]) == ("yes", "true")

    def told() -> set[str]:
        mine = [each["detail"] for each in hear() if each["resources"] == [job["TransformJobArn"]]]
        return {detail["TransformJobStatus"] for detail in mine}

    until(lambda: told() == {"InProgress", "Completed"})
    summaries = sagemaker.api.list_transform_jobs(NameContains=asked["TransformJobName"])
    assert summaries["TransformJobSummaries"][0]["TransformJobStatus"] == "Completed"


def test_answers_are_joined_to_what_the_model_did_not_see(sagemaker, model):
    """https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html"""
    sagemaker.put("join/a.jsonl", '{"id": 1, "seen": "one"}\n{"id": 2, "seen": "two"}\n')
    processing = {
        "InputFilter": "$.seen",
        "JoinSource": "Input",
        "OutputFilter": "$['id','SageMakerOutput']",
    }
    asked = request(
        sagemaker, model, "join/", BatchStrategy="SingleRecord", DataProcessing=processing
    )
    asked["TransformInput"]["ContentType"] = "application/jsonlines"
    asked["TransformOutput"]["Accept"] = "application/jsonlines"
    job = transformed(sagemaker, asked)
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert job["DataProcessing"] == processing
    (lines,) = answers(sagemaker, "out-join/").values()
    found = [(line["id"], line["SageMakerOutput"]["text"]) for line in lines]
    assert found == [(1, '"one"'), (2, '"two"')]


def test_the_models_refusal_fails_the_job_with_the_objects_name(sagemaker, model):
    sagemaker.put("bad/good.txt", "fine")
    sagemaker.put("bad/sad.txt", "refuse")
    job = transformed(sagemaker, request(sagemaker, model, "bad/", BatchStrategy="SingleRecord"))
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: sad.txt: the model answered 415")
    assert "TransformEndTime" in job


def test_the_images_server_gives_up_before_the_job_does(sagemaker, model):
    """https://github.com/aws/sagemaker-mxnet-inference-toolkit/issues/77"""
    sagemaker.put("late/a.txt", "together")  # with nobody
    given = {
        "ModelClientConfig": {"InvocationsTimeoutInSeconds": 600},
        "Environment": {"SAGEMAKER_MODEL_SERVER_TIMEOUT": "1"},
    }
    job = transformed(sagemaker, request(sagemaker, model, "late/", **given))
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: a.txt: the model answered 500")
    assert "1 s" in job["FailureReason"]


def test_a_stopped_job_is_stopped(sagemaker, model):
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StopTransformJob.html"""
    sagemaker.put("long/a.txt", "slow\n" * 500)
    asked = request(sagemaker, model, "long/", BatchStrategy="SingleRecord")
    sagemaker.api.create_transform_job(**asked)
    until(
        lambda: "TransformStartTime" in sagemaker.describe("Transform", asked["TransformJobName"])
    )
    sagemaker.api.stop_transform_job(TransformJobName=asked["TransformJobName"])
    assert sagemaker.end("Transform", asked["TransformJobName"])["TransformJobStatus"] == "Stopped"


def test_a_model_that_does_not_load_and_data_that_is_not_there(sagemaker, model):
    broken = sagemaker.model("broken")
    sagemaker.put("some/a.txt", "x")
    job = transformed(sagemaker, request(sagemaker, broken, "some/"))
    assert job["TransformJobStatus"] == "Failed"
    assert "did not pass the ping health check" in job["FailureReason"]
    job = transformed(sagemaker, request(sagemaker, model, "nothing/"))
    assert "no S3 objects found under" in job["FailureReason"]


def change(asked: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        asked = asked[parent]
    asked[last] = value


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("ModelName", "none-such", "ValidationException"),
        ("TransformInput.CompressionType", "Gzip", "ValidationException"),
        ("TransformInput.SplitType", "RecordIO", "ValidationException"),
        ("TransformInput.DataSource.S3DataSource.S3DataType", "AugmentedManifestFile",
         "ValidationException"),
        ("DataProcessing", {"InputFilter": "id"}, "ValidationException"),
        ("TransformResources.InstanceCount", 21, "ResourceLimitExceeded"),
    ],
)  # fmt: skip
def test_what_is_refused(sagemaker, model, path, value, code):
    asked = request(sagemaker, model, "some/")
    change(asked, path, value)
    with pytest.raises(ClientError) as refused:
        sagemaker.api.create_transform_job(**asked)
    assert refused.value.response["Error"]["Code"] == code
