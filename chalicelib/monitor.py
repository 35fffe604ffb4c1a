"""The monitor machine's steps: choose a window, judge what the analysis found, tell of failure."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from chalicelib import capture, clients, clock, incidents, jobs, places, records
from chalicelib.environment import Environment

STATE = "#monitor"  # the analysis under way, and until when traffic is analysed
EXAMPLE_LETTERS = 200
SECOND = dt.timedelta(seconds=1)
MAX_WINDOW = dt.timedelta(days=1)
# A monitor that died without a word holds the others back no longer than this.
LEASE = dt.timedelta(hours=2)


def windows(
    now: dt.datetime, in_service_at: str, analysed_until: str | None, catch_up: dt.timedelta
) -> list[tuple[dt.datetime, dt.datetime]]:
    """What is to be looked at, oldest first: a day each, the last one up to now.

    Since the champion went into service or the last analysis' end, the later, so that what an
    outage left out is caught up with, no further back than `catch_up`. Whole seconds, as captured
    requests carry them: the present second is part of the last window.
    """
    now = now.replace(microsecond=0) + (SECOND if now.microsecond else dt.timedelta())
    start = clock.parse(in_service_at).replace(microsecond=0)
    if analysed_until is not None:
        start = max(start, clock.parse(analysed_until))
    start = max(start, now - catch_up)
    found = []
    while now - start > MAX_WINDOW:
        found.append((start, start + MAX_WINDOW))
        start += MAX_WINDOW
    return [*found, (start, now)]


def job_name(pipeline: str, execution: Mapping[str, Any]) -> str:
    """One name for one scheduled look, however often its first step is retried."""
    moment = str(execution["scheduled_at"])
    mark = hashlib.sha256(json.dumps(execution, sort_keys=True).encode()).hexdigest()[:6]
    return f"{pipeline}-data-quality-{clock.parse(moment):%Y%m%d-%H%M%S}-{mark}"


def begin(execution: dict[str, Any]) -> dict[str, Any]:
    """What to analyse now, or why nothing: {"analyze", "why", "job"?, ...}.

    `more`: later windows remain, and the machine comes back for them.
    """
    from chalicelib import settings

    environment, configured = Environment.from_env(), settings.load()
    champion = records.get(records.CHAMPION)
    if champion is None:
        return _skip("no model is in service yet")
    now = clock.now()
    name = job_name(configured.pipeline.name, execution)
    if not records.lease(STATE, name, clock.text(now + LEASE), clock.text(now)):
        return {"analyze": False, "why": f"{(records.get(STATE) or {}).get('job')} is under way"}
    state = records.get(STATE) or {}
    catch_up = dt.timedelta(days=configured.monitor.catch_up_days)
    left = windows(now, champion["in_service_at"], state.get("analysed_until"), catch_up)
    wanted = configured.monitor.min_records
    for index, (start, end) in enumerate(left):
        names = capture.objects(environment, start, end)
        found = capture.enough(environment, names, start, end, wanted)
        if found >= wanted:
            begun = _analysis(name, environment, champion, names, start, end)
            return {**begun, "more": index + 1 < len(left)}
        if index + 1 < len(left):  # a day that is over gets no more records
            records.change(STATE, {"analysed_until": clock.text(end)})
    records.release(STATE)
    words = f"{found} records captured since {clock.text(start)}; {wanted} are needed"
    return _skip(words)


def finish(execution: dict[str, Any]) -> dict[str, Any]:
    """Read the report, publish its metrics, and remember what it found."""
    begun = execution["begin"]
    environment = Environment.from_env()
    violations = _read(environment, begun["report"] + "constraint_violations.json")["violations"]
    statistics = _read(environment, begun["report"] + "statistics.json")
    violations = [distances(found) for found in violations]
    seen = int(statistics["dataset"]["item_count"])
    record = {
        "time": begun["end"],
        "start": begun["start"],
        "violations": violations,
        "records": seen,
        "status": "violations" if violations else "completed",
        "report_uri": places.uri(environment, begun["report"]),
        "champion_run": begun["champion_run"],
        "examples": _examples(environment, begun) if violations else [],
    }
    records.put(f"{records.DRIFT}{begun['end']}", record)
    incident = incidents.after_look(incidents.newest(), record, clock.now())
    if incident is not None:
        incidents.save(incident)
    records.release(STATE, {"analysed_until": _later(begun["end"])})
    # The alarm that these set off reads the records, so they come last.
    _publish(environment, statistics, violations)
    return {"violations": len(violations), "records": seen, "report_uri": record["report_uri"]}


def fail(execution: dict[str, Any]) -> dict[str, Any]:
    """The analysis failed: say so once, and let the next look cover the same window."""
    from chalicelib import failures, notify

    explanation = failures.explain(execution["error"])
    records.release(STATE)
    notify.notify(
        "monitor_failed",
        "The data-quality monitor failed",
        "\n\n".join(part for part in (explanation.message, explanation.detail) if part),
    )
    return {"error": explanation.message}


STEPS = {"begin": begin, "finish": finish, "fail": fail}


def distances(violation: Mapping[str, Any]) -> dict[str, Any]:
    """A violation with the numbers of its description as numbers."""
    import re

    found = re.search(
        r"distance: ([0-9.eE+-]+) exceeds threshold: ([0-9.eE+-]+?)(?:[^0-9eE+.-]|\.?$)",
        str(violation["description"]),
    )
    numbers = {"distance": float(found[1]), "threshold": float(found[2])} if found else {}
    names = ("feature_name", "constraint_check_type", "description")
    return {**{name: violation[name] for name in names}, **numbers}


def _later(end: str) -> str:
    """An analysis that lost its lease and ends late does not turn the clock back."""
    return max(end, str((records.get(STATE) or {}).get("analysed_until", end)))


def _skip(why: str) -> dict[str, Any]:
    """Nothing to look at, with a note for people who wonder."""
    records.change(STATE, {"looked_at": clock.text(clock.now()), "note": why})
    return {"analyze": False, "why": why}


def _analysis(
    name: str,
    environment: Environment,
    champion: Mapping[str, Any],
    names: list[str],
    start: dt.datetime,
    end: dt.datetime,
) -> dict[str, Any]:
    from chalicelib import settings

    report = f"monitor/data-quality/{end:%Y-%m-%dT%H-%M-%S}-{name[-6:]}/"
    listed = report + "capture.manifest"
    clients.client("s3").put_object(
        Bucket=environment.data_bucket,
        Key=listed,
        Body=json.dumps(capture.manifest(environment, names)).encode(),
        ContentType="application/json",
    )
    looked_at = jobs.Window(
        clock.text(start),
        clock.text(end),
        places.uri(environment, listed),
        places.uri(environment, report),
    )
    job = jobs.analyze(name, environment, settings.load(), looked_at, champion_run=champion["run"])
    return {
        "analyze": True,
        "why": f"captured traffic since {looked_at.start}",
        "job": job,
        "start": looked_at.start,
        "end": looked_at.end,
        "report": report,
        "champion_run": champion["run"],
    }


def _read(environment: Environment, key: str) -> Any:
    found = clients.client("s3").get_object(Bucket=environment.data_bucket, Key=key)
    return json.loads(found["Body"].read())


def _examples(environment: Environment, begun: Mapping[str, Any]) -> list[dict[str, str]]:
    """Some of the records that were judged, for people to see; values as text, cut short."""
    from chalicelib import settings

    _, *names = _read(environment, begun["report"] + "capture.manifest")
    start, end = clock.parse(begun["start"]), clock.parse(begun["end"])
    wanted = settings.load().notifications.examples
    found = capture.examples(environment, names, start, end, wanted)
    return [
        {str(name): str(value)[:EXAMPLE_LETTERS] for name, value in record.items()}
        for record in found
        if isinstance(record, dict)
    ]


def _publish(
    environment: Environment, statistics: Mapping[str, Any], violations: list[dict[str, Any]]
) -> None:
    from chalicelib import metrics, settings

    metrics.publish(
        metrics.data_quality(
            statistics, violations, environment.endpoint_name, environment.monitor_schedule
        ),
        metrics.violations(len(violations), settings.load().pipeline.name),
    )
