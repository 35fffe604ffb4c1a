"""quality.json: all that quality found on a run's new rows, for programs and for the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chalicelib.quality.offenders import Row
    from chalicelib.quality.verdict import Report, Result

EARLIER = 30  # runs of history that the page shows


def document(
    run_id: str,
    dataset: str,
    report: Report,
    offending: Mapping[int | None, Sequence[Row]],
    history: Mapping[str, Sequence[float]],
    accepted: Mapping[str, str] | None = None,
    no_rows: str = "",
) -> dict[str, Any]:
    """As JSON takes it. `offending`: rows that break a check, by its place in pipeline.toml;
    `history`: earlier values by metric; `accepted`: who took broken data as it is, and why;
    `no_rows`: why rows that break a check could not be looked for.
    """
    warned = [each.words for each in report.broken if each.level != "error"]
    measured = [each.metric for each in report.results]
    return {
        "run_id": run_id,
        "dataset": dataset,
        "passed": not report.failures,
        "accepted": dict(accepted) if accepted else None,
        "rows": report.rows,
        "rows_read": report.rows_read,
        "rejects": report.rejects,
        "failures": report.failures,
        "warnings": [*report.notices, *warned],
        "notices": list(report.notices),
        "no_offenders": no_rows or None,
        "results": [
            _result(each, offending.get(each.index, ()) if each.index is not None else ())
            for each in report.results
        ],
        "completeness": dict(report.completeness),
        "histograms": {name: dict(bins) for name, bins in report.histograms.items()},
        "bias": {subject: dict(values) for subject, values in report.bias.items()},
        "history": {
            metric: list(history[metric][-EARLIER:]) for metric in measured if metric in history
        },
    }


def _result(result: Result, rows: Sequence[Row]) -> dict[str, Any]:
    found = asdict(result)
    if band := found["expected"]:
        found["expected"] = {
            name: None if each in (-math.inf, math.inf) else each for name, each in band.items()
        }
    return {
        **found,
        "reads": list(result.reads),
        "words": result.words,
        "wanted": result.wanted,
        "offenders": list(rows),
    }
