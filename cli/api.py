"""The deployed REST API: what applications call, called from here."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from cli import target
from cli.errors import Problem


def call(stack: str, method: str, path: str, body: Any = None, timeout: float = 35) -> Any:
    """Call a route (`/predictions`) and return the decoded answer.

    Every call is signed (Signature Version 4), which the routes for administrators need and the
    others ignore. An answer of 400 and above becomes a Problem with the API's own words.
    """
    target.choose()
    url = target.outputs(stack)["ApiUrl"].rstrip("/") + path
    data = None if body is None else json.dumps(body).encode()
    request = AWSRequest(method, url, {"Content-Type": "application/json"}, data)
    session = boto3.Session()
    credentials = session.get_credentials()
    if credentials is None:
        raise Problem("no AWS credentials were found", "Configure them: aws configure")
    SigV4Auth(credentials, "execute-api", session.region_name or "us-east-1").add_auth(request)
    headers = dict(request.headers)
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        # An API has a host name of its own; another endpoint serves it under that Host header.
        parts = urlsplit(url)
        url, headers["Host"] = endpoint.rstrip("/") + parts.path, parts.netloc
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, data, headers, method=method), timeout=timeout
        ) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise Problem(f"{method} {path} answered {error.code}: {_words(error.read())}") from error
    except urllib.error.URLError as error:
        raise Problem(f"{url} does not answer: {error.reason}", "Is the cloud up?") from error


def _words(body: bytes) -> str:
    try:
        answer = json.loads(body)
        return str(answer.get("error", answer).get("message") or answer)
    except (ValueError, AttributeError):
        return body.decode(errors="replace")[:500]
