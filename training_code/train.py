"""A linear text classifier: TF-IDF of words and of letters, logistic regression.

SageMaker script mode; by hand: `python train.py --train DIR --validation DIR --model-dir DIR
--label star_rating --text '["review_body"]'`. Needs scikit-learn, pandas and pyarrow.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import sklearn
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline


def main() -> None:
    options = parse(sys.argv[1:])
    began = time.monotonic()
    train, validation = (read(folder) for folder in (options.train, options.validation))
    print(f"training on {len(train)} rows, validating on {len(validation)}")
    model = pipeline(len(options.text), options.max_features, options.C)
    features, classifier = model.named_steps["features"], model.named_steps["classifier"]
    vectors = features.fit_transform(texts(train, options.text))
    print(f"{vectors.shape[1]} features after {time.monotonic() - began:.1f} s", flush=True)
    classifier.fit(vectors, labels(train, options.label))
    print(f"fitted after {time.monotonic() - began:.1f} s", flush=True)
    validated = texts(validation, options.text), labels(validation, options.label)
    scores = {
        "train": float(classifier.score(vectors, labels(train, options.label))),
        "validation": float(model.score(*validated)),
    }
    print(" ".join(f"{name}_accuracy={score:.4f};" for name, score in scores.items()))
    save(model, options, len(train), scores)


def parse(words: list[str]) -> argparse.Namespace:
    env = os.environ
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("train", "validation"):
        channel = env.get(f"SM_CHANNEL_{name.upper()}")
        parser.add_argument(f"--{name}", type=Path, default=channel, required=channel is None)
    folder = env.get("SM_MODEL_DIR")
    parser.add_argument("--model-dir", type=Path, default=folder, required=folder is None)
    parser.add_argument("--label", required=True)
    parser.add_argument("--text", type=json.loads, required=True, help="JSON list of columns")
    parser.add_argument("--inputs", type=json.loads, default=[], help="JSON list of columns")
    parser.add_argument("--max_features", "--max-features", type=int, default=200_000)
    parser.add_argument("-C", "--C", type=float, default=3.0, help="inverse of the regularisation")
    return parser.parse_args(words)


def read(folder: Path) -> pd.DataFrame:
    """Every Parquet file of a channel."""
    return pd.concat([pd.read_parquet(path) for path in sorted(folder.rglob("*.parquet"))])


def texts(rows: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """The model's input: an array of texts, a column for each text column."""
    return rows[columns].fillna("").astype(str).to_numpy(dtype=object)


def labels(rows: pd.DataFrame, label: str) -> np.ndarray:
    return rows[label].astype(str).to_numpy(dtype=object)


def pipeline(columns: int, max_features: int, c: float) -> Pipeline:
    """Words tell the stars; letters carry over typos and inflections."""

    def features() -> FeatureUnion:
        common = {"min_df": 2, "sublinear_tf": True, "dtype": np.float32}
        words = TfidfVectorizer(ngram_range=(1, 2), max_features=max_features, **common)
        letters = TfidfVectorizer(
            analyzer="char_wb", ngram_range=(2, 4), max_features=max_features, **common
        )
        return FeatureUnion([("words", words), ("letters", letters)])

    each = [(f"text{index}", features(), index) for index in range(columns)]
    classifier = LogisticRegression(C=c, max_iter=200, tol=1e-3)
    return Pipeline([("features", ColumnTransformer(each)), ("classifier", classifier)])


def save(model: Pipeline, options: argparse.Namespace, rows: int, scores: dict[str, float]) -> None:
    """model.joblib for inference.py, and metadata.json that says what it is."""
    options.model_dir.mkdir(parents=True, exist_ok=True)
    classifier = model.named_steps["classifier"]
    classifier.coef_ = classifier.coef_.astype(np.float32)
    joblib.dump(model, options.model_dir / "model.joblib", compress=1)
    metadata: dict[str, Any] = {
        "label": options.label,
        "text": options.text,
        "inputs": options.inputs or options.text,
        "classes": [str(each) for each in model.classes_],
        "training_rows": rows,
        "accuracy": scores,
        "versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__},
    }
    (options.model_dir / "metadata.json").write_text(json.dumps(metadata, indent=2))


if __name__ == "__main__":
    main()
