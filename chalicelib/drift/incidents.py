"""An incident: drift from the first look that saw it to the first that does not.

Looks with violations, decisions and messages belong to one incident, so that people are told
once of each. Its changes are pure functions; the record lies in the runs table.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from chalicelib import clock, records
from chalicelib.drift.policy import Decision

PREFIX = "#incident#"
# The alarm decides at once; what it missed is decided this long after the look.
ALARM_PATIENCE = dt.timedelta(minutes=2)


@dataclass(frozen=True)
class Incident:
    """`since`, `last_seen` and `closed_at` are times of looks; `decide_at`: when it is due.

    `monitors` are those whose newest look still sees drift, each with that look's time; it is over
    when none does.
    """

    since: str
    last_seen: str
    seen: int = 1
    features: tuple[str, ...] = ()
    monitors: Mapping[str, str] = field(default_factory=dict)
    runs: tuple[str, ...] = ()
    decide_at: str | None = None
    told_at: str | None = None
    escalated_at: str | None = None
    closed_at: str | None = None
    recovery_told_at: str | None = None
    acknowledged_by: str | None = None
    acknowledged_at: str | None = None

    @property
    def open(self) -> bool:
        return self.closed_at is None


def after_look(
    incident: Incident | None,
    look: Mapping[str, Any],
    now: dt.datetime,
    watched: Sequence[str],
) -> Incident | None:
    """The incident that a look opens, sees again or closes; unchanged by the same look again.

    Drift that comes back before people were told that it had gone is the same incident. What a
    monitor saw that is no longer among the `watched` holds it open no longer.
    """
    time, violations, monitor = str(look["time"]), look["violations"], str(look["monitor"])
    due = clock.text(now + ALARM_PATIENCE)
    if incident is None or (incident.closed_at and incident.decide_at is None):
        if not violations or (incident and time <= str(incident.closed_at)):
            return incident
        found = features(violations)
        return Incident(time, time, features=found, monitors={monitor: time}, decide_at=due)
    if time <= max(incident.last_seen, incident.closed_at or ""):
        return incident
    if not violations:
        seen = incident.monitors.items()
        left = {name: at for name, at in seen if name != monitor and name in watched}
        if left or not incident.open:
            return replace(incident, monitors=left)
        return replace(incident, monitors={}, closed_at=time, decide_at=due)
    return replace(
        incident,
        last_seen=time,
        seen=incident.seen + 1,
        features=tuple(dict.fromkeys([*incident.features, *features(violations)])),
        monitors={**incident.monitors, monitor: time},
        decide_at=due,
        closed_at=None,
    )


def after_decision(incident: Incident, decision: Decision, runs: Sequence[str]) -> Incident:
    again = clock.text(decision.again_at) if decision.again_at else None
    return replace(incident, decide_at=again, runs=tuple(runs))


def features(violations: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(found["feature_name"]) for found in violations))


def named(names: Sequence[str], most: int = 5) -> str:
    """For a line of text: a storm of features is cut short."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def get(since: str) -> Incident | None:
    found = records.get(f"{PREFIX}{since}")
    return _from_record(found) if found else None


def newest() -> Incident | None:
    found = records.newest(PREFIX, 1)
    return _from_record(found[0]) if found else None


def save(incident: Incident, before: Incident | None) -> None:
    """Write what differs from `before` only: a look and a decision may come at the same time."""
    old = asdict(before) if before and before.since == incident.since else {}
    new = asdict(incident)
    changed = {name: new[name] for name in new if name not in old or old[name] != new[name]}
    if changed:
        status = {"status": "open" if incident.open else "closed"} if "closed_at" in changed else {}
        records.change(f"{PREFIX}{incident.since}", changed | status)


def _from_record(record: Mapping[str, Any]) -> Incident:
    known = {name: record[name] for name in Incident.__dataclass_fields__ if name in record}
    lists = {name: tuple(known.get(name, ())) for name in ("features", "runs")}
    return Incident(**{**known, **lists})
