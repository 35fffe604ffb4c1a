"""A version's lineage as a tree, and what makes a model count as reproduced."""

from __future__ import annotations

import io
import tarfile
from typing import Any

import pytest
from rich.console import Console

from cli import reproduce, versions
from cli.reproduce import Reproduction

RUN = "20260301-120000-a1b2c3"
LINEAGE: dict[str, Any] = {
    "run_id": RUN,
    "reason": "data",
    "cause": "new data: a[1].tsv",
    "outcome": "deployed",
    "ended_at": "2026-03-01T12:10:00.000Z",
    "approval": {"approved": True, "by": "Ann", "reason": "fine", "at": "now"},
    "data": {"version": {"version": RUN, "total_rows": 600, "files": 3, "before": None}},
    "dataset": {
        "digest": "d1",
        "arrivals": [
            {"source_key": "incoming/reviews/a[1].tsv", "rows": 600, "key": "raw/x", "sha256": "ab"}
        ] * 21,
    },
    "code": {"archives": "s3://code/1", "digest": "c0de", "sha256": {"training": "5ha"}},
    "training": {
        "TrainingJobName": f"{RUN}-train",
        "HyperParameters": {"C": "0.5"},
        "OutputDataConfig": {"S3OutputPath": "s3://data/x"},
        "EnableManagedSpotTraining": True,
        "CheckpointConfig": {"S3Uri": "s3://data/checkpoints"},
    },
    "environment": {"image": "scikit-learn:1", "versions": {"numpy": "2.0"}},
    "jobs": {"prepare": "other-prepare", "train": f"{RUN}-train"},
    "reused": {"prepare": "other"},
    "model": {"artefact": "s3://data/model.tar.gz", "package": "arn"},
}  # fmt: skip


def packed(files: dict[str, bytes], moment: int) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, body in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(body), moment
            archive.addfile(entry, io.BytesIO(body))
    return content.getvalue()


@pytest.mark.parametrize(
    "words",
    ["model version 7", f"dataset version {RUN}", "rows: 600", "a[1].tsv: 600 rows", "and 1 more",
     "code c0de", "training.tar.gz: sha256 5ha", "C: 0.5", "image: scikit-learn:1", "numpy: 2.0",
     "prepare: other-prepare (of an earlier run)", "approved: by Ann"],
)  # fmt: skip
def test_the_tree_says_what_a_version_was_made_of(words: str) -> None:
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(versions.tree(7, LINEAGE))
    assert words in console.export_text()


def test_the_job_is_the_one_that_trained_in_a_place_of_its_own() -> None:
    again = reproduce.request(LINEAGE, "again", "s3://data/again")
    assert again == {
        "TrainingJobName": "again",
        "HyperParameters": {"C": "0.5"},
        "OutputDataConfig": {"S3OutputPath": "s3://data/again"},
    }
    assert LINEAGE["training"]["OutputDataConfig"] == {"S3OutputPath": "s3://data/x"}


@pytest.mark.parametrize(
    ("files", "reproduced"),
    [
        ({"model.joblib": b"w", "metadata.json": b"{}"}, True),
        ({"model.joblib": b"v", "metadata.json": b"{}"}, False),
        ({"model.joblib": b"w"}, False),
        ({"model.joblib": b"w", "metadata.json": b"{}", "more": b""}, False),
        ({}, False),
    ],
)
def test_a_model_is_reproduced_when_every_file_is_the_same(
    files: dict[str, bytes], reproduced: bool
) -> None:
    then = packed({"./model.joblib": b"w", "./metadata.json": b"{}"}, moment=1)
    now = packed(files, moment=2)
    rows = reproduce.compared("file ", reproduce.members(then), reproduce.members(now))
    metrics = reproduce.compared("", {"accuracy": 0.5}, {"accuracy": 0.6})
    assert Reproduction("job", [*rows, *metrics]).reproduced is reproduced


def test_no_files_are_no_reproduction() -> None:
    assert not Reproduction("job", []).reproduced
