"""State machines that run SageMaker's jobs and wait for them.

https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from local_sagemaker import LocalSageMaker, until

pytestmark = pytest.mark.cloud


def ended(it: LocalSageMaker, execution: str) -> dict[str, Any]:
    states = it.cloud.client("stepfunctions")

    def look() -> dict[str, Any] | None:
        found = states.describe_execution(executionArn=execution)
        return None if found["status"] == "RUNNING" else found

    return dict(until(look))


def test_the_jobs_description_is_the_output_with_times_in_milliseconds(sagemaker):
    request = sagemaker.training("print('fine')")
    found = ended(sagemaker, sagemaker.execution("Training", request))
    assert found["status"] == "SUCCEEDED"
    output = json.loads(found["output"])
    job = sagemaker.describe("Training", request["TrainingJobName"])
    assert output["TrainingJobStatus"] == "Completed"
    assert output["ModelArtifacts"] == job["ModelArtifacts"]
    assert output["TrainingEndTime"] == int(job["TrainingEndTime"].timestamp() * 1000)


@pytest.mark.parametrize("kind", ["Training", "Processing"])
def test_a_failed_job_fails_the_task_with_its_description(sagemaker, kind):
    request = getattr(sagemaker, kind.lower())("raise SystemExit(3)")
    found = ended(sagemaker, sagemaker.execution(kind, request))
    assert (found["status"], found["error"]) == ("FAILED", "States.TaskFailed")
    cause = json.loads(found["cause"])
    assert cause[f"{kind}JobName"] == request[f"{kind}JobName"]
    assert cause["FailureReason"].endswith("exit code: 3")


def test_a_job_that_is_refused_fails_the_task_in_the_services_words(sagemaker):
    request = sagemaker.training("print('never runs')", RoleArn="nobody")
    found = ended(sagemaker, sagemaker.execution("Training", request))
    assert (found["status"], found["error"]) == ("FAILED", "SageMaker.AmazonSageMakerException")
    assert "Error Code: ValidationException" in found["cause"]
    assert "'roleArn'" in found["cause"]


def test_the_job_of_an_aborted_execution_is_stopped(sagemaker):
    request = sagemaker.training("import time; print('ready', flush=True); time.sleep(600)")
    execution = sagemaker.execution("Training", request)
    until(lambda: "ready" in sagemaker.log("Training", request["TrainingJobName"]))
    sagemaker.cloud.client("stepfunctions").stop_execution(executionArn=execution)
    assert ended(sagemaker, execution)["status"] == "ABORTED"
    job = sagemaker.end("Training", request["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Stopped"
