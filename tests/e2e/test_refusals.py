"""Callers without a key or a signature: API Gateway's own refusals, in the API's own words.

https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

import hypothesis
import pytest
import schemathesis

from chalicelib import settings
from chalicelib.api import openapi
from cli import api
from tests.e2e.conftest import ORIGIN

DOCUMENT = openapi.document(settings.load())
OPERATIONS = [found.ok() for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()]
Ask = Callable[..., tuple[int, Any, Message]]


@pytest.fixture(scope="module")
def where(stack: Any) -> tuple[str, str]:
    """The cloud's address with the stage, and the API's own host name."""
    from cli import target

    url = urlsplit(stack.outputs["ApiUrl"])
    return target.choose().rstrip("/") + url.path, url.netloc


@pytest.fixture(scope="module")
def ask(where: tuple[str, str]) -> Ask:
    """Ask as a stranger: the status, the JSON of the answer, and its headers."""
    base, host = where

    def asked(method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Message]:
        address = urlsplit(base)
        connection = http.client.HTTPConnection(address.netloc, timeout=60)
        try:
            sent = {"Host": host, "Content-Type": "application/json", **headers}
            connection.request(method, address.path + path, json.dumps(body), sent)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read()), answer.headers
        finally:
            connection.close()

    return asked


@pytest.mark.parametrize(
    ("method", "path", "headers", "code"),
    [
        ("POST", "/predictions", {}, "INVALID_API_KEY"),
        ("POST", "/predictions", {"x-api-key": "guessed"}, "INVALID_API_KEY"),
        ("POST", "/feedback", {}, "INVALID_API_KEY"),
        ("GET", "/nowhere", {}, "MISSING_AUTHENTICATION_TOKEN"),
        ("DELETE", "/predictions", {}, "MISSING_AUTHENTICATION_TOKEN"),
    ],
)
def test_a_refusal_of_the_gateway_has_the_apis_shape(
    ask: Ask, method: str, path: str, headers: dict[str, str], code: str
) -> None:
    """A web page can read it, and a caller can name it to who runs the API."""
    status, answer, told = ask(method, path, {"review_body": "x"}, **headers)
    assert status == 403
    assert answer["error"]["code"] == code
    assert answer["error"]["message"]
    assert told["Access-Control-Allow-Origin"] == ORIGIN
    assert told["Access-Control-Expose-Headers"] == "X-Request-Id"
    assert told["X-Request-Id"] == told["x-amzn-RequestId"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_a_stranger_gets_neither_in_nor_a_500(where: tuple[str, str], operation: Any) -> None:
    """Requests made from the API's own document, without a key or a signature."""
    base, host = where
    closed = DOCUMENT["paths"][operation.path][operation.method.lower()]["security"]

    @hypothesis.given(case=operation.as_strategy())
    @hypothesis.settings(
        max_examples=5,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    def ask(case: schemathesis.Case) -> None:
        for name in ("x-api-key", "Authorization"):
            case.headers.pop(name, None)
        answer = case.call(base_url=base, headers={"Host": host})
        assert answer.status_code < 500, answer.text
        if closed:
            assert answer.status_code >= 400, answer.text
            assert answer.json()["error"]["code"]

    ask()


def test_with_the_key_it_is_the_function_that_answers(stack: Any, ask: Ask) -> None:
    status, answer, _ = ask(
        "POST", "/predictions", {"review_body": " "}, **{"x-api-key": api.key(stack.name)}
    )
    assert (status, answer["error"]["code"]) == (400, "invalid_field")
