"""Every accepted row is curated, rejected or an exact duplicate; else rows were lost or doubled."""

from __future__ import annotations

import pytest

from chalicelib.ingest.reconcile import Counts, RowsLostError


def test_counts_come_from_athenas_text() -> None:
    row = {"accepted": "10", "rejected": "2", "distinct_rows": "7", "curated": "7"}
    counts = Counts.of(10, row)
    counts.check()
    assert counts.document == {"accepted": 10, "curated": 7, "rejected": 2, "duplicates": 1}


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (Counts(11, 10, 2, 7, 7), "intake took in 11 rows, and Athena reads 10"),
        (Counts(10, 10, 2, 7, 6), "10 rows accepted are not 6 curated + 2 rejected + 1 exact"),
        (Counts(10, 10, 2, 7, 14), "10 rows accepted are not 14 curated"),
    ],
    ids=["lost between", "lost in the conversion", "doubled by a retry"],
)
def test_a_row_too_few_or_too_many_is_told(counts: Counts, words: str) -> None:
    with pytest.raises(RowsLostError) as told:
        counts.check()
    assert words in str(told.value)


@pytest.mark.parametrize(
    ("rejected", "limit", "over"),
    [(0, 0.0, False), (1, 0.0, True), (5, 0.05, False), (6, 0.05, True), (100, 1.0, False)],
)
def test_the_share_of_rejects_has_a_limit(rejected: int, limit: float, over: bool) -> None:
    assert Counts(100, 100, rejected, 100 - rejected, 100 - rejected).over(limit) is over
