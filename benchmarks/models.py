"""Serving: what the handler of POST /predictions costs, and requests a second of an endpoint beside
MLflow's and BentoML's servers, each as it comes, with the same linear model and the same record.

The servers are asked one after another, the container's process itself as its peers are: what API
Gateway and InvokeEndpoint add is not in it. The peers run in the environment of bench-models.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks import load, overhead
from benchmarks.rows import Bar, Row, Skipped
from cli import project, reviews
from localcloud.sagemaker.hosting import serving

ROWS, SEED = 5_000, 42
RECORD = {"review_body": "Love it, works perfectly. I would buy it again, the cord is long enough."}
CONNECTIONS = (1, 16)
SECONDS, WARM_UP = 5.0, 1.0
START_SECONDS = 180.0
TIMES_MLFLOW = 1.5
PEERS = Path(__file__).with_name("peers")


def measure() -> Iterator[Row | Skipped]:
    yield from overhead.measure()
    with tempfile.TemporaryDirectory(prefix="driftloop-") as folder:
        yield from endpoint(Path(folder))


def endpoint(folder: Path) -> Iterator[Row | Skipped]:
    model = trained(folder)
    rates = {"ours": ours(folder, model)}
    peers = bench_python().parent
    if not peers.is_dir():
        yield Skipped("local endpoint beside MLflow and BentoML", "run make bench-models")
    else:
        rates |= {"MLflow": mlflow(folder, model, peers), "BentoML": bento(folder, model, peers)}
    for count in CONNECTIONS:
        work = f"local endpoint, linear model, {count} connection{'s' * (count > 1)}"
        figure = rates["ours"][count]
        if len(rates) == 1:
            yield Row(work, figure, "requests/s")
            continue
        for peer, times in (("MLflow", TIMES_MLFLOW), ("BentoML", 1.0)):
            theirs = rates[peer][count]
            bar = Bar("at least", times * theirs, f"{times:g} times the peer")
            yield Row(work, figure, "requests/s", bar, f"{peer}'s server", theirs)


def bench_python() -> Path:
    return project.home() / "envs" / "bench-models" / "bin" / "python"


def trained(folder: Path) -> Path:
    """The folder of a linear model of generated reviews, by our training script as it comes."""
    import pandas as pd

    rows = pd.DataFrame(reviews.rows(ROWS, SEED))
    for name, part in (("train", rows[:-500]), ("validation", rows[-500:])):
        (folder / name).mkdir()
        part[["star_rating", "review_body"]].to_parquet(folder / name / "rows.parquet", index=False)
    model = folder / "base" / "model"
    script = project.root() / "training_code" / "train.py"
    command = [str(jobs_python()), str(script), "--model-dir", str(model), "--label", "star_rating"]
    command += ["--train", "train", "--validation", "validation", "--text", '["review_body"]']
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return model


def jobs_python() -> Path:
    return project.home() / "envs" / "jobs" / "bin" / "python"


@dataclass(frozen=True)
class Asked:
    """How a server is asked for the prediction of RECORD."""

    path: str
    body: object

    @property
    def request(self) -> bytes:
        return load.request(self.path, json.dumps(self.body).encode())


def ours(folder: Path, model: Path) -> dict[int, float]:
    """The container's process as the local SageMaker starts it."""
    (folder / "base" / "code").symlink_to(project.root() / "inference_code")
    port = serving.free_port()
    command = [str(jobs_python()), str(serving.PROGRAM), str(port), str(model.parent)]
    environment = {"SAGEMAKER_PROGRAM": "inference.py", "PYTHONDONTWRITEBYTECODE": "1"}
    asked = Asked("/invocations", {"records": [RECORD]})
    return rates(command, environment, port, asked, folder)


def mlflow(folder: Path, model: Path, peers: Path) -> dict[int, float]:
    """`mlflow models serve` of the pipeline. https://mlflow.org/docs/latest/ml/deployment/"""
    kept = folder / "mlflow"
    script = [str(peers / "python"), str(PEERS / "mlflow_model.py")]
    command = [*script, str(model / "model.joblib"), str(kept)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    port = serving.free_port()
    command = [str(peers / "mlflow"), "models", "serve", "--model-uri", str(kept)]
    command += ["--env-manager", "local", "--host", load.HOST, "--port", str(port)]
    table = {"columns": list(RECORD), "data": [list(RECORD.values())]}
    asked = Asked("/invocations", {"dataframe_split": table})
    return rates(command, {"MLFLOW_DISABLE_TELEMETRY": "true"}, port, asked, folder)


def bento(folder: Path, model: Path, peers: Path) -> dict[int, float]:
    """`bentoml serve` of a service around the pipeline."""
    port = serving.free_port()
    command = [str(peers / "bentoml"), "serve", "bento_service:Reviews"]
    command += ["--host", load.HOST, "--port", str(port), "--working-dir", str(PEERS)]
    environment = {
        "MODEL": str(model / "model.joblib"),
        "BENTOML_DO_NOT_TRACK": "true",
        "BENTOML_HOME": str(folder / "bentoml"),
    }
    return rates(command, environment, port, Asked("/predict", {"records": [RECORD]}), folder)


def rates(
    command: list[str], environment: dict[str, str], port: int, asked: Asked, folder: Path
) -> dict[int, float]:
    """Requests a second by connections, of a server that runs meanwhile."""
    path = f"{Path(command[0]).parent}{os.pathsep}{os.defpath}"
    with started(command, {"PATH": path, "HOME": str(folder), **environment}, folder):
        wait(port, asked)
        found = {}
        for count in CONNECTIONS:
            load.rate(port, asked.request, count, WARM_UP)
            found[count] = load.rate(port, asked.request, count, SECONDS)
        return found


@contextmanager
def started(command: list[str], environment: dict[str, str], folder: Path) -> Iterator[None]:
    """The server, which is ended with every process that it started."""
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield
    finally:
        whole = psutil.Process(process.pid)
        for each in (*whole.children(recursive=True), whole):
            with suppress(psutil.NoSuchProcess):
                each.kill()
        process.wait()


def wait(port: int, asked: Asked) -> None:
    """Until the server answers."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            load.rate(port, asked.request, 1, 0.01)
            return
        except load.ServerError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
