"""drift.json: every test of a run, the furthest over its threshold first, and what was not read.

Beyond AWS's files. Pages draw it as history; the loop keeps what was not read on the look's record.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from checks.comparison import Comparison
from inputs.contract import ANALYZE, Job
from inputs.jsonlines import Rejects

from outputs import report

FILE = "drift.json"


def write(job: Job, rows: int, rejects: Rejects, compared: Sequence[Comparison] = ()) -> None:
    """`rows`: the records that were judged."""
    ordered = sorted(compared, key=lambda each: (not each.drifted, -each.excess))
    window = {"start": job.window.start, "end": job.window.end}
    found = {
        **{key: f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else "" for key, moment in window.items()},
        "records": rows,
        "not_read": rejects.counts,
        "comparisons": [entry(each) for each in ordered],
    }
    report.write(job.output, FILE, found)


def too_few(job: Job, rows: int, rejects: Rejects, least: int = 1) -> bool:
    """Whether there is too little to judge, which the exit message tells; a baseline then fails."""
    if rows >= max(least, job.min_records):
        return False
    assert job.mode == ANALYZE, f"{job.source} holds {rows} records, too few for a baseline"
    write(job, rows, rejects)
    report.message(job.base, f"Completed: {rows} records, too few to judge.", rejects)
    return True


def entry(found: Comparison) -> dict[str, Any]:
    return {
        "feature_name": found.feature,
        "constraint_check_type": found.check,
        "method": found.method,
        "distance": found.distance,
        "threshold": found.threshold,
        "p_value": found.p_value,
        "adjusted_p_value": found.adjusted,
        "drifted": found.drifted,
        **found.measures,
    }


def earlier(job: Job) -> list[dict[str, Any]]:
    """drift.json of other reports that judged something, the oldest first."""
    if job.history is None:
        return []
    paths = [path for path in job.history.rglob(FILE) if path.parent != job.output]
    found = [json.loads(path.read_text()) for path in paths]
    return sorted(
        (each for each in found if each["comparisons"]), key=lambda each: str(each["end"])
    )
