"""What the endpoint and batch transforms run: records in, label and probabilities of each out.

Request: {"records": [{"review_body": "..."}]}; answer: {"predictions": [{"label",
"probabilities"}], "model_version"}; for a regression {"prediction"}. Of JSON lines, each a record,
each line of the answer is a prediction. A bad request answers 400 with words, as the toolkit does
with its own errors.
https://github.com/aws/sagemaker-inference-toolkit
"""

from __future__ import annotations

import json
import math
import os
from typing import Any

import explain
import linear_scorer
import numpy as np
import served_linear
import served_transformer

try:
    from sagemaker_inference.errors import BaseInferenceToolkitError
except ImportError:  # AWS's training images, in which the model is evaluated, lack the toolkit
    BaseInferenceToolkitError = Exception

JSON, JSON_LINES = "application/json", "application/jsonlines"
Model = tuple[Any, dict[str, Any]]


class Records(list[dict[str, Any]]):
    """The records of one request, and whether their answers shall be explained."""

    def __init__(self, records: list[dict[str, Any]], explain: bool = False) -> None:
        super().__init__(records)
        self.explain = explain


class BadRequestError(BaseInferenceToolkitError):
    """The request cannot be served as it stands."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(status, message, message)


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


def input_fn(body: str | bytes, content_type: str) -> Records:
    """The records of {"records": [...], "explain": true?}, or of JSON lines."""
    kind = content_type.split(";")[0].strip()
    if kind == JSON_LINES:
        return _lines(body)
    if kind != JSON:
        raise BadRequestError(f"Content-Type must be {JSON}, not {content_type}", 415)
    try:
        content = json.loads(body)
        records = content["records"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadRequestError('the body must be {"records": [{...}]}') from error
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise BadRequestError("records must be a list of objects")
    return Records(records, content.get("explain") is True)


def _lines(body: str | bytes) -> Records:
    raw = body.encode() if isinstance(body, str) else bytes(body)
    try:
        records = [json.loads(line) for line in raw.split(b"\n") if line.strip()]
    except ValueError as error:
        raise BadRequestError("each line must be an object") from error
    if not all(isinstance(each, dict) for each in records):
        raise BadRequestError("each line must be an object")
    return Records(records)


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
    how = explain.by_weights if explain.linear(pipeline) else explain.by_occlusion
    if hasattr(pipeline, "words"):
        how = explain.by_words
    return how(array(records, metadata), pipeline, metadata)


def _answers(pipeline: Any, rows: Any) -> list[dict[str, Any]]:
    if not hasattr(pipeline, "classes_"):
        return [{"prediction": round(float(value), 6)} for value in pipeline.predict(rows)]
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


def output_fn(predictions: list[dict[str, Any]], accept: str) -> str:
    if accept == JSON_LINES:
        return "\n".join(map(json.dumps, predictions))
    if accept not in (JSON, "*/*", "application/*"):
        raise BadRequestError(f"Accept must be {JSON}, not {accept}", 406)
    version = os.environ.get("MODEL_VERSION", "")
    return json.dumps({"predictions": predictions, "model_version": version})


def array(records: list[dict[str, Any]], metadata: dict[str, Any]) -> np.ndarray:
    """(n, text + numeric + categorical), objects, as training_code/columns.py makes it."""
    numeric, categorical = metadata.get("numeric", []), metadata.get("categorical", [])
    return np.array(
        [
            [
                *(_text(record, name) for name in metadata["text"]),
                *(_number(record, name) for name in numeric),
                *(_category(record, name) for name in categorical),
            ]
            for record in records
        ],
        dtype=object,
    )


def _frame(records: list[dict[str, Any]], pipeline: Any) -> Any:
    """The columns that the model was fitted on, in a DataFrame."""
    import pandas as pd

    names = getattr(pipeline, "feature_names_in_", None)
    return pd.DataFrame(records, columns=None if names is None else list(names))


def _text(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRequestError(f"{name} must be a text")
    return value


def _number(record: dict[str, Any], name: str) -> float:
    value = record.get(name)
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequestError(f"{name} must be a number")
    return float(value)


def _category(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    return "" if value is None else str(value)
