"""Training jobs: script mode, channels, metrics from the log, model.tar.gz.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
"""

from __future__ import annotations

import re
from typing import Any

from localcloud import ministack_adapter as cloud
from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.jobs import files, images, lifecycle, process, script_mode
from localcloud.sagemaker.jobs.lifecycle import Job, JobError
from localcloud.sagemaker.service import operation
from localcloud.sagemaker.store import now

KIND = lifecycle.KINDS["Training"]
DAY = 86_400
MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}


@operation("CreateTrainingJob")
def create_training_job(request: dict[str, Any]) -> dict[str, Any]:
    algorithm = request["AlgorithmSpecification"]
    if ("TrainingImage" in algorithm) == ("AlgorithmName" in algorithm):
        raise validation("Specify exactly one of TrainingImage and AlgorithmName.")
    if "AlgorithmName" in algorithm:
        raise validation("The local SageMaker runs no algorithm resources: give a TrainingImage.")
    return lifecycle.create(KIND, request, _run)


@operation("DescribeTrainingJob")
def describe_training_job(request: dict[str, Any]) -> dict[str, Any]:
    return lifecycle.describe(KIND, request["TrainingJobName"])


@operation("ListTrainingJobs")
def list_training_jobs(request: dict[str, Any]) -> dict[str, Any]:
    return lifecycle.listed(KIND, request, ("TrainingEndTime",))


@operation("StopTrainingJob")
def stop_training_job(request: dict[str, Any]) -> None:
    lifecycle.stop(KIND, request["TrainingJobName"])


def _run(job: Job) -> None:
    request, base = job.request, job.directory
    _secondary(job, "Starting")
    images.check(request["AlgorithmSpecification"]["TrainingImage"])
    script = script_mode.Script(job)
    _secondary(job, "Downloading")
    for channel in request.get("InputDataConfig", []):
        source = channel["DataSource"].get("S3DataSource")
        if source is None:
            raise JobError("ClientError: the local SageMaker reads channels from S3 only")
        folder = base / "input" / "data" / channel["ChannelName"]
        files.download(source["S3Uri"], source["S3DataType"], folder)
    for name in ("model", "output/data", "checkpoints"):
        (base / name).mkdir(parents=True, exist_ok=True)
    script.fetch()
    _secondary(job, "Training")
    job.update(TrainingStartTime=now())
    metrics = _Metrics(job)
    ended = process.run(
        job,
        script.command(),
        script.folder,
        {**images.environment(), **script.environment(), **request.get("Environment", {})},
        request["StoppingCondition"].get("MaxRuntimeInSeconds", DAY),
        metrics.read,
    )
    if ended.code and not (ended.stopped or ended.timed_out):
        raise JobError(process.failure(base, ended))
    _secondary(job, "Uploading")
    _upload(job)
    _finish(job, ended)


def _finish(job: Job, ended: process.Ended) -> None:
    status, secondary = "Completed", "Completed"
    if ended.timed_out:
        status, secondary = "Stopped", "MaxRuntimeExceeded"
    elif ended.stopped:
        status, secondary = "Stopped", "Stopped"
    moment = now()
    record = lifecycle.describe(KIND, job.name)
    seconds = max(1, round(moment - record["TrainingStartTime"]))
    changes = {
        "SecondaryStatus": secondary,
        "SecondaryStatusTransitions": lifecycle.transition(job, secondary, MESSAGES[secondary]),
        "TrainingEndTime": moment,
        "TrainingTimeInSeconds": seconds,
        "BillableTimeInSeconds": seconds,
    }
    job.set_status(status, **changes)


def _upload(job: Job) -> None:
    """model.tar.gz always; output.tar.gz where the script wrote data."""
    target = f"{job.request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{job.name}/output"
    for folder, name in (("model", "model.tar.gz"), ("output/data", "output.tar.gz")):
        source = job.directory / folder
        if name == "model.tar.gz" or any(source.iterdir()):
            archive = job.directory / name
            files.pack(source, archive)
            files.put_file(archive, f"{target}/{name}")
    job.update(ModelArtifacts={"S3ModelArtifacts": f"{target}/model.tar.gz"})


def _secondary(job: Job, status: str) -> None:
    transitions = lifecycle.transition(job, status, MESSAGES[status])
    if job.stopping.is_set() and status in ("Downloading", "Training"):
        changes = {"SecondaryStatus": "Stopped", "TrainingEndTime": now()}
        job.set_status("Stopped", **changes, SecondaryStatusTransitions=transitions)
        raise JobError("ClientError: stopped before training began")
    record = job.update(SecondaryStatus=status, SecondaryStatusTransitions=transitions)
    lifecycle.announce(KIND, record)


class _Metrics:
    """Values that the job's regular expressions find in its log.

    https://docs.aws.amazon.com/sagemaker/latest/dg/define-train-metrics.html
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._final: dict[str, dict[str, Any]] = {}
        defined = job.request["AlgorithmSpecification"].get("MetricDefinitions", [])
        self._patterns = [(each["Name"], re.compile(each["Regex"])) for each in defined]

    def read(self, line: str) -> None:
        for name, pattern in self._patterns:
            for found in pattern.finditer(line):
                self._take(name, found)

    def _take(self, name: str, found: re.Match[str]) -> None:
        try:
            value = float(found[1])
        except (ValueError, IndexError):
            return  # not a number: SageMaker passes over it
        self._final[name] = {"MetricName": name, "Value": value, "Timestamp": now()}
        self._job.update(FinalMetricDataList=list(self._final.values()))
        cloud.put_metric(
            "/aws/sagemaker/TrainingJobs", name, value, {"TrainingJobName": self._job.name}
        )
