"""What predictions are measured by on drift.html: metrics, groups, features that decide."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Any

from checks import attributions, bias_constraints
from checks.comparison import Comparison

from outputs import charts, page
from outputs.page import Run

MATRIX = "confusion_matrix"
Values = Mapping[str, Any]


def quality(run: Run, live: Values, baseline: Values) -> str:
    """Metrics as statistics.json has them: the judged ones, what was told and true, all of them."""
    compared = {each.feature: each for each in run.compared}
    cards = [
        page.card(run, name, *_metric(compared[name], live[name], baseline.get(name)))
        for name in run.worst(compared)
    ]
    if MATRIX in live and MATRIX in baseline:
        for name, which in (("predicted labels", _columns), ("true labels", _rows)):
            chart = charts.bars(*(which(each[MATRIX]) for each in (baseline, live)))
            cards.append(page.card(run, name, chart, (), tag=""))
    return page.grid("Metrics, worst first", cards) + _table(live, baseline)


def bias(run: Run, live: Values, limits: Values) -> str:
    """A card for each group and stage; a metric of 0 is no bias, of DI 1."""
    known = {each.key: each.metric["value"] for each in bias_constraints.entries(limits)}
    groups: dict[tuple[str, str], list[bias_constraints.Entry]] = {}
    for entry in bias_constraints.entries(live):
        if _number(entry.metric["value"]) and _number(known.get(entry.key)):
            groups.setdefault((f"{entry.facet}={entry.value}", entry.stage), []).append(entry)
    cards: dict[str, tuple[float, str]] = {}
    for (group, stage), entries in groups.items():
        before = {each.metric["name"]: float(known[each.key]) for each in entries}
        now = {each.metric["name"]: float(each.metric["value"]) for each in entries}
        name = f"{group}, {'labels' if stage == bias_constraints.PRE else 'predictions'}"
        named = {each.words: each.metric["name"] for each in entries}
        facts = [
            (f"{named[each.feature]} further by", f"{each.distance:.3g} of {each.threshold:g}")
            for each in run.compared
            if each.drifted and each.feature in named
        ]
        chart = charts.values(before, now)
        cards[name] = max(map(run.excess, named)), page.card(run, name, chart, facts, [*named])
    ordered = sorted(cards.values(), key=lambda each: -each[0])
    return page.grid("Groups, worst first", [card for _, card in ordered])


def attribution(run: Run, live: attributions.Attributions, known: attributions.Attributions) -> str:
    """A card for each label: what share of its attributions each feature has."""
    compared = {each.feature: each for each in run.compared}
    cards = []
    for name in run.worst(compared):
        label = name.removeprefix(attributions.RANKING)
        facts = [("nDCG", f"{1 - compared[name].distance:.3f}"), *page.chance(compared[name])]
        cards.append(page.card(run, name, charts.bars(known[label], live[label]), facts))
    return page.grid("What decides, worst first", cards)


def _metric(
    found: Comparison, live: Values, baseline: Values | None
) -> tuple[str, list[tuple[str, str]]]:
    """Its chart and facts."""
    before = {} if baseline is None else {"value": float(baseline["value"])}
    chart = charts.values(before, {"value": float(live["value"])})
    worse = charts.number(max(0.0, found.distance))
    facts = [("worse by", f"{worse}, allowed {charts.number(found.threshold)}")]
    return chart, [("value", f"{_words(baseline)} → {_words(live)}"), *facts, *page.chance(found)]


def _table(live: Values, baseline: Values) -> str:
    names = [name for name, each in live.items() if "value" in each]
    rows = "".join(
        f"<tr><td>{escape(name)}"
        + "".join(f"<td>{_words(side.get(name))}" for side in (baseline, live))
        + "</tr>"
        for name in names
    )
    return (
        "<h2>All metrics <small>± the bootstrap's standard error</small></h2>"
        f"<div class=scroll><table><tr><th>metric<th>baseline<th>live</tr>{rows}</table></div>"
    )


def _words(metric: Values | None) -> str:
    if metric is None or not _number(metric.get("value")):
        return "-"
    error = metric.get("standard_error")
    wide = f" ± {charts.number(float(error))}" if _number(error) else ""
    return charts.number(float(metric["value"])) + wide


def _rows(matrix: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    return {label: sum(row.values()) for label, row in matrix.items()}


def _columns(matrix: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in matrix.values():
        for label, count in row.items():
            found[label] = found.get(label, 0) + count
    return found


def _number(value: Any) -> bool:
    return value is not None and math.isfinite(float(value))
