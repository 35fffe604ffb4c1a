"""The routes: what they take, what they answer, and that bad input is never a 500."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from chalice.test import Client

import app
from chalicelib import clients, feedback, predictions, records, registry, reviews, runs, settings

UUID = "01234567-89ab-cdef-0123-456789abcdef"
GOOD = {"review_body": "a fine thing", "product_category": "Toys"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def http() -> Iterator[Any]:
    with Client(app.app) as client:
        yield client.http


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """An endpoint that answers every record with 5 stars; the calls it had."""
    calls: list[dict[str, Any]] = []

    def invoke(sent: list[dict[str, Any]], inference_id: str) -> dict[str, Any]:
        calls.append({"records": sent, "inference_id": inference_id})
        one = {"label": "5", "probabilities": {"5": 1.0}}
        return {"predictions": [one for _ in sent], "model_version": "7"}

    monkeypatch.setattr(predictions, "_invoke", invoke)
    monkeypatch.setattr(reviews, "queue", lambda *words: None)
    return calls


def post(http: Any, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return http.post(path, body=raw, headers=headers or JSON)


def test_one_record(http: Any, endpoint: list[dict[str, Any]]) -> None:
    answer = post(http, "/predictions", GOOD)
    assert answer.status_code == 200
    found = answer.json_body
    assert found["model_version"] == 7
    assert found["predictions"] == [
        {
            "inference_id": endpoint[0]["inference_id"],
            "label": "5",
            "probabilities": {"5": 1.0},
        }
    ]


def test_many_records_are_one_call(http: Any, endpoint: list[dict[str, Any]]) -> None:
    answer = post(http, "/predictions", {"records": [GOOD, GOOD]})
    call = endpoint[0]["inference_id"]
    assert [p["inference_id"] for p in answer.json_body["predictions"]] == [
        f"{call}/0",
        f"{call}/1",
    ]
    assert len(endpoint) == 1


def test_other_columns_of_the_dataset_are_left_out(
    http: Any, endpoint: list[dict[str, Any]]
) -> None:
    assert post(http, "/predictions", {**GOOD, "star_rating": 5}).status_code == 200
    assert endpoint[0]["records"] == [GOOD]


@pytest.mark.parametrize(
    ("body", "status", "code", "field", "words"),
    [
        (b"{", 400, "not_json", None, "not JSON"),
        (b"", 400, "not_json", None, "empty"),
        (b"\xff\xfe", 400, "not_json", None, "not UTF-8"),
        (b"[" * 100_000, 400, "not_json", None, ""),
        (b'{"review_body": NaN}', 400, "not_json", None, "NaN"),
        (b'"text"', 400, "not_an_object", None, "JSON object"),
        (b"[]", 400, "not_an_object", None, "JSON object"),
        (b"null", 400, "not_an_object", None, "JSON object"),
        ({}, 400, "missing_field", "review_body", "review_body is missing"),
        ({"review_body": ""}, 400, "invalid_field", "review_body", "is empty"),
        ({"review_body": "  \n"}, 400, "invalid_field", "review_body", "is empty"),
        ({"review_body": None}, 400, "invalid_field", "review_body", "string"),
        ({"review_body": 5}, 400, "invalid_field", "review_body", "string"),
        ({"review_body": ["x"]}, 400, "invalid_field", "review_body", "string"),
        ({**GOOD, "reviewbody": "x"}, 400, "unknown_field", "reviewbody", "its fields are"),
        ({"records": []}, 400, "invalid_field", "records", "entries"),
        ({"records": {}}, 400, "invalid_field", "records", "list"),
        ({"records": [1]}, 400, "invalid_record", "records[0]", "must be an object"),
        ({"records": [GOOD, {}]}, 400, "missing_field", "records[1].review_body", "missing"),
        ({"records": [GOOD], "more": 1}, 400, "unknown_field", "more", "beside records"),
        ({"records": [GOOD] * 1001}, 413, "too_many", "records", "1001"),
        ({"review_body": "x" * 2_000_001}, 413, "too_large", None, "at most 2000000"),
    ],
)
def test_bad_predictions(
    http: Any,
    endpoint: list[dict[str, Any]],
    body: Any,
    status: int,
    code: str,
    field: str | None,
    words: str,
) -> None:
    answer = post(http, "/predictions", body)
    error = answer.json_body["error"]
    assert (answer.status_code, error["code"], error.get("field")) == (status, code, field)
    assert words in error["message"]
    assert not endpoint


@pytest.mark.parametrize(
    ("response", "status", "code"),
    [
        ({"Error": {"Code": "ValidationError"}}, 503, "no_model"),
        ({"Error": {"Code": "ThrottlingException"}}, 503, "busy"),
        ({"Error": {"Code": "AccessDeniedException"}}, 502, "model_error"),
        ({"Error": {"Code": "ModelError"}, "OriginalStatusCode": 400}, 400, "refused_by_model"),
        ({"Error": {"Code": "ModelError"}, "OriginalStatusCode": 500}, 502, "model_error"),
    ],
)
def test_the_endpoints_refusals(response: dict[str, Any], status: int, code: str) -> None:
    error = predictions.refused(response)
    assert (error.status, error.code) == (status, code)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was put into S3."""
    put: list[dict[str, Any]] = []

    class Bucket:
        def put_object(self, **request: Any) -> None:
            put.append(request)

    class Names:
        data_bucket = "data"

        @classmethod
        def from_env(cls) -> type[Names]:
            return cls

    monkeypatch.setattr(clients, "client", lambda name: Bucket())
    monkeypatch.setattr(feedback, "Environment", Names)
    return put


def test_feedback_is_ground_truth(http: Any, s3: list[dict[str, Any]]) -> None:
    body = {"feedback": [{"inference_id": f"{UUID}/1", "label": 4}]}
    answer = post(http, "/feedback", body)
    assert (answer.status_code, answer.json_body) == (202, {"accepted": 1})
    assert json.loads(s3[0]["Body"]) == {
        "groundTruthData": {"data": "4", "encoding": "CSV"},
        "eventMetadata": {"eventId": f"{UUID}/1"},
        "eventVersion": "0",
    }
    assert s3[0]["Key"].startswith("ground-truth/2")


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"label": 4}, "inference_id", "missing"),
        ({"inference_id": UUID}, "label", "missing"),
        ({"inference_id": "x", "label": 4}, "inference_id", "is not an inference_id"),
        ({"inference_id": 5, "label": 4}, "inference_id", "is not an inference_id"),
        ({"inference_id": UUID, "label": 6}, "label", "one of 1, 2, 3, 4, 5"),
        ({"inference_id": UUID, "label": True}, "label", "text or a number"),
        ({"inference_id": UUID, "label": [4]}, "label", "text or a number"),
        ({"inference_id": UUID, "label": 4, "x": 1}, "x", "not a field of feedback"),
        ({"feedback": [{"label": 4}]}, "feedback[0].inference_id", "missing"),
    ],
)
def test_bad_feedback(
    http: Any, s3: list[dict[str, Any]], body: Any, field: str, words: str
) -> None:
    answer = post(http, "/feedback", body)
    assert answer.status_code == 400
    assert answer.json_body["error"]["field"] == field
    assert words in answer.json_body["error"]["message"]
    assert not s3


def test_chalices_own_refusals_have_the_same_shape(http: Any) -> None:
    answer = post(http, "/predictions", b"a=b", {"Content-Type": "text/plain"})
    assert answer.status_code == 415
    assert answer.json_body["error"]["code"] == "unsupported_media_type"


@pytest.mark.parametrize(
    ("champion", "status"),
    [(None, "waiting"), ({"model_version": 3, "in_service_at": "x", "run": "r"}, "ok")],
)
def test_health(
    http: Any, monkeypatch: pytest.MonkeyPatch, champion: dict[str, Any] | None, status: str
) -> None:
    monkeypatch.setattr(registry, "champion", lambda: champion)
    answer = http.get("/health")
    assert answer.status_code == 200
    assert answer.json_body["status"] == status


@pytest.mark.parametrize(("limit", "status"), [("5", 200), ("0", 400), ("x", 400), ("101", 400)])
def test_runs_are_listed(
    http: Any, monkeypatch: pytest.MonkeyPatch, limit: str, status: int
) -> None:
    monkeypatch.setattr(records, "newest_runs", lambda limit: [{"run_id": str(limit)}])
    answer = http.get(f"/runs?limit={limit}")
    assert answer.status_code == status
    if status == 200:
        assert answer.json_body == {"runs": [{"run_id": limit}]}


def test_a_run_is_started_once_for_a_key(http: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def start(*words: str) -> runs.RunStarted:
        asked.append(words)
        return runs.RunStarted("20260301-120000-a1b2c3")

    monkeypatch.setattr(runs, "start", start)
    answer = post(http, "/runs", {"cause": "try C=1"}, {**JSON, "Idempotency-Key": "k"})
    assert (answer.status_code, answer.json_body["run_id"]) == (202, "20260301-120000-a1b2c3")
    assert asked == [("manual", "try C=1", "manual-k")]
    assert post(http, "/runs", b"", JSON).status_code == 202


def test_a_run_that_may_not_start_says_why(http: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "start", lambda *words: runs.NotStarted("run r is active"))
    answer = post(http, "/runs", {})
    assert answer.status_code == 409
    assert answer.json_body["error"]["message"] == "run r is active"


@pytest.mark.parametrize("cause", [5, "", " ", "x" * 501, None])
def test_a_bad_cause(http: Any, cause: Any) -> None:
    answer = post(http, "/runs", {"cause": cause})
    assert answer.status_code == 400
    assert answer.json_body["error"]["field"] == "cause"


def test_openapi_names_the_datasets_fields(http: Any) -> None:
    found = http.get("/openapi.json").json_body
    record = found["components"]["schemas"]["Record"]
    assert list(record["properties"]) == list(settings.load().model.inputs)
    assert record["required"] == ["review_body"]
    routes = {path for path in app.app.routes if path != "/"}
    assert routes == set(found["paths"])


def test_admin_routes_need_a_signature() -> None:
    signed = {
        (path, method)
        for path, methods in app.app.routes.items()
        for method, entry in methods.items()
        if entry.authorizer is not None
    }
    assert signed == {
        ("/models", "GET"),
        ("/runs", "GET"),
        ("/runs", "POST"),
        ("/runs/{run_id}/retry", "POST"),
        ("/reviews", "GET"),
        ("/reviews/{review_id}", "POST"),
        ("/drift", "GET"),
    }
