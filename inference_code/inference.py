"""What the endpoint and batch transforms run: records in, label and probabilities of each out.

Request: {"records": [{"review_body": "..."}]}; answer: {"predictions": [{"label",
"probabilities"}], "model_version"}; for a regression {"prediction"}. Of JSON lines, each a record,
each line of the answer is a prediction. A bad request answers 400 with words, as the toolkit does
with its own errors.
https://github.com/aws/sagemaker-inference-toolkit
"""

from __future__ import annotations

import json
import os
from typing import Any

import explain
import linear_scorer
import numpy as np
import served_linear
import served_transformer
from records import (
    JSON,
    JSON_LINES,
    BadRequestError,
    Records,
    digits,
    input_fn,
    output_fn,
    rows_of,
)

__all__ = ["JSON", "JSON_LINES", "BadRequestError", "Records", "input_fn", "output_fn", "rows_of"]

Model = tuple[Any, dict[str, Any]]


def model_fn(model_dir: str) -> Model:
    """model.joblib or a transformer, and what metadata.json tells of it.

    Your own script need not write that.
    """
    path = os.path.join(model_dir, "metadata.json")
    metadata: dict[str, Any] = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            metadata = json.load(file)
    if served_transformer.here(model_dir):
        return served_transformer.load(model_dir), metadata
    if scorer := linear_scorer.load(model_dir):
        return served_linear.ServedLinear(model_dir, scorer), metadata
    import joblib

    return joblib.load(os.path.join(model_dir, "model.joblib")), metadata


def predict_fn(records: list[dict[str, Any]], model: Model) -> list[dict[str, Any]]:
    """{"label", "probabilities"} of each record, or {"prediction"} where the model tells a number.

    With the terms that mattered under "explanation" where the request asks for it.
    """
    pipeline, metadata = model
    if not records:
        return []
    rows = array(records, metadata) if metadata else _frame(records, pipeline)
    answers = _answers(pipeline, rows)
    if getattr(records, "explain", False):
        for answer, why in zip(answers, explain_fn(records, model), strict=True):
            answer["explanation"] = why
    return answers


def explains(model: Model) -> bool:
    """Whether answers can be explained: a model of your own script says nothing of its columns."""
    return "background" in model[1]


def explain_fn(records: list[dict[str, Any]], model: Model) -> list[dict[str, Any]]:
    """Of each record, the terms that moved its answer the most."""
    pipeline, metadata = model
    if not explains(model):
        raise BadRequestError("this model cannot explain its answers")
    how = explain.by_weights if explain.linear(pipeline) else explain.by_shapley
    if hasattr(pipeline, "words"):
        how = explain.by_words
    return how(array(records, metadata), pipeline, metadata)


def _answers(pipeline: Any, rows: Any) -> list[dict[str, Any]]:
    if not hasattr(pipeline, "classes_"):
        return [{"prediction": digits(value)} for value in pipeline.predict(rows)]
    classes = [str(each) for each in pipeline.classes_]
    if not hasattr(pipeline, "predict_proba"):
        return [{"label": str(label)} for label in pipeline.predict(rows)]
    return [
        {
            "label": classes[int(row.argmax())],
            "probabilities": {
                name: round(float(value), 6) for name, value in zip(classes, row, strict=True)
            },
        }
        for row in pipeline.predict_proba(rows)
    ]


def summary_fn(records: list[dict[str, Any]], model: Model) -> dict[str, list[Any]]:
    """For the evaluation: the terms that spoke for each label; empty for a model of no weights."""
    pipeline, metadata = model
    if not explains(model) or not explain.linear(pipeline):
        return {}
    return explain.by_label(array(records, metadata), pipeline, metadata)


def attributions_fn(records: list[dict[str, Any]], model: Model) -> dict[str, dict[str, float]]:
    """For the evaluation: by label how much each column decides; empty for a model of weights."""
    pipeline, metadata = model
    if not explains(model) or explain.linear(pipeline):
        return {}
    return explain.overall(array(records, metadata), pipeline, metadata)


def array(records: list[dict[str, Any]], metadata: dict[str, Any]) -> np.ndarray:
    """(n, text + numeric + categorical), objects, as training_code/columns.py makes it."""
    return np.array(rows_of(records, metadata), dtype=object)


def _frame(records: list[dict[str, Any]], pipeline: Any) -> Any:
    """The columns that the model was fitted on, in a DataFrame."""
    import pandas as pd

    names = getattr(pipeline, "feature_names_in_", None)
    return pd.DataFrame(records, columns=None if names is None else list(names))
