"""A request's body as records, records as a model's rows, predictions as an answer's body.

The standard library alone: it also runs where no numpy is.
"""

from __future__ import annotations

import json
import math
import os
from typing import Any

try:
    from sagemaker_inference.errors import BaseInferenceToolkitError
except ImportError:  # AWS's training images, in which the model is evaluated, lack the toolkit
    BaseInferenceToolkitError = Exception

JSON, JSON_LINES = "application/json", "application/jsonlines"


class Records(list[dict[str, Any]]):
    """The records of one request, and whether their answers shall be explained."""

    def __init__(self, records: list[dict[str, Any]], explain: bool = False) -> None:
        super().__init__(records)
        self.explain = explain


class BadRequestError(BaseInferenceToolkitError):
    """The request cannot be served as it stands."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(status, message, message)
        self.status_code, self.message = status, message


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


def output_fn(predictions: list[dict[str, Any]], accept: str) -> str:
    if accept == JSON_LINES:
        return "\n".join(map(json.dumps, predictions))
    if accept not in (JSON, "*/*", "application/*"):
        raise BadRequestError(f"Accept must be {JSON}, not {accept}", 406)
    version = os.environ.get("MODEL_VERSION", "")
    return json.dumps({"predictions": predictions, "model_version": version})


def digits(value: float) -> float:
    """A number to seven significant digits, which is what a weight of 32 bits holds.

    Not to so many decimals: a label may be of any scale.
    """
    return float(f"{value:.7g}")


def rows_of(records: list[dict[str, Any]], metadata: dict[str, Any]) -> list[list[Any]]:
    """Of each record its texts, numbers and categories, in the order of metadata.json."""
    numeric, categorical = metadata.get("numeric", []), metadata.get("categorical", [])
    return [
        [
            *(_text(record, name) for name in metadata["text"]),
            *(_number(record, name) for name in numeric),
            *(_category(record, name) for name in categorical),
        ]
        for record in records
    ]


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
