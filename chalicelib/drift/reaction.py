"""The edge of the way back: an alarm, or the sweep, acts on the incident that is due."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chalicelib import clock, links, records, runs
from chalicelib.drift import incidents, message, policy, quiet
from chalicelib.drift.incidents import Incident
from chalicelib.drift.message import Links
from chalicelib.drift.policy import Decision, Policy, Situation
from chalicelib.environment import Environment
from chalicelib.errors import ApiError

if TYPE_CHECKING:
    from chalicelib.settings import Settings

LOOK_BACK = 200  # runs: far more than a day holds


def alarmed(event: Mapping[str, Any]) -> dict[str, Any]:
    """The drift alarm rings or falls silent: act on what the newest look left to decide.

    EventBridge may deliver an event twice: what is decided is not due again.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
    """
    alarm = event["detail"]["alarmName"]
    if alarm != Environment.from_env().drift_alarm:
        return {"ignored": f"{alarm} is not this pipeline's alarm"}
    incident = incidents.newest()
    if incident is None or incident.decide_at is None:
        return {"ignored": "there is nothing to decide"}
    return _act(incident, clock.now())


def sweep() -> dict[str, Any]:
    """What waited (cool-down, quiet hours, an alarm that did not come) is decided when due."""
    incident, now = incidents.newest(), clock.now()
    if incident is None or incident.decide_at is None or clock.parse(incident.decide_at) > now:
        return {"due": False}
    return {"due": True, **_act(incident, now)}


def configured_policy(settings: Settings) -> Policy:
    drift = settings.drift
    return Policy(
        notify_only=drift.notify_only,
        cool_down=dt.timedelta(minutes=drift.cool_down_minutes),
        daily_budget=drift.daily_budget,
        max_tries=drift.max_tries,
        min_new_rows=drift.min_new_rows,
        severe_checks=frozenset(drift.severe_checks),
        severe_distance=drift.severe_distance,
        quiet_hours=quiet.parse(drift.quiet_hours, settings.pipeline.time_zone),
    )


def _act(incident: Incident, now: dt.datetime) -> dict[str, Any]:
    from chalicelib import settings

    configured = settings.load()
    if not incident.open:
        return _recover(incident, configured_policy(configured), now)
    looks = _looks(incident)
    earlier = [run for run in records.newest_runs(LOOK_BACK) if run["reason"] == "drift"]
    mine = [run for run in earlier if run.get("incident") == incident.since]
    own = [str(run["run_id"]) for run in mine][::-1]
    rules = configured_policy(configured)
    decision = policy.decide(rules, _situation(configured, rules, looks, earlier, mine, now))
    run_id = None
    if decision.start:
        decision, run_id = _start(incident, len(own), now)
    own += [run_id] if run_id else []
    before, incident = incident, incidents.after_decision(incident, decision, own)
    incidents.save(incident, before)
    decided = {"start": decision.start, "why": decision.why, "reasons": list(decision.reasons)}
    change = {"decision": decided, "run": run_id, "incident": incident.since}
    for look in looks:
        records.change(f"{records.DRIFT}{look['time']}", change)
    _tell(incident, looks, decision)
    return {"start": decision.start, "why": decision.why, "run_id": run_id}


def _looks(incident: Incident) -> list[records.Record]:
    """The newest look of each monitor that sees the drift, the newest of all last."""
    found = []
    for time in sorted(incident.monitors.values()):
        look = records.get(f"{records.DRIFT}{time}")
        assert look is not None, f"there is no look of {time}"
        found.append(look)
    return found


def _situation(
    settings: Settings,
    rules: Policy,
    looks: Sequence[Mapping[str, Any]],
    earlier: list[records.Record],
    mine: list[records.Record],
    now: dt.datetime,
) -> Situation:
    """`earlier` are all runs that drift started, `mine` those of this incident, newest first."""
    from chalicelib.drift import new_rows

    champion = records.get(records.CHAMPION) or {}
    valid = [look for look in looks if look["champion_run"] == champion.get("run")]
    return Situation(
        now=now,
        violations=[violation for look in valid or looks for violation in look["violations"]],
        started=[clock.parse(run["started_at"]) for run in earlier],
        tries=len(mine),
        new_rows=new_rows.count(settings.dataset.name, rules.min_new_rows),
        active_run=runs.active(),
        superseded=not valid,
        stopped=str(mine[0]["run_id"]) if mine and mine[0].get("stopped") else None,
    )


def retrain(since: str, by: str, why: str) -> str:
    """Start a run for an incident because a person says so; its id. ApiError: 404, 409."""
    incident = incidents.get(since)
    if incident is None:
        raise ApiError(404, "no_incident", f"there is no incident since {since}")
    asked = f", asked for by {by}" + (f": {why}" if why else "")
    cause = f"drift in {incidents.named(incident.features)}{asked}"
    cause_id = f"incident-{since}-{len(incident.runs)}"  # once after each of its runs
    outcome = runs.start("drift", cause, cause_id, facts={"incident": since})
    if isinstance(outcome, runs.NotStarted):
        raise ApiError(409, "not_started", outcome.why)
    incidents.save(replace(incident, runs=(*incident.runs, outcome.run_id)), incident)
    return outcome.run_id


def acknowledge(since: str, by: str) -> None:
    """Somebody has seen it: kept with the incident, the first one only."""
    incident = incidents.get(since)
    if incident is None:
        raise ApiError(404, "no_incident", f"there is no incident since {since}")
    if incident.acknowledged_by:
        words = f"{incident.acknowledged_by} has seen it already"
        raise ApiError(409, "already_acknowledged", words)
    seen = replace(incident, acknowledged_by=by, acknowledged_at=clock.text(clock.now()))
    incidents.save(seen, incident)


def _start(incident: Incident, tries: int, now: dt.datetime) -> tuple[Decision, str | None]:
    """Start the incident's next run; the same try starts one."""
    cause = f"drift in {incidents.named(incident.features)} at {incident.last_seen}"
    cause_id = f"drift-{incident.since}-{tries + 1}"
    outcome = runs.start("drift", cause, cause_id, facts={"incident": incident.since})
    if isinstance(outcome, runs.RunStarted):
        return Decision(True, ("the policy allows it",)), outcome.run_id
    return Decision(False, (outcome.why,), now + policy.RUN_PATIENCE), None


def _tell(incident: Incident, looks: Sequence[records.Record], decision: Decision) -> None:
    """One message that it began, one that it does not end; each is marked when it is out."""
    from chalicelib import notify

    if not decision.tell:
        return
    told = clock.text(clock.now())
    if decision.escalate and not incident.escalated_at:
        notify.send(message.escalated(incident, looks, decision, _links(incident, looks)))
        marked = replace(incident, told_at=incident.told_at or told, escalated_at=told)
        incidents.save(marked, incident)
    elif not incident.told_at:
        notify.send(message.opened(incident, looks, decision, _links(incident, looks)))
        incidents.save(replace(incident, told_at=told), incident)


def _links(incident: Incident, looks: Sequence[Mapping[str, Any]]) -> Links:
    """Where reports are read, and where a person decides: for as long as messages are read."""
    until = clock.now() + links.DAYS
    return Links(
        tuple(links.url(links.DOCUMENT, message.page(look), until) for look in looks),
        links.url(links.INCIDENT, incident.since, until),
    )


def _recover(incident: Incident, rules: Policy, now: dt.datetime) -> dict[str, Any]:
    """Tell that it is over, once, where people were told that it began; not in quiet hours."""
    from chalicelib import notify

    if rules.quiet_hours and (end := rules.quiet_hours.until(now)):
        incidents.save(replace(incident, decide_at=clock.text(end)), incident)
        return {"recovered": incident.since, "told": False}
    if incident.told_at:
        notify.send(message.recovered(incident))
    told = clock.text(now) if incident.told_at else None
    incidents.save(replace(incident, decide_at=None, recovery_told_at=told), incident)
    return {"recovered": incident.since, "told": bool(told)}
