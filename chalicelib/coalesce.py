"""When to start a run for files that wait: after a quiet window, or when one waited too long."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from chalicelib import arrivals, clients, clock
from chalicelib.environment import Environment

SLACK = 0.5  # seconds that clocks may differ
MOST = 90  # files a run claims: one DynamoDB transaction takes 100 items
FORGOTTEN = dt.timedelta(minutes=2)  # a start that nobody finished


def due(
    now: dt.datetime, arrived: Sequence[dt.datetime], quiet_seconds: float, max_wait: float
) -> bool:
    """Nothing new for a while, or the oldest has waited long enough."""
    if not arrived:
        return False
    quiet = (now - max(arrived)).total_seconds() >= quiet_seconds - SLACK
    return quiet or (now - min(arrived)).total_seconds() >= max_wait


def wake() -> None:
    """Look again when the queue's delay, the quiet window, is over."""
    clients.client("sqs").send_message(
        QueueUrl=Environment.from_env().coalesce_queue_url, MessageBody="look for pending files"
    )


def woken() -> dict[str, Any]:
    """Start a run for what is pending, if it is time."""
    from chalicelib import runs, settings

    configured = settings.load()
    pending = arrivals.pending(configured.dataset.name)
    times = [clock.parse(arrival["arrived_at"]) for arrival in pending]
    intake = configured.intake
    if not due(clock.now(), times, intake.quiet_seconds, intake.max_wait_seconds):
        return {"waiting": len(pending)}
    chosen = [str(arrival["arrival_id"]) for arrival in pending[:MOST]]
    outcome = runs.start("data", _cause(pending[:MOST]), _cause_id(pending[:MOST]), chosen)
    if isinstance(outcome, runs.RunStarted):
        return {"run_id": outcome.run_id, "files": len(chosen)}
    return {"waiting": len(pending), "why": outcome.why}


def sweep() -> dict[str, Any]:
    """Once a minute: end or go on with what a crash left behind, and start what still waits."""
    from chalicelib import runs

    return {"run": runs.mend(FORGOTTEN), **woken()}


def _cause(pending: Sequence[arrivals.Arrival]) -> str:
    names = [str(arrival["source_key"]).rsplit("/", 1)[-1] for arrival in pending]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"new data: {', '.join(names[:3])}{more}"


def _cause_id(pending: Sequence[arrivals.Arrival]) -> str:
    """The files and how often each was tried: the same set starts one run."""
    import hashlib

    words = "\n".join(sorted(f"{a['arrival_id']} {a.get('attempts', 0)}" for a in pending))
    return f"data-{hashlib.sha256(words.encode()).hexdigest()[:20]}"
