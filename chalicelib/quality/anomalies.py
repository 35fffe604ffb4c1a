"""Is a metric's new value out of line with its history: pure functions of numbers.

The strategies are Deequ's (anomalydetection/ in https://github.com/awslabs/deequ), asked about the
newest point of a series.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.quality import seasonal

if TYPE_CHECKING:
    from chalicelib.quality.declared import Anomaly

ROUNDING = 1e-9  # a difference below this share is arithmetic's, not the data's


@dataclass(frozen=True)
class Band:
    """Where the new value should lie, and in words where that comes from."""

    low: float
    high: float
    why: str

    def holds(self, value: float) -> bool:
        sizes = [abs(each) for each in (value, self.low, self.high) if math.isfinite(each)]
        slack = ROUNDING * max(sizes)
        return self.low - slack <= value <= self.high + slack


Strategy = Callable[["Anomaly", Sequence[float], float], "Band | None"]


def band(anomaly: Anomaly, history: Sequence[float], value: float) -> Band | None:
    """The band for `value` after `history` (oldest first); None while the history is too short."""
    if len(history) < needed(anomaly):
        return None
    return STRATEGIES[anomaly.strategy](anomaly, history, value)


def needed(anomaly: Anomaly) -> int:
    """How many earlier values a strategy has to see."""
    least = {
        "relative_change": anomaly.order,
        "absolute_change": anomaly.order,
        "batch_normal": 2,
        "online_normal": 2,
        "seasonal": 2 * (anomaly.period or 0),
    }
    return max(least[anomaly.strategy], anomaly.min_history)


def relative_change(anomaly: Anomaly, history: Sequence[float], value: float) -> Band:
    """New value over old one, `order` runs back: 0.9 and 1.1 allow ten percent."""
    before = history[-anomaly.order]
    bounds = [_times(rate, before) for rate in (anomaly.at_least, anomaly.at_most)]
    low, high = (bounds[0], bounds[1]) if before >= 0 else (bounds[1], bounds[0])
    return Band(
        -math.inf if low is None else low,
        math.inf if high is None else high,
        f"{_limits(anomaly.at_least, anomaly.at_most)} times {before:.6g}, {_ago(anomaly.order)}",
    )


def absolute_change(anomaly: Anomaly, history: Sequence[float], value: float) -> Band:
    """The difference of the given order; of order 1, new value less old one."""
    # The order-th difference is the new value less a fixed sum of earlier ones.
    before = -sum(
        math.comb(anomaly.order, back) * (-1) ** back * history[-back]
        for back in range(1, anomaly.order + 1)
    )
    return Band(
        -math.inf if anomaly.at_least is None else before + anomaly.at_least,
        math.inf if anomaly.at_most is None else before + anomaly.at_most,
        f"a change of {_limits(anomaly.at_least, anomaly.at_most)} from {before:.6g}",
    )


def batch_normal(anomaly: Anomaly, history: Sequence[float], value: float) -> Band:
    """Mean and standard deviation of all earlier values."""
    mean = sum(history) / len(history)
    deviation = math.sqrt(sum((each - mean) ** 2 for each in history) / len(history))
    return _normal(anomaly, mean, deviation, f"of {len(history)} earlier runs")


def online_normal(anomaly: Anomaly, history: Sequence[float], value: float) -> Band | None:
    """Running mean and standard deviation, the new value among them, as Deequ computes them.

    Within the first `ignore_start` share of the series nothing is out of line.
    """
    mean = squares = 0.0
    for index, each in enumerate([*history, value]):
        last = mean
        mean = each if index == 0 else last + (each - last) / (index + 1)
        squares += (each - last) * (each - mean)
    count = len(history) + 1
    if len(history) < count * anomaly.ignore_start:
        return None
    return _normal(anomaly, mean, math.sqrt(squares / count), f"running over {count} runs")


def seasonal_band(anomaly: Anomaly, history: Sequence[float], value: float) -> Band:
    """Holt-Winters' forecast, and 1.96 times how far its forecasts were off before."""
    forecast, error = seasonal.forecast(history, anomaly.period or 0)
    reach = 1.96 * error
    why = f"Holt-Winters foresees {forecast:.6g} with a period of {anomaly.period}"
    return Band(forecast - reach, forecast + reach, why)


STRATEGIES: dict[str, Strategy] = {
    "relative_change": relative_change,
    "absolute_change": absolute_change,
    "batch_normal": batch_normal,
    "online_normal": online_normal,
    "seasonal": seasonal_band,
}


def _normal(anomaly: Anomaly, mean: float, deviation: float, words: str) -> Band:
    low, high = anomaly.lower_deviations, anomaly.upper_deviations
    return Band(
        -math.inf if low is None else mean - low * deviation,
        math.inf if high is None else mean + high * deviation,
        f"mean {mean:.6g}, standard deviation {deviation:.3g} {words}",
    )


def _times(rate: float | None, value: float) -> float | None:
    return None if rate is None else rate * value


def _limits(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high:g}"
    return f"at least {low:g}" if high is None else f"{low:g} to {high:g}"


def _ago(runs: int) -> str:
    return "the run before" if runs == 1 else f"{runs} runs before"
