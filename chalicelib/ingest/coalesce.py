"""When to start a run for files that wait: after a quiet window, when one waited too long, or when
enough of them wait. A thousand files dropped at once make a run or two.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from chalicelib import clients, clock, records
from chalicelib.environment import Environment
from chalicelib.ingest import arrivals, spread
from chalicelib.ingest.arrivals import Arrival

if TYPE_CHECKING:
    from chalicelib.settings import Intake

LOOK = "#look"  # leased until the time of the look that is under way
SLACK = 0.5  # seconds that clocks may differ, and that the index of arrivals may lag behind
MB = 1024 * 1024
FORGOTTEN = dt.timedelta(minutes=2)  # a start or an end that nobody finished


def due_in(now: dt.datetime, arrived: Sequence[dt.datetime], intake: Intake) -> float:
    """Seconds until files that came at these times make a run, 0 or less when it is time: when
    nothing new came for a while, or the oldest has waited long enough.
    """
    quiet = intake.quiet_seconds - SLACK - (now - max(arrived)).total_seconds()
    waited = intake.max_wait_seconds - (now - min(arrived)).total_seconds()
    return min(quiet, waited)


def batch(pending: Iterable[Arrival], intake: Intake) -> tuple[list[Arrival], bool]:
    """The oldest files, as many as one run takes, and whether it takes no more. One file makes a
    run however large it is.
    """
    chosen: list[Arrival] = []
    most, size = intake.max_batch_mb * MB, 0.0
    for arrival in pending:
        size += spread.text_bytes(arrival)
        if chosen and size > most:
            return chosen, True
        chosen.append(arrival)
        if len(chosen) == intake.max_batch or size >= most:
            return chosen, True
    return chosen, False


def wake(seconds: float) -> None:
    """Look for pending files in so many seconds, one at least, unless a look is under way.

    A thousand files ask for one look: it asks for the next one as long as files wait that are not
    due. What a crash keeps from being looked for, the sweep finds.
    """
    now = clock.now()
    delay = max(1, math.ceil(seconds))
    soon, at = clock.text(now + dt.timedelta(seconds=SLACK)), now + dt.timedelta(seconds=delay)
    under_way = records.get(LOOK)  # most find one: reading it is cheaper than a refused write
    if under_way and under_way["until"] > soon:
        return
    if records.lease(LOOK, clock.text(now), clock.text(at), soon):
        clients.client("sqs").send_message(
            QueueUrl=Environment.from_env().coalesce_queue_url,
            MessageBody="look for pending files",
            DelaySeconds=delay,
        )


def woken() -> dict[str, Any]:
    """Start a run for the files of the first dataset whose time it is."""
    from chalicelib import runs, settings

    configured, waiting, later = settings.load(), 0, []
    for dataset in configured.every_dataset:
        found, full = batch(arrivals.pending(dataset.name), configured.intake)
        if not found:
            continue
        waiting += len(found)
        times = [clock.parse(arrival["arrived_at"]) for arrival in found]
        left = 0 if full else due_in(clock.now(), times, configured.intake)
        if left > 0:
            later.append(left)
            continue
        chosen = [str(arrival["arrival_id"]) for arrival in found]
        outcome = runs.start("data", cause(found), cause_id(found), chosen, dataset.name)
        if isinstance(outcome, runs.RunStarted):
            return {"run_id": outcome.run_id, "files": len(chosen)}
        return {"waiting": waiting, "why": outcome.why}  # its end looks again
    if later:
        wake(min(later))
    return {"waiting": waiting}


def sweep() -> dict[str, Any]:
    """Once a minute: go on where a crash left something, and take what nobody was told of."""
    from chalicelib import runs
    from chalicelib.ingest import unheard

    return {"run": runs.mend(FORGOTTEN), "unheard": unheard.announce(), **woken()}


def cause(pending: Sequence[Arrival]) -> str:
    names = [str(arrival["source_key"]).rsplit("/", 1)[-1] for arrival in pending]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"new data: {', '.join(names[:3])}{more}"


def cause_id(pending: Sequence[Arrival]) -> str:
    """The files, when they came and how often each was tried: the same set starts one run. A file
    that was put aside as damaged has its id again when it comes again.
    """
    told = (f"{a['arrival_id']} {a['arrived_at']} {a.get('attempts', 0)}" for a in pending)
    words = "\n".join(sorted(told))
    return f"data-{hashlib.sha256(words.encode()).hexdigest()[:20]}"
