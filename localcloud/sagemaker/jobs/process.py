"""One job's process: its own group, its output to CloudWatch Logs as it comes, its limits."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from localcloud import ministack_adapter as cloud
from localcloud.sagemaker.jobs.lifecycle import Job, JobError

GRACE = 120.0  # seconds between TERM and KILL, as SageMaker gives
TICK = 0.1


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    stopped: bool = False
    timed_out: bool = False


def run(
    job: Job,
    command: list[str],
    folder: Path,
    environment: Mapping[str, str],
    max_seconds: float,
    on_line: Callable[[str], None] = lambda line: None,
) -> Ended:
    """Run to the end, to the limit, or until the job is stopped."""
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise JobError(f"AlgorithmError: {command[0]} cannot be run: {error}") from error
    job.update(_group=process.pid)
    assert process.stdout is not None
    output = _Output(job, process.stdout, on_line)
    ended = _wait(job, process, max_seconds)
    _signal(process, signal.SIGKILL)  # what it has left behind in its group
    output.finish()
    return ended


def _wait(job: Job, process: subprocess.Popen[bytes], max_seconds: float) -> Ended:
    deadline = time.monotonic() + max_seconds
    asked: float | None = None
    timed_out = False
    while True:
        try:
            return Ended(process.wait(TICK), asked is not None and not timed_out, timed_out)
        except subprocess.TimeoutExpired:
            pass
        late = time.monotonic() > deadline
        if asked is None and (late or job.stopping.is_set()):
            timed_out, asked = late, time.monotonic()
            _signal(process, signal.SIGTERM)
        elif asked is not None and time.monotonic() - asked > GRACE:
            _signal(process, signal.SIGKILL)


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


class _Output:
    """Reads lines in one thread, sends them to CloudWatch Logs in batches from another."""

    def __init__(self, job: Job, stream: IO[bytes], on_line: Callable[[str], None]) -> None:
        self._lines: queue.SimpleQueue[tuple[int, str] | None] = queue.SimpleQueue()
        self._stream, self._on_line = stream, on_line
        self._group = job.kind.group
        self._name = f"{job.name}/algo-1-{int(time.time())}"
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._sender = threading.Thread(target=self._send, daemon=True)
        self._reader.start()
        self._sender.start()

    def finish(self) -> None:
        self._reader.join(5)
        self._sender.join(5)

    def _read(self) -> None:
        for raw in self._stream:
            for part in re.split(r"\r(?!\n)", raw.decode("utf-8", "replace").rstrip("\r\n")):
                self._lines.put((int(time.time() * 1000), part))
                self._on_line(part)
        self._lines.put(None)

    def _send(self) -> None:
        """CloudWatch Logs takes no empty message."""
        while True:
            batch = [self._lines.get()]
            with contextlib.suppress(queue.Empty):
                while len(batch) < 1000:
                    batch.append(self._lines.get_nowait())
            entries = [entry for entry in batch if entry is not None and entry[1]]
            if entries:
                cloud.log_events(self._group, self._name, entries)
            if None in batch:
                return


def note(job: Job, *lines: str) -> None:
    """A line of SageMaker's own in the job's log."""
    cloud.log_events(job.kind.group, f"{job.name}/algo-1-{int(time.time())}", lines)


def failure(base: Path, ended: Ended, name: str = "failure") -> str:
    """The FailureReason: what the script wrote, and its exit code."""
    path = base / "output" / name
    words = path.read_text("utf-8", "replace").strip() if path.is_file() else ""
    return f"AlgorithmError: {words or 'See the job log'}, exit code: {ended.code}"[:1024]
