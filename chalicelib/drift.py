"""Drift was seen: shall the pipeline retrain? A pure decision, and the edge that acts on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib import clock, records
from chalicelib.environment import Environment

LOOK_BACK = 200  # runs: far more than a day holds
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Policy:
    retrain: bool
    cool_down: dt.timedelta
    daily_budget: int


@dataclass(frozen=True)
class Decision:
    start: bool
    why: str


def decide(policy: Policy, now: dt.datetime, started: Sequence[dt.datetime]) -> Decision:
    """`started`: when earlier runs with reason=drift began."""
    if not policy.retrain:
        return Decision(False, "drift.retrain is false: people decide")
    if policy.daily_budget < 1:
        return Decision(False, "drift.daily_budget is 0")
    last = max(started, default=None)
    if last is not None and now - last < policy.cool_down:
        until = clock.text(last + policy.cool_down)
        return Decision(
            False, f"cool-down: drift started a run at {clock.text(last)}; until {until}"
        )
    today = sum(now - moment < DAY for moment in started)
    if today >= policy.daily_budget:
        return Decision(False, f"daily budget: drift started {today} runs in the last 24 hours")
    return Decision(True, "the policy allows it")


def describe(violations: Sequence[Mapping[str, Any]]) -> str:
    """What drifted and how far, one line each."""
    return "\n".join(
        f"{found['feature_name']}: {found['constraint_check_type']}: {found['description']}"
        for found in violations
    )


def alarmed(event: Mapping[str, Any]) -> dict[str, Any]:
    """The drift alarm rings: decide on the newest violations, start a run, tell people.

    EventBridge may deliver an event twice: the run's cause and the record's decision are one each.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
    """
    alarm = event["detail"]["alarmName"]
    if alarm != Environment.from_env().drift_alarm:
        return {"ignored": f"{alarm} is not this pipeline's alarm"}
    found = next((r for r in records.newest(records.DRIFT, 20) if r["violations"]), None)
    if found is None:
        return {"ignored": "there is no record of a violation"}
    if "decision" in found:
        return {"ignored": f"{found['time']} was decided before"}
    return _act(found)


def _act(found: Mapping[str, Any]) -> dict[str, Any]:
    from chalicelib import runs, settings

    configured = settings.load().drift
    policy = Policy(
        configured.retrain,
        dt.timedelta(minutes=configured.cool_down_minutes),
        configured.daily_budget,
    )
    decision = decide(policy, clock.now(), _started())
    run_id = None
    if decision.start:
        outcome = runs.start("drift", _cause(found), f"drift-{found['time']}")
        run_id = getattr(outcome, "run_id", None)
        if not isinstance(outcome, runs.RunStarted):
            decision = Decision(False, outcome.why)
    return _tell(found, decision, run_id)


def _tell(found: Mapping[str, Any], decision: Decision, run_id: str | None) -> dict[str, Any]:
    from chalicelib import notify

    did = f"Started run {run_id}." if decision.start else f"No run was started: {decision.why}."
    facts = {"report": found["report_uri"], "records": found["records"]}
    notify.notify(
        "drift",
        f"Drift in {_features(found)}",
        f"{describe(found['violations'])}\n\n{did}",
        **(facts | ({"run_id": run_id} if run_id else {})),
    )
    records.change(
        f"{records.DRIFT}{found['time']}",
        {"decision": {"start": decision.start, "why": decision.why}, "run": run_id},
    )
    return {"start": decision.start, "why": decision.why, "run_id": run_id}


def _started() -> list[dt.datetime]:
    return [
        clock.parse(run["started_at"])
        for run in records.newest_runs(LOOK_BACK)
        if run["reason"] == "drift" and run.get("started_at")
    ]


def _cause(found: Mapping[str, Any]) -> str:
    return f"drift in {_features(found)} at {found['time']}"


def _features(found: Mapping[str, Any]) -> str:
    return ", ".join(dict.fromkeys(str(entry["feature_name"]) for entry in found["violations"]))
