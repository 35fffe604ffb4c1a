"""A transformer on the local SageMaker: the Hugging Face images' environment trains and serves it.

https://docs.aws.amazon.com/sagemaker/latest/dg/hugging-face.html
"""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
import tarfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import TRANSFORMER_PYTHON, Cloud
from local_sagemaker import LocalSageMaker
from roles import ROLE

from chalicelib import places, settings
from chalicelib.environment import Environment
from chalicelib.model import jobs, rollout
from cli import package, reviews

ROOT = Path(__file__).parents[2]
PARAMETERS = {
    "model": "transformer",
    "export": "onnx-int8",
    "epochs": 2,
    "max_length": 16,
    "learning_curve": "[]",
}
MAKE_ENCODER = """
import sys, pathlib
sys.path.insert(0, sys.argv[1])
import tiny_encoder
tiny_encoder.write(pathlib.Path(sys.argv[2]), "bert", ["good", "bad", "it", "the"])
"""

pytestmark = pytest.mark.timeout(600)


def configured() -> settings.Settings:
    loaded = settings.load()
    changes = {
        "hyperparameters": PARAMETERS,
        "pretrained": "tiny",
        "instance_type": "ml.g5.xlarge",
        "balance": "none",
    }
    training = loaded.training.model_copy(update=changes)
    return loaded.model_copy(update={"training": training})


@pytest.fixture
def environment(cloud: Cloud, bucket: str) -> Environment:
    """A data bucket with splits and the code archives."""
    s3 = cloud.client("s3")
    rows = pd.DataFrame(reviews.rows(240, seed=3))
    for split, part in (("train", rows[:200]), ("validation", rows[200:]), ("test", rows[200:])):
        body = part[["review_body", "star_rating", "product_category", "verified_purchase"]]
        s3.put_object(
            Bucket=bucket, Key=f"runs/r1/splits/{split}/{split}.parquet", Body=body.to_parquet()
        )
    s3.put_object(Bucket=bucket, Key="runs/r1/prepare/prepare.json", Body=b"{}")
    for name in ("training", "inference"):
        content = package.tarball(ROOT / f"{name}_code")
        s3.put_object(Bucket=bucket, Key=f"code/{name}.tar.gz", Body=content)
    values = {field.name: "" for field in dataclasses.fields(Environment)} | {
        "data_bucket": bucket,
        "code_prefix": f"s3://{bucket}/code",
        "job_role_arn": ROLE,
        "endpoint_name": f"transformer-{uuid.uuid4().hex[:8]}",
        "retrain_machine_arn": "arn:aws:states:us-east-1:000000000000:stateMachine:x-retrain",
    }
    return Environment(**values)


@pytest.fixture
def encoder(cloud: Cloud, environment: Environment, tmp_path: Path) -> None:
    """Two layers of chance weights under pretrained/tiny/."""
    words = [str(TRANSFORMER_PYTHON), "-c", MAKE_ENCODER]
    words += [str(ROOT / "tests" / "transformer"), str(tmp_path / "tiny")]
    subprocess.run(words, check=True, timeout=240)
    for path in (tmp_path / "tiny").iterdir():
        key = places.pretrained(configured()) + path.name
        cloud.client("s3").upload_file(str(path), environment.data_bucket, key)


def test_it_is_trained_evaluated_and_served(
    cloud: Cloud, environment: Environment, encoder: None, eventually: Callable[..., Any]
):
    sagemaker, loaded = cloud.client("sagemaker"), configured()
    sagemaker.create_training_job(**jobs.train("r1", environment, loaded))
    trained = eventually(
        lambda: ended(sagemaker.describe_training_job, "Training", "r1-train"), 240
    )
    assert trained["TrainingJobStatus"] == "Completed", trained.get("FailureReason")
    assert {each["MetricName"] for each in trained["FinalMetricDataList"]} == {
        "train:accuracy",
        "validation:accuracy",
    }
    assert {"model.onnx", "code/inference.py", "code/packages/onnxruntime/__init__.py"} <= packed(
        cloud, environment
    )
    request = jobs.evaluate("r1", environment, loaded, champion_run=None)
    sagemaker.create_processing_job(**request)
    found = eventually(
        lambda: ended(sagemaker.describe_processing_job, "Processing", "r1-evaluate"), 240
    )
    log = LocalSageMaker(cloud, environment.data_bucket).log("Processing", "r1-evaluate")
    assert found["ProcessingJobStatus"] == "Completed", "\n".join(log)
    answer = served(cloud, environment, loaded, eventually)
    assert set(answer["probabilities"]) <= {"1", "2", "3", "4", "5"}


def served(
    cloud: Cloud,
    environment: Environment,
    loaded: settings.Settings,
    eventually: Callable[..., Any],
) -> dict[str, Any]:
    """What an endpoint answers, its code taken from the artefact as AWS's image takes it."""
    sagemaker, name = cloud.client("sagemaker"), environment.endpoint_name
    model = rollout.create_model("r1", environment, loaded, 1)
    sagemaker.create_model(**model | {"ModelName": name})
    variant = {
        "VariantName": "primary",
        "ModelName": name,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    try:
        eventually(
            lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService",
            240,
        )
        body = cloud.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=name,
            ContentType="application/json",
            Body=json.dumps({"records": [{"review_body": "good"}]}),
        )["Body"]
        (answer,) = json.loads(body.read())["predictions"]
        return answer
    finally:
        sagemaker.delete_endpoint(EndpointName=name)


def packed(cloud: Cloud, environment: Environment) -> set[str]:
    """The files of the artefact."""
    found = cloud.client("s3").get_object(Bucket=environment.data_bucket, Key=places.model("r1"))
    with tarfile.open(fileobj=io.BytesIO(found["Body"].read())) as tar:
        return set(tar.getnames())


def ended(describe: Callable[..., Any], word: str, name: str) -> Any:
    found = describe(**{f"{word}JobName": name})
    return found if found[f"{word}JobStatus"] in ("Completed", "Failed", "Stopped") else None


def test_without_its_environment_the_job_says_what_to_run(own_cloud: Cloud, tmp_path: Path):
    own_cloud.transformer_python = tmp_path / "nothing"
    own_cloud.start()
    own_cloud.client("s3").create_bucket(Bucket="without")
    sagemaker = LocalSageMaker(own_cloud, "without")
    image = "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-training:2.9.0"
    algorithm = {"TrainingImage": image, "TrainingInputMode": "File"}
    found = sagemaker.train("print('hello')", AlgorithmSpecification=algorithm)
    assert found["TrainingJobStatus"] == "Failed"
    assert found["FailureReason"].endswith("Run: make transformer")
