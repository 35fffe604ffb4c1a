"""constraint_violations.json: where live traffic breaks what the baseline lets one expect.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-violations.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import distances

Violation = dict[str, str]
Feature = Mapping[str, Any]


def find(
    live: Mapping[str, Any], baseline: Mapping[str, Any], constraints: Mapping[str, Any]
) -> list[Violation]:
    """All violations, by feature in the baseline's order; extra columns last."""
    seen = {each["name"]: each for each in live["features"]}
    known = {each["name"]: each for each in baseline["features"]}
    config = constraints["monitoring_config"]
    found: list[Violation] = []
    for limit in constraints["features"]:
        name = limit["name"]
        if name in seen:
            found += _of_feature(limit, seen[name], known[name], config)
        elif limit["completeness"] > 0:
            words = "The column was in the baseline and is in no live record."
            found.append(_violation(name, "missing_column_check", words))
    extra = [name for name in seen if name not in known]
    words = "The column is in live records and was not in the baseline."
    return [*found, *(_violation(name, "extra_column_check", words) for name in extra)]


def _of_feature(
    limit: Feature, live: Feature, baseline: Feature, config: Feature
) -> Iterator[Violation]:
    overrides = limit.get("monitoringConfigOverrides", {})
    config = {**config, **overrides}
    drift = config["distribution_constraints"]
    method = {"Simple": "Simple", "linf_simple": "Simple"}.get(drift["comparison_method"], "Robust")
    yield from _completeness(limit, live, baseline, method)
    if not _common(live)["num_present"]:
        return
    if not _same_type(limit["inferred_type"], live["inferred_type"]):
        words = f"Values are {live['inferred_type']}; the baseline has {limit['inferred_type']}."
        yield _violation(limit["name"], "data_type_check", words)
        return
    yield from _domain(limit, live, config["domain_content_threshold"])
    if drift["perform_comparison"] == "Enabled":
        yield from _drift(limit, live, baseline, drift, method)


def _completeness(
    limit: Feature, live: Feature, baseline: Feature, method: str
) -> Iterator[Violation]:
    """Fewer values than in the baseline; Robust leaves room for what samples differ by chance."""
    common, before = _common(live), _common(baseline)
    total = common["num_present"] + common["num_missing"]
    seen = common["num_present"] / total
    room = 0.0
    if method == "Robust" and limit["completeness"] < 1:
        room = distances.noise(before["num_present"] + before["num_missing"], total)
    if seen < limit["completeness"] - room:
        words = f"Completeness is {seen:.4f}; the baseline has {limit['completeness']:.4f}."
        yield _violation(limit["name"], "completeness_check", words)


def _domain(limit: Feature, live: Feature, threshold: float) -> Iterator[Violation]:
    domain = limit.get("string_constraints", {}).get("domains")
    if domain is None:
        return
    shares = distances.shares(live)
    strange = {value: share for value, share in shares.items() if value not in set(domain)}
    share = sum(strange.values())
    if share > threshold:
        named = ", ".join(sorted(strange, key=lambda value: -strange[value])[:5])
        words = f"{share:.1%} of values are not in the baseline: {named}. At most {threshold:.0%}."
        yield _violation(limit["name"], "categorical_values_check", words)


def _drift(
    limit: Feature, live: Feature, baseline: Feature, drift: Feature, method: str
) -> Iterator[Violation]:
    if "numerical_statistics" in live:
        distance = distances.numerical(baseline, live, method)
        threshold = drift["comparison_threshold"]
    elif "string_constraints" in limit:
        distance = distances.categorical(baseline, live, method)
        threshold = drift["categorical_comparison_threshold"]
    else:
        return
    if distance > threshold:
        words = (
            f"{method} distance: {distance:.4f} exceeds threshold: {threshold}"
            f" ({_common(live)['num_present']} live values)"
        )
        yield _violation(limit["name"], "baseline_drift_check", words)


def _common(feature: Feature) -> Mapping[str, int]:
    kind = "numerical_statistics" if "numerical_statistics" in feature else "string_statistics"
    found: Mapping[str, int] = feature[kind]["common"]
    return found


def _same_type(baseline: str, live: str) -> bool:
    numeric = {"Integral", "Fractional"}
    return baseline == live or {baseline, live} <= numeric or baseline == "Unknown"


def _violation(feature: str, check: str, description: str) -> Violation:
    return {
        "feature_name": feature,
        "constraint_check_type": check,
        "description": description,
    }
