"""Train a version again from what its lineage recorded, and hold the two models side by side."""

from __future__ import annotations

import copy
import hashlib
import io
import tarfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cli import target, versions
from cli.errors import Problem

Request = dict[str, Any]
# A job from spot capacity may resume from a checkpoint: this one starts from nothing.
DROPPED = ("EnableManagedSpotTraining", "CheckpointConfig")
ENDED = ("Completed", "Failed", "Stopped")
LOOK_SECONDS = 2


@dataclass(frozen=True)
class Reproduction:
    """`rows` compare the model's files and the metrics of training: {"what", "then", "now"}."""

    job: str
    rows: list[dict[str, Any]]

    @property
    def reproduced(self) -> bool:
        """Every file of the model has the same content."""
        files = [row for row in self.rows if row["what"].startswith("file ")]
        return bool(files) and all(row["then"] == row["now"] for row in files)


def run(stack: str, version: int, progress: Callable[[str], None]) -> Reproduction:
    """Start the training job again, wait for it, and compare."""
    lineage = versions.lineage(stack, version)
    if "TrainingJobName" not in lineage.get("training", {}):
        raise Problem(f"the lineage of version {version} holds no training job to run again")
    check_code(lineage)
    name = f"{lineage['run_id']}-again-{int(time.time()) % 1_000_000:06d}"
    bucket = target.outputs(stack)["DataBucket"]
    wanted = request(lineage, name, f"s3://{bucket}/runs/{lineage['run_id']}/reproduced")
    target.client("sagemaker").create_training_job(**wanted)
    progress(f"training job {name}")
    after = _ended(name)
    before = target.client("sagemaker").describe_training_job(
        TrainingJobName=lineage["jobs"]["train"]
    )
    files = [members(_content(uri)) for uri in (lineage["model"]["artefact"], _artefact(after))]
    metrics = [_metrics(each) for each in (before, after)]
    return Reproduction(name, [*compared("file ", *files), *compared("", *metrics)])


def request(lineage: Mapping[str, Any], name: str, output: str) -> Request:
    """CreateTrainingJob as it was, under another name and with a place of its own."""
    again = copy.deepcopy({k: v for k, v in lineage["training"].items() if k not in DROPPED})
    again["TrainingJobName"] = name
    again["OutputDataConfig"]["S3OutputPath"] = output
    return again


def check_code(lineage: Mapping[str, Any]) -> None:
    """The archive of code must be the one that trained."""
    wanted = lineage["code"].get("sha256", {}).get("training")
    uri = f"{lineage['code']['archives'].rstrip('/')}/training.tar.gz"
    if wanted and hashlib.sha256(_content(uri)).hexdigest() != wanted:
        raise Problem(f"{uri} is not the code that trained this version any more")


def members(archive: bytes) -> dict[str, str]:
    """SHA-256 of each file of a model.tar.gz: the archive itself carries times."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:*") as opened:
        files = [entry for entry in opened if entry.isfile()]
        return {
            entry.name.removeprefix("./"): hashlib.sha256(
                opened.extractfile(entry).read()  # type: ignore[union-attr]
            ).hexdigest()
            for entry in files
        }


def compared(kind: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for each name that either side has."""
    names = sorted({*then, *now})
    return [{"what": f"{kind}{name}", "then": then.get(name), "now": now.get(name)}
            for name in names]  # fmt: skip


def _ended(name: str) -> dict[str, Any]:
    while True:
        found: dict[str, Any] = target.client("sagemaker").describe_training_job(
            TrainingJobName=name
        )
        if found["TrainingJobStatus"] in ENDED:
            break
        time.sleep(LOOK_SECONDS)
    if found["TrainingJobStatus"] != "Completed":
        reason = found.get("FailureReason", "it gave no reason")
        raise Problem(f"the training job {name} {found['TrainingJobStatus'].lower()}: {reason}")
    return found


def _artefact(described: Mapping[str, Any]) -> str:
    return str(described["ModelArtifacts"]["S3ModelArtifacts"])


def _metrics(described: Mapping[str, Any]) -> dict[str, float]:
    return {m["MetricName"]: m["Value"] for m in described.get("FinalMetricDataList", [])}


def _content(uri: str) -> bytes:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    client = target.client("s3")
    try:
        body: bytes = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except client.exceptions.NoSuchKey as error:
        raise Problem(f"{uri} is gone: this version cannot be reproduced") from error
    return body
