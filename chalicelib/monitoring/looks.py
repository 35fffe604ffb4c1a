"""A look at live traffic, of any kind: begin -> a job -> finish.

`begin` chooses what to judge and writes what the job reads; `finish` reads what it found, keeps
it, and publishes it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chalicelib import clock, documents, places, records
from chalicelib.drift import incidents
from chalicelib.environment import Environment
from chalicelib.monitoring import capture, ground_truth, kinds, reports, requests, unread
from chalicelib.monitoring.kind import Kind
from chalicelib.monitoring.material import Asked, Material

if TYPE_CHECKING:
    from chalicelib.settings import Settings

STATE = "#monitor#"  # of each kind: the look under way, and until when all is judged
# A look that died without a word holds the others of its kind back no longer than this.
LEASE = dt.timedelta(hours=2)
EXAMPLE_LETTERS = 200


def begin(execution: dict[str, Any]) -> dict[str, Any]:
    """What to judge now, or why nothing: {"analyze", "why", "job"?, ...}.

    `more`: later material remains, and the machine comes back for it.
    """
    from chalicelib import settings

    environment, configured = Environment.from_env(), settings.load()
    kind = kinds.KINDS[execution["kind"]]
    if why := kinds.unfit(kind, configured):
        return _skip(kind, why)
    champion = records.get(records.CHAMPION)
    if champion is None:
        return _skip(kind, "no model is in service yet")
    run = str(champion["run"])
    if not documents.exists(environment, places.baseline(run, kind.name) + "constraints.json"):
        return _skip(kind, f"run {run} made no baseline of it; the next run does")
    now, state = clock.now(), STATE + kind.name
    name = job_name(configured.pipeline.name, kind.name, execution)
    if not records.lease(state, name, clock.text(now + LEASE), clock.text(now)):
        return {"analyze": False, "why": f"{(records.get(state) or {}).get('job')} is under way"}
    judged = (records.get(state) or {}).get("judged_until")
    since = str(champion["in_service_at"])
    delay = dt.timedelta(seconds=execution["capture_delay_seconds"])
    material = kind.gather(Asked(environment, configured, since, now, judged, delay))
    if not material.enough:
        records.release(state, {"judged_until": clock.text(material.judged_until)})
        return _skip(kind, material.why)
    return _analysis(name, environment, configured, kind, material, run)


def finish(execution: dict[str, Any]) -> dict[str, Any]:
    """Read the report, remember what it found, publish its metrics.

    There is no look where too little of the material was this model's, or could be read.
    """
    from chalicelib import metrics, settings

    kind, begun = kinds.KINDS[execution["kind"]], execution["begin"]
    environment, configured = Environment.from_env(), settings.load()
    found = documents.find(environment, begun["report"] + "constraint_violations.json")
    drift = documents.find(environment, begun["report"] + "drift.json") or {}
    known = records.get(STATE + kind.name) or {}
    state = {**_judged(begun, known), "unread": unread.told(kind.name, drift, known)}
    judged = int(drift.get("records", 0))
    if found is None or judged < configured.monitor.min_records:
        records.release(STATE + kind.name, state)
        why = f"{judged} records could be read and are of this model"
        return {"violations": 0, "records": 0, **_skip(kind, why)}
    violations = [kind.violation(each) for each in found["violations"]]
    statistics = documents.read(environment, begun["report"] + "statistics.json")
    look = record(environment, kind, begun, violations, statistics)
    look["not_read"] = drift["not_read"]
    if violations and kind.name == kinds.OF_DATA:
        wanted = configured.notifications.examples
        look["examples"] = _examples(environment, begun, wanted)
    remember(look, configured.monitor.kinds)
    records.release(STATE + kind.name, state)
    metrics.publish(
        metrics.violations(len(violations), configured.pipeline.name, kind.name),
        metrics.of_report(kind.metrics, reports.lines(environment, begun["report"]), clock.now()),
    )
    return {name: look[name] for name in ("records", "report_uri")} | {
        "violations": len(violations)
    }


def job_name(pipeline: str, kind: str, execution: Mapping[str, Any]) -> str:
    """One name for one scheduled look, however often its first step is retried."""
    moment = str(execution["scheduled_at"])
    mark = hashlib.sha256(json.dumps(execution, sort_keys=True).encode()).hexdigest()[:6]
    return f"{pipeline}-{kind}-{clock.parse(moment):%Y%m%d-%H%M%S}-{mark}"


def record(
    environment: Environment,
    kind: Kind,
    begun: Mapping[str, Any],
    violations: Sequence[Mapping[str, Any]],
    statistics: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "time": begun["time"],
        "start": begun["start"],
        "end": begun["end"],
        "monitor": kind.name,
        "violations": list(violations),
        "records": int(statistics["dataset"]["item_count"]),
        "status": "violations" if violations else "completed",
        "report_uri": places.uri(environment, begun["report"]),
        "page": reports.page(environment, begun["report"]),
        "champion_run": begun["champion_run"],
    }


def remember(look: Mapping[str, Any], watched: Sequence[str]) -> None:
    """Keep a look, and what it means for the incident.

    The alarm that its metrics set off reads both, so they are published after.
    """
    records.put(f"{records.DRIFT}{look['time']}", look)
    before = incidents.newest()
    incident = incidents.after_look(before, look, clock.now(), watched)
    if incident is not None:
        incidents.save(incident, before)


def _skip(kind: Kind, why: str) -> dict[str, Any]:
    """Nothing to look at, with a note for people who wonder."""
    records.change(STATE + kind.name, {"looked_at": clock.text(clock.now()), "note": why})
    return {"analyze": False, "why": why}


def _judged(begun: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """A look that lost its lease and ends late does not turn the clock back."""
    until = str(begun["judged_until"])
    return {"judged_until": max(until, str(known.get("judged_until") or until))}


def _analysis(
    name: str,
    environment: Environment,
    settings: Settings,
    kind: Kind,
    material: Material,
    run: str,
) -> dict[str, Any]:
    """Write what the job reads: lists of captured traffic, of labels, of earlier looks."""
    start, end = material.window
    report = reports.prefix(kind.name, name, end)
    documents.write(
        environment, f"{report}capture.manifest", capture.manifest(environment, material.captured)
    )
    if "labels" in kind.needs:
        listed = ground_truth.manifest(environment, material.labels)
        documents.write(environment, f"{report}labels.manifest", listed)
    history = reports.earlier(environment, kind.name, end) if "history" in kind.needs else []
    if history:
        listing = [{"prefix": places.uri(environment, f"monitor/{kind.name}/")}, *history]
        documents.write(environment, f"{report}history.manifest", listing)
    job = requests.look(
        name, environment, settings, kind, material.window, report, run, history=bool(history)
    )
    return {
        "analyze": True,
        "why": material.why,
        "job": job,
        "time": clock.text(material.time),
        "start": clock.text(start),
        "end": clock.text(end),
        "judged_until": clock.text(material.judged_until),
        "report": report,
        "champion_run": run,
        "more": material.more,
    }


def _examples(
    environment: Environment, begun: Mapping[str, Any], wanted: int
) -> list[dict[str, str]]:
    """Records that show what drifted, for people to see; values cut short."""
    found = documents.find(environment, begun["report"] + "examples.json") or []
    return [
        {name: value[:EXAMPLE_LETTERS] for name, value in record.items()}
        for record in found[:wanted]
    ]
