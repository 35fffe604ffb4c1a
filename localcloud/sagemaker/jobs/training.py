"""Training jobs: script mode, channels, metrics from the log, model.tar.gz.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import Any

from localcloud.sagemaker.errors import refuse_unserved, validation
from localcloud.sagemaker.jobs import (
    checkpoints,
    checks,
    files,
    images,
    lifecycle,
    metrics,
    process,
    script_mode,
    secondary,
    spot,
)
from localcloud.sagemaker.jobs.checkpoints import Checkpoints
from localcloud.sagemaker.jobs.lifecycle import Job, JobError
from localcloud.sagemaker.service import operation
from localcloud.sagemaker.store import now

KIND = lifecycle.KINDS["Training"]
DAY = 86_400
LAST_LINES = 10  # of the log, in the reason of a failure
UNSERVED = (
    "DebugHookConfig", "DebugRuleConfigurations", "ExperimentConfig", "MlflowConfig",
    "ModelPackageConfig", "ProfilerRuleConfigurations", "RemoteDebugConfig", "RetryStrategy",
    "ServerlessJobConfig", "SessionChainingConfig", "TensorBoardOutputConfig",
)  # fmt: skip


@operation("CreateTrainingJob")
def create_training_job(request: dict[str, Any]) -> dict[str, Any]:
    check(request)
    return create(request)


def check(request: dict[str, Any]) -> None:
    """Refuse what AWS refuses, and what is not served here."""
    refuse_unserved(request, UNSERVED)
    for member in ("AlgorithmSpecification", "ResourceConfig", "StoppingCondition"):
        if member not in request:
            raise validation(f"{member} is required for a training job on instances.")
    _check_algorithm(request["AlgorithmSpecification"])
    checks.cluster(request["ResourceConfig"])
    spot.check(request, DAY)
    checkpoints.check(request.get("CheckpointConfig"))
    if request["OutputDataConfig"].get("CompressionType") == "NONE":
        raise validation("The local SageMaker writes models as model.tar.gz: use GZIP.")
    channels = request.get("InputDataConfig", [])
    checks.distinct((each["ChannelName"] for each in channels), "The names of channels")
    for channel in channels:
        _check_channel(channel, request["AlgorithmSpecification"])


def create(
    request: dict[str, Any], hear: metrics.Hear | None = None, **more: Any
) -> dict[str, Any]:
    """Start a job that was checked; `hear` is told each metric's values, `more` goes on record."""
    artifacts = {"ModelArtifacts": {"S3ModelArtifacts": f"{_target(request)}/model.tar.gz"}}
    begun = secondary.entered({}, "Starting")
    return lifecycle.create(KIND, request, partial(_run, hear=hear), **artifacts, **begun, **more)


@operation("DescribeTrainingJob")
def describe_training_job(request: dict[str, Any]) -> dict[str, Any]:
    return lifecycle.describe(KIND, request["TrainingJobName"])


@operation("ListTrainingJobs")
def list_training_jobs(request: dict[str, Any]) -> dict[str, Any]:
    refuse_unserved(request, ("WarmPoolStatusEquals", "TrainingPlanArnEquals"))
    return lifecycle.listed(KIND, request, ("TrainingEndTime", "SecondaryStatus"))


@operation("StopTrainingJob")
def stop_training_job(request: dict[str, Any]) -> None:
    lifecycle.stop(KIND, request["TrainingJobName"])


def _check_algorithm(algorithm: dict[str, Any]) -> None:
    if ("TrainingImage" in algorithm) == ("AlgorithmName" in algorithm):
        raise validation("Specify exactly one of TrainingImage and AlgorithmName.")
    refuse_unserved(
        algorithm,
        ("AlgorithmName", "ContainerEntrypoint", "ContainerArguments", "TrainingImageConfig"),
        "AlgorithmSpecification.",
    )
    metrics.check(algorithm.get("MetricDefinitions", []))


def _check_channel(channel: dict[str, Any], algorithm: dict[str, Any]) -> None:
    name = channel["ChannelName"]
    source = channel["DataSource"].get("S3DataSource")
    if source is None:
        raise validation(f"The local SageMaker reads channels from S3 only; see {name}.")
    mode = channel.get("InputMode") or algorithm["TrainingInputMode"]
    checks.source(name, source["S3DataType"], mode, channel.get("CompressionType", "None"))
    refuse_unserved(channel, ("ShuffleConfig",), f"{name}.")
    refuse_unserved(source, ("AttributeNames", "InstanceGroupNames", "ModelAccessConfig",
                             "HubAccessConfig"), f"{name}.")  # fmt: skip


def _run(job: Job, hear: metrics.Hear | None) -> None:
    request, base = job.request, job.directory
    python = images.python(request["AlgorithmSpecification"]["TrainingImage"])
    script = script_mode.Script(job, python)
    job.enter("Downloading")
    for channel in request.get("InputDataConfig", []):
        source = channel["DataSource"]["S3DataSource"]
        folder = base / "input" / "data" / channel["ChannelName"]
        files.download(source["S3Uri"], source["S3DataType"], folder)
    for name in ("model", "output/data"):
        (base / name).mkdir(parents=True, exist_ok=True)
    script.fetch()
    job.update(TrainingStartTime=now())
    job.enter("Training")
    isolated = request.get("EnableNetworkIsolation", False)
    defined = request["AlgorithmSpecification"].get("MetricDefinitions", [])
    values = metrics.Metrics(job, defined, hear)
    last_lines: deque[str] = deque(maxlen=LAST_LINES)

    def read(line: str) -> None:
        last_lines.append(line)
        values.read(line)

    with Checkpoints(job):
        ended = process.run(
            job,
            script.command(),
            script.folder,
            images.environment(python, isolated, job.role)
            | script.environment()
            | request.get("Environment", {}),
            request["StoppingCondition"].get("MaxRuntimeInSeconds", DAY),
            read,
        )
    if ended.code and not ended.stopped:
        raise JobError(process.failure(base, ended, script.error(ended.code, last_lines)))
    job.enter("Uploading")
    _upload(job)
    if ended.timed_out:
        job.end("Stopped", "MaxRuntimeExceeded")
    else:
        job.end("Stopped" if ended.stopped else "Completed")


def _target(request: dict[str, Any]) -> str:
    path = request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
    return f"{path}/{request['TrainingJobName']}/output"


def _upload(job: Job) -> None:
    """model.tar.gz always; output.tar.gz where the script wrote data."""
    for folder, name in (("model", "model.tar.gz"), ("output/data", "output.tar.gz")):
        source = job.directory / folder
        if name == "model.tar.gz" or any(source.iterdir()):
            archive = job.directory / name
            files.pack(source, archive)
            files.put_file(archive, f"{_target(job.request)}/{name}")
