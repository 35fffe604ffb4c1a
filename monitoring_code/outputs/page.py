"""drift.html: one run for a person to read, whole in one file, what is worst first.

The frame that all monitors share; what they found is drawn by features.py and measures.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from checks import significance
from checks.comparison import Comparison
from inputs.contract import Job
from inputs.jsonlines import Rejects

from outputs import charts, drift

CHECKS = {
    "baseline_drift_check": "distribution moved",
    "completeness_check": "values are missing",
    "data_type_check": "another type",
    "categorical_values_check": "unknown values",
    "missing_column_check": "column is gone",
    "extra_column_check": "column is new",
    "LessThanThreshold": "lower than at the baseline",
    "GreaterThanThreshold": "higher than at the baseline",
    "bias_drift_check": "further from no bias",
    "feature_attribution_drift_check": "another ranking",
}
UNTOLD = ("completeness_check",)  # says nothing of what the chart shows
Facts = Iterable[tuple[str, str]]


@dataclass(frozen=True)
class Run:
    """What every monitor's page shows; a violation has feature_name, constraint_check_type and
    description, whatever its monitor names so."""

    title: str
    window: str
    records: int
    baseline: int | None  # its records, where that is known
    subject: str  # what a violation is of
    violations: Sequence[Mapping[str, str]]
    compared: Sequence[Comparison]
    rule: str
    not_read: str = ""
    history: Sequence[Mapping[str, Any]] = field(default=())  # drift.json of earlier runs

    @classmethod
    def of(cls, job: Job, what: str, rejects: Rejects, **found: Any) -> Run:
        """Of a job's look at `what`; `found`: the other fields."""
        return cls(
            title=f"{what} of {job.endpoint or job.source.name}",
            window=window(job),
            not_read=str(rejects),
            history=drift.earlier(job),
            **found,
        )

    def worst(self, names: Iterable[str]) -> list[str]:
        """Those that broke first, then the furthest over their thresholds."""
        broken = {each["feature_name"] for each in self.violations}
        return sorted(names, key=lambda name: (name not in broken, -self.excess(name)))

    def excess(self, name: str) -> float:
        return max((each.excess for each in self.compared if each.feature == name), default=0.0)


def write(job: Job, run: Run, body: str) -> None:
    (job.output / "drift.html").write_text(render(run, body), encoding="utf-8")


def render(run: Run, body: str) -> str:
    """The page."""
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(run.title)}</title><style>{style}</style>"
        f"<main>{_head(run)}{_violations(run)}{_history(run)}{body}</main></html>\n"
    )


def window(job: Job) -> str:
    """In words."""
    start, end = (
        f"{moment:%d %B %Y %H:%M}" if moment else ""
        for moment in (job.window.start, job.window.end)
    )
    return f"{start or 'the first record'} to {end or 'the last record'}, UTC"


def rule(what: str, test: Mapping[str, Any] | None) -> str:
    """What counts as a violation, in words; `test`: the constraints' rule of chance."""
    if test is None:
        return f"A violation is {what}."
    level = significance.level(test)
    return f"A violation is {what} that chance explains in fewer than {level:.1%} of runs."


def grid(heading: str, cards: Iterable[str]) -> str:
    legend = (
        '<span class="key" style="background:var(--baseline)"></span>baseline'
        '<span class="key" style="background:var(--live)"></span>live'
    )
    return f"<h2>{heading} <small>{legend}</small></h2><div class=grid>{''.join(cards)}</div>"


def card(
    run: Run, name: str, chart: str, facts: Facts, of: Sequence[str] = (), tag: str | None = None
) -> str:
    """`of`: the names of what it shows, where that is not its own; `tag` in place of a verdict."""
    named = of or (name,)
    broken = [v for v in run.violations if v["feature_name"] in named]
    tested = any(each.feature in named and each.check not in UNTOLD for each in run.compared)
    if tag is None:
        quiet = "as before" if tested else "not compared"
        tag = ", ".join(dict.fromkeys(_check(v["constraint_check_type"]) for v in broken)) or quiet
    listed = "".join(
        f"<div><dt>{escape(key)}</dt><dd>{escape(text)}</dd></div>" for key, text in facts
    )
    return (
        f'<section class="card{" bad" if broken else ""}"><header><h3>{escape(name)}</h3>'
        f'<span class="tag">{escape(tag)}</span></header>{chart}<dl>{listed}</dl></section>'
    )


def chance(found: Comparison) -> list[tuple[str, str]]:
    """How likely it is without drift."""
    if found.adjusted >= 1:
        return []
    return [("p", "under 0.0001" if found.adjusted < 1e-4 else f"{found.adjusted:.2g}")]


def _head(run: Run) -> str:
    count, subjects = len(run.violations), len({v["feature_name"] for v in run.violations})
    kind, words = "good", "No violation"
    if count:
        kind = "bad"
        words = f"{_plural(count, 'violation')} in {_plural(subjects, run.subject)}"
    known = "the baseline" if run.baseline is None else f"a baseline of {run.baseline:,}"
    unread = f'<p class="bad">Not read: {escape(run.not_read)}.</p>' if run.not_read else ""
    return (
        f'<h1>{escape(run.title)}</h1><p class="verdict {kind}">{words}</p>'
        f'<p class="dim">{escape(run.window)} · {run.records:,} live records against {known}. '
        f"{escape(run.rule)}</p>{unread}"
    )


def _violations(run: Run) -> str:
    if not run.violations:
        return ""
    rows = "".join(
        f"<tr><td><strong>{escape(each['feature_name'])}</strong></td>"
        f'<td class="bad">{escape(_check(each["constraint_check_type"]))}</td>'
        f"<td>{escape(each['description'])}</td></tr>"
        for each in sorted(run.violations, key=lambda v: -run.excess(v["feature_name"]))
    )
    return (
        f"<h2>What broke</h2><div class=scroll><table><tr><th>{run.subject}<th>check<th>found</tr>"
        f"{rows}</table></div>"
    )


def _history(run: Run) -> str:
    """The furthest distance of every run over its threshold."""
    if not run.history:
        return ""
    now = {"comparisons": [drift.entry(each) for each in run.compared], "end": "now"}
    runs = [*run.history, now]
    worst = [
        max([0.0, *(c["distance"] / (c["threshold"] or 1) for c in each["comparisons"])])
        for each in runs
    ]
    hits = [any(c["drifted"] for c in each["comparisons"]) for each in runs]
    times = [str(each["end"]) for each in runs]
    return (
        f"<h2>The last {len(runs)} runs</h2><p class=dim>Each run's furthest distance, in "
        "thresholds; a full dot is a run with drift, the last one is this run.</p>"
        f'<div class="card">{charts.trend(worst, hits, times)}</div>'
    )


def _check(kind: str) -> str:
    return CHECKS.get(kind, kind)


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
