"""quality.html: one run's data for a person to read, whole in one file, what broke first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from chalicelib.quality import charts

Document = Mapping[str, Any]
MEANINGS = {
    "CI": "class imbalance: how much rarer the facet is",
    "DPL": "difference in positive proportions in labels",
    "KL": "Kullback-Leibler divergence of the labels",
    "JS": "Jensen-Shannon divergence of the labels",
    "LP": "L2 norm between the labels' shares",
    "TVD": "total variation distance of the labels",
    "KS": "largest gap between the labels' shares",
    "CDDL": "conditional demographic disparity in labels",
}
STOPPED = """<p>The run stopped here: nothing was trained, and its files are held apart.</p><ul>
<li>The data is wrong: mend it where it comes from and drop it again.</li>
<li>The check is wrong: change chalicelib/pipeline.toml, deploy, then
<code>driftloop run retry {run_id}</code></li>
<li>Take the data as it is:
<code>driftloop run retry {run_id} --accept-quality --why "..."</code></li></ul>"""
LONGEST = 80  # letters of a sample row's value
MOST_BARS = 12


def render(document: Document) -> str:
    """The page of quality.json."""
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    title = f"Data quality of run {document['run_id']}"
    parts = [
        _head(document, title),
        _broken(document),
        _notices(document["notices"]),
        _checks(document),
        _data(document),
        _bias(document["bias"]),
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style>"
        f"<main>{''.join(parts)}</main></html>\n"
    )


def _head(document: Document, title: str) -> str:
    results = document["results"]
    broken = [each for each in results if not each["passed"]]
    errors = [each for each in broken if each["level"] == "error"]
    kind, words = "good", f"All {len(results)} checks hold"
    if broken:
        kind = "bad" if errors else "warn"
        words = f"{len(broken)} of {len(results)} checks broke: {_levels(errors, broken)}"
    accepted = ""
    if given := document.get("accepted"):
        who = f"{given['who']} at {given['at']}: {given['why']}"
        accepted = f'<p><strong class="warn">Accepted all the same</strong> by {escape(who)}</p>'
    elif errors:
        accepted = STOPPED.format(run_id=escape(document["run_id"]))
    counts = f"{document['rows']:,} rows, {document['rejects']:,} more rejected"
    return (
        f'<h1>{escape(title)}</h1><p class="verdict {kind}">{words}</p>{accepted}'
        f'<p class="dim">Dataset {escape(document["dataset"])}: {counts}.</p>'
    )


def _levels(errors: Sequence[Document], broken: Sequence[Document]) -> str:
    warnings = len(broken) - len(errors)
    counts = ((len(errors), "error"), (warnings, "warning"))
    return " and ".join(_count(number, noun) for number, noun in counts if number)


def _broken(document: Document) -> str:
    broken = [each for each in document["results"] if not each["passed"]]
    if not broken:
        return ""
    cards = "".join(_card(each) for each in sorted(broken, key=lambda each: each["level"]))
    why = document["no_offenders"]
    no_rows = f'<p class="dim">No rows are shown: {escape(why)}</p>' if why else ""
    return f"<h2>What broke</h2>{cards}{no_rows}"


def _card(result: Document) -> str:
    rows = _rows(result["offenders"], result["reads"])
    return (
        f'<div class="card {result["level"]}"><h3>{escape(result["metric"])} '
        f'<span class="{"bad" if result["level"] == "error" else "warn"}">'
        f"{result['level']}</span></h3><p>{escape(result['words'])}</p>{rows}</div>"
    )


def _rows(rows: Sequence[Mapping[str, str | None]], reads: Sequence[str]) -> str:
    """A few rows that break the check; the columns it reads come first."""
    if not rows:
        return ""
    names = [*reads, *[name for name in rows[0] if name not in reads]]
    heads = "".join(f"<th>{escape(name)}</th>" for name in names)
    lines = "".join(
        "<tr>" + "".join(_cell(row.get(name), name in reads) for name in names) + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><tr>{heads}</tr>{lines}</table></div>'


def _cell(value: str | None, read: bool) -> str:
    kind = "read" if read else ""
    if value is None:
        return f'<td class="empty {kind}">NULL</td>'
    shown = value if len(value) <= LONGEST else value[: LONGEST - 1] + "…"
    return f'<td class="text {kind}">{escape(shown)}</td>'


def _notices(notices: Sequence[str]) -> str:
    """What was seen beside the checks, such as a column that is new."""
    if not notices:
        return ""
    listed = "".join(f"<li>{escape(each)}</li>" for each in notices)
    return f"<h2>Noticed</h2><ul>{listed}</ul>"


def _checks(document: Document) -> str:
    history = document["history"]
    lines = "".join(_line(each, history.get(each["metric"], [])) for each in document["results"])
    return (
        '<h2>All checks</h2><div class="scroll"><table class="framed"><tr><th></th><th>metric</th>'
        '<th class="number">value</th><th>wanted</th><th>earlier runs, and this one</th></tr>'
        f"{lines}</table></div>"
    )


def _line(result: Document, earlier: Sequence[float]) -> str:
    value, passed = result["value"], result["passed"]
    mark = "good" if passed else "bad" if result["level"] == "error" else "warn"
    wanted = " and ".join(result["wanted"]) or "no history to judge by yet"
    chart = ""
    if earlier and value is not None:
        band = result["expected"] or {"low": result["at_least"], "high": result["at_most"]}
        chart = charts.line([*earlier, value], band["low"], band["high"], not passed)
    return (
        f'<tr><td class="{mark}">{"✓" if passed else "✗"}</td>'
        f"<td>{escape(result['metric'])}</td>"
        f'<td class="number">{"-" if value is None else _number(value)}</td>'
        f"<td>{escape(wanted)}</td><td>{chart}</td></tr>"
    )


def _data(document: Document) -> str:
    cards = [_histogram(name, bins) for name, bins in document["histograms"].items() if bins]
    if full := document["completeness"]:
        notes = {name: _percent(share) for name, share in full.items()}
        chart = charts.bars(full, notes, full=1.0)
        cards.append(f'<div class="card"><h3>How full the columns are</h3>{chart}</div>')
    if not cards:
        return ""
    return f'<h2>The data</h2><div class="grid">{"".join(cards)}</div>'


def _histogram(name: str, bins: Mapping[str, int]) -> str:
    total = sum(bins.values())
    frequent = sorted(bins, key=lambda each: -bins[each])[:MOST_BARS]
    shown = {each: bins[each] / total for each in sorted(frequent, key=_natural)}
    notes = {each: f"{_percent(shown[each])}  {bins[each]:,}" for each in shown}
    more = len(bins) - len(shown)
    rest = f'<p class="dim">and {_count(more, "rarer value")}</p>' if more else ""
    chart = charts.bars(shown, notes)
    return f'<div class="card"><h3>How often each {escape(name)} occurs</h3>{chart}{rest}</div>'


def _bias(bias: Mapping[str, Mapping[str, float | None]]) -> str:
    if not bias:
        return ""
    heads = "".join(f'<th class="number">{escape(each)}</th>' for each in bias)
    lines = "".join(
        f"<tr><td><strong>{name}</strong></td><td>{meaning}</td>"
        + "".join(
            f'<td class="number">{"-" if values[name] is None else _number(values[name])}</td>'
            for values in bias.values()
        )
        + "</tr>"
        for name, meaning in MEANINGS.items()
    )
    return (
        "<h2>Bias before training</h2><p class=dim>The facet against the rest of the rows, as "
        "SageMaker Clarify measures it; 0 is no difference.</p>"
        '<div class="scroll"><table class="framed">'
        f"<tr><th>metric</th><th></th>{heads}</tr>{lines}</table></div>"
    )


def _natural(value: str) -> tuple[int, float, str]:
    """Numbers by size, then words."""
    try:
        return 0, float(value), ""
    except ValueError:
        return 1, 0.0, value


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.4g}"


def _percent(share: float) -> str:
    """Never 100 % for what is not whole."""
    for figures in (0, 1, 2, 4):
        words = f"{share:.{figures}%}"
        if share in (0, 1) or words not in (f"{1:.{figures}%}", f"{0:.{figures}%}"):
            return words
    return "<0.0001%" if share < 0.5 else ">99.9999%"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
