"""A linear model: TF-IDF of words and pairs of words, logistic regression (or ridge).

Tabular columns beside the text: numbers scaled, categories one column each.
"""

from __future__ import annotations

import argparse

import numpy as np
from columns import Columns
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

# A mark of feeling is a word too: "!" and "?" tell stars apart.
WORD = r"(?u)\b\w+\b|[!?]"
RARE = 20  # rows of a category, below which categories share a column


def arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("linear")
    group.add_argument("--max_features", "--max-features", type=int, default=200_000)
    group.add_argument("-C", "--C", type=float, default=1.0, help="inverse of the regularisation")


def pipeline(columns: Columns, options: argparse.Namespace) -> Pipeline:
    """From an object array (n, columns.all) to a label, or to a number."""
    parts = [
        (f"text{place}", _words(options.max_features), place) for place in range(len(columns.text))
    ]
    if columns.numeric:
        parts.append(("numeric", _numbers(), columns.places(columns.numeric)))
    if columns.categorical:
        rare = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=RARE)
        parts.append(("categorical", rare, columns.places(columns.categorical)))
    return Pipeline([("features", ColumnTransformer(parts)), ("model", _model(options))])


def compact(pipeline: Pipeline) -> None:
    """Weights in half the space; no probability changes in its sixth digit.

    The same training gives the same bytes: of each vectorizer goes what changes with the process
    and no prediction needs, the set of words that were left out and an address in memory.
    https://scikit-learn.org/1.4/modules/generated/sklearn.feature_extraction.text.TfidfVectorizer.html
    """
    model = pipeline.named_steps["model"]
    model.coef_ = model.coef_.astype(np.float32)
    for _, part, _ in pipeline.named_steps["features"].transformers_:
        if isinstance(part, TfidfVectorizer):
            for name in ("stop_words_", "_stop_words_id"):
                vars(part).pop(name, None)


def _words(max_features: int) -> TfidfVectorizer:
    return TfidfVectorizer(
        token_pattern=WORD,
        ngram_range=(1, 2),
        min_df=2,
        sublinear_tf=True,
        max_features=max_features,
        dtype=np.float32,
    )


def _numbers() -> Pipeline:
    as_numbers = FunctionTransformer(np.asarray, kw_args={"dtype": float})
    return make_pipeline(as_numbers, SimpleImputer(strategy="median"), StandardScaler())


def _model(options: argparse.Namespace) -> BaseEstimator:
    if options.problem == "regression":
        return Ridge(alpha=1 / options.C)
    weights = "balanced" if options.class_weight == "balanced" else None
    return LogisticRegression(C=options.C, max_iter=200, tol=1e-3, class_weight=weights)
