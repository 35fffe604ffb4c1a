"""A model that is slow, or gone: the API says so while its caller still waits."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chalice.test import Client

import app
from chalicelib import clients, metrics, settings
from chalicelib.environment import Environment
from chalicelib.model import registry

CONFIG = Path(__file__).parents[2] / ".chalice" / "config.json"
API_GATEWAY_SECONDS = 29
HALF = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"


class Server:
    """Takes connections, sends each a beginning, and then nothing; or ends it."""

    def __init__(self, beginning: bytes, ends: bool) -> None:
        self.beginning, self.ends = beginning, ends
        self.asked: list[socket.socket] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return  # the test is over
            self.asked.append(connection)
            connection.recv(65536)
            connection.sendall(self.beginning)
            if self.ends:
                connection.close()

    def stop(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)  # accept ends
        self.listener.close()
        for connection in self.asked:
            connection.close()


@pytest.fixture(params=["endpoint", "lambda"])
def counted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The API over each kind of backend; the metrics that it counts."""
    found: list[str] = []
    text = settings.FILE.read_text(encoding="utf-8")
    configured = settings.parse(
        text.replace('serving = "endpoint"', f'serving = "{request.param}"')
    )
    names = type("Names", (), {"endpoint_name": "reviews", "serve_function": "reviews-serve"})
    champion = {"run": "r1", "model_version": 3}
    monkeypatch.setattr(settings, "load", lambda: configured)
    monkeypatch.setattr(Environment, "from_env", classmethod(lambda cls: names))
    monkeypatch.setattr(registry, "champion", lambda: champion)
    monkeypatch.setattr(metrics, "emit", lambda name, count, **of: found.append(name))
    monkeypatch.setattr(clients, "ANSWER_SECONDS", 0.3)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    clients.client.cache_clear()
    yield found
    clients.client.cache_clear()


@pytest.fixture
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    found = Server(*request.param)
    monkeypatch.setenv("AWS_ENDPOINT_URL", found.url)
    yield found
    found.stop()


def predict() -> Any:
    with Client(app.app) as client:
        body = json.dumps({"review_body": "a fine thing"}).encode()
        return client.http.post(
            "/predictions", body=body, headers={"Content-Type": "application/json"}
        )


@pytest.mark.parametrize(
    ("server", "status", "code"),
    [
        ((b"", False), 504, "no_answer"),
        ((HALF, False), 504, "no_answer"),
        ((b"", True), 502, "model_error"),
        ((HALF, True), 502, "model_error"),
    ],
    indirect=["server"],
    ids=["silent", "silent after half", "gone", "gone after half"],
)
def test_it_is_told_and_counted_after_one_attempt(
    counted: list[str], server: Server, status: int, code: str
) -> None:
    answer = predict()
    assert (answer.status_code, answer.json_body["error"]["code"]) == (status, code)
    assert counted == ["ModelErrors"]  # what a rollout's alarm watches
    assert len(server.asked) == 1


def test_nobody_there_is_a_model_error(counted: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
    answer = predict()
    assert (answer.status_code, counted) == (502, ["ModelErrors"])
    assert "EndpointConnectionError" in answer.json_body["error"]["message"]


def test_there_is_time_left_to_say_so() -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html"""
    functions = json.loads(CONFIG.read_text())["stages"]["dev"]["lambda_functions"]
    limit = min(functions["api_handler"]["lambda_timeout"], API_GATEWAY_SECONDS)
    waited = clients.CONNECT_SECONDS + clients.ANSWER_SECONDS
    assert waited <= limit - 3
