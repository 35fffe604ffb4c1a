"""One serving process: its files, its start, its calls, its end.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from localcloud.config import HOST, CloudConfig
from localcloud.sagemaker import roles
from localcloud.sagemaker.jobs import files, images, processes
from localcloud.sagemaker.jobs.lifecycle import JobError
from localcloud.sagemaker.jobs.output import Log

START_SECONDS = 60.0
INVOKE_SECONDS = 60.0
SERVER_SECONDS = 60  # unless the container has a SAGEMAKER_MODEL_SERVER_TIMEOUT
TERM_SECONDS = 2.0
PROGRAM = Path(__file__).with_name("server.py")
_config: list[CloudConfig] = []


class ServingError(Exception):
    """The container did not come up; the words are a FailureReason."""


class GoneError(Exception):
    """The process takes no more requests: another has taken its place."""


@dataclass(frozen=True)
class Answer:
    """What a container answers; status 0 where it does not."""

    status: int
    content_type: str
    content: bytes

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300


def configure(config: CloudConfig) -> None:
    """Take the configuration; end what a cloud that was killed has left running."""
    _config[:] = [config]
    processes.end_all(config.state / "serving")
    shutil.rmtree(config.state / "serving", ignore_errors=True)


class Server:
    """A model in a process that answers /ping and /invocations on a port of its own.

    `owner` names what it serves in errors; `environment` goes over the model's own.
    """

    def __init__(
        self,
        model: dict[str, Any],
        log: Log,
        owner: str,
        environment: Mapping[str, str] | None = None,
        start_seconds: float = START_SECONDS,
    ) -> None:
        self.container = model["PrimaryContainer"]
        self.role = model.get("ExecutionRoleArn", "")
        self.environment = {**self.container.get("Environment", {}), **(environment or {})}
        self.isolated = bool(model.get("EnableNetworkIsolation"))
        self.log, self.owner, self.start_seconds = log, owner, start_seconds
        self.folder = _config[0].state / "serving" / uuid.uuid4().hex
        self.python = _config[0].jobs_python
        self.process: subprocess.Popen[bytes] | None = None
        self._pool: urllib3.HTTPConnectionPool | None = None
        self._state = threading.Condition()
        self._ready = self._ended = False
        self._busy = 0

    def start(self) -> None:
        """Fetch the model and wait until it answers; ServingError where it does not."""
        try:
            self.python = images.python(self.container["Image"])
            self._fetch()
        except JobError as error:
            raise ServingError(str(error)) from error
        self.launch()

    def launch(self) -> None:
        """Start the process, its files being there; ServingError where it is to be no more."""
        port = free_port()
        with self._state:
            if self._ended:
                raise ServingError(f"The container for {self.owner} was stopped.")
            self._ready = False
            self.process = process = subprocess.Popen(
                [str(self.python), str(PROGRAM), str(port), str(self.folder)],
                env=images.environment(self.python, self.isolated, self.role)
                | self.environment
                | self._where(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._pool = urllib3.HTTPConnectionPool(HOST, port, maxsize=16, retries=False)
        assert process.stdout is not None
        self.log.follow(process.stdout)
        self._await(process)
        self._ready = True

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def serves(self) -> bool:
        """Whether requests go to it: it has answered /ping, and lives."""
        return self._ready and self.alive

    @property
    def gone(self) -> bool:
        """Whether it takes no more requests."""
        return self._ended

    def ping(self) -> bool:
        try:
            assert self._pool is not None
            return self._pool.request("GET", "/ping", timeout=2).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def invoke(
        self, body: bytes, headers: Mapping[str, str], seconds: float = INVOKE_SECONDS
    ) -> Answer:
        """Ask the model; GoneError where the process is being replaced.

        The server in AWS's images gives up before the caller does, if it may take less time.
        https://github.com/aws/sagemaker-mxnet-inference-toolkit/issues/77
        """
        allowed = float(self.environment.get("SAGEMAKER_MODEL_SERVER_TIMEOUT", SERVER_SECONDS))
        with self._use() as pool:
            try:
                answer = pool.request(
                    "POST",
                    "/invocations",
                    body=body,
                    headers=headers,
                    timeout=min(seconds, allowed),
                )
            except urllib3.exceptions.ReadTimeoutError:
                if allowed < seconds:
                    told = f"Backend worker did not respond in {allowed:g} s"
                    return Answer(500, "text/plain", told.encode())
                words = "Your invocation timed out while waiting for a response from container"
                return Answer(0, "text/plain", f"{words} primary.".encode())
            except urllib3.exceptions.HTTPError as error:
                return Answer(0, "text/plain", f"The container did not answer: {error}".encode())
            return Answer(answer.status, answer.headers.get("Content-Type", ""), answer.data)

    def stop(self, drain_seconds: float = 0) -> None:
        """Take no more requests, let those under way end, end the process and its children."""
        with self._state:
            self._ended = True
            self._state.wait_for(lambda: not self._busy, drain_seconds)
            process = self.process
        if process is not None:
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            processes.signal_group(process, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(TERM_SECONDS)
            processes.signal_group(process, signal.SIGKILL)
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextlib.contextmanager
    def _use(self) -> Iterator[urllib3.HTTPConnectionPool]:
        with self._state:
            if self._ended:
                raise GoneError
            assert self._pool is not None
            pool = self._pool
            self._busy += 1
        try:
            yield pool
        finally:
            with self._state:
                self._busy -= 1
                self._state.notify_all()

    def _fetch(self) -> None:
        """model/ from the artefact, code/ from the submitted archive."""
        with roles.acting_as(self.role):
            self._download()

    def _download(self) -> None:
        (self.folder / "model").mkdir(parents=True)
        if url := self.container.get("ModelDataUrl"):
            files.get_file(url, self.folder / "model.tar.gz")
            files.unpack(self.folder / "model.tar.gz", self.folder / "model")
            (self.folder / "model.tar.gz").unlink()
        code = self.environment.get("SAGEMAKER_SUBMIT_DIRECTORY", "")
        if code.startswith("s3://"):
            files.get_file(code, self.folder / "code.tar.gz")
            files.unpack(self.folder / "code.tar.gz", self.folder / "code")

    def _where(self) -> dict[str, str]:
        return {processes.BASE: str(self.folder), "OMP_NUM_THREADS": "1"}

    def _await(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + self.start_seconds
        while not self.ping():
            if process.poll() is not None or self._ended or time.monotonic() > deadline:
                raise ServingError(
                    f"The primary container for {self.owner} did not pass the ping health check. "
                    f"Please check CloudWatch logs of {self.log.group}."
                )
            time.sleep(0.03)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
