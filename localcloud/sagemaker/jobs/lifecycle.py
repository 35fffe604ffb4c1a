"""What all kinds of jobs share: records, statuses with their events, threads, stopping.

A record's members that begin with `_` are ours and are never shown.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud import ministack_adapter as cloud
from localcloud.config import CloudConfig
from localcloud.sagemaker import names, tags
from localcloud.sagemaker.errors import in_use, not_found, validation
from localcloud.sagemaker.store import Record, now, store

log = logging.getLogger(__name__)
ENDED = ("Completed", "Failed", "Stopped")
_config: list[CloudConfig] = []


class JobError(Exception):
    """The job has failed; the words are its FailureReason."""


@dataclass(frozen=True)
class Kind:
    """One kind of job: the names of its members."""

    word: str  # Training | Processing | Transform

    @property
    def name(self) -> str:
        return f"{self.word}JobName"

    @property
    def status(self) -> str:
        return f"{self.word}JobStatus"

    @property
    def arn(self) -> str:
        return f"{self.word}JobArn"

    @property
    def store(self) -> str:
        return f"{self.word.lower()}_job"

    @property
    def group(self) -> str:
        """https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html"""
        return f"/aws/sagemaker/{self.word}Jobs"


@dataclass
class Job:
    """A job under way."""

    kind: Kind
    request: dict[str, Any]
    directory: Path
    stopping: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    @property
    def name(self) -> str:
        return str(self.request[self.kind.name])

    def update(self, **changes: Any) -> Record:
        return store.update(self.kind.store, self.name, LastModifiedTime=now(), **changes)

    def set_status(self, status: str, **changes: Any) -> None:
        """Change the status, and tell EventBridge."""
        record = self.update(**{self.kind.status: status}, **changes)
        announce(self.kind, record)


KINDS = {word: Kind(word) for word in ("Training", "Processing", "Transform")}
_jobs: dict[tuple[str, str], Job] = {}


def configure(config: CloudConfig) -> None:
    _config[:] = [config]
    shutil.rmtree(config.state / "jobs", ignore_errors=True)


def config() -> CloudConfig:
    return _config[0]


def create(kind: Kind, request: dict[str, Any], run: Callable[[Job], None]) -> dict[str, Any]:
    """Write the record and run the job in a thread; answers its ARN."""
    name = request[kind.name]
    arn = names.arn(f"{kind.word.lower()}-job", name)
    kept = {key: value for key, value in request.items() if key != "Tags"}
    record = {**kept, kind.arn: arn, kind.status: "InProgress", "CreationTime": now()}
    record["LastModifiedTime"] = record["CreationTime"]
    if not store.add(kind.store, name, record):
        raise in_use(f"Job name must be unique within an AWS account and region, and a "
                     f"{kind.word.lower()} job with this name already exists ({arn})")  # fmt: skip
    tags.tag(arn, request.get("Tags", []))
    job = Job(kind, request, config().state / "jobs" / f"{kind.word.lower()}-{name}")
    _jobs[kind.word, name] = job
    announce(kind, record)
    job.thread = threading.Thread(target=_run, args=(job, run), name=f"job {name}", daemon=True)
    job.thread.start()
    return {kind.arn: arn}


def describe(kind: Kind, name: str) -> Record:
    found = store.get(kind.store, name)
    if found is None:
        code = "Requested resource not found."
        raise (
            validation(code)
            if kind.word == "Training"
            else not_found(f"Could not find {kind.word.lower()} job {name}.")
        )
    return {key: value for key, value in found.items() if not key.startswith("_")}


def listed(kind: Kind, request: dict[str, Any], times: tuple[str, ...]) -> dict[str, Any]:
    wanted = (kind.name, kind.arn, kind.status, "CreationTime", "LastModifiedTime", *times)
    return names.page(
        store.values(kind.store),
        request,
        f"{kind.word}JobSummaries",
        lambda record: {member: record[member] for member in wanted if member in record},
        kind.name,
        kind.status,
    )


def stop(kind: Kind, name: str) -> None:
    """Ask a job to stop; one that has ended refuses."""
    record = describe(kind, name)
    status = record[kind.status]
    if status in ENDED:
        raise validation(
            f"The request was rejected because the {kind.word.lower()} job is in status {status}."
        )
    job = _jobs.get((kind.word, name))
    if job is not None and status == "InProgress":
        job.set_status("Stopping")
        job.stopping.set()


def announce(kind: Kind, record: Record) -> None:
    """The job's state change, as Describe shows it.

    https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
    """
    detail = {key: value for key, value in record.items() if not key.startswith("_")}
    for member, value in detail.items():
        if member.endswith("Time") and isinstance(value, float):
            detail[member] = int(value * 1000)
    cloud.put_event(
        "aws.sagemaker", f"SageMaker {kind.word} Job State Change", detail, [record[kind.arn]]
    )


def _run(job: Job, run: Callable[[Job], None]) -> None:
    try:
        job.directory.mkdir(parents=True, exist_ok=True)
        run(job)
    except JobError as error:
        _end(job, str(error))
    except Exception as error:
        log.exception("job %s", job.name)
        _end(job, f"InternalServerError: the local SageMaker failed: {error!r}")
    finally:
        _jobs.pop((job.kind.word, job.name), None)
        shutil.rmtree(job.directory, ignore_errors=True)


def _end(job: Job, reason: str) -> None:
    end_time = f"{job.kind.word}EndTime"
    changes: dict[str, Any] = {"FailureReason": reason[:1024], end_time: now()}
    if job.kind.word == "Training":
        changes["SecondaryStatus"] = "Failed"
        changes["SecondaryStatusTransitions"] = transition(job, "Failed", reason[:1024])
    job.set_status("Failed", **changes)


def transition(job: Job, status: str, message: str) -> list[dict[str, Any]]:
    """The secondary statuses so far, the last one ended, and this one."""
    record = store.get(job.kind.store, job.name) or {}
    found: list[dict[str, Any]] = record.get("SecondaryStatusTransitions", [])
    moment = now()
    if found:
        found[-1]["EndTime"] = moment
    entry = {"Status": status, "StartTime": moment, "StatusMessage": message}
    if status in (*ENDED, "MaxRuntimeExceeded"):
        entry["EndTime"] = moment
    return [*found, entry]


def close_orphans() -> None:
    """Jobs of a cloud that was stopped or killed: their processes end, they have failed."""
    for kind in KINDS.values():
        for record in store.values(kind.store):
            if record[kind.status] in ENDED:
                continue
            _kill(record.get("_group"))
            changes = {
                kind.status: "Failed",
                "FailureReason": "InternalServerError: the local cloud was stopped",
                "LastModifiedTime": now(),
            }
            if kind.word == "Training":
                changes["SecondaryStatus"] = "Failed"
            store.update(kind.store, record[kind.name], **changes)


def stop_all() -> None:
    """The cloud stops: no job outlives it."""
    for job in list(_jobs.values()):
        _kill((store.get(job.kind.store, job.name) or {}).get("_group"))


def _kill(group: int | None) -> None:
    if group:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
