"""The API in OpenAPI 3.1, made from the settings: the fields are the dataset's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chalicelib.settings import Settings

Schema = dict[str, Any]
ERROR: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {name: {"type": "string"} for name in ("code", "message", "field")},
        }
    },
}
TEXT: Schema = {"type": "string"}
SIGNED: list[dict[str, list[str]]] = [{"sigv4": []}]


def document(settings: Settings) -> Schema:
    from chalicelib import predictions

    name = settings.pipeline.name
    record = predictions.schema(settings).model_json_schema()
    record["additionalProperties"] = True  # other columns of the dataset are let through
    return {
        "openapi": "3.1.0",
        "info": {"title": f"driftloop: {name}", "version": "1"},
        "components": {
            "schemas": {"Record": record, "Feedback": _feedback(settings), "Error": ERROR},
            "securitySchemes": {
                "sigv4": {"type": "apiKey", "name": "Authorization", "in": "header"}
            },
        },
        "paths": {
            "/predictions": {
                "post": _operation("Predict one or many records", _body("Record", "records"))
            },
            "/feedback": {
                "post": _operation("Tell the true labels", _body("Feedback", "feedback"), ok="202")
            },
            "/health": {"get": _operation("Is a model in service")},
            "/openapi.json": {"get": _operation("This document")},
            "/models": {"get": _listing("Model versions, newest first")},
            "/drift": {"get": _listing("What the monitor found, newest first")},
            "/runs": {
                "get": _listing("Runs, newest first"),
                "post": {
                    **_operation("Start a run", ok="202"),
                    "requestBody": _content(
                        {"type": "object", "properties": {"cause": TEXT}}, required=False
                    ),
                    "security": SIGNED,
                },
            },
            "/runs/{run_id}/retry": {"post": _retry()},
            "/reviews": {"get": _listing("Predictions that wait for a person, newest first")},
            "/reviews/{review_id}": {"post": _review(settings)},
        },
    }


def _retry() -> Schema:
    wishes = {"accept_quality": {"type": "boolean"}, "why": TEXT}
    body = _content({"type": "object", "properties": wishes}, required=False)
    run_id = {"name": "run_id", "in": "path", "required": True, "schema": TEXT}
    summary = "Run a failed run's cause again"
    return {
        **_operation(summary, body, ok="202"),
        "parameters": [run_id],
        "security": SIGNED,
    }


def _review(settings: Settings) -> Schema:
    label = _feedback(settings)["properties"]["label"]
    body = _content({"type": "object", "required": ["label"], "properties": {"label": label}})
    review_id = {"name": "review_id", "in": "path", "required": True, "schema": TEXT}
    return {
        **_operation("Tell the true label of a prediction that waits", body),
        "parameters": [review_id],
        "security": SIGNED,
    }


def _feedback(settings: Settings) -> Schema:
    label = next(c for c in settings.dataset.columns if c.name == settings.dataset.label)
    values: Schema = {"enum": list(label.values)} if label.values else {}
    return {
        "type": "object",
        "required": ["inference_id", "label"],
        "properties": {"inference_id": TEXT, "label": values},
    }


def _operation(summary: str, body: Schema | None = None, ok: str = "200") -> Schema:
    refusal = {"description": "Refused, in words", **_answer("#/components/schemas/Error")}
    found: Schema = {
        "summary": summary,
        "responses": {ok: {"description": "Done"}, "default": refusal},
    }
    return {**found, "requestBody": body} if body else found


def _listing(summary: str) -> Schema:
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}}
    return {**_operation(summary), "parameters": [limit], "security": SIGNED}


def _body(schema: str, many: str) -> Schema:
    one = {"$ref": f"#/components/schemas/{schema}"}
    listed = {
        "type": "object",
        "required": [many],
        "properties": {many: {"type": "array", "items": one, "minItems": 1}},
    }
    return _content({"anyOf": [one, listed]})


def _content(schema: Schema, required: bool = True) -> Schema:
    return {"required": required, "content": {"application/json": {"schema": schema}}}


def _answer(reference: str) -> Schema:
    return {"content": {"application/json": {"schema": {"$ref": reference}}}}
