"""May the new model take the champion's place? A pure decision on two evaluations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# One-sided 95 %: a fall within this many standard deviations may be the test split's chance.
CONFIDENCE = 1.645


@dataclass(frozen=True)
class Policy:
    metric: str
    at_least: float
    max_regression: float


@dataclass(frozen=True)
class Metric:
    value: float
    sd: float = 0.0  # bootstrap standard deviation on the test split


@dataclass(frozen=True)
class Verdict:
    promote: bool
    reasons: list[str]
    metrics: dict[str, float] = field(default_factory=dict)


class EvaluationError(Exception):
    """The evaluation holds no such metric."""


def metrics(evaluation: Mapping[str, Any]) -> dict[str, Metric]:
    """The single-number metrics of an evaluation.json in SageMaker's ModelMetrics form."""
    found: dict[str, Metric] = {}
    for kind, group in evaluation.items():
        if not kind.endswith("_metrics"):
            continue
        for name, entry in group.items():
            value = entry.get("value") if isinstance(entry, Mapping) else None
            if isinstance(value, int | float) and math.isfinite(value):
                found[name] = Metric(float(value), _deviation(entry))
    return found


def decide(
    policy: Policy, challenger: Mapping[str, Metric], champion: Mapping[str, Metric] | None
) -> Verdict:
    """Refused below the absolute threshold, or clearly more than max_regression below the champion.

    Clearly: further than the bootstrap's noise on the shared test split explains.
    """
    new = _of(policy, challenger, "the new model")
    numbers = {name: metric.value for name, metric in challenger.items()}
    reasons = [f"{policy.metric} {new.value:.4f} is at least {policy.at_least}"]
    promote = new.value >= policy.at_least
    if not promote:
        reasons = [f"{policy.metric} {new.value:.4f} is below the required {policy.at_least}"]
    if champion is None:
        return Verdict(promote, [*reasons, "there is no champion to compare with"], numbers)
    old = _of(policy, champion, "the champion")
    passes, words = _against(policy, new, old)
    numbers[f"champion_{policy.metric}"] = old.value
    return Verdict(promote and passes, [*reasons, words], numbers)


def _against(policy: Policy, new: Metric, old: Metric) -> tuple[bool, str]:
    noise = CONFIDENCE * math.hypot(new.sd, old.sd)
    gain = new.value - old.value
    compared = f"{policy.metric} {new.value:.4f} against the champion's {old.value:.4f}"
    if gain >= 0:
        return True, f"{compared}: {gain:.4f} better"
    if -gain <= policy.max_regression:
        return True, f"{compared}: {-gain:.4f} worse, within {policy.max_regression} allowed"
    if -gain <= policy.max_regression + noise:
        return True, (
            f"{compared}: {-gain:.4f} worse, within {policy.max_regression} allowed "
            f"and the test split's noise of {noise:.4f}"
        )
    return False, (
        f"{compared}: {-gain:.4f} worse, more than {policy.max_regression} allowed "
        f"and the test split's noise of {noise:.4f}"
    )


def _of(policy: Policy, found: Mapping[str, Metric], whose: str) -> Metric:
    if policy.metric not in found:
        there = ", ".join(sorted(found)) or "none"
        raise EvaluationError(
            f"the evaluation of {whose} has no metric {policy.metric}; it has: {there}"
        )
    return found[policy.metric]


def _deviation(entry: Mapping[str, Any]) -> float:
    """AWS writes "NaN" where there is none."""
    value = entry.get("standard_deviation")
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0
