"""What the link of a message shows and does: decided once, by somebody with a name."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from chalice.test import Client

import app
from chalicelib import clients, clock, links, records, runs
from chalicelib.api import decisions
from chalicelib.drift import incidents, reaction
from chalicelib.drift.incidents import Incident
from chalicelib.environment import Environment
from chalicelib.errors import ApiError
from chalicelib.links import Link
from chalicelib.model import approval

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=1)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
RUN = {
    "run_id": "20260301-110000-a1b2c3",
    "reason": "data",
    "cause": "<script>alert(1)</script>",
    "status": "waiting",
    "gate": {"reasons": ["accuracy 0.5 is at least 0.3"]},
    "evaluation": {"accuracy": 0.51234},
}


class Asked:
    """Version 7, which waits; what was decided of it."""

    def __init__(self) -> None:
        self.record = {"model_version": 7, "status": "pending", "run": RUN["run_id"],
                       "expires_at": clock.text(LATER)}  # fmt: skip
        self.decided: list[approval.Decision] = []

    def decide(self, version: int, decision: approval.Decision) -> dict[str, Any]:
        assert version == 7
        if self.decided:
            raise ApiError(409, "already_decided", approval.told(self.record))
        self.decided.append(decision)
        status = "approved" if decision.approved else "rejected"
        self.record |= {"status": status, "by": decision.by, "reason": decision.reason,
                        "decided_at": clock.text(NOW)}  # fmt: skip
        return self.record


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    found = Asked()

    class Names:
        data_bucket = "data"

    class Bucket:
        def generate_presigned_url(self, name: str, **request: Any) -> str:
            return f"https://{request['Params']['Bucket']}.example/{request['Params']['Key']}"

    known = {RUN["run_id"]: RUN}
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setattr(links, "_secret", lambda stage: b"secret")
    monkeypatch.setattr(records, "get", known.get)
    monkeypatch.setattr(approval, "get", lambda version: found.record if version == 7 else None)
    monkeypatch.setattr(approval, "decide", found.decide)
    monkeypatch.setattr(clients, "client", lambda name: Bucket())
    monkeypatch.setattr(Environment, "from_env", classmethod(lambda cls: Names()))
    return found


@pytest.fixture
def http() -> Iterator[Any]:
    with Client(app.app) as client:
        yield client.http


def path(kind: str = links.APPROVAL, subject: str = "7", expires: dt.datetime = LATER) -> str:
    return f"/links/{links.sign(Link(kind, subject, expires), b'secret')}"


def buttons(page: bytes) -> list[str]:
    return re.findall(r'name="action" value="(\w+)"', page.decode())


def test_opening_a_link_decides_nothing(http: Any, asked: Asked) -> None:
    answer = http.get(path())
    assert answer.status_code == 200
    assert buttons(answer.body) == ["approve", "reject"]
    for words in ("accuracy 0.5 is at least 0.3", "0.5123", "&lt;script&gt;"):
        assert words in answer.body.decode()
    assert "<script" not in answer.body.decode()
    assert not asked.decided


@pytest.mark.parametrize(
    ("form", "status", "decided"),
    [
        ("action=approve&who=Ann", 200, [(True, "")]),
        ("action=reject&who=Ann&reason=too+few+rows", 200, [(False, "too few rows")]),
        ("action=approve", 400, []),
        ("action=approve&who=+", 400, []),
        (f"action=approve&who={'a' * 101}", 400, []),
        ("action=delete&who=Ann", 400, []),
        ("who=Ann", 400, []),
        ("", 400, []),
        ("&".join(["a=b"] * 20), 400, []),
        ("%ff=%fe&action", 400, []),
    ],
)
def test_the_form_decides(
    http: Any, asked: Asked, form: str, status: int, decided: list[tuple[bool, str]]
) -> None:
    answer = http.post(path(), body=form.encode(), headers=FORM)
    assert answer.status_code == status
    assert [(each.approved, each.reason) for each in asked.decided] == decided
    assert all("Ann (by the link" in each.by for each in asked.decided)
    assert bool(buttons(answer.body)) is not bool(decided)


def test_a_used_link_says_who_decided(http: Any, asked: Asked) -> None:
    http.post(path(), body=b"action=approve&who=Ann", headers=FORM)
    for answer in (
        http.get(path()),
        http.post(path(), body=b"action=reject&who=Bob&reason=no", headers=FORM),
    ):
        assert "Version 7 was approved by Ann" in answer.body.decode()
        assert not buttons(answer.body)
    assert answer.status_code == 409
    assert len(asked.decided) == 1


@pytest.mark.parametrize("kind", [links.APPROVAL, links.DOCUMENT])
def test_an_expired_link_shows_no_form(http: Any, asked: Asked, kind: str) -> None:
    answer = http.get(path(kind, expires=NOW))
    assert answer.status_code == 410
    assert "expired at 2026-03-01 12:00 UTC" in answer.body.decode()
    assert not buttons(answer.body)
    refused = http.post(path(kind, expires=NOW), body=b"action=approve&who=Ann", headers=FORM)
    assert refused.status_code == 410
    assert not asked.decided


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("token", ["x", "a.b", "%C3%A9.x"])
def test_what_is_no_link_of_ours_is_not_found(
    http: Any, asked: Asked, method: str, token: str
) -> None:
    more = {"body": b"action=approve&who=Eve", "headers": FORM} if method == "post" else {}
    answer = getattr(http, method)(f"/links/{token}", **more)
    assert answer.status_code == 404
    assert not asked.decided


def test_a_document_has_an_address_for_some_minutes(http: Any, asked: Asked) -> None:
    answer = http.get(path(links.DOCUMENT, "monitor/x/drift.html"))
    assert answer.status_code == 302
    assert answer.headers["Location"] == "https://data.example/monitor/x/drift.html"


def test_a_page_is_kept_and_led_on_from_by_nobody(http: Any, asked: Asked) -> None:
    headers = http.get(path()).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert decisions.HEADERS["X-Frame-Options"] == "DENY"


@dataclass
class World:
    """An incident, its runs, and what was asked for."""

    incident: Incident
    runs: dict[str, dict[str, Any]]
    active: str | None = None
    asked: list[tuple[str, ...]] = field(default_factory=list)


@pytest.fixture
def world(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> World:
    found = World(Incident("2026-03-01T11:00:00.000Z", "2026-03-01T11:30:00.000Z"), {})
    ask = found.asked.append
    monkeypatch.setattr(incidents, "get", lambda since: found.incident)
    monkeypatch.setattr(records, "get", lambda key: found.runs.get(key))
    monkeypatch.setattr(runs, "active", lambda: found.active)
    monkeypatch.setattr(runs, "stop", lambda run, who, why: ask(("stop", run, who, why)))
    monkeypatch.setattr(reaction, "acknowledge", lambda since, who: ask(("seen", since, who)))
    retrain = lambda since, who, why: ask(("retrain", since, who, why))  # noqa: E731
    monkeypatch.setattr(reaction, "retrain", retrain)
    return found


BEGAN = {"run_id": "r", "status": "running"}
ENDED = {"run_id": "r", "status": "succeeded"}


@pytest.mark.parametrize(
    ("changes", "run", "active", "offered"),
    [
        ({}, None, None, ["seen", "retrain"]),
        ({"runs": ("r",)}, BEGAN, "r", ["seen", "stop"]),
        ({"runs": ("r",)}, ENDED, None, ["seen", "retrain"]),
        ({"runs": ("r",)}, ENDED, "another", ["seen"]),
        ({"acknowledged_by": "Ann"}, None, None, ["retrain"]),
        ({"closed_at": "2026-03-01T12:00:00.000Z"}, None, None, ["seen"]),
        ({"closed_at": "2026-03-01T12:00:00.000Z", "acknowledged_by": "Ann"}, None, None, []),
    ],
)
def test_what_a_person_may_do_about_drift(
    http: Any,
    world: World,
    changes: dict[str, Any],
    run: dict[str, Any] | None,
    active: str | None,
    offered: list[str],
) -> None:
    world.incident = replace(world.incident, **changes)
    world.runs = {"r": run} if run else {}
    world.active = active
    page = http.get(path(links.INCIDENT, world.incident.since))
    assert (page.status_code, buttons(page.body)) == (200, offered)
    assert not world.asked


@pytest.mark.parametrize("action", ["seen", "stop", "retrain"])
def test_the_form_acts_on_drift(http: Any, world: World, action: str) -> None:
    world.incident = replace(world.incident, runs=("r",))
    world.runs = {"r": BEGAN if action == "stop" else ENDED}
    form = f"action={action}&who=Ann&reason=so"
    answer = http.post(path(links.INCIDENT, world.incident.since), body=form.encode(), headers=FORM)
    assert answer.status_code == 200
    ((done, about, who, *_),) = world.asked
    assert (done, about) == (action, "r" if action == "stop" else world.incident.since)
    assert who.startswith("Ann (by the link")
