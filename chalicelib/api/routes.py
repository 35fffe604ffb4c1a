"""The routes for applications, and those behind the links of messages."""

from __future__ import annotations

from typing import Any

from chalice.app import Request, Response

from chalicelib.api import requests


@requests.route
def predict(request: Request) -> tuple[int, Any]:
    """JSON lines are answered with JSON lines."""
    from chalicelib.api import predictions, serving

    lines = requests.is_lines(request)
    answer = predictions.predict(
        requests.raw(request),
        lines=lines,
        explain=requests.flag(request, "explain"),
        variant=requests.variant(request, serving.TARGET_VARIANT),
    )
    if not lines:
        return 200, answer
    by = {name: answer[name] for name in ("model_version", "variant")}
    return 200, requests.Lines({**by, **each} for each in answer["predictions"])


@requests.route
def feedback(request: Request) -> tuple[int, Any]:
    from chalicelib.api import feedback as labels

    return 202, labels.accept(requests.raw(request), lines=requests.is_lines(request))


@requests.route
def health(request: Request) -> tuple[int, Any]:
    """Whether a model is in service; cheap enough for a load balancer."""
    from chalicelib.model import registry

    del request
    champion = registry.champion()
    if champion is None:
        return 200, {"status": "waiting", "message": "no model is in service yet"}
    names = ("model_version", "in_service_at")
    return 200, {"status": "ok", **{name: champion[name] for name in names}}


@requests.route
def openapi(request: Request) -> tuple[int, Any]:
    from chalicelib import settings
    from chalicelib.api import openapi as document

    del request
    return 200, document.document(settings.load())


def docs(request: Request) -> Response:
    """The document as a page."""
    from chalicelib import settings
    from chalicelib.api import docs_page
    from chalicelib.api import openapi as document

    host, stage = request.headers.get("host", ""), request.context.get("stage", "")
    url = f"https://{host}/{stage}".rstrip("/")
    content = docs_page.page(document.document(settings.load()), url)
    return Response(content, {"Content-Type": "text/html; charset=utf-8"})


def open_link(request: Request) -> Response:
    """The page behind a link of a message."""
    from chalicelib.api import decisions

    return decisions.show((request.uri_params or {})["token"])


def decide_link(request: Request) -> Response:
    from chalicelib.api import decisions

    return decisions.decide((request.uri_params or {})["token"], request)
