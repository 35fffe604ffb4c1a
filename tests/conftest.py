"""Fixtures for every test: a local cloud of the session's own, and waiting for what must come."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
import roles
from local_sagemaker import LocalSageMaker

ROOT = Path(__file__).resolve().parent.parent
JOBS_PYTHON = ROOT / ".driftloop" / "envs" / "jobs" / "bin" / "python"
TRANSFORMER_PYTHON = ROOT / ".driftloop" / "envs" / "transformer" / "bin" / "python"
CLOUD_PYTHON = ROOT / ".driftloop" / "envs" / "cloud" / "bin" / "python"

# In an environment of their own: make test runs them apart.
collect_ignore = ["transformer"]

Found = TypeVar("Found")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes by their number: packed ones hold the time, and every worker must see one name."""
    return f"{len(val)}-bytes" if isinstance(val, bytes) else None


@dataclass
class Cloud:
    """A local cloud in a process of its own."""

    state: Path
    transformer_python: Path = TRANSFORMER_PYTHON
    process: subprocess.Popen[bytes] | None = None
    endpoint: str = ""
    _clients: dict[str, Any] = field(default_factory=dict)

    def start(self, port: int = 0, wait_seconds: float = 60) -> Cloud:
        """Start it and return when it answers."""
        self.state.mkdir(parents=True, exist_ok=True)
        output = self.state / "output.log"
        command = [str(CLOUD_PYTHON if CLOUD_PYTHON.exists() else sys.executable)]
        command += ["-m", "localcloud", "--port", str(port), "--state", str(self.state)]
        command += ["--jobs-python", str(JOBS_PYTHON if JOBS_PYTHON.exists() else sys.executable)]
        command += ["--transformer-python", str(self.transformer_python)]
        command += ["--stop-grace", "1"]
        with output.open("ab") as file:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
            )
        record = self.state / "cloud.json"
        deadline = time.monotonic() + wait_seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            if record.exists() and json.loads(record.read_text())["pid"] == self.process.pid:
                self.endpoint = json.loads(record.read_text())["endpoint"]
                self._clients.clear()
                roles.make(self.client("iam"))
                return self
            time.sleep(0.02)
        self.kill()
        raise AssertionError(f"the local cloud did not start:\n{output.read_text()[-3000:]}")

    def stop(self, number: int = signal.SIGTERM, wait_seconds: float = 60) -> int:
        """Stop it in order, or with another signal; returns its exit status."""
        assert self.process is not None, "the cloud is not running"
        self.process.send_signal(number)
        return self.process.wait(wait_seconds)

    def kill(self) -> None:
        """Make sure that it is gone."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def client(self, service: str) -> Any:
        """A boto3 client of this cloud."""
        import boto3

        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.endpoint,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
            )
        return self._clients[service]

    def environment(self) -> dict[str, str]:
        """What any AWS tool needs to talk to this cloud."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
        }


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A running local cloud, one for the whole session, its endpoint in the environment."""
    running = Cloud(tmp_path_factory.mktemp("cloud")).start()
    before = dict(os.environ)
    os.environ.update(running.environment())
    try:
        yield running
    finally:
        os.environ.clear()
        os.environ.update(before)
        try:
            running.stop()
        finally:
            running.kill()


@pytest.fixture
def own_cloud(tmp_path: Path) -> Iterator[Cloud]:
    """A cloud of one test's own, not started, for tests that stop it."""
    mine = Cloud(tmp_path / "cloud")
    yield mine
    mine.kill()


@pytest.fixture
def bucket(cloud: Cloud) -> str:
    """A new, empty bucket."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    cloud.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="module")
def sagemaker(cloud: Cloud) -> LocalSageMaker:
    """The cloud's SageMaker, with a bucket for the tests of one module."""
    name = f"sagemaker-{uuid.uuid4().hex[:12]}"
    cloud.client("s3").create_bucket(Bucket=name)
    return LocalSageMaker(cloud, name)


@pytest.fixture
def eventually() -> Callable[..., Any]:
    """`eventually(predicate, timeout)` returns the first true value, or fails saying the last."""

    def wait(predicate: Callable[[], Found], timeout: float = 20) -> Found:
        deadline = time.monotonic() + timeout
        while True:
            found = predicate()
            if found:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"not so after {timeout} s; last seen: {found!r}")
            time.sleep(0.05)

    return wait
