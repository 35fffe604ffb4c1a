"""A training job's folder, its run in this process or in one of its own, and its answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import inference
import numpy as np
import pandas as pd
import pytest
import tiny_encoder
import torch
import train
import transformer

ROOT = Path(__file__).resolve().parents[2]
COUNT = 240
STARS = ["awful", "poor", "fair", "good", "great"]


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Threads that wait for each other on a busy machine take minutes over milliseconds."""
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(scope="session")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("encoders")
    words = [*STARS, "thing", "a", "the"]
    return {k: tiny_encoder.write(folder / k, k, words) for k in ("bert", "distilbert")}


def rows(problem: str) -> pd.DataFrame:
    """What the label is stands in one word of the body."""
    stars = np.random.default_rng(7).integers(1, 6, COUNT)
    labels = {
        "multiclass": stars,
        "binary": np.where(stars > 3, "high", "low"),
        "regression": stars + 100.0,
    }
    return pd.DataFrame(
        {
            "body": [f"the {STARS[star - 1]} thing" for star in stars],
            "headline": "a thing",
            "label": labels[problem],
        }
    )


@dataclass(frozen=True)
class Job:
    """One training job; its output is what the test's capture holds."""

    base: Path
    words: list[str]

    @property
    def model(self) -> Path:
        return self.base / "model"

    def train(self, *words: str) -> None:
        """In this process."""
        before = os.environ.get("SAGEMAKER_BASE_DIR")
        os.environ["SAGEMAKER_BASE_DIR"] = str(self.base)
        try:
            transformer.run(train.parse([*self.words, *words]))
        finally:
            del os.environ["SAGEMAKER_BASE_DIR"]
            if before:
                os.environ["SAGEMAKER_BASE_DIR"] = before

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        """In a process of its own, as the container runs it."""
        environment = {"PATH": os.defpath, "SAGEMAKER_BASE_DIR": str(self.base)}
        return subprocess.Popen(
            [sys.executable, str(ROOT / "training_code" / "train.py"), *self.words, *words],
            env=environment | {"OMP_NUM_THREADS": "1"} | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def metadata(self) -> dict[str, Any]:
        return json.loads((self.model / "metadata.json").read_text())

    def ask(self, *records: dict[str, Any], explain: bool = False) -> list[dict[str, Any]]:
        """The served model's answers."""
        body = json.dumps({"records": records, "explain": explain})
        asked = inference.input_fn(body, "application/json")
        return inference.predict_fn(asked, inference.model_fn(str(self.model)))


@pytest.fixture(scope="session")
def job(tmp_path_factory: pytest.TempPathFactory, encoders: dict[str, Path]) -> Any:
    """Make a job: `job(problem, pretrained)`, where an encoder's kind or a folder may be given."""

    def make(problem: str, pretrained: str | Path | None = "bert") -> Job:
        base = tmp_path_factory.mktemp(problem)
        frame = rows(problem)
        for name, part in (("train", frame[:200]), ("validation", frame[200:])):
            (base / name).mkdir()
            part.to_parquet(base / name / "part.parquet")
        words = ["--model", "transformer", "--model-dir", str(base / "model")]
        words += ["--train", str(base / "train"), "--validation", str(base / "validation")]
        words += ["--label", "label", "--problem", problem, "--text", '["body", "headline"]']
        words += ["--max_length", "16", "--batch_size", "16", "--learning_rate", "3e-3"]
        words += ["--head_rate", "1", "--epochs", "6", "--patience", "6"]
        if pretrained is not None:
            words += ["--pretrained", str(encoders.get(str(pretrained), pretrained))]
        return Job(base, words)

    return make
