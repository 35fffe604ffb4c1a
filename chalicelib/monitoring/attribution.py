"""Does the model decide by the same features as at the baseline?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chalicelib.monitoring import material
from chalicelib.monitoring.kind import Kind

if TYPE_CHECKING:
    from chalicelib.settings import Settings

VARIABLE = 256
SCORE = re.compile(r"drift ([0-9.eE-]+) exceeds threshold ([0-9.]+)")


def features(settings: Settings) -> list[str]:
    """What the model reads."""
    return [*settings.model.text, *settings.model.features]


def variables(settings: Settings) -> dict[str, str]:
    """All inputs where the features' names are longer than a variable of a job may be.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_EndpointInput.html
    """
    named = ",".join(features(settings))
    return {"features_attribute": named} if len(named) <= VARIABLE else {}


def unfit(settings: Settings) -> str:
    if len(features(settings)) < 2:
        return "the model reads one column: there is no ranking of features that could change"
    return ""


def violation(found: Mapping[str, Any]) -> dict[str, Any]:
    """The label stands where other monitors name the feature; the distance is that from 1, which
    is a ranking as the baseline's."""
    told = {
        "feature_name": f"ranking for {found['label']}",
        "constraint_check_type": found["constraint_check_type"],
        "description": found["description"],
    }
    score = SCORE.search(str(found["description"]))
    if score is None:
        return told
    rank, least = float(score[1]), float(score[2])
    return {**told, "distance": 1 - rank, "threshold": round(1 - least, 6)}


KIND = Kind(
    name="attribution",
    program="attribution.py",
    metrics="explainability-metrics",
    gather=material.traffic,
    unfit=unfit,
    violation=violation,
    needs=("model", "history"),
    variables=variables,
)
