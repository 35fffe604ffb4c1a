"""constraints.json: what the baseline lets one expect of live traffic.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-constraints.html
"""

from __future__ import annotations

from typing import Any

DOMAIN_SIZE = 50  # a text with more distinct values is no category


def suggest(statistics: dict[str, Any], threshold: float, text: list[str]) -> dict[str, Any]:
    """Types, completeness, signs and domains as the baseline has them."""
    return {
        "version": 0.0,
        "features": [_feature(each, text) for each in statistics["features"]],
        "monitoring_config": {
            "evaluate_constraints": "Enabled",
            "emit_metrics": "Enabled",
            "datatype_check_threshold": 0.1,
            "domain_content_threshold": 0.1,
            "distribution_constraints": {
                "perform_comparison": "Enabled",
                "comparison_threshold": threshold,
                "comparison_method": "Robust",
                "categorical_comparison_threshold": threshold,
                "categorical_drift_method": "LInfinity",
            },
        },
    }


def _feature(feature: dict[str, Any], text: list[str]) -> dict[str, Any]:
    name, kind = feature["name"], feature["inferred_type"]
    numeric = feature.get("numerical_statistics")
    common = (numeric or feature["string_statistics"])["common"]
    total = common["num_present"] + common["num_missing"]
    found: dict[str, Any] = {
        "name": name,
        "inferred_type": kind,
        "completeness": common["num_present"] / total if total else 0.0,
    }
    if numeric:
        found["num_constraints"] = {"is_non_negative": numeric.get("min", 0) >= 0}
    elif name not in text and feature["string_statistics"]["distinct_count"] <= DOMAIN_SIZE:
        buckets = feature["string_statistics"]["distribution"]["categorical"]["buckets"]
        found["string_constraints"] = {"domains": [each["value"] for each in buckets]}
    return found
