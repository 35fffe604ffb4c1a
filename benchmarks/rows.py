"""One row of a benchmark: a figure, what a peer gives in the same run, and the bar it must meet."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any, Literal

SIDES = {"at most": operator.le, "at least": operator.ge}


@dataclass(frozen=True)
class Bar:
    """A figure's limit, and where it comes from when it is not a fixed one."""

    side: Literal["at most", "at least"]
    value: float
    origin: str = ""

    def met_by(self, figure: float) -> bool:
        return bool(SIDES[self.side](figure, self.value))

    def __str__(self) -> str:
        words = f"{self.side} {self.value:.4g}"
        return f"{words} ({self.origin})" if self.origin else words


@dataclass(frozen=True)
class Row:
    """One measurement. A row without a bar only informs: it always holds."""

    work: str
    figure: float
    unit: str
    bar: Bar | None = None
    peer: str | None = None
    peer_figure: float | None = None

    @property
    def holds(self) -> bool:
        return self.bar is None or self.bar.met_by(self.figure)

    def record(self) -> dict[str, Any]:
        """As the JSON has it; the bar in words."""
        return {
            "work": self.work,
            "figure": self.figure,
            "unit": self.unit,
            "peer": self.peer,
            "peer_figure": self.peer_figure,
            "bar": str(self.bar) if self.bar else None,
            "holds": self.holds,
        }


@dataclass(frozen=True)
class Skipped:
    """Work that could not be measured here, and why."""

    work: str
    why: str
