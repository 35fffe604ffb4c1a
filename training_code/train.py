"""Train a model: `--model linear` (the default), `boosted` or `transformer`.

SageMaker script mode; by hand: `python train.py --train DIR --validation DIR --model-dir DIR
--label star_rating --text '["review_body"]'`. Needs scikit-learn, pandas and pyarrow; the
transformer PyTorch and Hugging Face's libraries too.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import boosted
import channels
import columns
import failures
import joblib
import linear
import linear_export
import numpy as np
import sklearn
import transformer
from failures import DataError
from sklearn.base import clone
from sklearn.pipeline import Pipeline

MODELS = {"linear": linear, "boosted": boosted}
RATE = "default: 0.1 (boosted), 1e-4 (transformer)"


def main() -> None:
    options = parse(sys.argv[1:])
    try:
        (transformer.run if options.model == "transformer" else run)(options)
    except DataError as error:
        failures.tell(Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")), str(error))
        sys.exit(f"train: {error}")


def parse(words: list[str]) -> argparse.Namespace:
    env = os.environ
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("train", "validation"):
        channel = env.get(f"SM_CHANNEL_{name.upper()}")
        parser.add_argument(f"--{name}", type=Path, default=channel, required=channel is None)
    folder = env.get("SM_MODEL_DIR")
    parser.add_argument("--model-dir", type=Path, default=folder, required=folder is None)
    parser.add_argument("--model", choices=[*MODELS, "transformer"], default="linear")
    problems = ("multiclass", "binary", "regression")
    parser.add_argument("--problem", choices=problems, default="multiclass")
    parser.add_argument("--label", required=True)
    for name in ("text", "features", "inputs"):
        parser.add_argument(f"--{name}", type=json.loads, default=[], help="JSON list of columns")
    weights = ("balanced", "none")
    parser.add_argument("--class_weight", "--class-weight", choices=weights, default="balanced")
    parser.add_argument("--seed", type=int, default=42)
    shares = "JSON list of shares of the rows to train on before"
    parser.add_argument(
        "--learning_curve", "--learning-curve", type=json.loads, default=[0.1, 0.3], help=shares
    )
    parser.add_argument("--learning_rate", "--learning-rate", type=float, help=RATE)
    for model in (*MODELS.values(), transformer):
        model.arguments(parser)
    return parser.parse_args(words)


def run(options: argparse.Namespace) -> None:
    """Fit, score, say both in SageMaker's metric lines, and save."""
    began = time.monotonic()
    train, validation = (channels.read(folder) for folder in (options.train, options.validation))
    print(f"training {options.model} on {len(train)} rows, validating on {len(validation)}")
    read_by_model = columns.of(train, options.text, options.features)
    model = MODELS[options.model].pipeline(read_by_model, options)
    features, estimator = model[:-1], model[-1]
    known = channels.labels(train, options)
    vectors = features.fit_transform(read_by_model.array(train))
    print(f"{vectors.shape[1]} features after {time.monotonic() - began:.1f} s", flush=True)
    unseen_rows = (
        features.transform(read_by_model.array(validation)),
        channels.labels(validation, options),
    )
    curve = learning_curve(estimator, (vectors, known), unseen_rows, options)
    estimator.fit(vectors, known)
    print(f"fitted after {time.monotonic() - began:.1f} s", flush=True)
    seen = score(estimator, vectors, known, options.problem)
    unseen = score(estimator, *unseen_rows, options.problem)
    for name, value in seen.items():
        print(f"train_{name}={value:.6g}; validation_{name}={unseen[name]:.6g};")
    told = {
        "training_rows": len(train),
        "scores": {"train": seen, "validation": unseen},
        "learning_curve": [*curve, {"rows": len(train), "train": seen, "validation": unseen}],
        "background": read_by_model.background(train) if options.model == "boosted" else [],
    }
    save(model, read_by_model, options, told)


def score(model: Any, vectors: Any, known: np.ndarray, problem: str) -> dict[str, float]:
    told = model.predict(vectors)
    if problem == "regression":
        return {"rmse": float(np.sqrt(np.mean((told - known) ** 2)))}
    return {"accuracy": float(np.mean(told == known))}


def learning_curve(
    estimator: Any, train: tuple[Any, Any], validation: tuple[Any, Any], options: argparse.Namespace
) -> list[dict[str, Any]]:
    """The scores after some of the rows, which say whether more data would help.

    The rows stand in an order by chance. A part that lacks a class is left out.
    """
    vectors, known = train
    found = []
    for share in options.learning_curve:
        count = int(len(known) * share)
        if count < 2 or (
            options.problem != "regression" and len(set(known[:count])) < len(set(known))
        ):
            continue
        part = clone(estimator).fit(vectors[:count], known[:count])
        found.append(
            {
                "rows": count,
                "train": score(part, vectors[:count], known[:count], options.problem),
                "validation": score(part, *validation, options.problem),
            }
        )
    return found


def save(
    model: Pipeline,
    read_by_model: columns.Columns,
    options: argparse.Namespace,
    told: dict[str, Any],
) -> None:
    """model.joblib for inference.py, and metadata.json that says what it is."""
    options.model_dir.mkdir(parents=True, exist_ok=True)
    if options.model == "linear":
        linear.compact(model)
        linear_export.write(model, read_by_model, options.model_dir)
    joblib.dump(model, options.model_dir / "model.joblib", compress=1)
    metadata: dict[str, Any] = {
        "model": options.model,
        "problem": options.problem,
        "label": options.label,
        "text": read_by_model.text,
        "numeric": read_by_model.numeric,
        "categorical": read_by_model.categorical,
        "inputs": options.inputs or read_by_model.all,
        "classes": [str(each) for each in getattr(model, "classes_", [])],
        **told,
        "versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__},
    }
    (options.model_dir / "metadata.json").write_text(json.dumps(metadata, indent=2))


if __name__ == "__main__":
    main()
