"""Links of messages: whose they are, until when, and what a changed secret does to them."""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import Any

import pytest

from chalicelib import clients, links
from chalicelib.environment import Environment
from chalicelib.links import InvalidLinkError, Link

UNTIL = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
LINK = Link(links.APPROVAL, "7", UNTIL)
SECRET, OTHER = b"first", b"second"


class Secrets:
    """AWS Secrets Manager with one secret."""

    class exceptions:  # noqa: N801 - as boto3 names it
        class ResourceNotFoundException(Exception):  # noqa: N818
            pass

    def __init__(self) -> None:
        self.values = {"AWSCURRENT": "first"}

    def get_secret_value(self, SecretId: str, VersionStage: str) -> dict[str, str]:  # noqa: N803
        assert SecretId == "links"
        if VersionStage not in self.values:
            raise self.exceptions.ResourceNotFoundException
        return {"SecretString": self.values[VersionStage]}

    def rotate(self, value: str) -> None:
        self.values = {"AWSCURRENT": value, "AWSPREVIOUS": self.values["AWSCURRENT"]}


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Secrets:
    class Names:
        link_secret = "links"

    found = Secrets()
    monkeypatch.setattr(clients, "client", lambda name: found)
    monkeypatch.setattr(Environment, "from_env", classmethod(lambda cls: Names()))
    monkeypatch.setenv("API_URL", "https://api.example/api")
    return found


def tampered(**changes: Any) -> str:
    """The link's content changed, with the signature that it had."""
    _, signature = links.sign(LINK, SECRET).split(".")
    content = {"kind": "approval", "subject": "7", "expires": int(UNTIL.timestamp())} | changes
    raw = json.dumps(list(content.values())).encode()
    return f"{base64.urlsafe_b64encode(raw).decode().rstrip('=')}.{signature}"


def test_a_link_says_what_it_is_for_and_until_when() -> None:
    assert links.read(links.sign(LINK, SECRET), [SECRET]) == LINK


def test_the_check_of_the_tampering_finds_the_untampered() -> None:
    assert links.read(tampered(), [SECRET]) == LINK


@pytest.mark.parametrize(
    "token",
    [
        tampered(subject="8"),
        tampered(kind="incident"),
        tampered(expires=int(UNTIL.timestamp()) + 1),
        links.sign(LINK, OTHER),
        links.sign(LINK, SECRET)[:-2],
        links.sign(LINK, SECRET).split(".")[0],
        f".{links.sign(LINK, SECRET)}",
        "",
        ".",
        "a.b",
        "é.ü",
        "\udcff.\udcff",
    ],
)
def test_what_the_stack_did_not_sign_is_no_link(token: str) -> None:
    with pytest.raises(InvalidLinkError):
        links.read(token, [SECRET])


@pytest.mark.parametrize(
    ("seconds", "expired"), [(-1, False), (0, True), (1, True)]
)  # of the present after the end
def test_a_link_ends(seconds: int, expired: bool) -> None:
    assert LINK.expired(UNTIL + dt.timedelta(seconds=seconds)) is expired


def test_a_changed_secret_ends_links_at_the_second_change(secrets: Secrets) -> None:
    url = links.url(links.APPROVAL, "7", UNTIL)
    where, token = url.rsplit("/", 1)
    assert where == "https://api.example/api/links"
    assert links.opened(token) == LINK
    secrets.rotate("second")
    assert links.opened(token) == LINK
    assert links.opened(links.token(links.APPROVAL, "7", UNTIL)) == LINK
    secrets.rotate("third")
    with pytest.raises(InvalidLinkError):
        links.opened(token)
