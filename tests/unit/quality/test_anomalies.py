"""When a new value is out of line with its history: a table of cases for each strategy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from chalicelib.quality import anomalies, history, seasonal, verdict
from chalicelib.quality.declared import Anomaly, Check
from chalicelib.quality.document import document
from chalicelib.quality.query import Wanted

STEADY = [10.0, 12.0, 11.0, 9.0, 10.0, 11.0, 12.0, 9.0]


def anomaly(strategy: str, **keys: Any) -> Anomaly:
    return Anomaly.model_validate({"strategy": strategy, **keys})


@pytest.mark.parametrize(
    ("given", "before", "value", "fits"),
    [
        (anomaly("relative_change", at_least=0.5, at_most=2), [1, 1, 10], 20, True),
        (anomaly("relative_change", at_least=0.5, at_most=2), [1, 1, 10], 20.1, False),
        (anomaly("relative_change", at_least=0.5), [1, 1, 10], 4.9, False),
        (anomaly("relative_change", at_least=0.5), [1, 1, 10], 1000, True),
        (anomaly("relative_change", at_most=2, order=2), [1, 4, 100], 9, False),
        (anomaly("relative_change", at_most=1.5), [1, 1, 0], 1, False),
        (anomaly("relative_change", at_least=0.5, at_most=2), [1, 1, -10], -15, True),
        (anomaly("relative_change", at_least=0.5, at_most=2), [1, 1, -10], -25, False),
        (anomaly("absolute_change", at_least=-1, at_most=1), [5, 5, 5], 6, True),
        (anomaly("absolute_change", at_least=-1, at_most=1), [5, 5, 5], 6.1, False),
        (anomaly("absolute_change", at_least=-1), [5, 5, 5], 3.9, False),
        # second difference: 1, 2, 4 grew by 1 and 2; 8 grows by 4, two more than before
        (anomaly("absolute_change", at_most=2, order=2), [1, 2, 4], 8, True),
        (anomaly("absolute_change", at_most=1.9, order=2), [1, 2, 4], 8, False),
        (anomaly("batch_normal"), STEADY, 13.5, True),
        (anomaly("batch_normal"), STEADY, 14, False),
        (anomaly("batch_normal", upper_deviations=None), STEADY, 99, True),
        (anomaly("batch_normal", lower_deviations=1), STEADY, 9, False),
        (anomaly("batch_normal"), [1.0, 1.0, 1.0], 1.0, True),
        (anomaly("batch_normal"), [0.1 + 0.2] * 3, 0.3, True),
        (anomaly("batch_normal"), [1.0, 1.0, 1.0], 0.99, False),
        (anomaly("online_normal", upper_deviations=2), STEADY, 12, True),
        (anomaly("online_normal", upper_deviations=2), STEADY, 20, False),
        (anomaly("seasonal", period=4), [1, 5, 3, 9] * 4, 1, True),
        (anomaly("seasonal", period=4), [1, 5, 3, 9] * 4, 5, False),
    ],
)
def test_bands(given: Anomaly, before: list[float], value: float, fits: bool) -> None:
    band = anomalies.band(given, before, value)
    assert band is not None
    assert band.holds(value) is fits, band


@pytest.mark.parametrize(
    ("given", "least"),
    [
        (anomaly("batch_normal"), 3),
        (anomaly("batch_normal", min_history=10), 10),
        (anomaly("relative_change", at_most=2, order=5), 5),
        (anomaly("seasonal", period=7), 14),
        (anomaly("online_normal", ignore_start=0.9), 9),
    ],
)
def test_a_short_history_judges_nothing(given: Anomaly, least: int) -> None:
    assert anomalies.band(given, [1.0] * (least - 1), 99) is None
    assert anomalies.band(given, [1.0] * least, 99) is not None


def test_the_online_band_is_that_of_the_series_with_the_new_value() -> None:
    """Welford's recurrence, as Deequ writes it, against the plain formula."""
    given = anomaly("online_normal", lower_deviations=1.5, upper_deviations=2)
    band = anomalies.band(given, STEADY, 17)
    series = np.array([*STEADY, 17])
    deviation = math.sqrt(series.var())
    assert band is not None
    assert band.low == pytest.approx(series.mean() - 1.5 * deviation)
    assert band.high == pytest.approx(series.mean() + 2 * deviation)


def test_a_season_with_a_trend_is_foreseen() -> None:
    rng = np.random.default_rng(3)
    clean = [100 + 0.5 * t + 20 * math.sin(2 * math.pi * t / 7) for t in range(70)]
    noisy = [each + rng.normal(0, 1) for each in clean]
    foreseen, error = seasonal.forecast(noisy, 7)
    following = 100 + 0.5 * 70 + 20 * math.sin(2 * math.pi * 70 / 7)
    assert foreseen == pytest.approx(following, abs=3)
    assert 0.5 < error < 4


def test_two_periods_are_needed() -> None:
    with pytest.raises(ValueError, match="13 values are fewer than two periods of 7"):
        seasonal.forecast([1.0] * 13, 7)


def test_the_verdict_says_what_was_expected_and_why() -> None:
    check = {"check": "size", "anomaly": {"strategy": "relative_change", "at_least": 0.5}}
    wanted = Wanted([Check.model_validate(check)])
    row = {"rows": "40", "rows_read": "40", "m0": "40"}
    before = {"size": [100.0, 100.0, 100.0]}
    report = verdict.judge(row, wanted, 0.05, history=before)
    assert report.failures == [
        "size is 40; wanted at least 50 (at least 0.5 times 100, the run before)."
    ]
    written = document("r1", "reviews", report, {}, before)
    assert written["history"] == before
    assert written["results"][0]["expected"] == {
        "low": 50,
        "high": None,
        "why": "at least 0.5 times 100, the run before",
    }
    assert verdict.judge(row, wanted, 0.05).failures == []


def test_series_are_of_good_runs_before_this_one_oldest_first() -> None:
    found = [
        {"run_id": f"#metrics#reviews#{day}", "good": day != "3", "values": {"size": int(day)}}
        for day in "54321"
    ]
    assert history.series(found, "#metrics#reviews#5") == {"size": [1.0, 2.0, 4.0]}
