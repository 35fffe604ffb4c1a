"""Batch transform: a model's process over every object of a prefix.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

from localcloud.sagemaker import data_processing, models, roles
from localcloud.sagemaker.data_processing import DataProcessing, DataProcessingError
from localcloud.sagemaker.errors import ApiError, refuse_unserved, validation
from localcloud.sagemaker.hosting.serving import Server, ServingError
from localcloud.sagemaker.jobs import files, lifecycle
from localcloud.sagemaker.jobs.lifecycle import Job, JobError
from localcloud.sagemaker.jobs.output import Log
from localcloud.sagemaker.service import operation
from localcloud.sagemaker.store import now

KIND = lifecycle.KINDS["Transform"]
MEBIBYTE = 1024 * 1024
PAYLOAD_MB = 6  # unless the request has a MaxPayloadInMB
INVOKE_SECONDS = 600  # unless it has an InvocationsTimeoutInSeconds


@operation("CreateTransformJob")
def create_transform_job(request: dict[str, Any]) -> dict[str, Any]:
    refuse_unserved(request, ("DataCaptureConfig", "ExperimentConfig"))
    models.find(request["ModelName"])
    given = request["TransformInput"]
    if given.get("CompressionType", "None") != "None":
        raise validation("The local SageMaker transforms objects that are not compressed.")
    if given.get("SplitType", "None") not in ("None", "Line"):
        raise validation("The local SageMaker splits by Line, or not at all.")
    if given["DataSource"]["S3DataSource"]["S3DataType"] == "AugmentedManifestFile":
        raise validation("Batch transform takes no AugmentedManifestFile.")
    data_processing.of(request)
    return lifecycle.create(KIND, request, _run)


@operation("DescribeTransformJob")
def describe_transform_job(request: dict[str, Any]) -> dict[str, Any]:
    return lifecycle.describe(KIND, request["TransformJobName"])


@operation("ListTransformJobs")
def list_transform_jobs(request: dict[str, Any]) -> dict[str, Any]:
    return lifecycle.listed(KIND, request, ("TransformEndTime", "FailureReason"), "Descending")


@operation("StopTransformJob")
def stop_transform_job(request: dict[str, Any]) -> None:
    lifecycle.stop(KIND, request["TransformJobName"])


def _run(job: Job) -> None:
    source = job.request["TransformInput"]["DataSource"]["S3DataSource"]
    inputs = job.directory / "in"
    server, processing = _server(job), data_processing.of(job.request)
    with roles.acting_as(server.role):
        files.download(source["S3Uri"], source["S3DataType"], inputs)
    job.update(TransformStartTime=now())
    try:
        server.start()
        for path in sorted(each for each in inputs.rglob("*") if each.is_file()):
            if job.stopping.is_set():
                break
            name = path.relative_to(inputs).as_posix()
            target = job.directory / "out" / f"{name}.out"
            target.parent.mkdir(parents=True, exist_ok=True)
            content = path.read_bytes()
            target.write_bytes(_transformed(job, server, name, content, processing))
    except ServingError as error:
        raise JobError(f"ClientError: {error}") from error
    finally:
        server.stop()
    with roles.acting_as(server.role):
        files.upload(job.directory / "out", job.request["TransformOutput"]["S3OutputPath"])
    job.end("Stopped" if job.stopping.is_set() else "Completed")


def _server(job: Job) -> Server:
    try:
        model = models.find(job.request["ModelName"])
    except ApiError as error:
        raise JobError(f"ClientError: {error.message}") from error
    log = Log(KIND.group, f"{job.name}/i-{uuid.uuid4().hex[:17]}")
    environment = {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(_payload_mb(job.request)),
        **job.request.get("Environment", {}),
    }
    return Server(model, log, f"the transform job {job.name}", environment)


def _payload_mb(request: dict[str, Any]) -> int:
    return int(request.get("MaxPayloadInMB", PAYLOAD_MB))


def _transformed(
    job: Job, server: Server, name: str, content: bytes, processing: DataProcessing
) -> bytes:
    """One object's answer, of as many calls as its split takes, joined as AssembleWith says."""
    wanted = job.request["TransformOutput"]
    headers = {
        "Content-Type": job.request["TransformInput"].get(
            "ContentType", "application/octet-stream"
        ),
        "Accept": wanted.get("Accept", "*/*"),
    }
    client = job.request.get("ModelClientConfig", {})
    seconds = client.get("InvocationsTimeoutInSeconds", INVOKE_SECONDS)
    most = _payload_mb(job.request) * MEBIBYTE
    answers = []
    try:
        for records, payload in payloads(job.request, content, most, processing.sent):
            if most and len(payload) > most:
                raise JobError(f"ClientError: {name}: a record is larger than MaxPayloadInMB")
            answer = server.invoke(payload, headers, seconds)
            if not answer.good:
                told = answer.content.decode("utf-8", "replace").splitlines()
                words = f"the model answered {answer.status}: {told[:1]}"
                raise JobError(f"ClientError: {name}: {words}")
            answers.append(processing.kept(records, answer.content))
            if job.stopping.is_set():
                break
    except DataProcessingError as error:
        raise JobError(f"ClientError: {name}: {error}") from error
    between = b"\n" if wanted.get("AssembleWith") == "Line" else b""
    return b"".join(answer + between for answer in answers)


def payloads(
    request: dict[str, Any], content: bytes, most: int, sent: Callable[[bytes], bytes]
) -> Iterator[tuple[list[bytes], bytes]]:
    """What is sent at once, with its records: all, one, or as many as `most` bytes hold."""
    split = request["TransformInput"].get("SplitType", "None") == "Line"
    records = content.splitlines() if split else [content]
    single = not split or request.get("BatchStrategy") == "SingleRecord"
    batch: list[bytes] = []
    lines: list[bytes] = []
    size = 0
    for record in records:
        line = sent(record)
        if batch and (single or (most and size + len(line) + 1 > most)):
            yield batch, b"\n".join(lines)
            batch, lines, size = [], [], 0
        batch.append(record)
        lines.append(line)
        size += len(line) + 1
    if batch:
        yield batch, b"\n".join(lines)
