"""What all kinds of jobs share: records, statuses with their events, threads, stopping, the end.

A record's members that begin with `_` are ours and are never shown.
"""

from __future__ import annotations

import logging
import re
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud import ministack_adapter as cloud
from localcloud.config import CloudConfig
from localcloud.sagemaker import names, quotas, roles, tags
from localcloud.sagemaker.errors import in_use, not_found, validation
from localcloud.sagemaker.jobs import processes, secondary
from localcloud.sagemaker.jobs.output import Log
from localcloud.sagemaker.store import Record, now, store

log = logging.getLogger(__name__)
ENDED = ("Completed", "Failed", "Stopped")
REASON_LIMIT = 1024  # characters of a FailureReason
CUT_OFF = "InternalServerError: the local cloud was stopped while the job was under way"
END_SECONDS = 5.0
_config: list[CloudConfig] = []


class JobError(Exception):
    """The job has failed; the words are its FailureReason."""


class JobStoppedError(Exception):
    """The job was stopped before its process began."""


@dataclass(frozen=True)
class Kind:
    """One kind of job: the names of its members."""

    word: str  # Training | Processing | Transform | HyperParameterTuning

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
    def end_time(self) -> str:
        return f"{self.word}EndTime"

    @property
    def store(self) -> str:
        return f"{self.word.lower()}_job"

    @property
    def hyphened(self) -> str:
        """As ARNs and messages have it."""
        return re.sub("(?<!^)(?=[A-Z])", "-", self.word).lower()

    @property
    def event(self) -> str:
        """The detail type of its events."""
        return f"SageMaker {self.word.replace('Tuning', ' Tuning')} Job State Change"

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
    log: Log
    stopping: threading.Event = field(default_factory=threading.Event)
    cut_off: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    @property
    def name(self) -> str:
        return str(self.request[self.kind.name])

    @property
    def role(self) -> str:
        """Whose permissions it has; a transform job has its model's."""
        return str(self.request.get("RoleArn", ""))

    def update(self, **changes: Any) -> Record:
        """Write members of the record."""
        return store.update(self.kind.store, self.name, LastModifiedTime=now(), **changes)

    def enter(self, status: str) -> None:
        """A secondary status of a training job; JobStoppedError where it should not go on."""
        with store.lock:
            if self.stopping.is_set() and status not in secondary.AFTER_STOP:
                raise JobStoppedError
            record = self.update(**self._secondary(status))
        announce(self.kind, record)

    def begin_stopping(self) -> None:
        """The job goes on only as far as it takes to end in order."""
        with store.lock:
            record = store.get(self.kind.store, self.name) or {}
            if record[self.kind.status] != "InProgress":
                return
            self.stopping.set()
            record = self.update(**{self.kind.status: "Stopping"}, **self._secondary("Stopping"))
        announce(self.kind, record)

    def end(self, status: str, secondary_status: str = "", reason: str = "") -> None:
        """The one end of a job. A job that is cut off ends when the cloud is back."""
        with store.lock:
            if self.cut_off.is_set():
                return
            changes = ending(self.kind, self._record(), status, reason, secondary_status)
            record = self.update(**changes)
        announce(self.kind, record)

    def _record(self) -> Record:
        return store.get(self.kind.store, self.name) or {}

    def _secondary(self, status: str) -> dict[str, Any]:
        return secondary.entered(self._record(), status) if self.kind.word == "Training" else {}


KINDS = {
    word: Kind(word) for word in ("Training", "Processing", "Transform", "HyperParameterTuning")
}
_jobs: dict[tuple[str, str], Job] = {}
_closed: list[tuple[Kind, Record]] = []


def configure(config: CloudConfig) -> None:
    """Take the configuration; end what a cloud that was killed has left running."""
    _config[:] = [config]
    processes.end_all(config.state / "jobs")
    shutil.rmtree(config.state / "jobs", ignore_errors=True)


def config() -> CloudConfig:
    return _config[0]


def create(
    kind: Kind, request: dict[str, Any], run: Callable[[Job], None], **initial: Any
) -> dict[str, Any]:
    """Write the record and run the job in a thread; answers its ARN."""
    name = request[kind.name]
    arn = names.arn(f"{kind.hyphened}-job", name)
    kept = {key: value for key, value in request.items() if key != "Tags"}
    record = {**kept, **initial, kind.arn: arn, kind.status: "InProgress", "CreationTime": now()}
    record["LastModifiedTime"] = record["CreationTime"]
    with store.lock:
        running = [r for r in store.values(kind.store) if r[kind.status] not in ENDED]
        quotas.check(kind.word, record, running)
        if not store.add(kind.store, name, record):
            raise in_use(
                "Job name must be unique within an AWS account and region, and a "
                f"{kind.hyphened} job with this name already exists ({arn})"
            )
    tags.tag(arn, request.get("Tags", []))
    stream = Log(kind.group, f"{name}/algo-1-{int(time.time())}")
    job = Job(kind, request, config().state / "jobs" / f"{kind.hyphened}-{name}", stream)
    _jobs[kind.word, name] = job
    announce(kind, record)
    job.thread = threading.Thread(target=_run, args=(job, run), name=f"job {name}", daemon=True)
    job.thread.start()
    return {kind.arn: arn}


def describe(kind: Kind, name: str) -> Record:
    """The record as Describe shows it; an unknown training job is what AWS calls invalid."""
    found = store.get(kind.store, name)
    if found is not None:
        return shown(kind, found)
    if kind.word == "Training":  # https://github.com/aws/sagemaker-python-sdk/issues/326
        raise validation("Requested resource not found.")
    raise not_found(f"Could not find {kind.hyphened} job {name}.")


def listed(
    kind: Kind, request: dict[str, Any], members: tuple[str, ...], order: str = "Ascending"
) -> dict[str, Any]:
    """A page of summaries; `members` are those that only this kind has."""
    wanted = (kind.name, kind.arn, kind.status, "CreationTime", "LastModifiedTime", *members)
    return names.page(
        store.values(kind.store),
        request,
        f"{kind.word}JobSummaries",
        lambda record: {member: record[member] for member in wanted if member in record},
        kind.name,
        kind.status,
        order,
    )


def stop(kind: Kind, name: str) -> None:
    """Ask a job to stop; one that has ended refuses, one that is stopping goes on with that."""
    status = describe(kind, name)[kind.status]
    if status in ENDED:
        raise validation(
            f"The request was rejected because the {kind.hyphened} job is in status {status}."
        )
    if job := _jobs.get((kind.word, name)):
        job.begin_stopping()


def announce(kind: Kind, record: Record) -> None:
    """The job's state change, as Describe shows it, times in milliseconds.

    https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
    """
    detail = shown(kind, record)
    for member, value in detail.items():
        if member.endswith("Time") and isinstance(value, float):
            detail[member] = int(value * 1000)
    cloud.put_event("aws.sagemaker", kind.event, detail, [record[kind.arn]])


def shown(kind: Kind, record: Record) -> Record:
    """As Describe has it: of a transform job, only the summary tells when it was changed."""
    hidden = {"LastModifiedTime"} if kind.word == "Transform" else set()
    return {k: v for k, v in record.items() if not k.startswith("_") and k not in hidden}


def ending(
    kind: Kind, record: Record, status: str, reason: str = "", secondary_status: str = ""
) -> dict[str, Any]:
    """The members that the end of a job sets."""
    moment = now()
    changes: dict[str, Any] = {kind.status: status, kind.end_time: moment}
    if reason:
        changes["FailureReason"] = reason[:REASON_LIMIT]
    if kind.word == "Training":
        changes |= secondary.entered(record, secondary_status or status, reason[:REASON_LIMIT])
        if began := record.get("TrainingStartTime"):
            seconds = max(1, round(moment - began))
            changes |= {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
    return changes


def _run(job: Job, run: Callable[[Job], None]) -> None:
    try:
        job.directory.mkdir(parents=True, exist_ok=True)
        with roles.acting_as(job.role):
            run(job)
    except JobStoppedError:
        job.end("Stopped")
    except JobError as error:
        job.end("Failed", reason=str(error))
    except Exception as error:
        log.exception("job %s", job.name)
        job.end("Failed", reason=f"InternalServerError: the local SageMaker failed: {error!r}")
    finally:
        _jobs.pop((job.kind.word, job.name), None)
        shutil.rmtree(job.directory, ignore_errors=True)


def close_cut_off() -> None:
    """Jobs that were under way when an earlier cloud ended have failed."""
    for kind in KINDS.values():
        for record in store.values(kind.store):
            if record[kind.status] not in ENDED:
                changes = ending(kind, record, "Failed", CUT_OFF)
                changes["LastModifiedTime"] = changes[kind.end_time]
                _closed.append((kind, store.update(kind.store, record[kind.name], **changes)))


def tell_of_cut_off() -> None:
    """Their events, once there is somebody to hear them."""
    while _closed:
        announce(*_closed.pop(0))


def stop_all() -> None:
    """The cloud stops: no job outlives it, and what becomes of each is told by the next one."""
    under_way = list(_jobs.values())
    for job in under_way:
        job.cut_off.set()
        processes.end_all(job.directory)
    for job in under_way:
        if job.thread:
            job.thread.join(END_SECONDS)
