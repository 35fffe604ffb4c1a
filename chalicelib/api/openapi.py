"""The API in OpenAPI 3.1, made from the settings and the models that validate requests.

https://spec.openapis.org/oas/v3.1.1
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.api import bodies, schemas, serving
from chalicelib.api.schemas import Schema

if TYPE_CHECKING:
    from chalicelib.settings import Settings

KEY: list[dict[str, list[str]]] = [{"api_key": []}]
SIGNED: list[dict[str, list[str]]] = [{"sigv4": []}]
JSON, JSON_LINES = "application/json", "application/jsonlines"
FORM = "application/x-www-form-urlencoded"
REQUEST_ID: Schema = {
    "X-Request-Id": {"description": "The request's own X-Request-Id, or a new one; on 403 and 429 "
                     "API Gateway's",
                     "schema": schemas.TEXT},
}  # fmt: skip
# What each status says: the error's code and words say it closer.
REFUSALS = {
    "400": "The request is at fault; the error names the field",
    "403": "The API key or the signature is missing or wrong, or there is no such path or method",
    "404": "There is no such thing",
    "409": "Not now; the error says why",
    "413": f"Over {bodies.MAX_BYTES:,} bytes, {bodies.MAX_ITEMS:,} entries, too many to explain",
    "415": "The Content-Type is not taken",
    "429": "Faster than the usage plan allows, or its quota is used up",
    "502": "The model failed",
    "503": "No model is in service, or it is busy",
    "504": "The model did not answer in time",
}
EVERY = ("403", "429")
BODY = ("400", "413", "415")
MODEL = ("502", "503", "504")


def document(settings: Settings) -> Schema:
    """The whole document."""
    name = settings.pipeline.name
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"driftloop: {name}",
            "version": "1",
            "description": f"Predicts {settings.dataset.label}.",
        },
        "components": {
            "schemas": schemas.components(settings),
            "securitySchemes": {
                "api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
                "sigv4": {"type": "apiKey", "name": "Authorization", "in": "header",
                          "description": "AWS Signature Version 4, for execute-api"},
            },
        },
        "paths": _predicting(settings) | _telling() | _deciding() | _administering(),
    }  # fmt: skip


def _predicting(settings: Settings) -> Schema:
    few = "" if settings.training.linear else f"; at most {bodies.MAX_EXPLAINED} records a call"
    predict = _operation(
        "Predict one or many records",
        {"200": _found("Predictions", lines="Line")},
        (*BODY, *EVERY, *MODEL),
        body=_body("Record", "records"),
        parameters=[
            _query(
                "explain",
                {"type": "boolean", "default": False},
                f"with the terms that mattered{few}",
            ),
            _header(
                serving.TARGET_VARIANT,
                schemas.VARIANT,
                "the variant that shall answer, in place of one by the weights of an A/B test",
            ),
        ],
        security=KEY,
    )
    feedback = _operation(
        "Tell the true labels",
        {"202": _found("Accepted")},
        (*BODY, *EVERY),
        body=_body("Feedback", "feedback"),
        security=KEY,
    )
    return {"/predictions": {"post": predict}, "/feedback": {"post": feedback}}


def _telling() -> Schema:
    page = {"description": "The page", "content": {"text/html": {"schema": schemas.TEXT}}}
    document = {"description": "The document", **_content({"type": "object"})}
    return {
        "/health": {
            "get": _operation("Is a model in service", {"200": _found("Health")}, ("429",))
        },
        "/openapi.json": {"get": _operation("This document", {"200": document}, ("429",))},
        "/docs": {"get": _operation("This document as a page", {"200": page}, ("429",))},
    }


def _deciding() -> Schema:
    """Pages behind the links of messages: who has the link needs no key and no signature."""
    token = _path("token", schemas.LINK_TOKEN)
    shown = _operation(
        "What a link of a message is about", _pages("200", "404", "410"), ("403", "429")
    )
    moved = {"description": "The document is there", "content": {"text/html": {"schema": {}}}}
    shown["responses"]["302"] = {**moved, "headers": REQUEST_ID}
    decided = _operation(
        "Decide it, once", _pages("200", "400", "404", "409", "410"), ("403", "415", "429")
    )
    form = dict.fromkeys(("action", "who", "reason"), schemas.TEXT)
    fields = schemas.thing(form, required=["action", "who"])
    body = {"required": True, "content": {FORM: {"schema": fields}}}
    return {
        "/links/{token}": {
            "get": {**shown, "parameters": [token]},
            "post": {**decided, "parameters": [token], "requestBody": body},
        }
    }


def _pages(*statuses: str) -> Schema:
    words = {"200": "The page", "410": "The link has expired", **REFUSALS}
    page = {"text/html": {"schema": schemas.TEXT}}
    return {status: {"description": words[status], "content": page} for status in statuses}


def _administering() -> Schema:
    started = {"202": _found("Started")}
    common = {"why": schemas.words(500), "no_cache": schemas.FLAG}
    accepting = schemas.thing(
        {"accept_quality": {"const": True}, **common}, required=["accept_quality", "why"]
    )
    refusing = schemas.thing({"accept_quality": {"const": False}, **common})
    wishes = {"anyOf": [schemas.closed(refusing), schemas.closed(accepting)]}
    start = _operation(
        "Start a run",
        started,
        (*BODY, "403", "409"),
        body=_content(schemas.thing({"cause": schemas.words(500), "no_cache": schemas.FLAG})),
        parameters=[_header("Idempotency-Key", schemas.words(200), "the same key starts one run")],
        security=SIGNED,
    )
    retry = _operation(
        "Run a failed run's cause again",
        started,
        (*BODY, "403", "404", "409"),
        body=_content(wishes),
        parameters=[_path("run_id", schemas.RUN_ID)],
        security=SIGNED,
    )
    stop = _operation(
        "Stop an active run",
        started,
        (*BODY, "403", "404", "409"),
        body=_content(schemas.closed(schemas.thing({"why": {**schemas.TEXT, "maxLength": 500}}))),
        parameters=[_path("run_id", schemas.RUN_ID)],
        security=SIGNED,
    )
    review = _operation(
        "Tell the true label of a prediction that waits",
        {"200": _found("Reviewed")},
        (*BODY, "403", "404"),
        body={"required": True, **_content(schemas.reference("Review"))},
        parameters=[_path("review_id", schemas.REVIEW_ID)],
        security=SIGNED,
    )
    approve = _operation(
        "Approve or reject a version that waits",
        {"200": _found("Decided")},
        (*BODY, "403", "404", "409"),
        body={"required": True, **_content(schemas.reference("Decision"))},
        parameters=[_path("version", schemas.VERSION_IN_PATH)],
        security=SIGNED,
    )
    return {
        "/models": {"get": _listing("Model versions, newest first", "Models")},
        "/drift": {"get": _listing("What the monitor found, newest first", "Drift")},
        "/runs": {"get": _listing("Runs, newest first", "Runs"), "post": start},
        "/runs/{run_id}/retry": {"post": retry},
        "/runs/{run_id}/stop": {"post": stop},
        "/reviews": {"get": _listing("Predictions that wait for a person", "Reviews")},
        "/reviews/{review_id}": {"post": review},
        "/models/{version}/approval": {"post": approve},
    }


def _listing(summary: str, schema: str) -> Schema:
    limit = {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    return _operation(
        summary,
        {"200": _found(schema)},
        ("400", "403"),
        parameters=[_query("limit", limit, "how many at most")],
        security=SIGNED,
    )


def _operation(
    summary: str,
    done: Schema,
    refusals: tuple[str, ...],
    *,
    body: Schema | None = None,
    parameters: list[Schema] | None = None,
    security: list[dict[str, list[str]]] | None = None,
) -> Schema:
    told = {
        status: {"description": REFUSALS[status], **_content(schemas.reference("Error"))}
        for status in sorted(refusals)
    }
    answers = {status: {**each, "headers": REQUEST_ID} for status, each in (done | told).items()}
    found: Schema = {"summary": summary, "responses": answers, "security": security or []}
    if body:
        found["requestBody"] = body
    if parameters:
        found["parameters"] = parameters
    return found


def _body(schema: str, many: str) -> Schema:
    """One entry, or many under a name; as JSON lines an entry a line."""
    entry = schemas.reference(schema)
    listed = schemas.thing(
        {many: {"type": "array", "items": entry, "minItems": 1, "maxItems": bodies.MAX_ITEMS}},
        required=[many],
    )
    content = _content({"anyOf": [entry, schemas.closed(listed)]})
    content["content"][JSON_LINES] = {"schema": schemas.TEXT}
    return {"required": True, **content}


def _found(schema: str, lines: str | None = None) -> Schema:
    found = {"description": "Done", **_content(schemas.reference(schema))}
    if lines:
        found["content"][JSON_LINES] = {"schema": schemas.TEXT}
        found["description"] = f"Done; of JSON lines a {lines} for each line"
    return found


def _content(schema: Schema) -> Schema:
    return {"content": {JSON: {"schema": schema}}}


def _query(name: str, schema: Schema, words: str) -> Schema:
    return {"name": name, "in": "query", "schema": schema, "description": words}


def _header(name: str, schema: Schema, words: str) -> Schema:
    return {"name": name, "in": "header", "schema": schema, "description": words}


def _path(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": schema}
