"""The Lambda package: its size, and what a cold start pays to import it."""

from __future__ import annotations

import io
import os
import statistics
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rows import Bar, Row
from cli import package, project

LARGEST_MB = 10.0
TIMES_PEER = 1.3
ROUNDS = 15
APP = "import app"
PEER = "import boto3, chalice; from aws_lambda_powertools import Logger"
TIMED = "import time; began = time.perf_counter(); {}; print(time.perf_counter() - began)"


def measure() -> Iterator[Row]:
    zipped = package.build().function
    yield Row("zip of the functions", len(zipped) / 1e6, "MB", Bar("at most", LARGEST_MB))
    with tempfile.TemporaryDirectory(prefix="driftloop-") as folder:
        zipfile.ZipFile(io.BytesIO(zipped)).extractall(folder)
        ours, peer = imports(Path(folder))
    yield Row(
        "import app",
        ours * 1000,
        "ms",
        Bar("at most", TIMES_PEER * peer * 1000, f"{TIMES_PEER} times the peer"),
        "import boto3, chalice and Powertools' Logger alone",
        peer * 1000,
    )


def imports(task: Path) -> tuple[float, float]:
    """Median seconds of the app's import and of the peer's, in fresh interpreters, by turns.

    The interpreter is the one that runs the functions on the local cloud: as on AWS, boto3 is
    there, and all else comes from the package.
    """
    statements = (APP, PEER)
    for statement in statements:
        _seconds(task, statement)  # the files are read once before it counts
    rounds = [[_seconds(task, statement) for statement in statements] for _ in range(ROUNDS)]
    ours, peer = (statistics.median(each) for each in zip(*rounds, strict=True))
    return ours, peer


def _seconds(task: Path, statement: str) -> float:
    python = project.home() / "envs" / "cloud" / "bin" / "python"
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": str(task),
        "PYTHONDONTWRITEBYTECODE": "1",  # the package's folder takes no writes on AWS
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    command = [str(python), "-c", TIMED.format(statement)]
    done = subprocess.run(command, cwd=task, env=environment, capture_output=True, check=True)
    return float(done.stdout)
