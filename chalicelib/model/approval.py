"""A person's word before a model goes into service: gate.approval = "manual".

The run waits on a task token; its package is registered as PendingManualApproval. Whoever decides
first decides: the link in the message, `driftloop approve`, SageMaker Studio, or the time limit.
The package's status follows, and the run goes on. A waiting run keeps the pipeline's lease: a run
beside it would be compared with a champion that is about to change.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry-approve.html
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib import clients, clock, links, records, transactions
from chalicelib.errors import ApiError
from chalicelib.model import registry
from chalicelib.records import Record

PREFIX = "#approval#"
PENDING, APPROVED, REJECTED = "pending", "approved", "rejected"
STATUSES = {"Approved": APPROVED, "Rejected": REJECTED}  # as the registry names them
LONGEST = 500  # letters of a reason


@dataclass(frozen=True)
class Decision:
    approved: bool
    by: str
    reason: str = ""


def key(version: int) -> str:
    return f"{PREFIX}{version:08d}"


def get(version: int) -> Record | None:
    """Who was asked about a version and what became of it."""
    return records.get(key(version))


def newest(limit: int) -> list[Record]:
    return records.newest(PREFIX, limit)


def ask(run: Mapping[str, Any], token: str) -> None:
    """Keep the token, let the run wait and tell people; asked again, with another token, go on."""
    run_id, registered = str(run["run_id"]), run["register"]
    version = int(registered["model_version"])
    if get(version) is None:
        patience = dt.timedelta(seconds=registered["approval"]["timeout_seconds"])
        asked = {
            "status": PENDING,
            "model_version": version,
            "run": run_id,
            "package": registered["model_package_arn"],
            "asked_at": clock.text(clock.now()),
            "expires_at": clock.text(clock.now() + patience),
        }
        records.change(key(version), asked)
    records.change(key(version), {"task_token": token})
    found = get(version)
    assert found is not None, f"the question about version {version} was not kept"
    if found["status"] != PENDING:
        _wake(found)
        return
    waits = transactions.commit([transactions.change_active(run_id, {"status": "waiting"})])
    if waits and not found.get("told_at"):
        _tell(run, found)
        records.change(key(version), {"told_at": clock.text(clock.now())})


def decide(version: int, decision: Decision) -> Record:
    """Approve or reject, once. ApiError: 404 nobody asked, 409 it is decided or too late."""
    found = get(version)
    if found is None:
        raise ApiError(404, "no_approval", f"nobody was asked to approve version {version}")
    if not decision.approved and not decision.reason.strip():
        raise ApiError(400, "missing_field", "a rejection needs a reason", "reason")
    if len(decision.reason) > LONGEST:
        words = f"reason is a text of at most {LONGEST} letters"
        raise ApiError(400, "invalid_field", words, "reason")
    if not _write(found, decision):
        raise ApiError(409, "already_decided", told(get(version) or found))
    return _carry_out(version)


def expired(version: int) -> dict[str, Any]:
    """The time limit rejects, unless a person was faster; what the machine goes on with."""
    found = get(version)
    assert found is not None, f"nobody was asked to approve version {version}"
    words = f"nobody decided until {found['expires_at']}"
    _write(found, Decision(False, "the time limit", words))
    return outcome(_carry_out(version))


def registry_changed(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Somebody approved or rejected the package in the registry itself, as SageMaker Studio does.

    https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
    """
    version, status = int(detail["ModelPackageVersion"]), detail["ModelApprovalStatus"]
    found = get(version)
    if found is None or found["status"] != PENDING:
        return {"ignored": f"version {version} does not wait"}
    by, reason = registry.changed_by(str(found["package"]))
    decided = _write(found, Decision(STATUSES[status] == APPROVED, by, reason))
    return {"version": version, "decided": decided, "status": _carry_out(version)["status"]}


def abandon(run: Mapping[str, Any] | None) -> None:
    """A run that waited has ended: nobody shall approve what it left."""
    found = get(int(run["model_version"])) if run and run.get("model_version") else None
    if found is None or run is None or found["run"] != run["run_id"]:
        return
    values = _values(Decision(False, "the loop", f"run {found['run']} has ended"))
    if transactions.commit(
        [transactions.change_while(key(int(found["model_version"])), values, (PENDING,))]
    ):
        _carry_out(int(found["model_version"]))


def sweep() -> str:
    """Go on where a crash came between a decision and what follows from it."""
    for found in newest(1):
        if found["status"] != PENDING and not found.get("carried_out_at"):
            _carry_out(int(found["model_version"]))
            return f"version {found['model_version']} was {found['status']}"
    return "nothing is left to do"


def outcome(found: Mapping[str, Any]) -> dict[str, Any]:
    """What the waiting task gives to its machine."""
    names = {"by": "by", "reason": "reason", "at": "decided_at"}
    kept = {name: found[key] for name, key in names.items()}
    return {"approved": found["status"] == APPROVED, **kept}


def public(found: Mapping[str, Any]) -> dict[str, Any]:
    """What callers of the API see: all but the token."""
    names = ("model_version", "status", "run", "asked_at", "expires_at", "by", "reason",
             "decided_at")  # fmt: skip
    return {name: found[name] for name in names if name in found}


def told(found: Mapping[str, Any]) -> str:
    """What became of a version, in words."""
    version = found["model_version"]
    if found["status"] == PENDING:
        return f"run {found['run']}, which asked about version {version}, has ended"
    why = f": {found['reason']}" if found["reason"] else ""
    return f"version {version} was {found['status']} by {found['by']} at {found['decided_at']}{why}"


def _write(found: Mapping[str, Any], decision: Decision) -> bool:
    """The first decision counts: the record must be pending and its run waiting."""
    values = _values(decision)
    going_on = {"status": "running", "approval": outcome(values)}
    return transactions.commit(
        [
            transactions.change_while(key(int(found["model_version"])), values, (PENDING,)),
            transactions.change_while(str(found["run"]), going_on, ("waiting",)),
        ]
    )


def _values(decision: Decision) -> dict[str, Any]:
    return {
        "status": APPROVED if decision.approved else REJECTED,
        "by": decision.by,
        "reason": decision.reason.strip(),
        "decided_at": clock.text(clock.now()),
    }


def _carry_out(version: int) -> Record:
    """The registry says what was decided, and the run goes on; every part may be done again."""
    found = get(version)
    assert found is not None, f"nobody was asked to approve version {version}"
    status = next(name for name, mine in STATUSES.items() if mine == found["status"])
    registry.set_status(str(found["package"]), status, f"{found['by']}: {found['reason']}")
    _wake(found)
    records.change(key(version), {"carried_out_at": clock.text(clock.now())})
    return found


def _wake(found: Mapping[str, Any]) -> None:
    """https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html"""
    client = clients.client("stepfunctions")
    over = (client.exceptions.TaskTimedOut, client.exceptions.TaskDoesNotExist)
    try:
        client.send_task_success(taskToken=found["task_token"], output=json.dumps(outcome(found)))
    except over:
        return  # it was woken before, or waits no longer


def _tell(run: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    from chalicelib import notify, places

    version, expires = found["model_version"], clock.parse(str(found["expires_at"]))
    link = links.url(links.APPROVAL, str(version), expires)
    card = places.run(str(run["run_id"]), "evaluation/model_card.html")
    text = [
        f"Version {version} passed the gate and waits for a person before it goes into service:",
        "\n".join(run["gate"]["reasons"]),
        f"Approve or reject: {link}\nWhoever has this link may decide. After "
        f"{expires:%Y-%m-%d %H:%M} UTC the version is rejected.",
        f'Or: driftloop approve {version}\n    driftloop approve {version} --reject --reason "why"',
        f"Model card: {links.url(links.DOCUMENT, card, expires)}",
    ]
    facts = {"run_id": run["run_id"], "model_version": version, "expires_at": found["expires_at"],
             "link": link, "metrics": run["gate"]["metrics"]}  # fmt: skip
    subject = f"Version {version} waits for approval"
    notify.send(notify.Message("approval_needed", subject, "\n\n".join(text), facts))
