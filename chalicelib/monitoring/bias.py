"""Is any group of people worse off, in labels or predictions, than at the baseline?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chalicelib.monitoring import material
from chalicelib.monitoring.kind import Kind

if TYPE_CHECKING:
    from chalicelib.settings import Settings


def facets(settings: Settings) -> list[str]:
    """Those that requests carry: of the others, live traffic knows nothing."""
    return [name for name in settings.evaluation.facets if name in settings.model.inputs]


def config(settings: Settings) -> dict[str, Any]:
    """Clarify's analysis configuration.

    https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-config-json-monitor-bias-parameters.html
    """
    group = settings.evaluation.group
    return {
        "label": settings.dataset.label,
        "label_values_or_threshold": list(settings.evaluation.positive),
        "facet": [{"name_or_index": name} for name in facets(settings)],
        **({"group_variable": group} if group in settings.model.inputs else {}),
    }


def unfit(settings: Settings) -> str:
    if settings.model.problem == "regression":
        return "bias is compared by labels, and a regression has none"
    if not settings.evaluation.facets:
        return "evaluation.facets names no group to compare"
    if not facets(settings):
        return f"requests carry no {', '.join(settings.evaluation.facets)}: see model.inputs"
    return ""


def violation(found: Mapping[str, Any]) -> dict[str, Any]:
    """The group and the metric stand where other monitors name the feature.

    Clarify tells neither of the two values; ours are beyond its members.
    """
    words = str(found["description"])
    if {"value", "baseline_value"} <= found.keys():
        now, before = (float(found[name]) for name in ("value", "baseline_value"))
        words = f"{now:.3g} is further from no bias than the baseline's {before:.3g}"
    return {
        "feature_name": f"{found['facet']}={found['facet_value']} {found['metric_name']}",
        "constraint_check_type": found["constraint_check_type"],
        "description": words,
    }


KIND = Kind(
    name="bias",
    program="bias.py",
    metrics="bias-metrics",
    gather=material.labels,
    unfit=unfit,
    violation=violation,
    needs=("labels", "config", "history"),
)
