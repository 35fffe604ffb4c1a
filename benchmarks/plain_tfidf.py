"""The model's peer: plain TF-IDF and a linear classifier. Runs in the jobs' environment."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline

CLASSIFIERS = {
    "logistic": LogisticRegression(C=3, max_iter=1000),
    "sgd": SGDClassifier(random_state=42),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--validation", type=Path, required=True)
    parser.add_argument("--label", required=True)
    parser.add_argument("--text", type=json.loads, required=True)
    parser.add_argument("--classifier", choices=CLASSIFIERS, required=True)
    options = parser.parse_args()
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    model = make_pipeline(words, CLASSIFIERS[options.classifier])
    sides = []
    for folder in (options.train, options.validation):
        rows = pd.read_parquet(folder)
        sides.append((rows[options.text].agg("\n".join, axis=1), rows[options.label]))
    train, validation = sides
    model.fit(*train)
    print(f"validation_accuracy={model.score(*validation):.4f};")


if __name__ == "__main__":
    main()
