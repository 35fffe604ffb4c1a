"""A monitoring job that sends its own metrics: under AWS's namespace, names and dimensions."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from conftest import Cloud

pytestmark = pytest.mark.cloud

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".driftloop" / "envs" / "jobs" / "bin" / "python"


def monitor(base: Path, *arguments: str) -> None:
    job = str(ROOT / "monitoring_code" / "data_quality.py")
    command = [
        str(PYTHON),
        job,
        "--base",
        str(base),
        "--source",
        str(base / "data.csv"),
        *arguments,
    ]
    subprocess.run(command, env=dict(os.environ), check=True, timeout=120)


def test_put_metrics(cloud: Cloud, tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-cloudwatch.html"""
    (tmp_path / "data.csv").write_text("age\n" + "".join(f"{i % 40}\n" for i in range(200)))
    monitor(tmp_path, "--mode", "baseline", "--output", str(tmp_path / "known"))
    monitor(tmp_path, "--mode", "analyze", "--baseline", str(tmp_path / "known"), "--output",
            str(tmp_path / "report"), "--format", '{"csv": {}}', "--put-metrics",
            "--endpoint", "put-metrics", "--schedule", "hourly")  # fmt: skip
    listed = cloud.client("cloudwatch").list_metrics(
        Namespace="aws/sagemaker/Endpoints/data-metrics",
        Dimensions=[{"Name": "Endpoint", "Value": "put-metrics"}],
    )["Metrics"]
    assert {each["MetricName"] for each in listed} == {
        "feature_data_age", "feature_non_null_age", "feature_baseline_drift_age",
    }  # fmt: skip
    assert {"Name": "MonitoringSchedule", "Value": "hourly"} in listed[0]["Dimensions"]
