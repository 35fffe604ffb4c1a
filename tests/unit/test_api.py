"""The routes: what they take, what they answer, and that bad input is never a 500."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from chalice.test import Client
from hypothesis import given
from hypothesis import strategies as st

import app
from chalicelib import clients, metrics, records, runs, settings
from chalicelib.api import cors, feedback, requests, reviews, serving
from chalicelib.environment import Environment
from chalicelib.model import registry

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

    def invoke(
        settings: Any, body: dict[str, Any], inference_id: str, variant: str | None
    ) -> dict[str, Any]:
        calls.append({"records": body["records"], "inference_id": inference_id})
        one: dict[str, Any] = {"label": "5", "probabilities": {"5": 1.0}}
        if body.get("explain"):
            terms = [{"column": "review_body", "term": "fine", "weight": 0.7}]
            one["explanation"] = {"method": "linear", "terms": terms}
        return {
            "predictions": [one for _ in body["records"]],
            "model_version": "7",
            "variant": variant or "primary",
        }

    monkeypatch.setattr(serving, "invoke", invoke)
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


def test_a_bad_record_does_not_fail_the_others(http: Any, endpoint: list[dict[str, Any]]) -> None:
    answer = post(http, "/predictions", {"records": [{}, GOOD, 5, GOOD]})
    assert answer.status_code == 200
    missing, first, none, second = answer.json_body["predictions"]
    assert missing["error"]["field"] == "records[0].review_body"
    assert none["error"]["code"] == "invalid_record"
    call = endpoint[0]["inference_id"]  # ids count the records that the endpoint was sent
    assert (first["inference_id"], second["inference_id"]) == (f"{call}/0", f"{call}/1")
    assert endpoint[0]["records"] == [GOOD, GOOD]


@pytest.mark.parametrize("kind", ["application/jsonlines", "application/x-ndjson; charset=utf-8"])
def test_json_lines(http: Any, endpoint: list[dict[str, Any]], kind: str) -> None:
    body = f"{json.dumps(GOOD)}\n\n{{\n[]\n{json.dumps(GOOD)}".encode()
    answer = post(http, "/predictions", body, {"Content-Type": kind})
    assert answer.headers["Content-Type"] == "application/jsonlines"
    first, cut, no_object, last = [json.loads(line) for line in answer.body.splitlines()]
    assert (first["label"], first["model_version"], last["label"]) == ("5", 7, "5")
    assert "line 2 is not JSON" in cut["error"]["message"]
    assert no_object["error"]["message"] == "line 3 must be a JSON object"


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "on each line"),
        (b"{}\n{}", 400, "review_body is missing"),
        (b"{}\n" * 1001, 413, "1001 lines"),
        (b"x" * 2_000_001, 413, "at most 2000000"),
    ],
)
def test_bad_json_lines(
    http: Any, endpoint: list[dict[str, Any]], body: bytes, status: int, words: str
) -> None:
    answer = post(http, "/predictions", body, {"Content-Type": "application/jsonlines"})
    assert answer.status_code == status
    assert words in answer.json_body["error"]["message"]
    assert not endpoint


@pytest.mark.parametrize(
    ("query", "status", "explained"),
    [("", 200, False), ("?explain=false", 200, False), ("?explain=true", 200, True),
     ("?explain=yes", 400, False)],
)  # fmt: skip
def test_the_words_that_mattered(
    http: Any, endpoint: list[dict[str, Any]], query: str, status: int, explained: bool
) -> None:
    answer = post(http, f"/predictions{query}", GOOD)
    assert answer.status_code == status
    assert ("explanation" in json.dumps(answer.json_body)) is explained


@pytest.mark.parametrize(
    ("model", "query", "count", "status"),
    [
        ("linear", "?explain=true", 11, 200),
        ("boosted", "?explain=true", 10, 200),
        ("boosted", "?explain=true", 11, 413),
        ("boosted", "", 11, 200),
    ],
)
def test_a_model_that_is_not_linear_explains_few_at_once(
    http: Any,
    endpoint: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    query: str,
    count: int,
    status: int,
) -> None:
    text = settings.FILE.read_text(encoding="utf-8").replace(
        'model = "linear"', f'model = "{model}"'
    )
    configured = settings.parse(text)
    monkeypatch.setattr(settings, "load", lambda: configured)
    answer = post(http, f"/predictions{query}", {"records": [GOOD] * count})
    assert (answer.status_code, bool(endpoint)) == (status, status == 200)
    if status == 413:
        assert answer.json_body["error"]["field"] == "explain"
    operation = http.get("/openapi.json").json_body["paths"]["/predictions"]["post"]
    assert ("at most 10 records" in str(operation["parameters"])) is (model == "boosted")


@pytest.mark.parametrize(
    ("given", "echoed"),
    [("order-7", True), ("a" * 129, False), ("bad id", False), ("", False), (None, False)],
)
@pytest.mark.parametrize("path", ["/health", "/runs?limit=x"])
def test_the_request_id_comes_back(
    http: Any, monkeypatch: pytest.MonkeyPatch, path: str, given: str | None, echoed: bool
) -> None:
    monkeypatch.setattr(registry, "champion", lambda: None)
    answer = http.get(path, headers={} if given is None else {"X-Request-Id": given})
    found = answer.headers["X-Request-Id"]
    assert (found == given) is echoed
    assert found


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
        (b'{"review_body": "\\ud83d"}', 400, "not_json", None, "surrogate"),
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
        ({"records": [{}, {}]}, 400, "missing_field", "records[0].review_body", "missing"),
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
    error = serving.refused(response)
    assert (error.status, error.code) == (status, code)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not json", "is not JSON"),
        (b"[]", "has no predictions"),
        (b'{"predictions": "none"}', "has no predictions"),
        (b'{"predictions": []}', "answered 0 of 1 records"),
    ],
)
def test_an_answer_of_no_use_is_a_model_error_and_counted(
    http: Any, monkeypatch: pytest.MonkeyPatch, content: bytes, words: str
) -> None:
    """What the alarm of a rollout watches beside SageMaker's own metrics."""

    class Runtime:
        def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
            return {"Body": io.BytesIO(content), "InvokedProductionVariant": "primary"}

    counted: list[str] = []
    surroundings = type("Names", (), {"endpoint_name": "reviews"})
    monkeypatch.setattr(Environment, "from_env", classmethod(lambda cls: surroundings))
    monkeypatch.setattr(clients, "client", lambda name: Runtime())
    monkeypatch.setattr(metrics, "emit", lambda name, count, **of: counted.append(name))
    answer = post(http, "/predictions", GOOD)
    assert (answer.status_code, answer.json_body["error"]["code"]) == (502, "model_error")
    assert words in answer.json_body["error"]["message"]
    assert counted == ["ModelErrors"]


def test_a_caller_may_choose_the_variant(http: Any, endpoint: list[dict[str, Any]]) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/model-ab-testing.html"""
    chosen = {**JSON, serving.TARGET_VARIANT: "challenger"}
    assert post(http, "/predictions", GOOD, chosen).json_body["variant"] == "challenger"
    assert post(http, "/predictions", GOOD).json_body["variant"] == "primary"
    lines = {**chosen, "Content-Type": "application/jsonlines"}
    answer = post(http, "/predictions", json.dumps(GOOD).encode(), lines)
    assert json.loads(answer.body)["variant"] == "challenger"


def test_a_variants_name_must_be_one(http: Any, endpoint: list[dict[str, Any]]) -> None:
    answer = post(http, "/predictions", GOOD, {**JSON, serving.TARGET_VARIANT: "no such!"})
    error = answer.json_body["error"]
    assert (answer.status_code, error["field"]) == (400, serving.TARGET_VARIANT)
    assert not endpoint


@pytest.mark.parametrize(
    ("variant", "message", "wanted"),
    [
        ("nobody", "Variant nobody not found for Endpoint reviews", (400, "unknown_variant")),
        ("challenger", "Endpoint reviews of account 1 not found.", (503, "no_model")),
        (None, "Variant nobody not found for Endpoint reviews", (503, "no_model")),
    ],
)
def test_a_variant_that_is_not_there(variant: str | None, message: str, wanted: Any) -> None:
    refusal = {"Error": {"Code": "ValidationError", "Message": message}}
    error = serving.refused(refusal, variant)
    assert (error.status, error.code) == wanted


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


def test_feedback_in_json_lines(http: Any, s3: list[dict[str, Any]]) -> None:
    body = "\n".join(json.dumps({"inference_id": f"{UUID}/{n}", "label": 4}) for n in range(3))
    answer = post(http, "/feedback", body.encode(), {"Content-Type": "application/jsonlines"})
    assert (answer.status_code, answer.json_body) == (202, {"accepted": 3})
    assert (
        post(http, "/feedback", b"{", {"Content-Type": "application/jsonlines"}).status_code == 400
    )


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
    asked: list[tuple[Any, ...]] = []

    def start(*words: str, facts: dict[str, Any]) -> runs.RunStarted:
        asked.append((*words, facts))
        return runs.RunStarted("20260301-120000-a1b2c3")

    monkeypatch.setattr(runs, "start", start)
    answer = post(http, "/runs", {"cause": "try C=1"}, {**JSON, "Idempotency-Key": "k"})
    assert (answer.status_code, answer.json_body["run_id"]) == (202, "20260301-120000-a1b2c3")
    assert asked == [("manual", "try C=1", "manual-k", {})]
    assert post(http, "/runs", {"no_cache": True}).status_code == 202
    assert asked[-1][-1] == {"no_cache": True}
    assert post(http, "/runs", {"no_cache": "yes"}).json_body["error"]["field"] == "no_cache"
    assert post(http, "/runs", b"", JSON).status_code == 202


def test_a_run_that_may_not_start_says_why(http: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "start", lambda *words, facts: runs.NotStarted("run r is active"))
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
    assert set(record["properties"]) == {c.name for c in settings.load().dataset.columns}
    assert record["required"] == ["review_body"]
    routes = {path for path in app.app.routes if path != "/"}
    assert routes == set(found["paths"])


def test_the_docs_page_shows_every_route_and_loads_nothing(http: Any) -> None:
    answer = http.get("/docs")
    page = answer.body.decode()
    assert answer.headers["Content-Type"].startswith("text/html")
    for path in app.app.routes:
        assert f"</b> {path}</h2>" in page
    assert "review_body" in page
    assert not re.search(r"<script|src=|https?://(?!/)[a-z.]*cdn", page)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [("", None), ("https://shop.example", "https://shop.example"), ("*", "*")],
)
def test_which_pages_may_call(tmp_path: Path, origin: str, allowed: str | None) -> None:
    file = tmp_path / "pipeline.toml"
    file.write_text(f'[api]\ncors_origin = "{origin}"\n')
    found = cors.config(file)
    assert (found.allow_origin if found else None) == allowed


def test_routes_for_applications_need_a_key() -> None:
    keyed = {path for path, methods in app.app.routes.items()
             if any(entry.api_key_required for entry in methods.values())}  # fmt: skip
    assert keyed == {"/predictions", "/feedback"}


@pytest.mark.parametrize("path", ["/predictions", "/feedback"])
@given(
    body=st.binary(max_size=200),
    kind=st.sampled_from(
        [requests.JSON, *requests.JSON_LINES, "text/plain", "application/json;a=b", ""]
    ),
)
@hypothesis.settings(max_examples=40, deadline=None, derandomize=True, database=None)
def test_no_bytes_are_answered_with_500(path: str, body: bytes, kind: str) -> None:
    with Client(app.app) as client:
        answer = post(client.http, path, body, {"Content-Type": kind})
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize("run_id", ["x", "%23champion", "20260301-120000-A1B2C3", "a" * 3000])
def test_a_strange_run_is_not_there(http: Any, run_id: str) -> None:
    answer = post(http, f"/runs/{run_id}/retry", {})
    assert (answer.status_code, answer.json_body["error"]["code"]) == (404, "no_such_run")


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
        ("/runs/{run_id}/stop", "POST"),
        ("/reviews", "GET"),
        ("/reviews/{review_id}", "POST"),
        ("/drift", "GET"),
        ("/models/{version}/approval", "POST"),
    }
