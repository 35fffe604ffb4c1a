"""What the endpoint runs: records in, label and probabilities of each out.

Request: {"records": [{"review_body": "..."}]}; answer: {"predictions": [{"label",
"probabilities"}], "model_version"}. A bad request answers 400 with words, as the toolkit does with
its own errors.
https://github.com/aws/sagemaker-inference-toolkit
"""

from __future__ import annotations

import json
import os
from typing import Any

import joblib
import numpy as np
from sagemaker_inference.errors import BaseInferenceToolkitError

JSON = "application/json"
Model = tuple[Any, dict[str, Any]]


class BadRequestError(BaseInferenceToolkitError):
    """The request cannot be served as it stands."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(status, message, message)


def model_fn(model_dir: str) -> Model:
    """The pipeline and what is known of it."""
    with open(os.path.join(model_dir, "metadata.json"), encoding="utf-8") as file:
        metadata = json.load(file)
    return joblib.load(os.path.join(model_dir, "model.joblib")), metadata


def input_fn(body: str | bytes, content_type: str) -> list[dict[str, Any]]:
    if content_type.split(";")[0].strip() != JSON:
        raise BadRequestError(f"Content-Type must be {JSON}, not {content_type}", 415)
    try:
        records = json.loads(body)["records"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadRequestError('the body must be {"records": [{...}]}') from error
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise BadRequestError("records must be a list of objects")
    return records


def predict_fn(records: list[dict[str, Any]], model: Model) -> list[dict[str, Any]]:
    pipeline, metadata = model
    if not records:
        return []
    rows = [[_text(record, name) for name in metadata["text"]] for record in records]
    probabilities = pipeline.predict_proba(np.array(rows, dtype=object))
    classes = [str(each) for each in pipeline.classes_]
    return [
        {
            "label": classes[int(row.argmax())],
            "probabilities": {
                name: round(float(value), 6) for name, value in zip(classes, row, strict=True)
            },
        }
        for row in probabilities
    ]


def output_fn(predictions: list[dict[str, Any]], accept: str) -> str:
    if accept not in (JSON, "*/*", "application/*"):
        raise BadRequestError(f"Accept must be {JSON}, not {accept}", 406)
    version = os.environ.get("MODEL_VERSION", "")
    return json.dumps({"predictions": predictions, "model_version": version})


def _text(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRequestError(f"{name} must be a text")
    return value
