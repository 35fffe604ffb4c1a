"""constraint_violations.json: where live traffic breaks what the baseline lets one expect.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-violations.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from checks import comparison, constraints
from checks.comparison import Comparison, Feature

Violation = dict[str, str]
FRACTIONAL, INTEGRAL, STRING = "Fractional", "Integral", "String"
# Values that a column of a type may hold.
CONFORMING = {
    FRACTIONAL: {FRACTIONAL, INTEGRAL},
    INTEGRAL: {INTEGRAL},
    STRING: {STRING, FRACTIONAL, INTEGRAL},
}
EXAMPLES = 5


def find(
    live: Mapping[str, Any],
    baseline: Mapping[str, Any],
    limits: Mapping[str, Any],
    more: Sequence[Comparison] = (),
) -> tuple[list[Violation], list[Comparison]]:
    """All violations, by feature in the constraints' order, extra columns last; and all tests.

    `baseline` may have no features: then constraints alone decide.

    `more`: comparisons made elsewhere, of texts, that are decided together with these.
    """
    whole = constraints.config(limits)
    seen = {each["name"]: each for each in live["features"]}
    known = {each["name"]: each for each in baseline["features"]}
    compared = list(more)
    for limit in limits["features"]:
        name = limit["name"]
        config = constraints.config(limits, limit)
        if name in seen and name in known:
            compared += comparison.of_feature(limit, seen[name], known[name], config)
        elif name in seen and not known:
            compared += comparison.completeness(limit, seen[name], None, config)
    compared = comparison.decide(compared, whole.significance)
    found = _columns(limits, seen)
    for limit in limits["features"]:
        if limit["name"] in seen:
            found += _values(limit, seen[limit["name"]], constraints.config(limits, limit))
    found += [_tested(each, seen.get(each.feature)) for each in compared if each.drifted]
    order = {limit["name"]: n for n, limit in enumerate(limits["features"])}
    found.sort(key=lambda each: order.get(each["feature_name"], len(order)))
    return (found if whole.evaluate else []), compared


def _columns(limits: Mapping[str, Any], seen: Mapping[str, Feature]) -> list[Violation]:
    """Columns that came or went, the dataset's own only: text's measures follow their text."""
    expected = [limit["name"] for limit in limits["features"]]
    gone = "The column was in the baseline and is in no live record."
    new = "The column is in live records and was not in the baseline."
    missing = [
        limit["name"]
        for limit in limits["features"]
        if limit["name"] not in seen and limit["completeness"] > 0 and "derived_from" not in limit
    ]
    return [
        *(_violation(name, "missing_column_check", gone) for name in missing),
        *(
            _violation(name, "extra_column_check", new)
            for name in seen
            if name not in expected and "derived_from" not in seen[name]
        ),
    ]


def _values(limit: Feature, live: Feature, config: constraints.Config) -> Iterator[Violation]:
    counted = live.get("type_counts", {})
    total = sum(counted.values())
    kind = limit["inferred_type"]
    if total and kind in CONFORMING:
        share = 1 - sum(counted[each] for each in CONFORMING[kind]) / total
        if share > config.datatype_threshold:
            words = (
                f"Data type match requirement is not met. Expected data type: {kind}. "
                f"Observed: only {1 - share:.2%} of data is {kind}; "
                f"at most {config.datatype_threshold:.0%} may differ."
            )
            yield _violation(limit["name"], "data_type_check", words)
            return
    domain = limit.get("string_constraints", {}).get("domains")
    if domain is not None and "string_statistics" in live:
        yield from _domain(limit["name"], set(domain), live, config.domain_threshold)


def _domain(name: str, domain: set[str], live: Feature, threshold: float) -> Iterator[Violation]:
    counted = comparison.counts(live)
    total = comparison.present(live)[0]
    strange = {value: count for value, count in counted.items() if value not in domain}
    share = 1 - sum(counted.get(value, 0) for value in domain) / total if total else 0.0
    if share > threshold:
        named = ", ".join(sorted(strange, key=lambda value: -strange[value])[:EXAMPLES])
        words = f"{share:.1%} of values are not in the baseline: {named}. At most {threshold:.0%}."
        yield _violation(name, "categorical_values_check", words)


def _tested(found: Comparison, live: Feature | None) -> Violation:
    count = comparison.present(live)[0] if live else 0
    of = f" ({count} live values)" if live else ""
    if found.check == comparison.COMPLETENESS:
        (seen, total) = comparison.present(live) if live else (0, 0)
        words = (
            f"Completeness is {seen / total:.4f}; the baseline has "
            f"{seen / total + found.distance:.4f}."
        )
    else:
        words = (
            f"{found.method} distance: {found.distance:.4f} exceeds threshold: "
            f"{found.threshold:g}{of}"
        )
    return _violation(found.feature, found.check, words)


def _violation(feature: str, check: str, description: str) -> Violation:
    return {
        "feature_name": feature,
        "constraint_check_type": check,
        "description": description,
    }
