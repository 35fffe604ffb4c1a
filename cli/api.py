"""The deployed REST API: what applications call, called from here."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from cli import target
from cli.errors import Problem


def call(
    stack: str,
    method: str,
    path: str,
    body: Any = None,
    timeout: float = 35,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """Call a route (`/predictions`) and return the decoded answer.

    Every call is signed (Signature Version 4), which the routes for administrators need, and has
    the stack's API key, which the others need. An answer of 400 and above becomes a Problem with
    the API's own words.
    """
    target.choose()
    url = target.outputs(stack)["ApiUrl"].rstrip("/") + path
    data = None if body is None else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", "x-api-key": key(stack), **(headers or {})}
    request = AWSRequest(method, url, sent, data)
    session = boto3.Session()
    credentials = session.get_credentials()
    if credentials is None:
        raise Problem("no AWS credentials were found", "Configure them: aws configure")
    SigV4Auth(credentials, "execute-api", session.region_name or "us-east-1").add_auth(request)
    sent = dict(request.headers)
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        # An API has a host name of its own; another endpoint serves it under that Host header.
        parts = urlsplit(url)
        where = parts.path + (f"?{parts.query}" if parts.query else "")
        url, sent["Host"] = endpoint.rstrip("/") + where, parts.netloc
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, data, sent, method=method), timeout=timeout
        ) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise Problem(f"{method} {path} answered {error.code}: {_words(error.read())}") from error
    except urllib.error.URLError as error:
        raise Problem(f"{url} does not answer: {error.reason}", "Is the cloud up?") from error


@cache
def key(stack: str) -> str:
    """The stack's API key."""
    found = target.client("apigateway").get_api_key(
        apiKey=target.outputs(stack)["ApiKeyId"], includeValue=True
    )
    return str(found["value"])


def _words(body: bytes) -> str:
    try:
        answer = json.loads(body)
        return str(answer.get("error", answer).get("message") or answer)
    except (ValueError, AttributeError):
        return body.decode(errors="replace")[:500]
