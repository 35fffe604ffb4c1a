"""Drift was seen: start a run, wait, or leave it to people? A pure decision with its reasons."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chalicelib import clock
from chalicelib.drift.quiet import QuietHours

DAY = dt.timedelta(days=1)
RUN_PATIENCE = dt.timedelta(minutes=5)  # until asking again whether the active run has ended
ROWS_PATIENCE = dt.timedelta(minutes=15)  # until counting new rows again


@dataclass(frozen=True)
class Policy:
    """[drift] of pipeline.toml."""

    notify_only: bool
    cool_down: dt.timedelta
    daily_budget: int
    max_tries: int
    min_new_rows: int
    severe_checks: frozenset[str]
    severe_distance: float
    quiet_hours: QuietHours | None


@dataclass(frozen=True)
class Situation:
    """What the decision is taken on."""

    now: dt.datetime
    violations: Sequence[Mapping[str, object]]
    started: Sequence[dt.datetime]  # when earlier runs with reason=drift began
    tries: int = 0  # runs that this incident started
    new_rows: int = 0  # labelled live records and rows of new files since the last good run
    active_run: str | None = None
    superseded: bool = False  # the model that drifted is no longer in service
    stopped: str | None = None  # the incident's last run, where a person stopped it


@dataclass(frozen=True)
class Decision:
    """`again_at`: when to decide again; None leaves it to the next look at the traffic."""

    start: bool
    reasons: tuple[str, ...]
    again_at: dt.datetime | None = None
    escalate: bool = False
    tell: bool = True

    @property
    def why(self) -> str:
        return "; ".join(self.reasons)


@dataclass(frozen=True)
class _Objection:
    """Why no run starts now; `until` is None where time alone will not change that."""

    why: str
    until: dt.datetime | None = None
    escalate: bool = False


def decide(policy: Policy, situation: Situation) -> Decision:
    """In quiet hours all waits, the message too; else a run starts unless a rule objects."""
    now = situation.now
    if policy.quiet_hours and (end := policy.quiet_hours.until(now)):
        return Decision(False, (f"quiet hours until {clock.text(end)}",), end, tell=False)
    found = [objection for rule in RULES if (objection := rule(policy, situation))]
    if not found:
        return Decision(True, ("the policy allows it",))
    times = [objection.until for objection in found if objection.until]
    return Decision(
        False,
        tuple(objection.why for objection in found),
        max(times) if len(times) == len(found) else None,
        any(objection.escalate for objection in found),
    )


def severe(policy: Policy, violation: Mapping[str, object]) -> bool:
    """Of a severe check and, where it has a distance, far enough."""
    distance = violation.get("distance")
    far = not isinstance(distance, int | float) or distance >= policy.severe_distance
    return far and violation["constraint_check_type"] in policy.severe_checks


def _notify_only(policy: Policy, situation: Situation) -> _Objection | None:
    return _Objection("drift.notify_only is true: people decide") if policy.notify_only else None


def _mild(policy: Policy, situation: Situation) -> _Objection | None:
    if any(severe(policy, violation) for violation in situation.violations):
        return None
    return _Objection("nothing severe: see drift.severe_checks and drift.severe_distance")


def _superseded(policy: Policy, situation: Situation) -> _Objection | None:
    if situation.superseded:
        return _Objection("the model that it was seen on is no longer in service")
    return None


def _active(policy: Policy, situation: Situation) -> _Objection | None:
    if situation.active_run is None:
        return None
    return _Objection(f"run {situation.active_run} is active", situation.now + RUN_PATIENCE)


def _stopped(policy: Policy, situation: Situation) -> _Objection | None:
    if situation.stopped is None:
        return None
    return _Objection(f"a person stopped run {situation.stopped}: people decide")


def _tried_enough(policy: Policy, situation: Situation) -> _Objection | None:
    if situation.tries < policy.max_tries or situation.active_run or situation.superseded:
        return None
    plural = "s" if situation.tries > 1 else ""
    words = f"{situation.tries} run{plural} did not clear it: people decide"
    return _Objection(words, escalate=True)


def _cool_down(policy: Policy, situation: Situation) -> _Objection | None:
    last = max(situation.started, default=None)
    if last is None or situation.now - last >= policy.cool_down:
        return None
    until = last + policy.cool_down
    words = f"cool-down: drift started a run at {clock.text(last)}; until {clock.text(until)}"
    return _Objection(words, until)


def _budget(policy: Policy, situation: Situation) -> _Objection | None:
    if policy.daily_budget < 1:
        return _Objection("drift.daily_budget is 0")
    today = sorted(moment for moment in situation.started if situation.now - moment < DAY)
    if len(today) < policy.daily_budget:
        return None
    words = f"daily budget: drift started {len(today)} runs in the last 24 hours"
    return _Objection(words, today[-policy.daily_budget] + DAY)


def _new_rows(policy: Policy, situation: Situation) -> _Objection | None:
    if situation.new_rows >= policy.min_new_rows:
        return None
    words = (
        f"{situation.new_rows} labelled or new rows since the last run; "
        f"{policy.min_new_rows} are needed"
    )
    return _Objection(words, situation.now + ROWS_PATIENCE)


RULES = (
    _notify_only,
    _mild,
    _superseded,
    _active,
    _stopped,
    _tried_enough,
    _cool_down,
    _budget,
    _new_rows,
)
