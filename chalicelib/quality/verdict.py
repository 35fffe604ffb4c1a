"""What the measured values say: each check kept or broken, and whether the run may go on."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from chalicelib.quality.query import metrics

if TYPE_CHECKING:
    from chalicelib.quality.declared import Check, Quality
    from chalicelib.quality.offenders import Row


class QualityError(Exception):
    """A check at error level is broken: this data does not train a model."""


@dataclass(frozen=True)
class Result:
    """One check and what was measured; `check` is its place in pipeline.toml."""

    metric: str
    level: str
    value: float | None
    at_least: float | None
    at_most: float | None
    passed: bool
    hint: str = ""
    index: int | None = None

    @property
    def words(self) -> str:
        bounds = [
            f"{word} {bound:g}"
            for word, bound in (("at least", self.at_least), ("at most", self.at_most))
            if bound is not None
        ]
        seen = "not measurable (no rows)" if self.value is None else f"{self.value:.6g}"
        told = f"{self.metric} is {seen}; wanted {' and '.join(bounds)}"
        return f"{told}. {self.hint}".rstrip(". ") + "."


@dataclass(frozen=True)
class Report:
    """All that quality found on a run's new rows."""

    rows: int
    rows_read: int
    results: tuple[Result, ...]
    warnings: tuple[str, ...] = ()
    completeness: Mapping[str, float] = field(default_factory=dict)
    histograms: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def rejects(self) -> int:
        return self.rows_read - self.rows

    @property
    def broken(self) -> list[Result]:
        return [each for each in self.results if not each.passed]

    @property
    def failures(self) -> list[str]:
        return [each.words for each in self.broken if each.level == "error"]

    def document(
        self, offending: Mapping[int | None, Sequence[Row]] | None = None
    ) -> dict[str, Any]:
        """As JSON; `offending`: rows that break a check, by its place in pipeline.toml."""
        warned = [each.words for each in self.broken if each.level != "error"]
        return {
            "passed": not self.failures,
            "rows": self.rows,
            "rows_read": self.rows_read,
            "rejects": self.rejects,
            "results": [
                {**asdict(each), "offenders": list((offending or {}).get(each.index, ()))}
                for each in self.results
            ],
            "failures": self.failures,
            "warnings": [*self.warnings, *warned],
            "completeness": dict(self.completeness),
            "histograms": {name: dict(bins) for name, bins in self.histograms.items()},
        }


def judge(
    measured: Mapping[str, str | None],
    configured: Quality,
    warnings: Sequence[str] = (),
    columns: Sequence[str] = (),
    histograms: Sequence[str] = (),
) -> Report:
    """The verdict on the one row of `query.statement`, whose values come as text."""
    rows, rows_read = int(measured["rows"] or 0), int(measured["rows_read"] or 0)
    values = {
        check.metric: number(measured[f"m{index}"])
        for index, check in enumerate(metrics(configured.checks))
    }
    results = [
        _result(index, check, values[check.metric]) for index, check in enumerate(configured.checks)
    ]
    counts = {each: int(measured[f"c{index}"] or 0) for index, each in enumerate(columns)}
    return Report(
        rows,
        rows_read,
        (*results, _rejects(rows, rows_read, configured.max_rejects)),
        tuple(warnings),
        {each: count / rows for each, count in counts.items() if rows},
        {each: json.loads(measured[f"h{i}"] or "{}") for i, each in enumerate(histograms)},
    )


def number(words: str | None) -> float | None:
    """A measured value; NULL and NaN (a correlation of constants) are no measurement."""
    value = float(words) if words not in (None, "") else math.nan
    return None if math.isnan(value) else value


def _result(index: int, check: Check, value: float | None) -> Result:
    low, high = check.at_least, check.at_most
    passed = value is not None and (low is None or value >= low) and (high is None or value <= high)
    return Result(check.metric, check.level, value, low, high, passed, check.hint, index)


def _rejects(rows: int, rows_read: int, most: float) -> Result:
    share = (rows_read - rows) / rows_read if rows_read else 0.0
    hint = (
        f"{rows_read - rows} of {rows_read} rows do not fit the schema; "
        "they are kept under runs/<run>/rejects/"
    )
    return Result("rejects", "error", share, None, most, share <= most, hint)
