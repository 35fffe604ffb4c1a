"""Are live predictions as right as those of rows that the model had not learned from?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chalicelib.monitoring import material
from chalicelib.monitoring.kind import Kind

if TYPE_CHECKING:
    from chalicelib.settings import Settings

# As Model Monitor names the problem, and what is judged.
PROBLEMS = {
    "multiclass": ("MulticlassClassification", "accuracy"),
    "binary": ("BinaryClassification", "accuracy"),
    "regression": ("Regression", "rmse"),
}


def variables(settings: Settings) -> dict[str, str]:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-contract-inputs.html"""
    return {"problem_type": PROBLEMS[settings.model.problem][0]}


def violation(found: Mapping[str, Any]) -> dict[str, Any]:
    """The metric stands where other monitors name the feature."""
    names = ("constraint_check_type", "description")
    return {"feature_name": found["metric_name"], **{name: found[name] for name in names}}


KIND = Kind(
    name="model-quality",
    program="model_quality.py",
    metrics="model-metrics",
    gather=material.labels,
    unfit=lambda settings: "",
    violation=violation,
    needs=("labels", "history"),
    variables=variables,
)
