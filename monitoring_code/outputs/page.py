"""drift.html: one run for a person to read, whole in one file, the worst feature first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pyarrow as pa
from checks import comparison
from checks.comparison import Comparison
from profiles import text

from outputs import charts

EXAMPLES = 8  # rows of each side
LONGEST = 240  # characters of an example's text
SHORT = 40
WORDS = 10
CHECKS = {
    "baseline_drift_check": "distribution moved",
    "completeness_check": "values are missing",
    "data_type_check": "another type",
    "categorical_values_check": "unknown values",
    "missing_column_check": "column is gone",
    "extra_column_check": "column is new",
}
MEASURES = {
    "psi": "PSI",
    "jensen_shannon": "Jensen-Shannon",
    "wasserstein": "Wasserstein",
    "linf_robust": "robust L∞",
}


@dataclass(frozen=True)
class Run:
    """What the page shows."""

    title: str
    window: str
    live: Mapping[str, Any]  # statistics.json of both
    baseline: Mapping[str, Any]
    violations: Sequence[Mapping[str, str]]
    compared: Sequence[Comparison]
    rule: str
    sample: pa.Table
    reference: pa.Table | None
    history: Sequence[Mapping[str, Any]]  # drift.json of earlier runs, the oldest first
    not_read: str = ""


def render(run: Run) -> str:
    """The page."""
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    parts = [_head(run), _violations(run), _history(run), _features(run), _samples(run)]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(run.title)}</title><style>{style}</style>"
        f"<main>{''.join(parts)}</main></html>\n"
    )


def _head(run: Run) -> str:
    count, features = len(run.violations), len({v["feature_name"] for v in run.violations})
    kind, words = "good", "No violation"
    if count:
        kind = "bad"
        words = f"{_plural(count, 'violation')} in {_plural(features, 'feature')}"
    rows = [each["dataset"]["item_count"] for each in (run.live, run.baseline)]
    unread = f'<p class="bad">Not read: {escape(run.not_read)}.</p>' if run.not_read else ""
    return (
        f'<h1>{escape(run.title)}</h1><p class="verdict {kind}">{words}</p>'
        f'<p class="dim">{escape(run.window)} · {rows[0]:,} live records against a baseline of '
        f"{rows[1]:,}. {escape(run.rule)}</p>{unread}"
    )


def _violations(run: Run) -> str:
    if not run.violations:
        return ""
    rows = "".join(
        f"<tr><td><strong>{escape(each['feature_name'])}</strong></td>"
        f'<td class="bad">{escape(_check(each["constraint_check_type"]))}</td>'
        f"<td>{escape(each['description'])}</td></tr>"
        for each in sorted(run.violations, key=lambda v: -_excess(run, v["feature_name"]))
    )
    return (
        "<h2>What broke</h2><div class=scroll><table><tr><th>feature<th>check<th>found</tr>"
        f"{rows}</table></div>"
    )


def _history(run: Run) -> str:
    """The furthest distance of every run over its threshold."""
    if not run.history:
        return ""
    now = {"comparisons": [_entry(each) for each in run.compared], "end": "now"}
    runs = [*run.history, now]
    worst = [
        max((c["distance"] / (c["threshold"] or 1) for c in each["comparisons"]), default=0.0)
        for each in runs
    ]
    hits = [any(c["drifted"] for c in each["comparisons"]) for each in runs]
    times = [str(each["end"]) for each in runs]
    return (
        f"<h2>The last {len(runs)} runs</h2><p class=dim>Each run's furthest distance, in "
        "thresholds; a full dot is a run with drift, the last one is this run.</p>"
        f'<div class="card">{charts.trend(worst, hits, times)}</div>'
    )


def _features(run: Run) -> str:
    known = {each["name"]: each for each in run.baseline["features"]}
    names = [each["name"] for each in run.live["features"]]
    names += [name for name in known if name not in names]
    seen = {each["name"]: each for each in run.live["features"]}
    broken = {each["feature_name"] for each in run.violations}
    names.sort(key=lambda name: (name not in broken, -_excess(run, name)))
    cards = "".join(_card(run, name, known.get(name), seen.get(name)) for name in names)
    legend = (
        '<span class="key" style="background:var(--baseline)"></span>baseline'
        '<span class="key" style="background:var(--live)"></span>live'
    )
    return f"<h2>Features, worst first <small>{legend}</small></h2><div class=grid>{cards}</div>"


def _card(
    run: Run, name: str, baseline: Mapping[str, Any] | None, live: Mapping[str, Any] | None
) -> str:
    broken = [v for v in run.violations if v["feature_name"] == name]
    tested = any(each.feature == name and each.check == comparison.DRIFT for each in run.compared)
    quiet = "as before" if tested else "not compared"
    tag = ", ".join(dict.fromkeys(_check(v["constraint_check_type"]) for v in broken)) or quiet
    return (
        f'<section class="card{" bad" if broken else ""}"><header><h3>{escape(name)}</h3>'
        f'<span class="tag">{escape(tag)}</span></header>'
        f"{_chart(run, baseline, live)}<dl>{_facts(run, name, baseline, live)}</dl></section>"
    )


def _chart(run: Run, baseline: Mapping[str, Any] | None, live: Mapping[str, Any] | None) -> str:
    sides = [each for each in (baseline, live) if each and comparison.present(each)[0]]
    if len(sides) == 2 and all("numerical_statistics" in each for each in sides):
        return charts.histogram(*(comparison.weighted(each) for each in sides))
    if len(sides) == 2 and all("string_statistics" in each for each in sides):
        counts = [comparison.counts(each) for each in sides]
        if all(counts):
            return charts.bars(*counts)
        if words := _words(run, live["name"] if live else ""):
            return words
        distinct = [each["string_statistics"]["distinct_count"] for each in sides]
        return f"<p class=dim>{distinct[0]:,.0f} distinct texts before, {distinct[1]:,.0f} now.</p>"
    kinds = [each["inferred_type"] if each else "absent" for each in (baseline, live)]
    return f"<p class=dim>{kinds[0]} before, {kinds[1]} now: nothing to compare.</p>"


def _words(run: Run, name: str) -> str:
    """What a text speaks of more than it did, and less; nothing of what is no text."""
    if run.reference is None or not any(
        each.feature == name and not each.measures and each.check == comparison.DRIFT
        for each in run.compared
    ):
        return ""
    came, went = text.moved(run.reference[name], run.sample[name], WORDS)
    return (
        f"<p><span class=dim>more of</span> {escape(', '.join(came)) or '-'}</p>"
        f"<p><span class=dim>less of</span> {escape(', '.join(went)) or '-'}</p>"
    )


def _facts(
    run: Run, name: str, baseline: Mapping[str, Any] | None, live: Mapping[str, Any] | None
) -> str:
    facts: list[tuple[str, str]] = []
    for each in run.compared:
        if each.feature == name and each.check == comparison.DRIFT:
            limit = f"{each.distance:.3f} of {each.threshold:g}"
            facts.append((each.method if not each.measures else "distance", limit))
            if each.adjusted < 1:
                p = "under 0.0001" if each.adjusted < 1e-4 else f"{each.adjusted:.2g}"
                facts.append(("p", p))
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
    return "".join(
        f"<div><dt>{escape(key)}</dt><dd>{escape(text)}</dd></div>" for key, text in facts
    )


def _samples(run: Run) -> str:
    """Rows of both sides, as they came."""
    shown = _rows("Live records", run.sample)
    if run.reference is not None:
        shown += _rows("Baseline records", run.reference)
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


def _entry(found: Comparison) -> dict[str, Any]:
    return {
        "distance": found.distance,
        "threshold": found.threshold,
        "drifted": found.drifted,
    }


def _excess(run: Run, name: str) -> float:
    return max((each.excess for each in run.compared if each.feature == name), default=0.0)


def _complete(feature: Mapping[str, Any] | None) -> str:
    if feature is None:
        return "absent"
    seen, total = comparison.present(feature)
    return f"{100 * seen / total:.4g}%" if total else "none"


def _check(kind: str) -> str:
    return CHECKS.get(kind, kind)


def _cell(value: Any) -> str:
    words = "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    words = words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"
    return f"<td{' class=long' if len(words) > SHORT else ''}>{escape(words)}</td>"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
