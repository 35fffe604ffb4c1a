"""May the new model take the champion's place? A pure decision on what the evaluation measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Of these less is better; of every other metric more.
ERRORS = {"ece", "mae", "mse", "rmse", "false_positive_rate", "false_negative_rate"}


@dataclass(frozen=True)
class Policy:
    """What a model must reach, and how far below the champion it may stay."""

    metric: str
    at_least: float = 0.0
    max_regression: float = 0.0
    max_slice_regression: float | None = None  # None: slices are not judged
    minimum: Mapping[str, float] = field(default_factory=dict)
    maximum: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """A metric of both models on the same rows; the difference by a paired bootstrap of 95 %."""

    challenger: float
    champion: float
    low: float
    high: float
    where: str = ""  # the slice's column and value; empty for the whole test split

    def gain(self, metric: str) -> tuple[float, float]:
        """How much better the challenger is, and at best is within the interval."""
        difference = self.challenger - self.champion
        return (-difference, -self.low) if metric in ERRORS else (difference, self.high)


@dataclass(frozen=True)
class Verdict:
    promote: bool
    reasons: list[str]
    metrics: dict[str, float] = field(default_factory=dict)


class EvaluationError(Exception):
    """The evaluation holds no such metric."""


def metrics(evaluation: Mapping[str, Any]) -> dict[str, float]:
    """The single-number metrics of an evaluation.json in SageMaker's ModelMetrics form."""
    found: dict[str, float] = {}
    for kind, group in evaluation.items():
        if not kind.endswith("_metrics"):
            continue
        for name, entry in group.items():
            value = entry.get("value") if isinstance(entry, Mapping) else None
            if isinstance(value, int | float) and math.isfinite(value):
                found[name] = float(value)
    return found


def comparison(document: Mapping[str, Any], metric: str, where: str = "") -> Comparison:
    """One metric of a comparison.json."""
    found = document[_known(metric, document, "the comparison")]
    low, high = found["interval"]
    return Comparison(found["challenger"], found["champion"], low, high, where)


def slices(documents: Sequence[Mapping[str, Any]], metric: str) -> list[Comparison]:
    """The metric in each slice of a slices.json where the champion was measured too."""
    return [
        comparison(each["comparison"], metric, f"{each['column']} {each['value']}")
        for each in documents
        if metric in each.get("comparison", {})
    ]


def decide(
    policy: Policy,
    challenger: Mapping[str, float],
    against: Comparison | None,
    by_slice: Sequence[Comparison] = (),
    not_compared: str = "",
) -> Verdict:
    """Refused below a threshold, or clearly worse than the champion, whole or in a slice.

    Clearly: by more than the policy allows even at the better end of the interval.
    `not_compared`: why the evaluation could not ask the champion that there is.
    """
    judged = _thresholds(policy, challenger)
    numbers = dict(challenger)
    if not_compared:
        words = f"the champion could not be compared with ({not_compared})"
        judged.append((True, f"{words}: the thresholds alone decided"))
    elif against is None:
        judged.append((True, "there is no champion to compare with"))
    else:
        judged.append(_regression(policy.metric, against, policy.max_regression))
        numbers[f"champion_{policy.metric}"] = against.champion
        if policy.max_slice_regression is not None:
            judged += _slices(policy.metric, by_slice, policy.max_slice_regression)
    return Verdict(all(passes for passes, _ in judged), [words for _, words in judged], numbers)


def _thresholds(policy: Policy, found: Mapping[str, float]) -> list[tuple[bool, str]]:
    judged = []
    for name, limit in {policy.metric: policy.at_least, **policy.minimum}.items():
        value = found[_known(name, found, "the evaluation")]
        words = f"is at least {limit}" if value >= limit else f"is below the required {limit}"
        judged.append((value >= limit, f"{name} {_told(value)} {words}"))
    for name, limit in policy.maximum.items():
        value = found[_known(name, found, "the evaluation")]
        words = f"is at most {limit}" if value <= limit else f"is above the allowed {limit}"
        judged.append((value <= limit, f"{name} {_told(value)} {words}"))
    return judged


def _slices(metric: str, by_slice: Sequence[Comparison], allowed: float) -> list[tuple[bool, str]]:
    """Every slice that is refused, or one word for all."""
    judged = [_regression(metric, each, allowed) for each in by_slice]
    if refused := [each for each in judged if not each[0]]:
        return refused
    return [(True, f"no slice of {len(judged)} is clearly worse by {allowed}")] if judged else []


def _regression(metric: str, found: Comparison, allowed: float) -> tuple[bool, str]:
    gain, best = found.gain(metric)
    place = f"in {found.where}: " if found.where else ""
    low, high = (_told(each, "+") for each in (found.low, found.high))
    words = (
        f"{place}{metric} {_told(found.challenger)} "
        f"against the champion's {_told(found.champion)}: "
        f"{_told(abs(gain))} {'better' if gain >= 0 else 'worse'} "
        f"(95 % interval of the difference {low} to {high})"
    )
    if gain >= 0:
        return True, words
    if -gain <= allowed:
        return True, f"{words}, within {allowed} allowed"
    if best >= -allowed:
        return True, f"{words}, more than {allowed} allowed, but the test split may be to blame"
    return False, f"{words}, more than {allowed} allowed"


def _told(value: float, sign: str = "") -> str:
    """Four decimals; of what is smaller, three digits: a label may be of any scale."""
    return f"{value:{sign}.4f}" if not value or abs(value) >= 0.001 else f"{value:{sign}.3g}"


def _known(name: str, found: Mapping[str, Any], whose: str) -> str:
    if name not in found:
        there = ", ".join(sorted(found)) or "none"
        raise EvaluationError(f"{whose} has no metric {name}; it has: {there}")
    return name
