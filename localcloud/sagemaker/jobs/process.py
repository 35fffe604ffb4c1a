"""One job's process: its own group, its output to CloudWatch Logs, its limits."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from localcloud.sagemaker.jobs import output, processes
from localcloud.sagemaker.jobs.lifecycle import REASON_LIMIT, Job, JobError, config

TICK = 0.1
NO_WORDS = "See job logs for more information"
CONTAINER = re.compile(r"(?<![\w.-])/opt/ml/")


@dataclass(frozen=True)
class Ended:
    """How a process ended; the code as a container gives it, 128 and the signal for a killed one.

    https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-signal-success-failure.html
    """

    code: int
    stopped: bool = False
    timed_out: bool = False


def run(
    job: Job,
    command: list[str],
    folder: Path,
    environment: Mapping[str, str],
    max_seconds: float,
    on_line: Callable[[str], None] = output.ignore,
) -> Ended:
    """Run to the end, to the limit, or until the job is stopped.

    Paths under /opt/ml in the command and the variables become those of the job's directory.
    """
    try:
        process = subprocess.Popen(
            [inside(job.directory, word) for word in command],
            cwd=folder,
            env={name: inside(job.directory, value) for name, value in environment.items()}
            | {processes.BASE: str(job.directory)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise JobError(f"AlgorithmError: {command[0]} cannot be run: {error}") from error
    assert process.stdout is not None
    job.log.follow(process.stdout, on_line)
    ended = _wait(job, process, max_seconds)
    # What it has left behind, in its group and elsewhere.
    processes.signal_group(process, signal.SIGKILL)
    processes.end_all(job.directory)
    job.log.finish()
    return ended


def inside(base: Path, text: str) -> str:
    """A text with the container's paths made those of this directory."""
    return CONTAINER.sub(lambda _: f"{base}/", text)


def _wait(job: Job, process: subprocess.Popen[bytes], max_seconds: float) -> Ended:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StoppingCondition.html"""
    deadline = time.monotonic() + max_seconds
    asked: float | None = None
    timed_out = False
    while True:
        try:
            code = process.wait(TICK)
            return Ended(code if code >= 0 else 128 - code, asked is not None, timed_out)
        except subprocess.TimeoutExpired:
            pass
        late = time.monotonic() > deadline
        if asked is None and (late or job.stopping.is_set()):
            timed_out, asked = not job.stopping.is_set(), time.monotonic()
            job.begin_stopping()
            processes.signal_group(process, signal.SIGTERM)
        elif asked is not None and time.monotonic() - asked > config().stop_grace:
            processes.end_all(job.directory)


def failure(base: Path, ended: Ended, otherwise: str = NO_WORDS) -> str:
    """The FailureReason: what the container wrote to the `failure` file, and its exit code."""
    path = base / "output" / "failure"
    words = path.read_text("utf-8", "replace").strip() if path.is_file() else ""
    code = f", exit code: {ended.code}"
    return f"AlgorithmError: {words or otherwise}"[: REASON_LIMIT - len(code)] + code
