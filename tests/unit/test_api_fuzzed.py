"""Requests made from the API's own document, good and bad: none is answered with 500.

https://schemathesis.readthedocs.io/
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import hypothesis
import pytest
import schemathesis
from chalice.config import Config
from chalice.local import LocalGateway, LocalGatewayException
from schemathesis import checks

import app
from chalicelib import clients, links, metrics, records, runs, settings
from chalicelib.api import openapi, reviews, serving
from chalicelib.environment import Environment
from chalicelib.ingest import arrivals
from chalicelib.model import approval, registry
from localcloud.sagemaker import validation

RUN = "20260301-120000-a1b2c3"
PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/reviews/3"


def served(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """The chalice app as WSGI (PEP 3333), through its own local gateway."""
    headers = {
        name[5:].replace("_", "-").title(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        headers["Content-Type"] = environ["CONTENT_TYPE"]
    size = int(environ.get("CONTENT_LENGTH") or 0)
    path = environ["PATH_INFO"] + (f"?{environ['QUERY_STRING']}" if environ["QUERY_STRING"] else "")
    body = environ["wsgi.input"].read(size)
    try:
        answer = GATEWAY.handle_request(environ["REQUEST_METHOD"], path, headers, body)
    except LocalGatewayException as refused:
        answer = {"statusCode": refused.CODE, "headers": refused.headers, "body": refused.body}
    start(f"{answer['statusCode']} -", [(k, str(v)) for k, v in answer["headers"].items()])
    content = answer["body"] or b""
    return [content.encode() if isinstance(content, str) else content]


DECIDED = {"model_version": 3, "status": "approved", "by": "Ann", "run": RUN}
GATEWAY = LocalGateway(app.app, Config())
DOCUMENT = openapi.document(settings.load())
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
SCHEMA.app = served


@pytest.fixture(scope="module", autouse=True)
def surroundings() -> Iterator[None]:
    """An endpoint, a bucket and tables that answer as good ones do."""

    class Cloud:
        """Its clients; SageMaker's refuses what its model refuses."""

        exceptions = SimpleNamespace(TaskTimedOut=Exception, TaskDoesNotExist=Exception)

        def put_object(self, **request: Any) -> None:
            assert request["Body"]

        def update_model_package(self, **request: Any) -> None:
            validation.check("UpdateModelPackage", request)

        def send_task_success(self, **request: Any) -> None:
            assert request["output"]

    asked = {"package": PACKAGE, "status": approval.PENDING, "task_token": "t", **DECIDED}

    def write(found: Any, decision: approval.Decision) -> bool:
        asked.update(approval._values(decision))
        return True

    class Names:
        data_bucket = "data"

    def invoke(
        settings: Any, body: dict[str, Any], inference_id: str, variant: str | None
    ) -> dict[str, Any]:
        one: dict[str, Any] = {"label": "5", "probabilities": {"5": 1.0}}
        if body.get("explain"):
            one["explanation"] = {"method": "linear", "terms": []}
        return {
            "predictions": [one for _ in body["records"]],
            "model_version": "7",
            "variant": variant or "primary",
        }

    champion = {"model_version": 3, "in_service_at": "2026-03-01T12:00:00Z", "run": RUN}
    package = {"ModelPackageVersion": 3, "CreationTime": dt.datetime(2026, 3, 1)}
    run = {"run_id": RUN, "status": "failed", "dataset": "reviews", "arrivals": []}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients, "client", lambda name: Cloud())
        patch.setattr(Environment, "from_env", classmethod(lambda cls: Names()))
        patch.setattr(serving, "invoke", invoke)
        patch.setattr(reviews, "queue", lambda *words: None)
        patch.setattr(records, "get", lambda key: {"inference_id": "x", "label": "5"})
        patch.setattr(records, "put", lambda key, values: None)
        patch.setattr(records, "remove", lambda key: None)
        patch.setattr(registry, "champion", lambda: champion)
        patch.setattr(registry, "packages", lambda environment, limit: [package])
        patch.setattr(records, "newest_runs", lambda limit: [run])
        patch.setattr(records, "newest", lambda prefix, limit: [{"run": RUN, "run_id": "x"}])
        patch.setattr(runs, "start", lambda *words, **more: runs.RunStarted(RUN))
        patch.setattr(runs, "get", lambda run_id: run if run_id == RUN else None)
        patch.setattr(runs, "active", lambda: None)
        patch.setattr(runs, "stop", lambda *words: None)
        patch.setattr(approval, "get", lambda version: asked)
        patch.setattr(approval, "_write", write)
        patch.setattr(records, "change", lambda key, values: None)
        patch.setattr(approval, "newest", lambda limit: [DECIDED])
        patch.setattr(links, "_secret", lambda stage: b"secret")
        patch.setattr(arrivals, "readmit", lambda *words: None)
        patch.setattr(metrics, "emit", lambda *words, **dimensions: None)
        yield


@pytest.mark.filterwarnings("ignore:Skipped test cases with unsupported payload media types")
@pytest.mark.filterwarnings("ignore:IAMAuthorizer is not a supported in local mode")
@SCHEMA.parametrize()
@hypothesis.settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
def test_every_answer_is_as_documented(case: schemathesis.Case) -> None:
    case.call_and_validate(
        checks=[
            checks.not_a_server_error,
            checks.status_code_conformance,
            checks.content_type_conformance,
            checks.response_headers_conformance,
            checks.response_schema_conformance,
            checks.positive_data_acceptance,
        ]
    )
