"""One serving process: its files, its start, its calls, its end."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import urllib3

from localcloud import ministack_adapter as cloud
from localcloud.config import HOST, CloudConfig
from localcloud.sagemaker.jobs import files, images
from localcloud.sagemaker.jobs.lifecycle import JobError

START_SECONDS = 60.0
INVOKE_SECONDS = (
    60.0  # https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
)
PROGRAM = Path(__file__).with_name("server.py")
_config: list[CloudConfig] = []


class ServingError(Exception):
    """The container did not come up; the words are a FailureReason."""


def configure(config: CloudConfig) -> None:
    _config[:] = [config]
    shutil.rmtree(config.state / "serving", ignore_errors=True)


class Server:
    """A model in a process that answers /ping and /invocations on a port of its own."""

    def __init__(self, model: dict[str, Any], log_group: str, stream: str) -> None:
        container = model.get("PrimaryContainer") or model["Containers"][0]
        self.container = container
        self.group, self.stream = log_group, stream
        self.folder = _config[0].state / "serving" / uuid.uuid4().hex
        self.process: subprocess.Popen[bytes] | None = None
        self._pool: urllib3.HTTPConnectionPool | None = None

    def start(self) -> None:
        """Fetch the model and wait until it answers; ServingError where it does not."""
        try:
            images.check(self.container["Image"])
            self._fetch()
        except JobError as error:
            raise ServingError(str(error)) from error
        self.launch()

    def launch(self) -> None:
        """Start the process, its files being there."""
        port = _free_port()
        command = [str(_config[0].jobs_python), str(PROGRAM), str(port), str(self.folder)]
        self.process = subprocess.Popen(
            command,
            env={**images.environment(), **self.container.get("Environment", {}), **self._where()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        threading.Thread(target=self._log, args=(self.process,), daemon=True).start()
        self._pool = urllib3.HTTPConnectionPool(HOST, port, maxsize=16, retries=False)
        self._await()

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ping(self) -> bool:
        try:
            assert self._pool is not None
            return self._pool.request("GET", "/ping", timeout=2).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def invoke(self, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
        """Status, content type and body of an invocation."""
        assert self._pool is not None
        answer = self._pool.request(
            "POST", "/invocations", body=body, headers=headers, timeout=INVOKE_SECONDS
        )
        return answer.status, answer.headers.get("Content-Type", ""), answer.data

    def stop(self) -> None:
        if self.process is not None:
            if self.process.stdin:
                self.process.stdin.close()
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _fetch(self) -> None:
        """model/ from the artefact, code/ from the submitted archive."""
        (self.folder / "model").mkdir(parents=True)
        if url := self.container.get("ModelDataUrl"):
            files.get_file(url, self.folder / "model.tar.gz")
            files.unpack(self.folder / "model.tar.gz", self.folder / "model")
            (self.folder / "model.tar.gz").unlink()
        code = self.container.get("Environment", {}).get("SAGEMAKER_SUBMIT_DIRECTORY", "")
        if code.startswith("s3://"):
            files.get_file(code, self.folder / "code.tar.gz")
            files.unpack(self.folder / "code.tar.gz", self.folder / "code")

    def _where(self) -> dict[str, str]:
        return {"SAGEMAKER_BASE_DIR": str(self.folder), "OMP_NUM_THREADS": "1"}

    def _await(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.ping():
            if not self.alive:
                raise ServingError(
                    "The primary container for production variant did not pass the ping health "
                    f"check. Please check CloudWatch logs for this endpoint ({self.group})."
                )
            if time.monotonic() > deadline:
                raise ServingError(f"The container did not answer /ping in {START_SECONDS:.0f} s.")
            time.sleep(0.03)

    def _log(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for raw in process.stdout:
            if line := raw.decode("utf-8", "replace").rstrip():
                cloud.log_events(self.group, self.stream, [line])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
