"""What people read of an incident: that it began, that it does not end, that it is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from chalicelib import clock
from chalicelib.drift.incidents import Incident, named
from chalicelib.drift.policy import Decision
from chalicelib.monitoring import reports
from chalicelib.notify import Message

BEGAN = {
    "data-quality": "Live traffic no longer looks like the data that the model in service learned "
    "from.",
    "model-quality": "Live predictions are less right than those of rows that were held out.",
    "bias": "Some groups are worse off among live records than among those that were held out.",
    "attribution": "The model decides by other features than it did.",
}
MOST_LINES = 8
Looks = Sequence[Mapping[str, Any]]
VALUE_LETTERS = 60
STOP = "To stop all retraining: drift.notify_only = true in pipeline.toml, then deploy."


@dataclass(frozen=True)
class Links:
    """Addresses that need no account: of each look's report, and of the page where a person
    decides.
    """

    reports: tuple[str, ...]
    decide: str


def opened(incident: Incident, looks: Looks, decision: Decision, links: Links) -> Message:
    """`looks`: of each monitor that sees it the newest, the newest of all last."""
    choice = "Stop this retraining" if decision.start else "Start a retraining"
    parts = [
        " ".join(BEGAN[look["monitor"]] for look in looks),
        _drifted(_violations(looks)),
        _since(incident, looks),
        f"What the loop did: {_did(incident, decision)}",
        _examples([each for look in looks for each in look.get("examples", [])]),
        _closer(looks, links),
        f"{choice}, or mark this as seen: {links.decide}\nWhoever has this link may.",
        STOP,
    ]
    subject = f"Drift in {named(incident.features)}"
    return Message("drift", subject, _joined(parts), _facts(incident, looks, decision, links))


def escalated(incident: Incident, looks: Looks, decision: Decision, links: Links) -> Message:
    parts = [
        "Retraining did not clear this drift. The loop starts no further run for it: people "
        "decide.",
        _drifted(_violations(looks)),
        _since(incident, looks),
        f"Runs that it started: {', '.join(incident.runs)}",
        "A broken sender is mended at the sender. A new world needs labelled data of that world: "
        "drop files, or send feedback. Then: driftloop run",
        _closer(looks, links),
        f"Start a retraining, or mark this as seen: {links.decide}\nWhoever has this link may.",
    ]
    subject = f"Drift remains after {_runs(incident)}: {named(incident.features)}"
    facts = _facts(incident, looks, decision, links)
    return Message("drift_escalated", subject, _joined(parts), facts)


def recovered(incident: Incident) -> Message:
    runs = f"Runs that it started: {', '.join(incident.runs)}." if incident.runs else ""
    text = (
        "Live traffic looks again as the model in service expects it.\n\n"
        f"Drift in {named(incident.features)} was seen from {_minute(incident.since)} to "
        f"{_minute(incident.last_seen)}, in {_looks(incident.seen)}; gone at "
        f"{_minute(str(incident.closed_at))}. {runs}"
    )
    facts = {
        "incident": incident.since,
        "features": list(incident.features),
        "runs": list(incident.runs),
        "closed_at": incident.closed_at,
    }
    subject = f"Recovered: no more drift in {named(incident.features)}"
    return Message("drift_recovered", subject, text.rstrip(), facts)


def furthest(violations: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """By distance over threshold, the largest first; those without a distance before them."""

    def share(found: Mapping[str, Any]) -> float:
        if "distance" not in found:
            return float("inf")
        return float(found["distance"]) / max(float(found["threshold"]), 1e-9)

    return sorted(violations, key=share, reverse=True)


def line(violation: Mapping[str, Any]) -> str:
    """One violation: `price: distance 0.42, 0.1 is allowed (baseline_drift_check)`."""
    if "distance" in violation:
        far = f"distance {violation['distance']:.3g}, {violation['threshold']:.3g} is allowed"
    else:
        far = str(violation["description"]).rstrip(".")
    return f"{violation['feature_name']}: {far} ({violation['constraint_check_type']})"


def page(look: Mapping[str, Any]) -> str:
    """The key of what a person opens."""
    _, _, prefix = str(look["report_uri"]).removeprefix("s3://").partition("/")
    return f"{prefix}{look.get('page', reports.LIST)}"


def _drifted(violations: Sequence[Mapping[str, Any]]) -> str:
    listed = furthest(violations)
    lines = ["What drifted, the furthest first:", *(f"  {line(v)}" for v in listed[:MOST_LINES])]
    if len(listed) > MOST_LINES:
        lines.append(f"  and {len(listed) - MOST_LINES} more")
    return "\n".join(lines)


def _since(incident: Incident, looks: Looks) -> str:
    return (
        f"Since {_minute(incident.since)}, seen in {_looks(incident.seen)}; "
        f"the last one judged {looks[-1]['records']} records."
    )


def _violations(looks: Looks) -> list[Mapping[str, Any]]:
    return [violation for look in looks for violation in look["violations"]]


def _did(incident: Incident, decision: Decision) -> str:
    if decision.start:
        return f"started run {incident.runs[-1]}, which learns from all data and all feedback."
    again = f" It decides again at {_minute(decision.again_at)}." if decision.again_at else ""
    return f"started no run: {decision.why}.{again}"


def _examples(examples: Sequence[Mapping[str, str]]) -> str:
    return "\n".join(["What came in, for example:", *map(_example, examples)] if examples else [])


def _example(record: Mapping[str, str]) -> str:
    return "  " + ", ".join(f"{name}: {_short(value)}" for name, value in record.items())


def _short(value: str) -> str:
    words = " ".join(value.split())
    return words if len(words) <= VALUE_LETTERS else words[: VALUE_LETTERS - 3] + "..."


def _closer(looks: Looks, links: Links) -> str:
    return "\n".join(
        f"Report: {report}\nLook closer: driftloop drift show {look['time']}"
        for look, report in zip(looks, links.reports, strict=True)
    )


def _facts(incident: Incident, looks: Looks, decision: Decision, links: Links) -> dict[str, Any]:
    newest = looks[-1]
    return {
        "incident": incident.since,
        "look": newest["time"],
        "records": newest["records"],
        "monitors": [look["monitor"] for look in looks],
        "violations": _violations(looks),
        "report": newest["report_uri"],
        "links": asdict(links),
        "decision": {"start": decision.start, "reasons": list(decision.reasons)},
        "runs": list(incident.runs),
    }


def _runs(incident: Incident) -> str:
    return "one run" if len(incident.runs) == 1 else f"{len(incident.runs)} runs"


def _looks(count: int) -> str:
    return "one look" if count == 1 else f"{count} looks"


def _minute(moment: str | dt.datetime) -> str:
    found = clock.parse(moment) if isinstance(moment, str) else moment.astimezone(dt.UTC)
    return f"{found:%Y-%m-%d %H:%M} UTC"


def _joined(parts: Sequence[str]) -> str:
    return "\n\n".join(part for part in parts if part)
