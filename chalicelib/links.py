"""Links in messages: whoever has the message may read or decide one thing, without an account.

`<api>/links/<token>`. The token says what the link is for and until when, signed by HMAC-SHA256
with a secret of the stack. A new value of the secret signs from now on; links signed with the one
before hold until they expire or the secret changes again.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib import clients
from chalicelib.environment import Environment

DAYS = dt.timedelta(days=7)  # for as long as messages are read
APPROVAL, INCIDENT, DOCUMENT = "approval", "incident", "document"


@dataclass(frozen=True)
class Link:
    """`subject`: a model version, the time an incident began, or a key in the data bucket."""

    kind: str
    subject: str
    expires: dt.datetime

    def expired(self, now: dt.datetime) -> bool:
        return now >= self.expires


class InvalidLinkError(Exception):
    """Not signed with this stack's secret, or cut short."""


def url(kind: str, subject: str, expires: dt.datetime) -> str:
    """The whole address, as a message carries it."""
    return f"{os.environ['API_URL']}/links/{token(kind, subject, expires)}"


def token(kind: str, subject: str, expires: dt.datetime) -> str:
    return sign(Link(kind, subject, expires), _secret("AWSCURRENT"))


def opened(given: str) -> Link:
    """The link of a token, expired or not; InvalidLinkError where it is none of ours."""
    current = _secret("AWSCURRENT")
    try:
        return read(given, [current])
    except InvalidLinkError:
        return read(given, _previous())


def sign(link: Link, secret: bytes) -> str:
    """`<content>.<signature>`, both base64url."""
    content = json.dumps([link.kind, link.subject, int(link.expires.timestamp())])
    encoded = _encode(content.encode())
    return f"{encoded}.{_encode(_signature(encoded, secret))}"


def read(given: str, secrets: Sequence[bytes]) -> Link:
    """The link that one of the secrets signed."""
    encoded, _, signature = given.partition(".")
    try:
        signed = _decode(signature)
        if not any(hmac.compare_digest(signed, _signature(encoded, each)) for each in secrets):
            raise InvalidLinkError("the signature is not ours")
        kind, subject, expires = json.loads(_decode(encoded))
    except (binascii.Error, UnicodeError) as error:
        raise InvalidLinkError("the link is cut short or mistyped") from error
    return Link(kind, subject, dt.datetime.fromtimestamp(expires, dt.UTC))


def _signature(encoded: str, secret: bytes) -> bytes:
    return hmac.new(secret, encoded.encode(), hashlib.sha256).digest()


def _secret(stage: str) -> bytes:
    found = clients.client("secretsmanager").get_secret_value(
        SecretId=Environment.from_env().link_secret, VersionStage=stage
    )
    return str(found["SecretString"]).encode()


def _previous() -> list[bytes]:
    """The secret before, where it was changed once."""
    try:
        return [_secret("AWSPREVIOUS")]
    except clients.client("secretsmanager").exceptions.ResourceNotFoundException:
        return []


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
