"""What the measured values say: each check kept or broken, and whether the run may go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chalicelib.settings import Check, Quality


class QualityError(Exception):
    """A check at error level is broken: this data does not train a model."""


@dataclass(frozen=True)
class Result:
    """One check and what was measured."""

    check: str
    column: str | None
    level: str
    value: float | None
    at_least: float | None
    at_most: float | None
    passed: bool
    hint: str = ""

    @property
    def words(self) -> str:
        subject = f"{self.check} of {self.column}" if self.column else self.check
        bounds = [
            f"{word} {bound:g}"
            for word, bound in (("at least", self.at_least), ("at most", self.at_most))
            if bound is not None
        ]
        seen = "not measurable (no rows)" if self.value is None else f"{self.value:.6g}"
        told = f"{subject} is {seen}; wanted {' and '.join(bounds)}"
        return f"{told}. {self.hint}".rstrip(". ") + "."


@dataclass(frozen=True)
class Report:
    """All that quality found on a run's new rows."""

    rows: int
    rows_read: int
    results: tuple[Result, ...]
    warnings: tuple[str, ...] = ()

    @property
    def rejects(self) -> int:
        return self.rows_read - self.rows

    @property
    def failures(self) -> list[str]:
        return [each.words for each in self.results if not each.passed and each.level == "error"]

    @property
    def document(self) -> dict[str, Any]:
        warned = [each.words for each in self.results if not each.passed and each.level != "error"]
        return {
            "passed": not self.failures,
            "rows": self.rows,
            "rows_read": self.rows_read,
            "rejects": self.rejects,
            "results": [asdict(each) for each in self.results],
            "failures": self.failures,
            "warnings": [*self.warnings, *warned],
        }


def judge(
    measured: Mapping[str, str | None], configured: Quality, warnings: Sequence[str] = ()
) -> Report:
    """The verdict on one row of the check query, whose values come as text."""
    rows, rows_read = int(measured["rows"] or 0), int(measured["rows_read"] or 0)
    results = [
        _result(check, _number(measured[f"m{index}"]))
        for index, check in enumerate(configured.checks)
    ]
    share = (rows_read - rows) / rows_read if rows_read else 0.0
    results.append(
        Result("rejects", None, "error", share, None, configured.max_rejects,
               share <= configured.max_rejects,
               f"{rows_read - rows} of {rows_read} rows do not fit the schema; "
               "they are kept under runs/<run>/rejects/"),
    )  # fmt: skip
    return Report(rows, rows_read, tuple(results), tuple(warnings))


def _result(check: Check, value: float | None) -> Result:
    passed = value is not None
    if value is not None and check.at_least is not None:
        passed = passed and value >= check.at_least
    if value is not None and check.at_most is not None:
        passed = passed and value <= check.at_most
    return Result(
        check.check,
        check.column,
        check.level,
        value,
        check.at_least,
        check.at_most,
        passed,
        check.hint,
    )


def _number(words: str | None) -> float | None:
    return float(words) if words not in (None, "") else None
