"""When to start a run for files that wait: after a quiet window, when one waited too long, or when
enough of them wait. A thousand files dropped at once make a run or two.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chalicelib import clients, clock
from chalicelib.environment import Environment
from chalicelib.ingest import arrivals

if TYPE_CHECKING:
    from chalicelib.settings import Intake

SLACK = 0.5  # seconds that clocks may differ
FORGOTTEN = dt.timedelta(minutes=2)  # a start or an end that nobody finished


def due(now: dt.datetime, arrived: Sequence[dt.datetime], intake: Intake) -> bool:
    """Nothing new for a while, the oldest has waited long enough, or a batch is full."""
    if not arrived:
        return False
    quiet = (now - max(arrived)).total_seconds() >= intake.quiet_seconds - SLACK
    waited = (now - min(arrived)).total_seconds() >= intake.max_wait_seconds
    return quiet or waited or len(arrived) >= intake.max_batch


def late(now: dt.datetime, came: dt.datetime, intake: Intake) -> bool:
    """Whether a file was taken in after the look that was to find it."""
    return (now - came).total_seconds() >= intake.quiet_seconds


def wake(*, at_once: bool = False) -> None:
    """Look for pending files when the queue's delay, the quiet window, is over; or at once."""
    delay = {"DelaySeconds": 0} if at_once else {}
    clients.client("sqs").send_message(
        QueueUrl=Environment.from_env().coalesce_queue_url,
        MessageBody="look for pending files",
        **delay,
    )


def woken() -> dict[str, Any]:
    """Start a run for the files of the first dataset whose time it is."""
    from chalicelib import runs, settings

    configured, waiting = settings.load(), 0
    for dataset in configured.every_dataset:
        pending = arrivals.pending(dataset.name)
        waiting += len(pending)
        times = [clock.parse(arrival["arrived_at"]) for arrival in pending]
        if not due(clock.now(), times, configured.intake):
            continue
        batch = pending[: configured.intake.max_batch]
        chosen = [str(arrival["arrival_id"]) for arrival in batch]
        outcome = runs.start("data", cause(batch), cause_id(batch), chosen, dataset.name)
        if isinstance(outcome, runs.RunStarted):
            return {"run_id": outcome.run_id, "files": len(chosen)}
        return {"waiting": waiting, "why": outcome.why}
    return {"waiting": waiting}


def sweep() -> dict[str, Any]:
    """Once a minute: go on where a crash left something, and take what nobody was told of."""
    from chalicelib import runs
    from chalicelib.ingest import unheard

    return {"run": runs.mend(FORGOTTEN), "unheard": unheard.announce(), **woken()}


def cause(pending: Sequence[arrivals.Arrival]) -> str:
    names = [str(arrival["source_key"]).rsplit("/", 1)[-1] for arrival in pending]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"new data: {', '.join(names[:3])}{more}"


def cause_id(pending: Sequence[arrivals.Arrival]) -> str:
    """The files and how often each was tried: the same set starts one run."""
    words = "\n".join(sorted(f"{a['arrival_id']} {a.get('attempts', 0)}" for a in pending))
    return f"data-{hashlib.sha256(words.encode()).hexdigest()[:20]}"
