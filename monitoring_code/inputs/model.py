"""The model whose predictions are explained: an artefact and the user's inference script.

The script has SageMaker's functions model_fn(model_dir) and predict_fn(records, model).
https://sagemaker.readthedocs.io/en/stable/frameworks/sklearn/using_sklearn.html
"""

from __future__ import annotations

import importlib.util
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Records = list[dict[str, Any]]


class Model:
    """Predictions as numbers: [record, label]; `labels` are known after the first."""

    def __init__(self, predict: Callable[[Records], Any]) -> None:
        self._predict = predict
        self.labels: list[str] = []

    def __call__(self, records: Records) -> np.ndarray:
        answers = self._predict(records)
        rows = [_numbers(answer) for answer in answers]
        self.labels = list(rows[0])
        return np.array([[row[label] for label in self.labels] for row in rows])


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


def _unpacked(artefact: Path) -> Path:
    archive = artefact / "model.tar.gz" if artefact.is_dir() else artefact
    if not archive.is_file():
        return artefact
    folder = Path(tempfile.mkdtemp(prefix="model-"))
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder


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
