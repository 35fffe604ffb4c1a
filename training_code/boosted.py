"""Gradient-boosted trees on the tabular columns; it reads no text.

https://scikit-learn.org/stable/modules/ensemble.html#histogram-based-gradient-boosting
"""

from __future__ import annotations

import argparse

import numpy as np
from columns import Columns
from failures import DataError
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

LEARNING_RATE = 0.1
CATEGORIES = 254  # the trees take 255 values, one of them for what is rare or unknown


def arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("boosted")
    group.add_argument("--max_iter", "--max-iter", type=int, default=200, help="trees at most")
    group.add_argument("--max_leaf_nodes", "--max-leaf-nodes", type=int, default=31)
    group.add_argument("--l2_regularization", "--l2-regularization", type=float, default=0.0)


def pipeline(columns: Columns, options: argparse.Namespace) -> Pipeline:
    """From an object array (n, columns.all) to a label, or to a number."""
    if not columns.numeric and not columns.categorical:
        raise DataError("the boosted model reads tabular columns: model.features names none")
    as_numbers = FunctionTransformer(np.asarray, kw_args={"dtype": float})
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=CATEGORIES
    )
    parts = [
        (name, transformer, columns.places(names))
        for name, transformer, names in (
            ("numeric", as_numbers, columns.numeric),
            ("categorical", codes, columns.categorical),
        )
        if names
    ]
    numbers = len(columns.numeric)
    common = {
        "learning_rate": options.learning_rate or LEARNING_RATE,
        "max_iter": options.max_iter,
        "max_leaf_nodes": options.max_leaf_nodes,
        "l2_regularization": options.l2_regularization,
        "categorical_features": list(range(numbers, numbers + len(columns.categorical))),
        "early_stopping": "auto",
        "random_state": options.seed,
    }
    if options.problem == "regression":
        model = HistGradientBoostingRegressor(**common)
    else:
        weights = "balanced" if options.class_weight == "balanced" else None
        model = HistGradientBoostingClassifier(**common, class_weight=weights)
    return Pipeline([("features", ColumnTransformer(parts)), ("model", model)])
