"""What the measured values say: each check kept or broken, and whether the run may go on."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chalicelib.quality import anomalies, bias

if TYPE_CHECKING:
    from chalicelib.quality.anomalies import Band
    from chalicelib.quality.declared import Bias, Check
    from chalicelib.quality.query import Wanted


class QualityError(Exception):
    """A check at error level is broken: this data does not train a model."""


@dataclass(frozen=True)
class Result:
    """One check and what was measured of it."""

    metric: str
    level: str
    value: float | None
    at_least: float | None
    at_most: float | None
    passed: bool
    hint: str = ""
    index: int | None = None  # its place among the declared checks
    reads: tuple[str, ...] = ()
    expected: Band | None = None  # by the metric's history

    @property
    def wanted(self) -> list[str]:
        """The bounds in words, those of the history with their reason."""
        wanted = _limits(self.at_least, self.at_most)
        if self.expected:
            wanted += _limits(self.expected.low, self.expected.high)
            wanted[-1] += f" ({self.expected.why})"
        return wanted

    @property
    def words(self) -> str:
        seen = "not measurable (no rows)" if self.value is None else f"{self.value:.6g}"
        told = f"{self.metric} is {seen}"
        told += f"; wanted {' and '.join(self.wanted)}" if self.wanted else ""
        return f"{told}. {self.hint}".rstrip(". ") + "."


@dataclass(frozen=True)
class Report:
    """All that quality found on a run's new rows."""

    rows: int
    rows_read: int
    results: tuple[Result, ...]
    notices: tuple[str, ...] = ()  # seen beside the checks, such as a column that is new
    completeness: Mapping[str, float] = field(default_factory=dict)
    histograms: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    bias: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)

    @property
    def rejects(self) -> int:
        return self.rows_read - self.rows

    @property
    def values(self) -> dict[str, float | None]:
        """What is kept for later runs to compare with: the metrics, and how full columns are."""
        full = {f"completeness({name})": share for name, share in self.completeness.items()}
        unfair = {
            f"{name}({subject})": value
            for subject, values in self.bias.items()
            for name, value in values.items()
        }
        checked = {result.metric: result.value for result in self.results}
        return {"size": float(self.rows), **full, **unfair, **checked}

    @property
    def broken(self) -> list[Result]:
        return [each for each in self.results if not each.passed]

    @property
    def failures(self) -> list[str]:
        return [each.words for each in self.broken if each.level == "error"]


def judge(
    measured: Mapping[str, str | None],
    wanted: Wanted,
    max_rejects: float,
    notices: Sequence[str] = (),
    history: Mapping[str, Sequence[float]] | None = None,
) -> Report:
    """The verdict on the one row of `query.statement`, whose values come as text.

    `history`: the values of each metric in earlier runs, oldest first.
    """
    rows, rows_read = int(measured["rows"] or 0), int(measured["rows_read"] or 0)
    values = {
        check.metric: number(measured[f"m{index}"]) for index, check in enumerate(wanted.metrics)
    }
    results = [
        _result(index, check, values[check.metric], (history or {}).get(check.metric, ()))
        for index, check in enumerate(wanted.checks)
    ]
    biases = {
        each.subject: bias.measure(bias.read(measured[f"b{index}"]))
        for index, each in enumerate(wanted.biases)
    }
    limited = [result for each in wanted.biases for result in _limited(each, biases[each.subject])]
    counts = {each: int(measured[f"c{i}"] or 0) for i, each in enumerate(wanted.columns)}
    return Report(
        rows,
        rows_read,
        (*results, *limited, _rejects(rows, rows_read, max_rejects)),
        tuple(notices),
        {each: count / rows for each, count in counts.items() if rows},
        {each: json.loads(measured[f"h{i}"] or "{}") for i, each in enumerate(wanted.histograms)},
        biases,
    )


def _limited(declared: Bias, values: Mapping[str, float | None]) -> list[Result]:
    """A metric of bias against its limit, on either side of zero."""
    return [
        Result(
            f"{name}({declared.subject})",
            declared.level,
            value := values[name],
            -most,
            most,
            value is not None and abs(value) <= most,
            declared.hint,
        )
        for name, most in declared.limits.items()
    ]


def number(words: str | None) -> float | None:
    """A measured value; NULL and NaN (a correlation of constants) are no measurement."""
    value = float(words) if words not in (None, "") else math.nan
    return None if math.isnan(value) else value


def _result(index: int, check: Check, value: float | None, history: Sequence[float]) -> Result:
    low, high, expected = check.at_least, check.at_most, None
    if check.anomaly and value is not None:
        expected = anomalies.band(check.anomaly, history, value)
    passed = (
        value is not None
        and (low is None or value >= low)
        and (high is None or value <= high)
        and (expected is None or expected.holds(value))
    )
    return Result(
        check.metric,
        check.level,
        value,
        low,
        high,
        passed,
        check.hint,
        index,
        check.reads,
        expected,
    )


def _limits(low: float | None, high: float | None) -> list[str]:
    return [
        f"{word} {bound:.6g}"
        for word, bound in (("at least", low), ("at most", high))
        if bound is not None and math.isfinite(bound)
    ]


def _rejects(rows: int, rows_read: int, most: float) -> Result:
    share = (rows_read - rows) / rows_read if rows_read else 0.0
    hint = (
        f"{rows_read - rows} of {rows_read} rows do not fit the schema; "
        "they are kept under runs/<run>/rejects/"
    )
    return Result("rejects", "error", share, None, most, share <= most, hint)
