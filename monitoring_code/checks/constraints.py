"""constraints.json: what the baseline lets one expect of live traffic.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-constraints.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checks import significance

DOMAIN = 50  # a text with more distinct values is no category
SIMPLE, ROBUST, SIGNIFICANCE = "Simple", "Robust", "Significance"
OLDER = {"linf_simple": SIMPLE, "linf_robust": ROBUST}


@dataclass(frozen=True)
class Config:
    """The monitoring_config of a file, or of one feature.

    `significance`, beyond AWS's members: with it, a distance over the threshold counts only if
    it is more than chance, at level `alpha` over all tests of a run; without it AWS's rule decides.
    """

    evaluate: bool
    emit_metrics: bool
    datatype_threshold: float
    domain_threshold: float
    compare: bool
    threshold: float
    method: str  # Simple or Robust
    categorical_threshold: float
    categorical_method: str  # LInfinity or ChiSquared
    significance: Mapping[str, Any] | None


def suggest(statistics: Mapping[str, Any], threshold: float, rule: str) -> dict[str, Any]:
    """Types, completeness, signs and domains as the baseline has them."""
    config: dict[str, Any] = {
        "evaluate_constraints": "Enabled",
        "emit_metrics": "Enabled",
        "datatype_check_threshold": 0.1,
        "domain_content_threshold": 0.1,
        "distribution_constraints": {
            "perform_comparison": "Enabled",
            "comparison_threshold": threshold,
            "comparison_method": SIMPLE if rule == SIMPLE else ROBUST,
            "categorical_comparison_threshold": threshold,
            "categorical_drift_method": "LInfinity",
        },
    }
    if rule == SIGNIFICANCE:
        config["significance_constraints"] = significance.rule(completeness_drop=0.01)
    return {
        "version": 0.0,
        "features": [_feature(each) for each in statistics["features"]],
        "monitoring_config": config,
    }


def config(constraints: Mapping[str, Any], feature: Mapping[str, Any] | None = None) -> Config:
    """The configuration, with a feature's own settings over the file's; AWS's defaults fill in."""
    whole = dict(constraints.get("monitoring_config", {}))
    if feature is not None:
        strings = feature.get("string_constraints", {})
        for own in (
            feature.get("monitoringConfigOverrides", {}),
            strings.get("monitoring_config_overrides", {}),
        ):
            whole = _over(whole, own)
    drift = whole.get("distribution_constraints", {})
    method = drift.get("comparison_method", ROBUST)
    threshold = float(drift.get("comparison_threshold", 0.1))
    return Config(
        evaluate=_enabled(whole, "evaluate_constraints"),
        emit_metrics=_enabled(whole, "emit_metrics"),
        datatype_threshold=float(whole.get("datatype_check_threshold", 0.1)),
        domain_threshold=float(whole.get("domain_content_threshold", 0.1)),
        compare=_enabled(drift, "perform_comparison"),
        threshold=threshold,
        method=OLDER.get(method, method),
        categorical_threshold=float(drift.get("categorical_comparison_threshold", threshold)),
        categorical_method=drift.get("categorical_drift_method", "LInfinity"),
        significance=significance.enabled(whole),
    )


def _feature(feature: Mapping[str, Any]) -> dict[str, Any]:
    numeric = feature.get("numerical_statistics")
    common = (numeric or feature["string_statistics"])["common"]
    total = common["num_present"] + common["num_missing"]
    found: dict[str, Any] = {
        "name": feature["name"],
        "inferred_type": feature["inferred_type"],
        "completeness": common["num_present"] / total if total else 0.0,
    }
    if "derived_from" in feature:
        found["derived_from"] = feature["derived_from"]
    if numeric:
        found["num_constraints"] = {"is_non_negative": numeric["min"] >= 0}
        return found
    strings = feature["string_statistics"]
    if "distribution" in strings and 0 < strings["distinct_count"] <= DOMAIN:
        held = strings["distribution"]["categorical"]["buckets"]
        found["string_constraints"] = {"domains": [each["value"] for each in held]}
    return found


def _over(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    nested = {
        key: _over(base[key], value)
        for key, value in own.items()
        if isinstance(value, Mapping) and isinstance(base.get(key), Mapping)
    }
    return {**base, **own, **nested}


def _enabled(members: Mapping[str, Any], name: str) -> bool:
    return str(members.get(name, "Enabled")) == "Enabled"
