"""What a link of a message shows, and what its form does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

from chalice.app import Request, Response

from chalicelib import clients, clock, links, places, records, runs, transactions
from chalicelib.api.decision_page import HEADERS, Action, Page
from chalicelib.drift import incidents, reaction
from chalicelib.environment import Environment
from chalicelib.errors import ApiError
from chalicelib.links import Link
from chalicelib.model import approval

LOOK_SECONDS = 300  # in which a document's own address works
LONGEST_NAME = 100
NOT_OURS = Page(
    "This link is not valid",
    404,
    "It is cut short, mistyped, or older than the secret that links are signed with.",
)
APPROVE = Action("approve", "Approve")
REJECT = Action("reject", "Reject")
SEEN = Action("seen", "Mark as seen")
STOP = Action("stop", "Stop this retraining")
RETRAIN = Action("retrain", "Start a retraining")


def show(token: str) -> Response:
    """The page; or the document, by an address that works for some minutes."""
    try:
        link = links.opened(token)
    except links.InvalidLinkError:
        return _answer(NOT_OURS)
    if link.kind == links.DOCUMENT and not link.expired(clock.now()):
        return Response("", {**HEADERS, "Location": _address(link.subject)}, 302)
    return _answer(_page(link))


def decide(token: str, request: Request) -> Response:
    """Do what the form says, once; the page says what became of it."""
    try:
        link = links.opened(token)
    except links.InvalidLinkError:
        return _answer(NOT_OURS)
    page, form = _page(link), _form(request)
    if not page.actions:
        return _answer(replace(page, status=409) if page.status == 200 else page)
    if form["action"] not in {action.name for action in page.actions}:
        return _answer(replace(page, status=400, problem="Press one of the buttons."))
    try:
        who = _who(form["who"], request)
        _act(link, form["action"], who, form["reason"])
    except ApiError as error:
        shown = _page(link)
        return _answer(replace(shown, status=error.status, problem=error.message))
    return _answer(_page(link))


def _page(link: Link) -> Page:
    if link.kind == links.APPROVAL:
        page = _approval(int(link.subject), link.expires)
    elif link.kind == links.INCIDENT:
        page = _incident(link.subject)
    else:
        page = Page("A document of the pipeline")
    if not link.expired(clock.now()):
        return page
    words = f"This link has expired at {link.expires:%Y-%m-%d %H:%M} UTC. {page.words}".strip()
    return replace(page, status=410, words=words, actions=(), documents=())


def _act(link: Link, action: str, who: str, reason: str) -> None:
    """ApiError where it was done before, or cannot be done any more."""
    if action in (APPROVE.name, REJECT.name):
        approval.decide(int(link.subject), approval.Decision(action == APPROVE.name, who, reason))
    elif action == SEEN.name:
        reaction.acknowledge(link.subject, who)
    elif action == RETRAIN.name:
        reaction.retrain(link.subject, who, reason)
    elif incident := incidents.get(link.subject):
        runs.stop(incident.runs[-1], who, reason)


def _approval(version: int, until: dt.datetime) -> Page:
    """What the gate and the model card say of a version, and the two buttons while it waits."""
    found = approval.get(version)
    run = records.get(str(found["run"])) if found else None
    if found is None or run is None:
        return Page(f"There is no version {version}", 404)
    card = places.run(str(found["run"]), "evaluation/model_card.html")
    page = Page(
        f"Model version {version}",
        points=[str(each) for each in run.get("gate", {}).get("reasons", [])],
        facts=_facts(run, records.get(records.CHAMPION)),
        documents=[("The model card", links.token(links.DOCUMENT, card, until))],
    )
    if found["status"] == approval.PENDING and run["status"] == "waiting":
        words = f"It passed the gate and waits for a person until {found['expires_at']}."
        return replace(page, words=words, actions=(APPROVE, REJECT))
    words = approval.told(found)
    return replace(page, words=f"{words[0].upper()}{words[1:]}. There is nothing to decide.")


def _incident(since: str) -> Page:
    """Drift and what became of it, with what a person may do about it now."""
    incident = incidents.get(since)
    if incident is None:
        return Page(f"There is no incident since {since}", 404)
    run = records.get(incident.runs[-1]) if incident.runs else None
    active = run is not None and run["status"] in transactions.STOPPABLE
    free = incident.open and runs.active() is None
    offered = [
        (SEEN, incident.acknowledged_by is None),
        (STOP, active),
        (RETRAIN, free),
    ]
    rows = {
        "since": incident.since,
        "last seen": f"{incident.last_seen}, in {incident.seen} looks",
        "over": incident.closed_at or "no",
        "runs": ", ".join(incident.runs) or "none",
        "the last run": _became(run) if run else None,
        "seen by": incident.acknowledged_by,
    }
    return Page(
        f"Drift in {incidents.named(incident.features)}",
        facts=[(name, str(value)) for name, value in rows.items() if value],
        actions=[action for action, possible in offered if possible],
    )


def _became(run: Mapping[str, Any]) -> str:
    words = [str(run[key]) for key in ("status", "outcome", "error") if run.get(key)]
    return ", ".join(words)


def _facts(run: Mapping[str, Any], champion: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    rows = {
        "run": f"{run['run_id']}, {run['reason']}: {run['cause']}",
        "rows it learned from": run.get("dataset_rows"),
        "now in service": f"version {champion['model_version']}" if champion else "nothing",
        **{name.replace("_", " "): value for name, value in run.get("evaluation", {}).items()},
    }
    return [(name, _number(value)) for name, value in rows.items() if value is not None]


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _form(request: Request) -> dict[str, str]:
    """The form's fields, each once; what is no form has none."""
    raw = request.raw_body
    text = raw if isinstance(raw, str) else raw.decode("utf-8", "replace")
    try:
        given = parse_qs(text, max_num_fields=10)
    except ValueError:
        given = {}
    return {name: given.get(name, [""])[0].strip() for name in ("action", "who", "reason")}


def _who(name: str, request: Request) -> str:
    if not 0 < len(name) <= LONGEST_NAME:
        raise ApiError(400, "missing_field", "Please give your name.", "who")
    address = (request.context.get("identity") or {}).get("sourceIp")
    return f"{name} (by the link in the message, from {address})"


def _address(key: str) -> str:
    """An address of a page in the bucket that needs no account.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
    """
    kind = "text/html; charset=utf-8" if key.endswith(".html") else "application/json"
    where = {"Bucket": Environment.from_env().data_bucket, "Key": key,
             "ResponseContentType": kind}  # fmt: skip
    address: str = clients.client("s3").generate_presigned_url(
        "get_object", Params=where, ExpiresIn=LOOK_SECONDS
    )
    return address


def _answer(page: Page) -> Response:
    return Response(page.html, dict(HEADERS), page.status)
