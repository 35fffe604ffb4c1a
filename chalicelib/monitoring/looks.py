"""What every kind of look at live traffic shares: its job's name, its files, its record."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib import clients, clock, places, records
from chalicelib.drift import incidents
from chalicelib.environment import Environment

# A look that died without a word holds the others back no longer than this.
LEASE = dt.timedelta(hours=2)
HISTORY = dt.timedelta(days=14)
LOOKS = 30  # that a report's page draws beside its own


def job_name(pipeline: str, kind: str, execution: Mapping[str, Any]) -> str:
    """One name for one scheduled look, however often its first step is retried."""
    moment = str(execution["scheduled_at"])
    mark = hashlib.sha256(json.dumps(execution, sort_keys=True).encode()).hexdigest()[:6]
    return f"{pipeline}-{kind}-{clock.parse(moment):%Y%m%d-%H%M%S}-{mark}"


def report(kind: str, name: str, end: dt.datetime) -> str:
    """The prefix of a look's files."""
    return f"monitor/{kind}/{end:%Y-%m-%dT%H-%M-%S}-{name[-6:]}/"


def record(
    environment: Environment,
    kind: str,
    begun: Mapping[str, Any],
    violations: Sequence[Mapping[str, Any]],
    statistics: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "time": begun["end"],
        "start": begun["start"],
        "monitor": kind,
        "violations": list(violations),
        "records": int(statistics["dataset"]["item_count"]),
        "status": "violations" if violations else "completed",
        "report_uri": places.uri(environment, begun["report"]),
        "champion_run": begun["champion_run"],
    }


def remember(look: Mapping[str, Any]) -> None:
    """Keep a look, and what it means for the incident.

    The alarm that its metrics set off reads both, so they are published after.
    """
    records.put(f"{records.DRIFT}{look['time']}", look)
    before = incidents.newest()
    incident = incidents.after_look(before, look, clock.now())
    if incident is not None:
        incidents.save(incident, before)


def earlier(environment: Environment, kind: str, end: dt.datetime) -> list[str]:
    """Keys of the newest earlier looks' drift.json, below the kind's prefix, oldest first."""
    prefix = f"monitor/{kind}/"
    pages = clients.client("s3").get_paginator("list_objects_v2")
    listed = pages.paginate(
        Bucket=environment.data_bucket,
        Prefix=prefix,
        StartAfter=f"{prefix}{end - HISTORY:%Y-%m-%dT%H-%M-%S}",
    )
    keys = (entry["Key"] for page in listed for entry in page.get("Contents", []))
    return [key.removeprefix(prefix) for key in keys if key.endswith("/drift.json")][-LOOKS:]


def write(environment: Environment, key: str, content: Any) -> None:
    clients.client("s3").put_object(
        Bucket=environment.data_bucket,
        Key=key,
        Body=json.dumps(content).encode(),
        ContentType="application/json",
    )


def read(environment: Environment, key: str) -> Any:
    found = clients.client("s3").get_object(Bucket=environment.data_bucket, Key=key)
    return json.loads(found["Body"].read())


def find(environment: Environment, key: str) -> Any | None:
    """The document, or None where there is none."""
    try:
        return read(environment, key)
    except clients.client("s3").exceptions.NoSuchKey:
        return None
