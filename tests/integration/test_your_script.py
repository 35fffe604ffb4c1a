"""docs/your-script.md's script, to the letter, trains and serves on the local SageMaker."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import tarfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from roles import ROLE

from chalicelib import settings
from chalicelib.environment import Environment
from chalicelib.model import jobs, rollout
from cli import package, reviews

ROOT = Path(__file__).parents[2]


def documented() -> str:
    """The one Python script of the page."""
    (script,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/your-script.md").read_text(), re.S)
    return script


@pytest.fixture
def environment(cloud: Any, bucket: str) -> Environment:
    """A data bucket with splits, and the code archives with the script among them."""
    s3 = cloud.client("s3")
    rows = pd.DataFrame(reviews.rows(900, seed=3))
    for split, part in (("train", rows[:800]), ("validation", rows[800:])):
        s3.put_object(
            Bucket=bucket,
            Key=f"runs/r1/splits/{split}/{split}.parquet",
            Body=part[["review_body", "star_rating"]].to_parquet(),
        )
    s3.put_object(Bucket=bucket, Key="code/training.tar.gz", Body=packed("stars.py", documented()))
    s3.put_object(
        Bucket=bucket,
        Key="code/inference.tar.gz",
        Body=package.tarball(ROOT / "inference_code"),
    )
    values = {field.name: "" for field in dataclasses.fields(Environment)} | {
        "data_bucket": bucket,
        "code_prefix": f"s3://{bucket}/code",
        "job_role_arn": ROLE,
        "endpoint_name": f"stars-{uuid.uuid4().hex[:8]}",
        "retrain_machine_arn": "arn:aws:states:us-east-1:000000000000:stateMachine:x-retrain",
    }
    return Environment(**values)


def packed(name: str, text: str) -> bytes:
    content, archive = text.encode(), io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def test_the_page_shows_a_script_of_twenty_lines() -> None:
    assert len([line for line in documented().splitlines() if line.strip()]) <= 20


def test_the_documented_script_is_trained_and_served(
    cloud: Any, environment: Environment, eventually: Callable[..., Any]
) -> None:
    configured = settings.parse(
        re.sub(r'entry_point = "train.py"', 'entry_point = "stars.py"', settings.FILE.read_text())
    )
    sagemaker = cloud.client("sagemaker")
    request = jobs.train("r1", environment, configured)
    job = request["TrainingJobName"] = f"{environment.endpoint_name}-train"
    sagemaker.create_training_job(**request)
    trained = eventually(
        lambda: (
            (found := sagemaker.describe_training_job(TrainingJobName=job))["TrainingJobStatus"]
            in ("Completed", "Failed")
            and found
        ),
        120,
    )
    assert trained["TrainingJobStatus"] == "Completed", trained.get("FailureReason")
    measured = {each["MetricName"]: each["Value"] for each in trained["FinalMetricDataList"]}
    assert measured["validation:accuracy"] > 0.5

    model = rollout.create_model("r1", environment, configured, 1)
    model["ModelName"] = environment.endpoint_name
    model["PrimaryContainer"]["ModelDataUrl"] = trained["ModelArtifacts"]["S3ModelArtifacts"]
    sagemaker.create_model(**model)
    config = rollout.create_endpoint_config("r1", environment, configured)
    config["EndpointConfigName"] = environment.endpoint_name
    config["ProductionVariants"][0]["ModelName"] = environment.endpoint_name
    sagemaker.create_endpoint_config(**config)
    name = {"EndpointName": environment.endpoint_name}
    sagemaker.create_endpoint(**name, EndpointConfigName=environment.endpoint_name)
    eventually(lambda: sagemaker.describe_endpoint(**name)["EndpointStatus"] == "InService", 60)
    answer = cloud.client("sagemaker-runtime").invoke_endpoint(
        **name,
        ContentType="application/json",
        Body=json.dumps({"records": [{"review_body": "Love it, works perfectly."}]}),
    )
    (prediction,) = json.loads(answer["Body"].read())["predictions"]
    sagemaker.delete_endpoint(**name)
    assert set(prediction["probabilities"]) == {"1", "2", "3", "4", "5"}
    assert int(prediction["label"]) >= 4
