"""Post-training bias: do the model's answers treat a group of rows unlike the others?

For one facet (a column's value, d) against all other rows (a), with some labels as the positive
outcome. Definitions: https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-measure-post-training-bias.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

MIN_ROWS = 10  # of a facet's value, before it is measured
NAMES = {
    "DPPL": "Difference in Positive Proportions in Predicted Labels",
    "DI": "Disparate Impact",
    "DCA": "Difference in Conditional Acceptance",
    "DCR": "Difference in Conditional Rejection",
    "RD": "Recall Difference",
    "DAR": "Difference in Acceptance Rates",
    "DRR": "Difference in Rejection Rates",
    "AD": "Accuracy Difference",
    "CDDPL": "Conditional Demographic Disparity in Predicted Labels",
    "TE": "Treatment Equality",
}


def measure(
    facet: np.ndarray, actual: np.ndarray, predicted: np.ndarray, group: np.ndarray | None = None
) -> dict[str, float]:
    """Each metric by its short name; infinite where it divides by nothing.

    Booleans (n,): the row is of the facet, its label is positive, its answer is. CDDPL needs the
    group (n,) that each row belongs to.
    """
    a, d = _Side(actual[~facet], predicted[~facet]), _Side(actual[facet], predicted[facet])
    found = {
        "DPPL": _ratio(a.told, a.rows) - _ratio(d.told, d.rows),
        "DI": _ratio(_ratio(d.told, d.rows), _ratio(a.told, a.rows)),
        "DCA": _less(_ratio(a.positive, a.told), _ratio(d.positive, d.told)),
        "DCR": _less(_ratio(d.negative, d.refused), _ratio(a.negative, a.refused)),
        "RD": _ratio(a.tp, a.positive) - _ratio(d.tp, d.positive),
        "DAR": _ratio(a.tp, a.told) - _ratio(d.tp, d.told),
        "DRR": _ratio(d.tn, d.refused) - _ratio(a.tn, a.refused),
        "AD": _ratio(a.tp + a.tn, a.rows) - _ratio(d.tp + d.tn, d.rows),
        "TE": _less(_ratio(d.fn, d.fp), _ratio(a.fn, a.fp)),
    }
    if group is not None:
        found["CDDPL"] = _conditional_disparity(facet, predicted, group)
    return found


def report(
    rows: pd.DataFrame,
    facets: list[str],
    positive: list[str],
    labels: Mapping[str, np.ndarray],
    *,
    label: str,
    group: str | None,
) -> dict[str, Any]:
    """The measures of every facet value of MIN_ROWS rows, in the form of Clarify's analysis.json.

    `labels`: "actual" and "predicted", (n,) of str.
    """
    actual, predicted = (np.isin(labels[name], positive) for name in ("actual", "predicted"))
    groups = rows[group].astype(str).to_numpy() if group else None
    found: dict[str, list[dict[str, Any]]] = {}
    for column in facets:
        values = rows[column].astype(str).to_numpy()
        there, counts = np.unique(values, return_counts=True)
        enough = (counts >= MIN_ROWS) & (len(values) - counts >= MIN_ROWS)
        found[column] = [
            {
                "value_or_threshold": str(value),
                "metrics": _told(measure(values == value, actual, predicted, groups)),
            }
            for value in there[enough]
        ]
    section = {
        "label": label,
        "label_value_or_threshold": ",".join(positive),
        "facets": found,
    }
    return {"version": "1.0", "post_training_bias_metrics": section}


class _Side:
    """The counts of one side."""

    def __init__(self, actual: np.ndarray, predicted: np.ndarray) -> None:
        self.rows = len(actual)
        self.tp, self.fn = int((actual & predicted).sum()), int((actual & ~predicted).sum())
        self.fp, self.tn = int((~actual & predicted).sum()), int((~actual & ~predicted).sum())
        self.positive, self.negative = self.tp + self.fn, self.fp + self.tn
        self.told, self.refused = self.tp + self.fp, self.fn + self.tn


def _conditional_disparity(facet: np.ndarray, predicted: np.ndarray, group: np.ndarray) -> float:
    """In each group, the facet's share of the refused less its share of the accepted; averaged.

    NaN where all are accepted, or none.
    """
    if predicted.all() or not predicted.any():
        return math.nan
    total = 0.0
    for name in np.unique(group):
        there = group == name
        refused, accepted = there & ~predicted, there & predicted
        disparity = _ratio((refused & facet).sum(), refused.sum()) - _ratio(
            (accepted & facet).sum(), accepted.sum()
        )
        total += there.sum() * disparity
    return float(total / len(group))


def _told(found: dict[str, float]) -> list[dict[str, Any]]:
    """JSON has neither infinity nor NaN: null."""
    return [
        {
            "name": name,
            "description": f"{NAMES[name]} ({name})",
            "value": float(value) if math.isfinite(value) else None,
        }
        for name, value in found.items()
    ]


def _ratio(part: float, whole: float) -> float:
    if whole:
        return float(part / whole)
    return math.inf if part else 0.0


def _less(one: float, other: float) -> float:
    """A difference in which two infinities are equal."""
    return 0.0 if one == other else one - other
