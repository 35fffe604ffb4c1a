"""How many instances a target-tracking policy and a scheduled action call for."""

from __future__ import annotations

import pytest

from localcloud.autoscaling import scaling


@pytest.mark.parametrize(
    ("current", "value", "wanted"),
    [(1, 25, 3), (2, 10, 2), (2, 11, 3), (4, 4, 2), (3, 0, 1), (4, 1000, 6)],
)
def test_capacity_follows_the_metric(current: int, value: float, wanted: int) -> None:
    """https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking.html"""
    assert scaling.desired(current, value, target=10, least=1, most=6) == wanted


@pytest.mark.parametrize(("current", "wanted"), [(1, 2), (2, 2), (3, 3), (9, 4)])
def test_a_schedule_moves_what_lies_outside(current: int, wanted: int) -> None:
    assert scaling.bounded(current, least=2, most=4) == wanted
