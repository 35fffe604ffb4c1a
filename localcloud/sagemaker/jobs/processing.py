"""Processing jobs: a command over inputs and outputs under /opt/ml/processing.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from localcloud.sagemaker.errors import refuse_unserved, validation
from localcloud.sagemaker.jobs import checks, files, images, lifecycle, process
from localcloud.sagemaker.jobs.lifecycle import Job, JobError
from localcloud.sagemaker.service import operation
from localcloud.sagemaker.store import now

KIND = lifecycle.KINDS["Processing"]
ROOT = "/opt/ml/"
DAY = 86_400
CONTINUOUS_SECONDS = 2.0
MESSAGE_BYTES = 1024


@operation("CreateProcessingJob")
def create_processing_job(request: dict[str, Any]) -> dict[str, Any]:
    refuse_unserved(request, ("ExperimentConfig",))
    checks.cluster(request["ProcessingResources"]["ClusterConfig"])
    for entry in request.get("ProcessingInputs", []):
        if "S3Input" not in entry:
            raise validation("The local SageMaker serves inputs of the kind S3Input only.")
        source = entry["S3Input"]
        checks.source(
            entry["InputName"],
            source["S3DataType"],
            source.get("S3InputMode", "File"),
            source.get("S3CompressionType", "None"),
        )
    for entry in request.get("ProcessingOutputConfig", {}).get("Outputs", []):
        if "S3Output" not in entry:
            raise validation("The local SageMaker serves outputs of the kind S3Output only.")
    for each in (*_inputs(request), *_outputs(request)):
        if "LocalPath" not in each:
            raise validation("LocalPath is required unless AppManaged is true.")
    # https://github.com/aws/sagemaker-python-sdk/issues/4939
    checks.distinct((each["LocalPath"] for each in _inputs(request)), "The LocalPaths of inputs")
    return lifecycle.create(KIND, request, _run)


@operation("DescribeProcessingJob")
def describe_processing_job(request: dict[str, Any]) -> dict[str, Any]:
    return lifecycle.describe(KIND, request["ProcessingJobName"])


@operation("ListProcessingJobs")
def list_processing_jobs(request: dict[str, Any]) -> dict[str, Any]:
    return lifecycle.listed(KIND, request, ("ProcessingEndTime", "FailureReason", "ExitMessage"))


@operation("StopProcessingJob")
def stop_processing_job(request: dict[str, Any]) -> None:
    lifecycle.stop(KIND, request["ProcessingJobName"])


def _run(job: Job) -> None:
    python = images.python(job.request["AppSpecification"]["ImageUri"])
    execute(job, python, _command(job.request, python))


def execute(
    job: Job, python: Path, command: list[str], publish: Callable[[], None] = lambda: None
) -> None:
    """Bring the inputs, run a command, take the outputs away, publish: then the job has ended."""
    request = job.request
    _download(job)
    _configure(job)
    limit = request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DAY)
    isolated = request.get("NetworkConfig", {}).get("EnableNetworkIsolation", False)
    environment = {
        **images.environment(python, isolated, job.role),
        "PROCESSING_JOB_NAME": job.name,
        **request.get("Environment", {}),
    }
    if job.stopping.is_set():
        raise lifecycle.JobStoppedError
    job.update(ProcessingStartTime=now())
    done = threading.Event()
    ours = contextvars.copy_context()
    uploader = threading.Thread(
        target=ours.run, args=(_upload_continuously, job, done), daemon=True
    )
    uploader.start()
    try:
        ended = process.run(job, command, job.directory, environment, limit)
    finally:
        done.set()
        uploader.join()
    _finish(job, ended, publish)


def _finish(job: Job, ended: process.Ended, publish: Callable[[], None]) -> None:
    _tell_exit_message(job)
    if ended.code and not ended.stopped:
        raise JobError(process.failure(job.directory, ended))
    for target in _outputs(job.request):
        _upload(job, target)
    publish()
    if ended.timed_out:
        job.end("Stopped", reason="ClientError: the job ran past MaxRuntimeInSeconds")
    else:
        job.end("Stopped" if ended.stopped else "Completed")


def _tell_exit_message(job: Job) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/byoc-metadata.html"""
    path = job.directory / "output" / "message"
    if not path.is_file():
        return
    try:
        path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise JobError(f"ClientError: /opt/ml/output/message is not UTF-8: {error}") from error
    job.update(ExitMessage=path.read_bytes()[:MESSAGE_BYTES].decode("utf-8", "ignore"))


def _download(job: Job) -> None:
    for source in _inputs(job.request):
        path = local(job.directory, source["LocalPath"])
        files.download(source["S3Uri"], source["S3DataType"], path)
    for target in _outputs(job.request):
        local(job.directory, target["LocalPath"]).mkdir(parents=True, exist_ok=True)
    (job.directory / "output").mkdir(exist_ok=True)


def local(base: Path, path: str) -> Path:
    """A path of the container, under the job's own directory."""
    if not path.startswith(ROOT) or ".." in path.split("/"):
        raise JobError(f"ClientError: LocalPath {path} must lie under {ROOT}")
    return base / path.removeprefix(ROOT)


def _configure(job: Job) -> None:
    """config/processingjobconfig.json and config/resourceconfig.json, as in the container."""
    folder = job.directory / "config"
    folder.mkdir(exist_ok=True)
    described = lifecycle.describe(KIND, job.name)
    (folder / "processingjobconfig.json").write_text(json.dumps(described))
    hosts = {"current_host": "algo-1", "hosts": ["algo-1"]}
    (folder / "resourceconfig.json").write_text(json.dumps(hosts))


def _command(request: dict[str, Any], python: Path) -> list[str]:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/byoc-run-image.html"""
    application = request["AppSpecification"]
    entry = application.get("ContainerEntrypoint")
    if not entry:
        raise JobError("ClientError: framework images need a ContainerEntrypoint")
    command = [*entry, *application.get("ContainerArguments", [])]
    if command[0] in ("python", "python3"):
        command[0] = str(python)
    return command


def _inputs(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What is fetched for the job; inputs with AppManaged it fetches itself."""
    for entry in request.get("ProcessingInputs", []):
        if not entry.get("AppManaged"):
            yield entry["S3Input"]


def _outputs(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What is uploaded for the job; outputs with AppManaged it uploads itself."""
    for entry in request.get("ProcessingOutputConfig", {}).get("Outputs", []):
        if not entry.get("AppManaged"):
            yield entry["S3Output"]


def _upload(job: Job, target: dict[str, Any]) -> None:
    files.upload(local(job.directory, target["LocalPath"]), target["S3Uri"])


def _upload_continuously(job: Job, done: threading.Event) -> None:
    """Outputs with S3UploadMode Continuous go while the job runs; a failure shows at its end."""
    wanted = [each for each in _outputs(job.request) if each["S3UploadMode"] == "Continuous"]
    while wanted and not done.wait(CONTINUOUS_SECONDS):
        for target in wanted:
            with contextlib.suppress(JobError):
                _upload(job, target)
