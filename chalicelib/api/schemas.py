"""The JSON schemas of what the API takes and answers, as OpenAPI 3.1 has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chalicelib.settings import Settings

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
MAYBE: Schema = {"type": ["string", "null"]}
COUNT: Schema = {"type": "integer", "minimum": 0}
VERSION: Schema = {"type": ["integer", "null"]}
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html
VARIANT: Schema = {"type": "string", "pattern": r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$"}
RUN_ID: Schema = {"type": "string", "pattern": r"^[0-9]{8}-[0-9]{6}-[0-9a-f]{6}$"}
VERSION_IN_PATH: Schema = {"type": "string", "pattern": r"^[1-9][0-9]{0,8}$"}
LINK_TOKEN: Schema = {"type": "string", "pattern": r"^[\w-]+\.[\w-]+$"}
REVIEW_ID: Schema = {"type": "string", "pattern": r"^[0-9]{8}-[0-9]{6}-[0-9a-f]{8}$"}


def components(settings: Settings) -> dict[str, Schema]:
    """Every schema of the document, by its name."""
    answer = _answer(settings)
    return {
        "Record": _record(settings),
        "Feedback": _feedback(settings),
        "Error": thing({"error": reference("Problem")}, required=["error"]),
        "Problem": thing(
            {"code": TEXT, "message": TEXT, "field": TEXT}, required=["code", "message"]
        ),
        "Explanation": _explanation(),
        "Prediction": answer,
        "Predictions": thing(
            {
                "model_version": VERSION,
                "variant": MAYBE,
                "predictions": listed({"anyOf": [reference("Prediction"), reference("Error")]}),
            },
            required=["model_version", "variant", "predictions"],
        ),
        "Line": {"anyOf": [reference("Prediction"), reference("Error")]},
        "Accepted": thing({"accepted": COUNT}, required=["accepted"]),
        "Health": thing(
            {
                "status": {"enum": ["ok", "waiting"]},
                "model_version": VERSION,
                "in_service_at": TEXT,
                "message": TEXT,
            },
            required=["status"],
        ),
        "Started": thing({"run_id": TEXT, "status": TEXT}, required=["run_id", "status"]),
        "Models": thing({"models": listed({"type": "object"})}, required=["models"]),
        "Runs": thing({"runs": listed({"type": "object"})}, required=["runs"]),
        "Review": closed(thing({"label": _label(settings)}, required=["label"])),
        "Reviewed": thing(
            {"review_id": TEXT, "label": TEXT, "predicted": {}},
            required=["review_id", "label", "predicted"],
        ),
        "Decision": _decision(),
        "Decided": thing(
            {"model_version": COUNT, "status": {"enum": ["approved", "rejected"]}, "by": TEXT},
            required=["model_version", "status", "by"],
        ),
        "Reviews": thing({"reviews": listed({"type": "object"})}, required=["reviews"]),
        "Drift": thing({"drift": listed({"type": "object"})}, required=["drift"]),
    }


def reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def thing(members: dict[str, Schema], required: list[str] | None = None) -> Schema:
    found: Schema = {"type": "object", "properties": members}
    return {**found, "required": required} if required else found


def closed(schema: Schema) -> Schema:
    """Without members that it does not name."""
    return {**schema, "additionalProperties": False}


def listed(entry: Schema) -> Schema:
    return {"type": "array", "items": entry}


def words(most: int) -> Schema:
    """A text that says something."""
    return {"type": "string", "minLength": 1, "maxLength": most, "pattern": r"\S"}


def _record(settings: Settings) -> Schema:
    """The inputs as requests are validated; other columns of the dataset pass as well."""
    from chalicelib.api import inputs

    found = inputs.schema(settings).model_json_schema()
    read = set(settings.model.inputs)
    others = [c.name for c in settings.dataset.columns if c.name not in read]
    found["properties"] |= {name: {"description": "not read"} for name in others}
    return found


def _feedback(settings: Settings) -> Schema:
    from chalicelib.api import feedback

    inference_id = {"type": "string", "pattern": f"^{feedback.INFERENCE_ID.pattern}$"}
    found = thing(
        {"inference_id": inference_id, "label": _label(settings)},
        required=["inference_id", "label"],
    )
    return closed(found)


def _decision() -> Schema:
    """A rejection needs a reason."""
    from chalicelib.model import approval

    reason = {**TEXT, "maxLength": approval.LONGEST}
    approve = thing({"decision": {"const": "approve"}, "reason": reason}, ["decision"])
    why = words(approval.LONGEST)
    reject = thing({"decision": {"const": "reject"}, "reason": why}, ["decision", "reason"])
    return {"anyOf": [closed(approve), closed(reject)]}


def _label(settings: Settings) -> Schema:
    label = settings.dataset.column(settings.dataset.label)
    return {"enum": list(label.values)} if label.values else {"type": ["string", "number"]}


def _answer(settings: Settings) -> Schema:
    common = {
        "inference_id": TEXT,
        "model_version": VERSION,
        "variant": MAYBE,
        "explanation": reference("Explanation"),
    }
    if settings.model.problem == "regression":
        return thing({**common, "prediction": NUMBER}, required=["inference_id", "prediction"])
    shares = {"type": "object", "additionalProperties": {**NUMBER, "minimum": 0, "maximum": 1}}
    return thing(
        {**common, "label": TEXT, "probabilities": shares}, required=["inference_id", "label"]
    )


def _explanation() -> Schema:
    term = thing({"column": TEXT, "term": TEXT, "weight": NUMBER}, ["column", "term", "weight"])
    return thing(
        {
            "method": {"enum": ["linear", "shap", "occlusion"]},
            "intercept": NUMBER,
            "total": NUMBER,
            "terms": listed(term),
        },
        required=["method", "terms"],
    )
