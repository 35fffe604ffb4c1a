"""A fitted linear pipeline as inference_code/linear_scorer.py reads it: linear.json, linear.f32."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from columns import Columns
from sklearn.pipeline import Pipeline

DOCUMENT, WEIGHTS = "linear.json", "linear.f32"


def write(pipeline: Pipeline, columns: Columns, folder: Path) -> None:
    """Of the pipeline that linear.py makes."""
    model = pipeline[-1]
    document = {
        "columns": columns.all,
        "classes": [str(each) for each in getattr(pipeline, "classes_", [])],
        "intercept": np.atleast_1d(model.intercept_).astype(float).tolist(),
        "parts": _parts(pipeline[0], columns),
    }
    (folder / DOCUMENT).write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    weights = np.ascontiguousarray(np.atleast_2d(model.coef_).T, dtype="<f4")
    (folder / WEIGHTS).write_bytes(weights.tobytes())


def _parts(transformer: Any, columns: Columns) -> list[dict[str, Any]]:
    """One for each column, in their order; `first` is the place of its first feature."""
    parts: list[dict[str, Any]] = []
    first = 0
    for name, fitted, _ in transformer.transformers_:
        if name.startswith("text"):
            found = [_text(fitted)]
        elif name == "numeric":
            found = _numbers(fitted)
        elif name == "categorical":
            found = _categories(fitted)
        else:
            continue
        for size, part in found:
            parts.append({**part, "first": first})
            first += size
    assert len(parts) == len(columns.all)
    return parts


def _text(fitted: Any) -> tuple[int, dict[str, Any]]:
    terms = [str(term) for term in fitted.get_feature_names_out()]
    return len(terms), {
        "kind": "text",
        "pattern": fitted.token_pattern,
        "longest": fitted.ngram_range[1],
        "terms": terms,
        "idf": [round(float(each), 7) for each in fitted.idf_],
    }


def _numbers(fitted: Any) -> list[tuple[int, dict[str, Any]]]:
    _, imputer, scaler = (step for _, step in fitted.steps)
    told = zip(imputer.statistics_, scaler.mean_, scaler.scale_, strict=True)
    return [
        (1, {"kind": "number", "median": float(m), "mean": float(mean), "scale": float(scale)})
        for m, mean, scale in told
    ]


def _categories(fitted: Any) -> list[tuple[int, dict[str, Any]]]:
    found = []
    for values, rare in zip(fitted.categories_, fitted.infrequent_categories_, strict=True):
        kept = [str(value) for value in values if rare is None or value not in rare]
        places = {value: place for place, value in enumerate(kept)}
        part = {"kind": "category", "places": places, "rare": None if rare is None else len(kept)}
        found.append((len(kept) + (rare is not None), part))
    return found
