"""Every feature of live data held against the baseline: distances, tests, and the decision.

Two rules. AWS's: a distance (Simple or Robust) over the threshold. Ours, where the constraints
carry `significance_constraints`: the Simple distance over the threshold, and more than chance when
all of the run's tests are corrected together, so that the number of rows decides neither way.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from profiles import sketch

from checks import distances, significance
from checks.constraints import ROBUST, SIMPLE, Config

Feature = Mapping[str, Any]
UNLISTED = "(others)"  # live values beyond those that statistics list
# Of a text with many values, which are compared: all where each occurs so often on average, else
# those that occur so often, and are such a share, that a live sample's list has them too.
USUAL, FREQUENT, SHARE = 10, 50, 0.01
FAR = 1e9  # stands for infinitely far
DRIFT, COMPLETENESS = "baseline_drift_check", "completeness_check"


@dataclass(frozen=True)
class Comparison:
    """One test of one feature. `distance` is what the threshold is held against."""

    feature: str
    check: str
    method: str
    distance: float
    threshold: float
    p_value: float
    adjusted: float = 1.0
    drifted: bool = False
    measures: Mapping[str, float] = field(default_factory=dict)

    @property
    def excess(self) -> float:
        """How many times its threshold the distance is; the worst feature has the most."""
        return self.distance / self.threshold if self.threshold else self.distance


def finite(distance: float) -> float:
    """A distance that files and charts can hold."""
    return 0.0 if math.isnan(distance) else max(-FAR, min(FAR, distance))


def decide(found: Sequence[Comparison], test: Mapping[str, Any] | None) -> list[Comparison]:
    """With a test: over the threshold and significant. Without: over the threshold."""
    if test is None:
        return [replace(each, drifted=_over(each)) for each in found]
    adjusted = significance.adjusted([each.p_value for each in found], test)
    alpha = significance.level(test)
    return [
        replace(each, adjusted=p, drifted=_over(each) and p < alpha)
        for each, p in zip(found, adjusted, strict=True)
    ]


def of_feature(
    limit: Feature, live: Feature, baseline: Feature, config: Config
) -> Iterator[Comparison]:
    """Completeness; then, of columns of one kind, how far their distributions are apart."""
    if "derived_from" not in limit:
        yield from completeness(limit, live, baseline, config)
    if not (config.compare and common(live)["num_present"] and common(baseline)["num_present"]):
        return
    if "numerical_statistics" in live and "numerical_statistics" in baseline:
        yield _numerical(limit["name"], live, baseline, config)
    elif "string_statistics" in live and "string_statistics" in baseline:
        if "string_constraints" in limit:
            yield _categorical(limit["name"], live, baseline, config)
        elif config.significance is not None and recurring(baseline):
            yield _recurring(limit["name"], live, baseline, config)


def completeness(
    limit: Feature, live: Feature, baseline: Feature | None, config: Config
) -> Iterator[Comparison]:
    """How far the share of values present fell; by AWS's rule any fall counts.

    Without the baseline's own counts a fall is not held against chance.
    """
    seen, total = present(live)
    had, of = present(baseline) if baseline else (0, 1)
    if not total or not of:
        return
    drop = max(0.0, limit["completeness"] - seen / total)
    allowed = float(config.significance.get("completeness_drop", 0)) if config.significance else 0.0
    p = significance.fewer((had, of), (seen, total)) if baseline else 0.0
    yield Comparison(limit["name"], COMPLETENESS, "Fisher", drop, allowed, p)


def present(feature: Feature) -> tuple[int, int]:
    """(values present, rows)"""
    counts = common(feature)
    return counts["num_present"], counts["num_present"] + counts["num_missing"]


def common(feature: Feature) -> Mapping[str, int]:
    kind = "numerical_statistics" if "numerical_statistics" in feature else "string_statistics"
    found: Mapping[str, int] = feature[kind]["common"]
    return found


def weighted(feature: Feature) -> sketch.Weighted:
    """A numeric feature's values and what each stands for."""
    return sketch.weighted(feature["numerical_statistics"]["distribution"]["kll"]["sketch"]["data"])


def counts(feature: Feature) -> dict[str, int]:
    """Of each value of a category."""
    held = feature["string_statistics"].get("distribution", {})
    return {
        each["value"]: int(each["count"]) for each in held.get("categorical", {}).get("buckets", [])
    }


def recurring(feature: Feature) -> dict[str, int]:
    """Values that are compared of a text that is neither a category of few nor sentences.

    All values, where each is common; else those so frequent that the baseline's chance hardly chose
    them. None of a text whose values do not recur: ids, names.
    """
    held, rows = counts(feature), present(feature)[0]
    if sum(held.values()) < rows or len(held) * USUAL > rows:
        held = {value: n for value, n in held.items() if n >= max(FREQUENT, SHARE * rows)}
    return held


def _numerical(name: str, live: Feature, baseline: Feature, config: Config) -> Comparison:
    measures = distances.numerical(weighted(baseline), weighted(live))
    n, m = present(baseline)[0], present(live)[0]
    p = significance.kolmogorov_smirnov(measures["linf"], n, m)
    return _drift(name, config, config.threshold, measures, (n, m), p)


def _categorical(name: str, live: Feature, baseline: Feature, config: Config) -> Comparison:
    before, now = counts(baseline), _whole(counts(live), live)
    measures = distances.categorical(before, now)
    n, m = present(baseline)[0], present(live)[0]
    p = significance.chi_square(before, now)
    threshold = config.categorical_threshold
    if config.significance is None and config.categorical_method == "ChiSquared":
        # A p value under the threshold is a distance over one minus it.
        return Comparison(name, DRIFT, "ChiSquared", 1 - p, 1 - threshold, p, measures=measures)
    return _drift(name, config, threshold, measures, (n, m), p)


def _recurring(name: str, live: Feature, baseline: Feature, config: Config) -> Comparison:
    """Many small shares may move together, so that no single one says how far."""
    before, now = shares(baseline, live)
    measures = distances.categorical(before, now)
    p = significance.chi_square(before, now)
    apart = measures["total_variation"]
    return Comparison(
        name, DRIFT, "Total variation", apart, config.categorical_threshold, p, measures=measures
    )


def shares(baseline: Feature, live: Feature) -> tuple[dict[str, int], dict[str, int]]:
    """How often each side has the baseline's recurring values, and all others as one."""
    held = recurring(baseline)
    now = {value: n for value, n in counts(live).items() if value in held}
    return _whole(held, baseline), _whole(now, live)


def _whole(held: Mapping[str, int], feature: Feature) -> dict[str, int]:
    """With what the list leaves out."""
    unlisted = present(feature)[0] - sum(held.values())
    return {**held, **({UNLISTED: unlisted} if unlisted else {})}


def _drift(
    name: str,
    config: Config,
    threshold: float,
    measures: dict[str, float],
    sizes: tuple[int, int],
    p: float,
) -> Comparison:
    simple = measures["linf"]
    measures = measures | {"linf_robust": distances.robust(simple, *sizes)}
    if config.significance is None and config.method == ROBUST:
        distance = measures["linf_robust"]
        return Comparison(name, DRIFT, ROBUST, distance, threshold, p, measures=measures)
    return Comparison(name, DRIFT, SIMPLE, simple, threshold, p, measures=measures)


def _over(found: Comparison) -> bool:
    return found.distance > found.threshold
