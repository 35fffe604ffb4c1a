"""A linear model's answers and their explanations by its scorer alone, as inference.py gives them.

The standard library is all it needs, so that it answers inside a Lambda function of some kilobytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from linear_scorer import LinearScorer
from records import digits

TOP = 10


def answer(scorer: LinearScorer, row: Sequence[Any], explain: bool) -> dict[str, Any]:
    """{"label", "probabilities"}, or {"prediction"} of a regression; with its "explanation"."""
    if not scorer.classes:
        told: dict[str, Any] = {"prediction": digits(scorer.value(row))}
        return {**told, "explanation": why(scorer, row, 0)} if explain else told
    probabilities = scorer.probabilities(row)
    best = probabilities.index(max(probabilities))
    shares = zip(scorer.classes, probabilities, strict=True)
    told = {
        "label": scorer.classes[best],
        "probabilities": {name: round(share, 6) for name, share in shares},
    }
    return {**told, "explanation": why(scorer, row, best)} if explain else told


def why(scorer: LinearScorer, row: Sequence[Any], label: int) -> dict[str, Any]:
    """The terms that moved the answer the most: explain.by_weights, of one row."""
    intercept = _against_the_mean(scorer, scorer.intercept, label)
    found = [
        (column, term, value * _against_the_mean(scorer, weights, label))
        for column, term, value, weights in scorer.features(row)
    ]
    strongest = sorted(found, key=lambda each: -abs(each[2]))[:TOP]
    return {
        "method": "linear",
        "intercept": digits(intercept),
        "total": digits(sum(weight for *_, weight in found) + intercept),
        "terms": [
            {"column": column, "term": term, "weight": digits(weight)}
            for column, term, weight in strongest
            if weight
        ],
    }


def _against_the_mean(scorer: LinearScorer, weights: Sequence[float], label: int) -> float:
    """A label's weight less the mean over the labels; two classes share one weight."""
    if not scorer.classes:
        return weights[0]
    if len(weights) == 1:
        return weights[0] / 2 if label else -weights[0] / 2
    return weights[label] - sum(weights) / len(weights)
