"""The model whose predictions are explained: an artefact and the user's inference script.

The script has SageMaker's functions model_fn(model_dir) and predict_fn(records, model).
https://sagemaker.readthedocs.io/en/stable/frameworks/sklearn/using_sklearn.html
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from inputs import contract
from inputs.contract import Job

Records = list[dict[str, Any]]


class Model:
    """Predictions as numbers: [record, label]; `labels` are known after the first."""

    def __init__(self, predict: Callable[[Records], Any]) -> None:
        self._predict = predict
        self.labels: list[str] = []

    def answers(self, records: Records) -> list[Any]:
        """Of each record the label, or the number, that the model tells."""
        return [_told(answer) for answer in self._predict(records)]

    def __call__(self, records: Records) -> np.ndarray:
        answers = self._predict(records)
        rows = [_numbers(answer) for answer in answers]
        self.labels = list(rows[0])
        return np.array([[row[label] for label in self.labels] for row in rows])


def arguments(parser: argparse.ArgumentParser) -> None:
    env = os.environ.get
    parser.add_argument("--model", default=env("MODEL"), help="model.tar.gz or a folder")
    parser.add_argument(
        "--script", default=env("INFERENCE"), help="the script with model_fn and predict_fn"
    )


def places(job: Job, options: argparse.Namespace) -> tuple[Path, Path]:
    """The artefact and the script; by default the processing inputs `model` and `inference`."""
    given = job.base / "processing" / "input"
    artefact = contract.local(options.model, job.base) or given / "model"
    script = contract.local(options.script, job.base)
    return artefact, script or _unpacked(given / "inference", "inference") / "inference.py"


def load(artefact: Path, script: Path) -> Model:
    """`artefact`: model.tar.gz, or a folder of its content or of it."""
    sys.path.insert(0, str(script.parent))
    spec = importlib.util.spec_from_file_location("inference", script)
    assert spec is not None, f"{script} is no Python file"
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.model_fn(str(_unpacked(artefact)))
    return Model(lambda records: module.predict_fn(records, model))


def _unpacked(artefact: Path, name: str = "model") -> Path:
    archive = artefact / f"{name}.tar.gz" if artefact.is_dir() else artefact
    if not archive.is_file():
        return artefact
    folder = Path(tempfile.mkdtemp(prefix="model-"))
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder


def _told(answer: Any) -> Any:
    if isinstance(answer, dict):
        return str(answer["label"]) if "label" in answer else _told(answer["prediction"])
    return answer.item() if isinstance(answer, np.generic) else answer


def _numbers(answer: Any) -> dict[str, float]:
    """Probabilities by label, a list of them, or one number; labels are label0, label1, ..."""
    if isinstance(answer, dict):
        held = answer.get("probabilities", answer.get("prediction"))
        if isinstance(held, dict):
            return {str(label): float(value) for label, value in held.items()}
        return _numbers(held)
    if answer is None:
        raise ValueError("predict_fn answers with neither numbers nor `probabilities`")
    return {f"label{n}": float(value) for n, value in enumerate(np.atleast_1d(answer))}
