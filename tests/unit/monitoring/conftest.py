"""The monitoring jobs' modules, imported as their scripts import one another; lines of capture."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
PYTHON = ROOT / ".driftloop" / "envs" / "jobs" / "bin" / "python"
sys.path.insert(0, str(ROOT / "monitoring_code"))

Write = Callable[..., Path]


def run(script: str, base: Path, *arguments: str, fails: bool = False, **variables: str) -> str:
    """Runs a job's script as a container does; gives its exit message."""
    done = subprocess.run(
        [str(PYTHON), str(ROOT / "monitoring_code" / script), *arguments],
        env={"PATH": os.defpath, "SAGEMAKER_BASE_DIR": str(base), **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode != 0) is fails, done.stdout + done.stderr
    return (base / "output" / "message").read_text()


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def truth_line(identifier: str, label: str) -> str:
    """One line of ground truth."""
    return json.dumps({"groundTruthData": {"data": label, "encoding": "CSV"},
                       "eventMetadata": {"eventId": identifier}, "eventVersion": "0"})  # fmt: skip


def metrics_of(base: Path) -> dict[str, dict[str, Any]]:
    """The metrics that the platform is to publish, by name."""
    path = base / "output/metrics/cloudwatch/cloudwatch_metrics.jsonl"
    return {each["MetricName"]: each for each in map(json.loads, path.read_text().splitlines())}


def event(
    data: str,
    encoding: str = "CSV",
    *,
    output: str | None = None,
    inference_id: str | None = None,
    moment: str = "2026-03-01T12:30:00Z",
    content_type: str = "text/csv",
    number: int = 0,
) -> dict[str, Any]:
    """One captured invocation, as SageMaker writes it."""
    part = {"observedContentType": content_type, "mode": "INPUT", "data": data,
            "encoding": encoding}  # fmt: skip
    captured: dict[str, Any] = {"endpointInput": part}
    if output is not None:
        captured["endpointOutput"] = {**part, "mode": "OUTPUT", "data": output}
    metadata = {"eventId": f"event-{number}", "inferenceTime": moment}
    if inference_id is not None:
        metadata["inferenceId"] = inference_id
    return {"captureData": captured, "eventMetadata": metadata, "eventVersion": "0"}


@pytest.fixture
def captured(tmp_path: Path) -> Write:
    """Writes invocations below <endpoint>/<variant>/yyyy/mm/dd/hh/ and gives the folder."""
    folder = tmp_path / "capture"

    def write(events: list[Any], variant: str = "AllTraffic", hour: str = "2026/03/01/12") -> Path:
        path = folder / "reviews" / variant / hour / "30-00-000-a.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [each if isinstance(each, str) else json.dumps(each) for each in events]
        path.write_text("".join(line + "\n" for line in lines))
        return folder

    return write
