"""The model card: one HTML file that tells a product manager what the model can do and cannot.

After Mitchell et al., "Model Cards for Model Reporting", 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from string import Template
from typing import Any

import plots
from findings import Findings

PERCENT = {"accuracy", "auc"}
WORDS = {
    "accuracy": "right answers",
    "macro_f1": "F1, mean of the classes",
    "weighted_f1": "F1, weighted by rows",
    "auc": "area under the ROC curve",
    "ece": "calibration error",
    "rmse": "root mean squared error",
    "mae": "mean absolute error",
    "r2": "share of the variance explained (R²)",
}
CURVES = {
    "rows": (
        "training rows",
        "Would more data help?",
        "If the blue line still climbs at its right end, yes.<br>&nbsp;",
    ),
    "epoch": (
        "epochs",
        "How did it learn?",
        "Where the blue line falls while the other climbs, it learns by heart;<br>the best "
        "epoch is the one that is kept.",
    ),
}
PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>$title</title>
<style>
body { font: 15px/1.55 system-ui, sans-serif; color: #1d2733; background: #f4f6f8; margin: 0 }
main { max-width: 860px; margin: 0 auto; padding: 32px 20px 64px }
h1 { font-size: 26px; margin: 0 } h2 { font-size: 18px; margin: 0 0 4px }
section { background: #fff; border: 1px solid #dfe4ea; border-radius: 8px; padding: 20px 24px;
  margin-top: 18px; overflow-x: auto }
p { margin: 4px 0 12px } .soft { color: #6b7785 } svg { max-width: 100%; height: auto }
.numbers { display: flex; flex-wrap: wrap; gap: 28px; margin-top: 12px }
.numbers b { display: block; font-size: 28px; line-height: 1.2 }
.pair { display: flex; flex-wrap: wrap; gap: 36px }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: 5px 12px 5px 0;
  border-bottom: 1px solid #dfe4ea; vertical-align: top }
td:first-child { white-space: nowrap } th { color: #6b7785; font-weight: 500 }
.warning { border-left: 4px solid #d9822b } .term { background: #e8f0fa; border-radius: 4px;
  padding: 1px 6px; margin: 2px 4px 2px 0; display: inline-block } .against { background: #fbeede }
</style></head><body><main>$body</main></body></html>
""")


def page(found: Findings) -> str:
    """The whole card; every plot is inline and nothing is loaded."""
    sections = [
        _head(found),
        _champion(found),
        _leaks(found),
        _confusion(found),
        _slices(found),
        _trust(found),
        _why(found),
        _examples(found),
        _bias(found),
        _facts(found),
    ]
    body = "\n".join(section for section in sections if section)
    return PAGE.substitute(title=escape(f"Model card: {found.label}"), body=body)


def _head(found: Findings) -> str:
    told = found.metrics
    names = ["accuracy", "macro_f1", "auc"] if found.classes else ["rmse", "mae", "r2"]
    numbers = "".join(
        f"<div><b>{_number(name, told[name]['value'])}</b>{WORDS[name]}"
        f'<div class="soft">± {_number(name, 1.96 * told[name]["standard_deviation"])}</div></div>'
        for name in names
        if name in told
    )
    if found.classes:
        right, chance = told["accuracy"]["value"], found.most_common
        sentence = (
            f"Asked for the {escape(found.label)} of {found.rows:,} rows it had never seen, it was "
            f"right in {right:.1%}. Always answering the most common label would be right in "
            f"{chance:.1%}."
        )
    else:
        sentence = (
            f"Asked for the {escape(found.label)} of {found.rows:,} rows it had never seen, it was "
            f"off by {told['mae']['value']:.3g} in the mean."
        )
    return (
        f"<h1>What predicts {escape(found.label)}</h1>"
        f'<section><p>{sentence}</p><div class="numbers">{numbers}</div>'
        '<p class="soft">± is a 95 % interval: another test split of the same size would give a '
        "number within it 19 times out of 20.</p></section>"
    )


def _champion(found: Findings) -> str:
    title = "Against the model in service"
    if found.not_compared:
        why = escape(found.not_compared)
        return _section(title, f"The model in service could not answer the same rows: {why}.", "")
    if not found.comparison:
        return ""
    rows = []
    for name in ("accuracy", "macro_f1", "auc", "ece", "rmse", "mae", "r2"):
        if name in found.comparison:
            each = found.comparison[name]
            low, high = each["interval"]
            rows.append(
                [
                    WORDS.get(name, name),
                    _number(name, each["challenger"]),
                    _number(name, each["champion"]),
                    _signed(name, each["difference"]),
                    f"{_signed(name, low)} to {_signed(name, high)}",
                ]
            )
    head = ["", "this model", "in service", "difference", "95 % interval"]
    return _section(
        title,
        "Both answered the same rows. Where the interval holds zero, chance can explain the "
        "difference.",
        _table(head, rows),
    )


def _leaks(found: Findings) -> str:
    leaks = found.prepared.get("leaks", [])
    if not leaks:
        return ""
    lines = "".join(
        f"<li><b>{escape(leak['feature'])}</b> gives the label away in {leak['share']:.1%} of the "
        f"rows: “{escape(leak['examples'][0]['value'])}” is {escape(leak['examples'][0]['label'])} "
        f"in {leak['examples'][0]['purity']:.1%} of them.</li>"
        for leak in leaks
    )
    read = [leak["feature"] for leak in leaks if leak["feature"] in found.reads]
    told = (
        f"This model reads {escape(', '.join(read))}: its numbers may not hold where that is not "
        "known before the label is."
        if read
        else "This model does not read it."
    )
    return (
        f'<section class="warning"><h2>A column that tells too much</h2><ul>{lines}</ul>'
        f"<p>{told}</p></section>"
    )


def _confusion(found: Findings) -> str:
    if not found.classes:
        return ""
    return _section(
        "What it mixes up",
        "Each row is a true label, and says what the model made of it. Blue is right.",
        plots.confusion(found.confusion, found.classes),
    )


def _slices(found: Findings) -> str:
    if not found.slices:
        return ""
    name = "accuracy" if found.classes else "rmse"
    whole = found.metrics[name]["value"]
    parts = []
    for column in dict.fromkeys(each["column"] for each in found.slices):
        rows = [
            (
                each["value"],
                each["metrics"][name]["value"],
                1.96 * each["metrics"][name]["standard_deviation"],
                f"{each['rows']:,} rows",
            )
            for each in found.slices
            if each["column"] == column
        ]
        rows.sort(key=lambda row: -row[1])
        parts.append(f"<p><b>{escape(column)}</b></p>")
        parts.append(plots.bars(rows, whole, percent=bool(found.classes)))
    return _section(
        "Is it as good for everyone?",
        f"{WORDS[name].capitalize()} by group, with the 95 % interval; the dashed line is the "
        "whole test split.",
        "".join(parts),
    )


def _trust(found: Findings) -> str:
    parts = []
    if found.calibration:
        points = [
            (each["confidence"], each["accuracy"], each["rows"]) for each in found.calibration
        ]
        parts.append(
            "<div><h2>Can its confidence be trusted?</h2><p class='soft'>On the dashed line it is "
            "as often right as it is sure;<br>below it, it is surer than it should be.</p>"
            f"{plots.calibration(points)}</div>"
        )
    parts += _curve(found)
    return f'<section><div class="pair">{"".join(parts)}</div></section>' if parts else ""


def _curve(found: Findings) -> list[str]:
    """The scores after parts of the rows, or after each epoch of a transformer."""
    name = "accuracy" if found.classes else "rmse"
    told = found.model.get("learning_curve", [])
    if len(told) < 2:
        return []
    by = "epoch" if "epoch" in told[0] else "rows"
    points = [(each[by], each["train"][name], each["validation"][name]) for each in told]
    axis, title, words = CURVES[by]
    plot = plots.learning_curve(points, axis, percent=bool(found.classes))
    return [f"<div><h2>{title}</h2><p class='soft'>{words}</p>{plot}</div>"]


def _why(found: Findings) -> str:
    why = found.explanations
    rows = [(name, value, 0.0, "") for name, value in why["columns"].items() if value > 0]
    parts = []
    if rows:
        parts.append(plots.bars(rows, percent=bool(found.classes)))
    if why["terms"]:
        listed = [
            [escape(label), "".join(_term(term) for term in terms)]
            for label, terms in why["terms"].items()
            if terms
        ]
        parts.append(
            '<p style="margin-top:14px">Terms that spoke the loudest for each answer:</p>'
            + _table(["answer", "terms"], listed, raw=True)
        )
    if why.get("shap"):
        parts.append(
            '<p style="margin-top:14px">How far each column moves an answer, in the mean '
            "(absolute Shapley values):</p>" + _shap(why["shap"])
        )
    metric = "right answers lost" if found.classes else "error gained"
    return _section(
        "What it looks at",
        f"How many {metric} when a column's values are shuffled (permutation importance)."
        if found.classes
        else "How much error is gained when a column's values are shuffled.",
        "".join(parts),
    )


def _shap(by_label: dict[str, dict[str, float]]) -> str:
    """A row for each column, the one that moves the most first."""
    columns = {
        name: [told[name] for told in by_label.values()] for name in next(iter(by_label.values()))
    }
    ranked = sorted(columns.items(), key=lambda each: -max(each[1]))
    return _table(
        ["column", *by_label], [[name, *map(plots.number, told)] for name, told in ranked]
    )


def _examples(found: Findings) -> str:
    listed = []
    for name, title in (("right", "surely right"), ("wrong", "surely wrong")):
        for each in found.explanations["examples"].get(name, []):
            record = " / ".join(str(each["record"].get(column, "")) for column in found.reads)
            terms = each.get("explanation", {}).get("terms", [])[:6]
            listed.append(
                [
                    f"{title}: {escape(str(each['label']))}"
                    + ("" if name == "right" else f"<br>in truth {escape(each['actual'])}"),
                    escape(record[:280]) + ("…" if len(record) > 280 else ""),
                    "".join(_term(term) for term in terms),
                ]
            )
    if not listed:
        return ""
    return _section(
        "Examples",
        "The answers it was surest of, and what moved them: blue for the answer, orange against.",
        _table(["answer", "record", "terms"], listed, raw=True),
    )


def _bias(found: Findings) -> str:
    section = found.bias.get("post_training_bias_metrics", {})
    parts = []
    for column, values in section.get("facets", {}).items():
        names = ("DPPL", "DI", "RD", "AD")
        rows = []
        for each in values:
            measured = {metric["name"]: metric["value"] for metric in each["metrics"]}
            told = ["–" if measured[n] is None else f"{measured[n]:.3f}" for n in names]
            rows.append([each["value_or_threshold"], *told])
        head = [
            column,
            "positive answers (DPPL)",
            "their ratio (DI)",
            "recall (RD)",
            "accuracy (AD)",
        ]
        parts.append(_table(head, rows))
    if not parts:
        return ""
    return _section(
        "Is it fair?",
        f"Each group against all others; {escape(section['label_value_or_threshold'])} counts as "
        "the positive answer. Differences near 0 and a ratio near 1 are fair; a positive "
        "difference is a disadvantage of the group. bias.json has all ten measures.",
        "".join(parts),
    )


def _facts(found: Findings) -> str:
    model, prepared = found.model, found.prepared
    splits = prepared.get("splits", {})
    facts = {
        "Model": model.get("model", "a script of your own"),
        "Reads": ", ".join(found.reads),
        "Trained on": f"{model['training_rows']:,} rows" if "training_rows" in model else "",
        "Labels learned from": _counted(splits.get("train", {}).get("labels", {})),
        "Labels tested on": _counted(splits.get("test", {}).get("labels", {})),
        "Dataset digest": str(prepared.get("dataset_digest", "")),
        "Software": ", ".join(f"{k} {v}" for k, v in model.get("versions", {}).items()),
        "Explained by": found.explanations["method"],
        "Not meant for": "rows unlike those it learned from: the monitor says when traffic drifts",
    }
    rows = [[name, value] for name, value in facts.items() if value]
    return _section("Facts", "", _table(["", ""], rows))


def _section(title: str, words: str, content: str) -> str:
    told = f'<p class="soft">{words}</p>' if words else ""
    return f"<section><h2>{title}</h2>{told}{content}</section>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], raw: bool = False) -> str:
    def cell(words: str) -> str:
        return words if raw else escape(words)

    top = "".join(f"<th>{escape(words)}</th>" for words in head) if any(head) else ""
    body = "".join(
        f"<tr>{''.join(f'<td>{cell(words)}</td>' for words in row)}</tr>" for row in rows
    )
    return f"<table>{f'<tr>{top}</tr>' if top else ''}{body}</table>"


def _term(term: dict[str, Any]) -> str:
    against = "" if term["weight"] >= 0 else " against"
    return f'<span class="term{against}">{escape(str(term["term"])[:40])}</span>'


def _counted(labels: dict[str, int]) -> str:
    return ", ".join(f"{label}: {count:,}" for label, count in labels.items())


def _number(name: str, value: float) -> str:
    return f"{value:.1%}" if name in PERCENT else plots.number(value)


def _signed(name: str, value: float) -> str:
    return f"{100 * value:+.1f} points" if name in PERCENT else plots.number(value, "+")
