"""Constraints of model quality, and where live metrics break them.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-baseline.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from checks import comparison, significance
from checks.comparison import Comparison
from checks.model_metrics import KEYS

LESS, GREATER = "LessThanThreshold", "GreaterThanThreshold"
WORSE_WHEN_HIGH = ("mae", "mse", "rmse", "false_positive_rate", "false_negative_rate")
CONSTANT = "_best_constant_classifier"  # tells how hard the task is: no property of the model
Violation = dict[str, str]


def suggest(
    problem: str, metrics: Mapping[str, Any], *, test: bool, minimum_change: float = 0.05
) -> dict[str, Any]:
    """The baseline's values as thresholds. With `test`, a live value must be worse by more than
    chance, and by more than `minimum_change` of the threshold; AWS's rule is any worse value."""
    limits = {
        name: {
            "threshold": each["value"],
            "comparison_operator": GREATER if name in WORSE_WHEN_HIGH else LESS,
        }
        for name, each in metrics.items()
        if "value" in each and not name.endswith(CONSTANT) and math.isfinite(each["value"])
    }
    found: dict[str, Any] = {"version": 0.0, f"{KEYS[problem]}_constraints": limits}
    if test:
        found["significance_constraints"] = significance.rule(minimum_change=minimum_change)
    return found


def find(
    problem: str,
    metrics: Mapping[str, Any],
    constraints: Mapping[str, Any],
    baseline: Mapping[str, Any],
    fewer: float = 1.0,
) -> tuple[list[Violation], list[Comparison]]:
    """Violations, and every test.

    `baseline`: the baseline's metrics, for their standard errors; may be empty. `fewer`: the
    baseline's records for each live one.
    """
    limits = constraints[f"{KEYS[problem]}_constraints"]
    test = significance.enabled(constraints)
    least = significance.least_change(constraints)
    compared = []
    for name, limit in limits.items():
        if name in metrics:
            worse = _worse_by(metrics[name]["value"], limit)
            p = _p(worse, metrics[name], baseline.get(name, {}), fewer)
            allowed = least * abs(float(limit["threshold"]))
            check = limit["comparison_operator"]
            compared.append(
                Comparison(name, check, "worse by", comparison.finite(worse), allowed, p)
            )
    compared = comparison.decide(compared, test)
    broken = [each.feature for each in compared if each.drifted]
    return [_violation(name, metrics[name], limits[name]) for name in broken], compared


def _worse_by(value: float, limit: Mapping[str, Any]) -> float:
    apart = float(limit["threshold"]) - value
    return -apart if limit["comparison_operator"] == GREATER else apart


def _p(worse: float, live: Mapping[str, Any], baseline: Mapping[str, Any], fewer: float) -> float:
    """P of a value so much worse by chance; 1 where its error is not known.

    A few live records that are nearly all wrong hardly differ from one another: their error is no
    smaller than the baseline's would be of as many.
    """
    seen = _number(live.get("standard_error"))
    if not math.isfinite(seen):
        return 1.0
    known = _finite(baseline.get("standard_error"))
    error = math.hypot(max(seen, known * math.sqrt(fewer)), known)
    if error == 0:
        return 0.0 if worse > 0 else 1.0
    return significance.normal(worse / error)


def _number(value: Any) -> float:
    return float(value) if value is not None else float("nan")


def _finite(value: Any) -> float:
    number = _number(value)
    return number if math.isfinite(number) else 0.0


def _violation(name: str, live: Mapping[str, Any], limit: Mapping[str, Any]) -> Violation:
    operator = limit["comparison_operator"]
    words = (
        f"Metric {name} with {live['value']} +/- {live['standard_deviation']} "
        f"was {operator} '{limit['threshold']}'"
    )
    return {"constraint_check_type": operator, "description": words, "metric_name": name}
