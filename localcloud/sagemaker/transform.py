"""Batch transform: a model's process over every object of a prefix.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html
"""

from __future__ import annotations

import time
from typing import Any

from localcloud.sagemaker import models
from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.hosting.serving import Server, ServingError
from localcloud.sagemaker.jobs import files, lifecycle
from localcloud.sagemaker.jobs.lifecycle import Job, JobError
from localcloud.sagemaker.service import operation
from localcloud.sagemaker.store import now

KIND = lifecycle.KINDS["Transform"]


@operation("CreateTransformJob")
def create_transform_job(request: dict[str, Any]) -> dict[str, Any]:
    models.find(request["ModelName"])
    if "DataProcessing" in request:
        raise validation("The local SageMaker does not serve DataProcessing.")
    if request["TransformInput"].get("CompressionType", "None") != "None":
        raise validation("The local SageMaker transforms objects that are not compressed.")
    return lifecycle.create(KIND, request, _run)


@operation("DescribeTransformJob")
def describe_transform_job(request: dict[str, Any]) -> dict[str, Any]:
    return lifecycle.describe(KIND, request["TransformJobName"])


@operation("ListTransformJobs")
def list_transform_jobs(request: dict[str, Any]) -> dict[str, Any]:
    return lifecycle.listed(KIND, request, ("TransformEndTime", "FailureReason"))


@operation("StopTransformJob")
def stop_transform_job(request: dict[str, Any]) -> None:
    lifecycle.stop(KIND, request["TransformJobName"])


def _run(job: Job) -> None:
    source = job.request["TransformInput"]["DataSource"]["S3DataSource"]
    inputs = job.directory / "in"
    files.download(source["S3Uri"], source["S3DataType"], inputs)
    model = models.find(job.request["ModelName"])
    server = Server(model, KIND.group, f"{job.name}/algo-1-{int(time.time())}")
    job.update(TransformStartTime=now())
    try:
        server.start()
        for path in sorted(each for each in inputs.rglob("*") if each.is_file()):
            if job.stopping.is_set():
                break
            name = path.relative_to(inputs).as_posix()
            target = job.directory / "out" / f"{name}.out"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_transformed(job, server, name, path.read_bytes()))
    except ServingError as error:
        raise JobError(str(error)) from error
    finally:
        server.stop()
    files.upload(job.directory / "out", job.request["TransformOutput"]["S3OutputPath"])
    status = "Stopped" if job.stopping.is_set() else "Completed"
    job.set_status(status, TransformEndTime=now())


def _transformed(job: Job, server: Server, name: str, content: bytes) -> bytes:
    """One object's answer: in one call, or line by line; joined as AssembleWith says."""
    given, wanted = job.request["TransformInput"], job.request["TransformOutput"]
    by_line = given.get("SplitType", "None") == "Line"
    single = job.request.get("BatchStrategy") == "SingleRecord"
    parts = content.splitlines() if by_line and single else [content]
    headers = {
        "Content-Type": given.get("ContentType", "application/octet-stream"),
        "Accept": wanted.get("Accept", "*/*"),
    }
    answers = []
    for part in parts:
        status, _, answer = server.invoke(part, headers)
        if status >= 400:
            told = answer.decode("utf-8", "replace").splitlines()
            raise JobError(f"ClientError: {name}: the model answered {status}: {told[:1]}")
        answers.append(answer)
    between = b"\n" if wanted.get("AssembleWith") == "Line" else b""
    return b"".join(answer + between for answer in answers)
