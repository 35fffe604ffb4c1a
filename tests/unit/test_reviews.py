"""Which predictions wait for a person."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.api import reviews


def sure(share: float) -> dict[str, Any]:
    return {"label": "5", "probabilities": {"5": share, "4": 1 - share}}


NUMBER = {"label": 4.2}  # a regression's


@pytest.mark.parametrize(
    ("predictions", "threshold", "audit_share", "draws", "chosen"),
    [
        ([sure(0.6), sure(0.9)], 0.0, 0.0, [], {}),
        ([sure(0.6), sure(0.9)], 0.6, 0.0, [], {}),
        ([sure(0.6), sure(0.9)], 0.61, 0.0, [], {0: "uncertain"}),
        ([sure(0.9), sure(0.6), sure(0.55)], 0.7, 0.0, [], {2: "uncertain", 1: "uncertain"}),
        ([sure(0.9), sure(0.9)], 0.7, 0.1, [0.1, 0.09], {1: "audit"}),
        ([sure(0.6), sure(0.9)], 0.7, 0.1, [0.0], {0: "uncertain", 1: "audit"}),
        ([NUMBER, NUMBER], 0.7, 0.5, [0.4, 0.6], {0: "audit"}),
    ],
)
def test_unsure_ones_and_a_random_share(
    predictions: list[dict[str, Any]],
    threshold: float,
    audit_share: float,
    draws: list[float],
    chosen: dict[int, str],
) -> None:
    drawn = iter(draws)
    found = reviews.chosen(predictions, threshold, audit_share, lambda: next(drawn))
    assert list(found.items()) == list(chosen.items())


def test_of_many_the_least_certain() -> None:
    predictions = [sure(0.9 - place / 1000) for place in range(100)]
    assert list(reviews.chosen(predictions, 1.0, 0.0)) == list(range(99, 74, -1))
