"""Whether a change of what serves came about, as the endpoint tells it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from chalicelib.model.deployments import Deployment, came_about, key
from chalicelib.model.traffic import Serving

PLANNED = Deployment(
    execution="arn:aws:states:us-east-1:000000000000:execution:x-rollout:0d1e",
    action="promote",
    endpoint="reviews",
    config="reviews-2",
    package="arn:aws:sagemaker:us-east-1:000000000000:model-package/reviews/2",
    after=Serving(2),
    before=Serving(1, "ab", 2, 0.2),
)
WEIGHTS = dataclasses.replace(PLANNED, after=Serving(1, "ab", 2, 0.4), share=0.4)


def endpoint(status: str, config: str = "reviews-2", *weights: float) -> dict[str, Any]:
    variants = [{"CurrentWeight": weight} for weight in weights]
    return {"EndpointStatus": status, "EndpointConfigName": config, "ProductionVariants": variants}


@pytest.mark.parametrize(
    ("planned", "found", "wanted"),
    [
        (PLANNED, endpoint("InService"), True),
        (PLANNED, endpoint("InService", "reviews-1"), False),  # an alarm fired, or it never began
        (PLANNED, endpoint("Updating", "reviews-1"), None),
        (PLANNED, endpoint("RollingBack", "reviews-1"), None),
        (PLANNED, endpoint("Failed"), False),
        (WEIGHTS, endpoint("InService", "reviews-2", 0.6, 0.4), True),
        (WEIGHTS, endpoint("InService", "reviews-2", 0.8, 0.2), False),
    ],
)
def test_what_came_of_it(planned: Deployment, found: dict[str, Any], wanted: bool | None) -> None:
    assert came_about(planned, found) is wanted


@pytest.mark.parametrize("before", [None, Serving(1)])
def test_its_record_says_all_of_it(before: Serving | None) -> None:
    planned = dataclasses.replace(PLANNED, before=before)
    assert Deployment.of({**planned.document(), "run_id": key(planned.execution)}) == planned


def test_it_is_found_by_the_executions_name_or_arn() -> None:
    assert key(PLANNED.execution) == key("0d1e") == "#deployment#0d1e"
