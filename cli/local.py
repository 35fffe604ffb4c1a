"""The local cloud as a process: start it, find it, stop it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from cli import project
from cli.errors import Problem

PORT = 4566


@dataclass(frozen=True)
class Running:
    """A local cloud that answers."""

    pid: int
    endpoint: str
    started_at: str


def state_dir() -> Path:
    return project.home() / "cloud"


def environment(endpoint: str) -> dict[str, str]:
    """What an AWS tool needs to talk to the local cloud."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
    }


def running() -> Running | None:
    """The local cloud that is up, if one is."""
    try:
        found = Running(**json.loads((state_dir() / "cloud.json").read_text()))
        os.kill(found.pid, 0)
    except (OSError, ValueError, TypeError):
        return None
    return found if _answers(found.endpoint) else None


def start(port: int | None = None, wait_seconds: float = 60) -> Running:
    """Start the local cloud and return when it answers; state from an earlier one is kept.

    Without a port it takes 4566, or any free one when that is taken.
    """
    if found := running():
        return found
    python = project.home() / "envs" / "cloud" / "bin" / "python"
    jobs = project.home() / "envs" / "jobs" / "bin" / "python"
    for needed in (python, jobs):
        if not needed.exists():
            raise Problem("the local cloud is not set up", "Run: make setup")
    if port is None:
        port = PORT if _is_free(PORT) else 0
    state_dir().mkdir(parents=True, exist_ok=True)
    log = state_dir() / "start.log"
    command = [str(python), "-m", "localcloud", "--port", str(port)]
    command += ["--state", str(state_dir()), "--jobs-python", str(jobs)]
    command += ["--transformer-python", str(jobs.parents[2] / "transformer" / "bin" / "python")]
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=project.root(),
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    deadline = time.monotonic() + wait_seconds
    while time.monotonic() < deadline:
        found = running()
        if found and found.pid == process.pid:
            _write_activate(found.endpoint)
            return found
        if process.poll() is not None:
            break
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    tail = "\n".join(log.read_text().splitlines()[-15:])
    raise Problem(f"the local cloud did not start:\n{tail}", f"The whole log: {log}")


def stop(wait_seconds: float = 30) -> bool:
    """Stop the local cloud in order, its state saved. False when none was up."""
    found = running()
    if found is None:
        return False
    os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + wait_seconds
    while time.monotonic() < deadline:
        try:
            os.kill(found.pid, 0)
        except ProcessLookupError:
            return True
        with contextlib.suppress(ChildProcessError):
            os.waitpid(found.pid, os.WNOHANG)
        time.sleep(0.05)
    raise Problem(
        f"the local cloud (process {found.pid}) is still stopping after {wait_seconds:.0f} s",
        f"Its log: {state_dir() / 'cloud.log'}",
    )


def set_aside() -> Path | None:
    """Keep the stopped cloud's state as `cloud.old` (one generation), so that the next is fresh."""
    import shutil

    if not state_dir().exists():
        return None
    kept = state_dir().with_name("cloud.old")
    shutil.rmtree(kept, ignore_errors=True)
    state_dir().rename(kept)
    return kept


def _write_activate(endpoint: str) -> None:
    """A file to source, so that `driftloop`, `aws` and every SDK talk to the local cloud."""
    lines = [f"export {name}={value}" for name, value in environment(endpoint).items()]
    lines.append(f'export PATH="{project.root()}/.venv/bin:$PATH"')
    (project.home() / "activate").write_text("\n".join(lines) + "\n")


def _answers(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
