"""A broken check in words: what, how far, which rows, what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from chalicelib.quality import offenders

if TYPE_CHECKING:
    from chalicelib.quality.declared import Check
    from chalicelib.quality.offenders import Row
    from chalicelib.quality.verdict import Report

REMEDY = """\
What to do: nothing was trained, and the files are held apart: no run takes them by itself.
- The data is wrong: mend it where it comes from and drop it again.
- The check is wrong: change chalicelib/pipeline.toml, deploy, then: driftloop run retry {run_id}
- Take the data as it is: driftloop run retry {run_id} --accept-quality --why "..."\
"""


def explain(
    run_id: str,
    report: Report,
    checks: Sequence[Check],
    offending: Mapping[int | None, Sequence[Row]],
    no_rows: str = "",
) -> str:
    """What people are told of a run that quality stopped; the first paragraph says it in short.

    `no_rows`: why rows that break a check could not be looked for.
    """
    broken = sorted(report.broken, key=lambda each: each.level)
    details = []
    for result in broken:
        details.append(f"{result.level}: {result.words}")
        if result.index is not None:
            check = checks[result.index]
            shown = offending.get(result.index, [])
            details += [f"  row: {offenders.words(check, row)}" for row in shown]
    if no_rows:
        details.append(f"No rows are shown: {no_rows}")
    short = f"{_count(report.failures)} of the data broke: {' '.join(report.failures)}"
    return "\n\n".join([short, "\n".join(details), REMEDY.format(run_id=run_id)])


def _count(failures: Sequence[str]) -> str:
    return "1 check" if len(failures) == 1 else f"{len(failures)} checks"
