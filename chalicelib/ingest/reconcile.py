"""Where every accepted row went: curated, rejected, or left out as an exact duplicate.

Four counts come from four places: what intake counted as it read the files, what Athena reads of
them, what it finds wrong or equal there, and what lies in the curated table after the conversion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class RowsLostError(Exception):
    """The counts do not agree: rows were lost or doubled on the way."""


@dataclass(frozen=True)
class Counts:
    """Rows of one run."""

    taken_in: int  # by intake
    accepted: int  # as Athena reads them
    rejected: int
    distinct: int  # among those that cast
    curated: int

    @classmethod
    def of(cls, taken_in: int, row: Mapping[str, str | None]) -> Counts:
        """From the one row of `convert.counts`, whose values come as text."""
        names = ("accepted", "rejected", "distinct_rows", "curated")
        return cls(taken_in, *(int(row[name] or 0) for name in names))

    @property
    def duplicates(self) -> int:
        return self.accepted - self.rejected - self.distinct

    def check(self) -> None:
        """RowsLostError where they do not agree."""
        if self.accepted != self.taken_in:
            raise RowsLostError(
                f"intake took in {self.taken_in} rows, and Athena reads {self.accepted} of them"
            )
        if self.curated != self.distinct:
            raise RowsLostError(
                f"{self.accepted} rows accepted are not {self.curated} curated + "
                f"{self.rejected} rejected + {self.duplicates} exact duplicates"
            )

    def over(self, max_rejects: float) -> bool:
        """Whether more than this share of the rows was rejected."""
        return self.rejected > max_rejects * self.accepted

    @property
    def document(self) -> dict[str, int]:
        return {
            "accepted": self.accepted,
            "curated": self.curated,
            "rejected": self.rejected,
            "duplicates": self.duplicates,
        }
