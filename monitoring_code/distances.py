"""How far two distributions are apart, by Model Monitor's definitions.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-constraints.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import sketch

ROBUST = 1.8


def numerical(baseline: Mapping[str, Any], live: Mapping[str, Any], method: str) -> float:
    """The largest difference between the two cumulative distributions."""
    one, other = sketch.weighted(dict(baseline)), sketch.weighted(dict(live))
    points = np.union1d(one[0], other[0])
    simple = float(np.max(np.abs(_cumulative(*one, points) - _cumulative(*other, points))))
    return adjusted(simple, _present(baseline), _present(live), method)


def categorical(baseline: Mapping[str, Any], live: Mapping[str, Any], method: str) -> float:
    """The largest difference between the shares of a value."""
    one, other = shares(baseline), shares(live)
    simple = max((abs(one.get(v, 0) - other.get(v, 0)) for v in {*one, *other}), default=0.0)
    return adjusted(simple, _present(baseline), _present(live), method)


def adjusted(simple: float, n: int, m: int, method: str) -> float:
    """Robust: what samples of these sizes may differ by chance is taken off."""
    if method == "Simple" or not n or not m:
        return simple
    return max(0.0, simple - noise(n, m))


def noise(n: int, m: int) -> float:
    return ROBUST * math.sqrt((n + m) / (n * m))


def shares(feature: Mapping[str, Any]) -> dict[str, float]:
    """Of each value among those present."""
    statistics = feature["string_statistics"]
    total = statistics["common"]["num_present"]
    found = statistics.get("distribution", {}).get("categorical", {}).get("buckets", [])
    return {each["value"]: each["count"] / total for each in found} if total else {}


def _present(feature: Mapping[str, Any]) -> int:
    kind = "numerical_statistics" if "numerical_statistics" in feature else "string_statistics"
    return int(feature[kind]["common"]["num_present"])


def _cumulative(values: np.ndarray, weights: np.ndarray, points: np.ndarray) -> np.ndarray:
    total = np.concatenate([[0.0], np.cumsum(weights)])
    found: np.ndarray = total[np.searchsorted(values, points, side="right")] / total[-1]
    return found
