"""The features on drift.html: the baseline's distributions against live ones, and sample rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import pyarrow as pa
from checks import comparison, constraints
from profiles import text

from outputs import charts, page
from outputs.page import Run

EXAMPLES = 8  # rows of each side
LONGEST = 240  # characters of an example's text
SHORT = 40
WORDS = 10
MEASURES = {
    "psi": "PSI",
    "jensen_shannon": "Jensen-Shannon",
    "wasserstein": "Wasserstein",
    "linf_robust": "robust L∞",
}


@dataclass(frozen=True)
class Data:
    """What is drawn: statistics.json and a sample of both sides."""

    live: Mapping[str, Any]
    baseline: Mapping[str, Any]
    sample: pa.Table
    reference: pa.Table | None


def body(run: Run, data: Data) -> str:
    return _features(run, data) + _samples(data)


def _features(run: Run, data: Data) -> str:
    known = {each["name"]: each for each in data.baseline["features"]}
    names = [each["name"] for each in data.live["features"]]
    names += [name for name in known if name not in names]
    seen = {each["name"]: each for each in data.live["features"]}
    cards = [_card(run, data, each, known.get(each), seen.get(each)) for each in run.worst(names)]
    return page.grid("Features, worst first", cards)


def _card(
    run: Run,
    data: Data,
    name: str,
    baseline: Mapping[str, Any] | None,
    live: Mapping[str, Any] | None,
) -> str:
    chart = _chart(run, data, baseline, live)
    return page.card(run, name, chart, _facts(run, name, baseline, live))


def _chart(
    run: Run, data: Data, baseline: Mapping[str, Any] | None, live: Mapping[str, Any] | None
) -> str:
    sides = [each for each in (baseline, live) if each and comparison.present(each)[0]]
    if len(sides) == 2 and all("numerical_statistics" in each for each in sides):
        return charts.histogram(*(comparison.weighted(each) for each in sides))
    if len(sides) == 2 and all("string_statistics" in each for each in sides):
        if 0 < len(comparison.counts(sides[0])) <= constraints.DOMAIN:
            return charts.bars(*(comparison.counts(each) for each in sides))
        if comparison.recurring(sides[0]):
            return charts.bars(*comparison.shares(*sides))
        if words := _words(run, data, live["name"] if live else ""):
            return words
        distinct = [each["string_statistics"]["distinct_count"] for each in sides]
        return f"<p class=dim>{distinct[0]:,.0f} distinct texts before, {distinct[1]:,.0f} now.</p>"
    kinds = [each["inferred_type"] if each else "absent" for each in (baseline, live)]
    return f"<p class=dim>{kinds[0]} before, {kinds[1]} now: nothing to compare.</p>"


def _words(run: Run, data: Data, name: str) -> str:
    """What a text speaks of more than it did, and less; nothing of what is no text."""
    if data.reference is None or not any(
        each.feature == name and not each.measures and each.check == comparison.DRIFT
        for each in run.compared
    ):
        return ""
    came, went = text.moved(data.reference[name], data.sample[name], WORDS)
    return (
        f"<p><span class=dim>more of</span> {escape(', '.join(came)) or '-'}</p>"
        f"<p><span class=dim>less of</span> {escape(', '.join(went)) or '-'}</p>"
    )


def _facts(
    run: Run, name: str, baseline: Mapping[str, Any] | None, live: Mapping[str, Any] | None
) -> list[tuple[str, str]]:
    facts: list[tuple[str, str]] = []
    for each in run.compared:
        if each.feature == name and each.check == comparison.DRIFT:
            limit = f"{each.distance:.3f} of {each.threshold:g}"
            facts.append((each.method if not each.measures else "distance", limit))
            facts += page.chance(each)
            facts += [
                (words, f"{each.measures[key]:.3f}")
                for key, words in MEASURES.items()
                if key in each.measures
            ]
    shares = [_complete(each) for each in (baseline, live)]
    if shares != ["100%", "100%"]:
        facts.append(("present", f"{shares[0]} → {shares[1]}"))
    if all(each and "numerical_statistics" in each for each in (baseline, live)):
        means = [charts.number(each["numerical_statistics"]["mean"]) for each in (baseline, live)]
        facts.append(("mean", f"{means[0]} → {means[1]}"))
    return facts


def _samples(data: Data) -> str:
    """Rows of both sides, as they came."""
    shown = _rows("Live records", data.sample)
    if data.reference is not None:
        shown += _rows("Baseline records", data.reference)
    return shown


def _rows(title: str, table: pa.Table) -> str:
    if not table.num_rows:
        return ""
    head = "".join(f"<th>{escape(name)}" for name in table.column_names)
    body = "".join(
        f"<tr>{''.join(_cell(value) for value in row.values())}</tr>"
        for row in table.slice(0, EXAMPLES).to_pylist()
    )
    return (
        f"<h2>{title} <small>a sample</small></h2>"
        f"<div class=scroll><table><tr>{head}</tr>{body}</table></div>"
    )


def _complete(feature: Mapping[str, Any] | None) -> str:
    if feature is None:
        return "absent"
    seen, total = comparison.present(feature)
    return f"{100 * seen / total:.4g}%" if total else "none"


def _cell(value: Any) -> str:
    words = "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    words = words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"
    return f"<td{' class=long' if len(words) > SHORT else ''}>{escape(words)}</td>"
