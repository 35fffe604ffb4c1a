"""Where live bias is worse than the baseline's.

https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-model-monitor-bias-drift-violations.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from checks import comparison, significance
from checks.bias_metrics import POST, PRE, apart
from checks.comparison import Comparison

Violation = dict[str, Any]
CHECK = "bias_drift_check"


class Entry(NamedTuple):
    """One metric of one facet's value at one stage."""

    stage: str
    facet: str
    value: str
    metric: Mapping[str, Any]

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.stage, self.facet, self.value, self.metric["name"]

    @property
    def words(self) -> str:
        return f"{self.facet}={self.value} {self.metric['name']}"


def entries(analysis: Mapping[str, Any]) -> Iterator[Entry]:
    """Every metric of an analysis.json or of a constraints.json of the same form."""
    for stage in (PRE, POST):
        for facet, values in analysis.get(stage, {}).get("facets", {}).items():
            for each in values:
                for metric in each["metrics"]:
                    yield Entry(stage, facet, str(each["value_or_threshold"]), metric)


def find(
    live: Mapping[str, Any], constraints: Mapping[str, Any]
) -> tuple[list[Violation], list[Comparison]]:
    """Metrics further from no bias than the baseline's, and every test.

    AWS's rule: any further. With `significance_constraints`: further by more than
    `minimum_change`, and by more than the two bootstrap errors explain, over all metrics together.
    """
    known = {each.key: each.metric for each in entries(constraints)}
    test = significance.enabled(constraints)
    least = significance.least_change(constraints)
    found: list[tuple[Entry, Mapping[str, Any]]] = []
    compared = []
    for entry in entries(live):
        name = entry.metric["name"]
        before = known.get(entry.key)
        if before is None or before["value"] is None or entry.metric["value"] is None:
            continue
        now, then = (apart(name, _number(each["value"])) for each in (entry.metric, before))
        p = _p(now - then, entry.metric, before)
        found.append((entry, before))
        compared.append(
            Comparison(entry.words, CHECK, "further by", comparison.finite(now - then), least, p)
        )
    compared = comparison.decide(compared, test)
    broken = [pair for pair, each in zip(found, compared, strict=True) if each.drifted]
    return [_violation(entry, before) for entry, before in broken], compared


def _p(worse: float, live: Mapping[str, Any], baseline: Mapping[str, Any]) -> float:
    """P of a change so large by chance; 1 where the live value's error is not known."""
    if live.get("standard_error") is None or not math.isfinite(worse):
        return 1.0
    error = math.hypot(live["standard_error"], baseline.get("standard_error") or 0.0)
    if error == 0:
        return 0.0 if worse > 0 else 1.0
    return significance.normal(worse / error)


def _number(value: Any) -> float:
    """Infinities are words in the files."""
    return float(value)


def _violation(entry: Entry, before: Mapping[str, Any]) -> Violation:
    """Model Monitor's members, and the two values beside them."""
    return {
        "facet": entry.facet,
        "facet_value": entry.value,
        "metric_name": entry.metric["name"],
        "constraint_check_type": CHECK,
        "description": f"Value {entry.metric['value']} does not meet the constraint requirement",
        "value": entry.metric["value"],
        "baseline_value": before["value"],
    }
