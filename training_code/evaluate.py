"""The new model, and the champion, measured on the same test split.

A SageMaker Processing job; by hand: `python evaluate.py --base DIR --label star_rating`. Writes
evaluation.json (and champion.json) in SageMaker's ModelMetrics form:
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tarfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd

ROUNDS = 200  # of the bootstrap


def main() -> None:
    options = parse(sys.argv[1:])
    inputs = options.base / "processing" / "input"
    output = options.base / "processing" / "output" / "evaluation"
    output.mkdir(parents=True, exist_ok=True)
    files = sorted((inputs / "test").rglob("*.parquet"))
    rows = pd.concat([pd.read_parquet(path) for path in files])
    for role, name in (("model", "evaluation.json"), ("champion", "champion.json")):
        if not (inputs / role).is_dir():
            continue
        found = evaluate(inputs / role, rows, options.label, options.seed)
        (output / name).write_text(json.dumps(found, indent=2))
        accuracy = found["multiclass_classification_metrics"]["accuracy"]
        told = f"{accuracy['value']:.4f} +- {accuracy['standard_deviation']:.4f}"
        print(f"{role}: accuracy {told} on {len(rows)} rows")


def parse(words: list[str]) -> argparse.Namespace:
    env = os.environ
    parser = argparse.ArgumentParser(description=__doc__)
    base = Path(env.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    parser.add_argument("--base", type=Path, default=base)
    parser.add_argument("--label", default=env.get("LABEL"), required="LABEL" not in env)
    parser.add_argument("--seed", type=int, default=env.get("SEED", "42"))
    return parser.parse_args(words)


def evaluate(folder: Path, rows: pd.DataFrame, label: str, seed: int) -> dict[str, Any]:
    """The metrics of the model in a folder's model.tar.gz."""
    model, metadata = load(folder)
    texts = rows[metadata["text"]].fillna("").astype(str).to_numpy(dtype=object)
    truth = rows[label].astype(str).to_numpy()
    classes = sorted({*metadata["classes"], *truth}, key=lambda each: (len(each), each))
    index = {name: place for place, name in enumerate(classes)}
    actual = np.array([index[each] for each in truth])
    predicted = np.array([index[str(each)] for each in model.predict(texts)])
    return {"multiclass_classification_metrics": metrics(actual, predicted, classes, seed)}


def load(folder: Path) -> tuple[Any, dict[str, Any]]:
    with tarfile.open(folder / "model.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return joblib.load(folder / "model.joblib"), json.loads((folder / "metadata.json").read_text())


def metrics(
    actual: np.ndarray, predicted: np.ndarray, classes: list[str], seed: int
) -> dict[str, Any]:
    """Each metric with the bootstrap's standard deviation, and the confusion matrix."""
    size = len(classes)
    confusion = _confusion(actual, predicted, size)
    values = scores(confusion)
    random = np.random.default_rng(seed)
    rounds = []
    for _ in range(ROUNDS):
        drawn = random.integers(0, len(actual), len(actual))
        rounds.append(scores(_confusion(actual[drawn], predicted[drawn], size)))
    found: dict[str, Any] = {
        name: {
            "value": value,
            "standard_deviation": float(np.std([each[name] for each in rounds])),
        }
        for name, value in values.items()
    }
    found["confusion_matrix"] = {
        row: {column: int(confusion[i, j]) for j, column in enumerate(classes)}
        for i, row in enumerate(classes)
    }
    return found


def scores(confusion: np.ndarray) -> dict[str, float]:
    """From a confusion matrix with the truth in rows."""
    right, truth, told = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    recall = np.divide(right, truth, out=np.zeros(len(right)), where=truth > 0)
    precision = np.divide(right, told, out=np.zeros(len(right)), where=told > 0)
    both = precision + recall
    f1 = np.divide(2 * precision * recall, both, out=np.zeros(len(right)), where=both > 0)
    weights = truth / truth.sum()
    return {
        "accuracy": float(right.sum() / truth.sum()),
        "weighted_precision": float(precision @ weights),
        "weighted_recall": float(recall @ weights),
        "weighted_f1": float(f1 @ weights),
        "macro_f1": float(f1[truth > 0].mean()),
    }


def _confusion(actual: np.ndarray, predicted: np.ndarray, size: int) -> np.ndarray:
    return np.bincount(actual * size + predicted, minlength=size * size).reshape(size, size)


if __name__ == "__main__":
    main()
