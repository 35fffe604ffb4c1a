"""From a notification to a chat's webhook, here an HTTP server of the test's own."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from chalicelib import clients, notify, settings, webhook


@dataclass
class Chat:
    """What the webhook received, and the status that it answers."""

    url: str = ""
    status: int = 200
    received: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def chat() -> Iterator[Chat]:
    found = Chat()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.received.append(json.loads(body))
            self.send_response(found.status)
            self.end_headers()
            self.wfile.write(b"as you say")

        def log_message(self, *words: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}/services/secret"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def subscribed(cloud: Any, chat: Chat, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The settings name a parameter that holds the chat's URL; gives what chooses the format."""
    parameter = f"/reviews/{uuid.uuid4().hex[:8]}/webhook"
    cloud.client("ssm").put_parameter(Name=parameter, Value=chat.url, Type="SecureString")
    monkeypatch.setattr(clients, "client", cloud.client)
    project = settings.FILE.read_text(encoding="utf-8")

    def use(kind: str) -> None:
        toml = project.replace('webhook = ""', f'webhook = "{parameter}"')
        made = settings.parse(toml.replace('webhook_kind = "slack"', f'webhook_kind = "{kind}"'))
        monkeypatch.setattr(settings, "load", lambda: made)

    return use


def event() -> dict[str, Any]:
    """As SNS invokes a function."""
    message = notify.Message("drift", "Drift in body", "It drifted.", {"records": 5})
    structured = json.loads(notify.structured(message, "reviews", "2026-03-01T12:00:00.000Z"))
    return {"Records": [{"Sns": {"MessageId": "m", "Message": structured["lambda"]}}]}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("slack", lambda sent: sent["blocks"][1]["text"]["text"]),
        (
            "teams",
            lambda sent: sent["attachments"][0]["content"]["body"][1]["inlines"][0]["text"],
        ),
    ],
)
def test_a_notification_is_posted(subscribed: Any, chat: Chat, kind: str, words: Any) -> None:
    subscribed(kind)
    assert webhook.forward(event()) == {"posted": 1}
    (sent,) = chat.received
    assert words(sent) == "It drifted."


def test_a_refusal_is_logged_and_dropped(
    subscribed: Any, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    subscribed("slack")
    chat.status = 404
    with caplog.at_level(logging.ERROR):
        webhook.forward(event())
    assert "the webhook answered 404: as you say" in caplog.text


def test_a_busy_webhook_is_tried_again_by_lambda(subscribed: Any, chat: Chat) -> None:
    subscribed("slack")
    chat.status = 503
    with pytest.raises(webhook.WebhookError, match="answered 503"):
        webhook.forward(event())


def test_no_answer_does_not_tell_the_secret(cloud: Any) -> None:
    with pytest.raises(webhook.WebhookError) as error:
        webhook.post("http://127.0.0.1:1/services/secret", {})
    assert "secret" not in str(error.value)
