"""Processing jobs: a command over inputs and outputs under /opt/ml/processing.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.jobs import files, images, lifecycle, process
from localcloud.sagemaker.jobs.lifecycle import Job, JobError, config
from localcloud.sagemaker.service import operation
from localcloud.sagemaker.store import now

KIND = lifecycle.KINDS["Processing"]
ROOT = "/opt/ml/"
DAY = 86_400
CONTINUOUS_SECONDS = 2.0


@operation("CreateProcessingJob")
def create_processing_job(request: dict[str, Any]) -> dict[str, Any]:
    for entry in request.get("ProcessingInputs", []):
        if "S3Input" not in entry:
            raise validation("The local SageMaker serves ProcessingInputs of the kind S3Input only")
    for entry in _outputs(request):
        if "S3Output" not in entry:
            raise validation("The local SageMaker serves outputs of the kind S3Output only")
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
    request = job.request
    images.check(request["AppSpecification"]["ImageUri"])
    _download(job)
    _configure(job)
    job.update(ProcessingStartTime=now())
    limit = request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", DAY)
    (job.directory / "output").mkdir(exist_ok=True)
    done = threading.Event()
    uploader = threading.Thread(target=_upload_continuously, args=(job, done), daemon=True)
    uploader.start()
    environment = {
        **images.environment(),
        "SAGEMAKER_BASE_DIR": str(job.directory),
        "PROCESSING_JOB_NAME": job.name,
        **request.get("Environment", {}),
    }
    ended = process.run(job, _command(request), job.directory, environment, limit)
    done.set()
    uploader.join()
    _finish(job, ended)


def _finish(job: Job, ended: process.Ended) -> None:
    message = job.directory / "output" / "message"
    if message.is_file():
        job.update(ExitMessage=message.read_text("utf-8", "replace")[:1024])
    if ended.code and not (ended.stopped or ended.timed_out):
        raise JobError(process.failure(job.directory, ended))
    for entry in _outputs(job.request):
        _upload(job, entry)
    if ended.timed_out:
        reason = "ClientError: the job ran past MaxRuntimeInSeconds"
        job.set_status("Stopped", FailureReason=reason, ProcessingEndTime=now())
    else:
        status = "Stopped" if ended.stopped else "Completed"
        job.set_status(status, ProcessingEndTime=now())


def _download(job: Job) -> None:
    for entry in job.request.get("ProcessingInputs", []):
        source = entry["S3Input"]
        path = local(job.directory, source.get("LocalPath", f"{ROOT}processing/input"))
        files.download(source["S3Uri"], source["S3DataType"], path)
    for entry in _outputs(job.request):
        local(job.directory, entry["S3Output"]["LocalPath"]).mkdir(parents=True, exist_ok=True)


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


def _command(request: dict[str, Any]) -> list[str]:
    application = request["AppSpecification"]
    entry = application.get("ContainerEntrypoint")
    if not entry:
        raise JobError("ClientError: framework images need a ContainerEntrypoint")
    command = [*entry, *application.get("ContainerArguments", [])]
    if command[0] in ("python", "python3"):
        command[0] = str(config().jobs_python)
    return command


def _outputs(request: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = request.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return found


def _upload(job: Job, entry: dict[str, Any]) -> None:
    target = entry["S3Output"]
    files.upload(local(job.directory, target["LocalPath"]), target["S3Uri"])


def _upload_continuously(job: Job, done: threading.Event) -> None:
    """Outputs with S3UploadMode Continuous go while the job runs."""
    wanted = [e for e in _outputs(job.request) if e["S3Output"]["S3UploadMode"] == "Continuous"]
    while wanted and not done.wait(CONTINUOUS_SECONDS):
        for entry in wanted:
            _upload(job, entry)
