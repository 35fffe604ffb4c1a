"""What the handler of POST /predictions costs in process: all but the endpoint's answer.

The app of this project takes API Gateway's own event, as Lambda would give it. botocore's client is
the real one up to its HTTP call, in whose place stands the answer of an endpoint: so building,
signing and reading the call of InvokeEndpoint count, the network and the model do not. So too the
call of DynamoDB for the share of predictions that a person looks at (reviews.audit_share). As the
handler waits for nothing else, its time is processor time: other processes do not lengthen it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import time
from collections.abc import Iterator
from unittest import mock

from benchmarks.rows import Bar, Row

CALLS = 3_000
MEDIAN_MS, NINETY_NINTH_MS = 1.5, 5.0
PREDICTION = {
    "label": "5",
    "probabilities": {"1": 0.01, "2": 0.02, "3": 0.03, "4": 0.14, "5": 0.8},
}
ANSWER = json.dumps({"predictions": [PREDICTION], "model_version": "3"}).encode()
BODY = json.dumps({"review_body": "Love it, works perfectly. I would buy it again. " * 5})
EVENT = {
    "resource": "/predictions",
    "path": "/predictions",
    "httpMethod": "POST",
    "headers": {"Content-Type": "application/json", "x-api-key": "key"},
    "multiValueHeaders": {"Content-Type": ["application/json"], "x-api-key": ["key"]},
    "queryStringParameters": None,
    "multiValueQueryStringParameters": None,
    "pathParameters": None,
    "stageVariables": None,
    "requestContext": {
        "resourcePath": "/predictions",
        "httpMethod": "POST",
        "requestId": "0e7d4fe5-2f1c-4d5b-9d3f-3b1f9a1c9b1a",
        "identity": {"sourceIp": "127.0.0.1"},
    },
    "body": BODY,
    "isBase64Encoded": False,
}


def measure() -> Iterator[Row]:
    median, ninety_ninth = milliseconds()
    work = "handler of POST /predictions"
    yield Row(f"{work}, p50", median, "ms", Bar("at most", MEDIAN_MS))
    yield Row(f"{work}, p99", ninety_ninth, "ms", Bar("at most", NINETY_NINTH_MS))


def milliseconds() -> tuple[float, float]:
    """p50 and p99 of CALLS calls."""
    with surroundings():
        import app

        times = []
        for call in range(CALLS + 1):
            began = time.thread_time()
            answer = app.app(EVENT, None)
            times.append((time.thread_time() - began) * 1000)
            assert answer["statusCode"] == 200, answer["body"]
            assert call or json.loads(answer["body"])["model_version"] == 3
    times = sorted(times[1:])  # the first call makes the client and the schema
    return times[CALLS // 2], times[CALLS * 99 // 100]


@contextlib.contextmanager
def surroundings() -> Iterator[None]:
    """The environment of the functions; metrics go nowhere; the endpoint answers at once."""
    from botocore.awsrequest import AWSResponse
    from botocore.httpsession import URLLib3Session

    from chalicelib.environment import Environment

    names = {field.name.upper(): "name" for field in dataclasses.fields(Environment)}
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    region = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1"}

    def send(session: URLLib3Session, request: object) -> AWSResponse:
        raw = io.BytesIO(ANSWER)
        raw.stream = lambda *_, **__: iter([ANSWER])  # type: ignore[attr-defined]
        return AWSResponse("https://runtime", 200, {"Content-Type": "application/json"}, raw)

    with (
        mock.patch.dict(os.environ, {**names, **credentials, **region}),
        mock.patch.object(URLLib3Session, "send", send),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        yield
