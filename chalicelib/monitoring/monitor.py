"""The monitor machine's first part: choose a window of traffic, judge what the analysis found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from chalicelib import clock, places, records
from chalicelib.environment import Environment
from chalicelib.model import jobs
from chalicelib.monitoring import capture, looks

STATE = "#monitor"  # the analysis under way, and until when traffic is analysed
EXAMPLE_LETTERS = 200
SECOND = dt.timedelta(seconds=1)
MAX_WINDOW = dt.timedelta(days=1)
KIND = "data-quality"


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
    name = looks.job_name(configured.pipeline.name, KIND, execution)
    if not records.lease(STATE, name, clock.text(now + looks.LEASE), clock.text(now)):
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
    from chalicelib import metrics, settings

    begun = execution["begin"]
    environment = Environment.from_env()
    found = looks.read(environment, begun["report"] + "constraint_violations.json")["violations"]
    statistics = looks.read(environment, begun["report"] + "statistics.json")
    violations = [distances(each) for each in found]
    look = looks.record(environment, KIND, begun, violations, statistics)
    look["examples"] = _examples(environment, begun) if violations else []
    looks.remember(look)
    records.release(STATE, {"analysed_until": _later(begun["end"])})
    metrics.publish(
        metrics.data_quality(
            statistics, violations, environment.endpoint_name, environment.monitor_schedule
        ),
        metrics.violations(len(violations), settings.load().pipeline.name, KIND),
    )
    return {
        "violations": len(violations),
        "records": look["records"],
        "report_uri": look["report_uri"],
    }


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

    report = looks.report(KIND, name, end)
    listed = report + "capture.manifest"
    looks.write(environment, listed, capture.manifest(environment, names))
    looked_at = jobs.Window(
        clock.text(start),
        clock.text(end),
        places.uri(environment, listed),
        places.uri(environment, report),
    )
    history = looks.earlier(environment, KIND, end)
    if history:
        listing = [{"prefix": places.uri(environment, f"monitor/{KIND}/")}, *history]
        looks.write(environment, report + "history.manifest", listing)
    job = jobs.analyze(
        name,
        environment,
        settings.load(),
        looked_at,
        champion_run=champion["run"],
        history=bool(history),
    )
    return {
        "analyze": True,
        "why": f"captured traffic since {looked_at.start}",
        "job": job,
        "start": looked_at.start,
        "end": looked_at.end,
        "report": report,
        "champion_run": champion["run"],
    }


def _examples(environment: Environment, begun: Mapping[str, Any]) -> list[dict[str, str]]:
    """Some of the records that were judged, for people to see; values as text, cut short."""
    from chalicelib import settings

    _, *names = looks.read(environment, begun["report"] + "capture.manifest")
    start, end = clock.parse(begun["start"]), clock.parse(begun["end"])
    wanted = settings.load().notifications.examples
    found = capture.examples(environment, names, start, end, wanted)
    return [
        {str(name): str(value)[:EXAMPLE_LETTERS] for name, value in record.items()}
        for record in found
        if isinstance(record, dict)
    ]
