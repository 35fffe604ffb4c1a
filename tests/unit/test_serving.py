"""The model inside a Lambda function: what it loads, what it writes, what the API makes of it."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import captured
import pytest
import records as request_records
import serve
import served_model
from botocore.exceptions import ClientError

from chalicelib import clients, settings
from chalicelib.api import serving
from chalicelib.environment import Environment
from chalicelib.errors import ApiError
from chalicelib.model import registry
from cli import project, serving_package
from cli.errors import Problem
from localcloud.sagemaker.hosting import capture

MOMENT = datetime(2026, 3, 1, 4, 5, 6, 789000, UTC)
LINEAR = {
    "columns": ["body"],
    "classes": ["1", "5"],
    "intercept": [0.0],
    "parts": [
        {
            "kind": "text",
            "pattern": r"\w+",
            "longest": 1,
            "terms": ["fine"],
            "idf": [1.0],
            "first": 0,
        }
    ],
}
METADATA = {"text": ["body"], "background": [["fine"]]}
ONE_WEIGHT = b"\x00\x00\x00\x40"  # 2.0


def archive(**files: bytes) -> io.BytesIO:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as made:
        for name, content in files.items():
            entry = tarfile.TarInfo(name.replace("__", "."))
            entry.size = len(content)
            made.addfile(entry, io.BytesIO(content))
    packed.seek(0)
    return packed


def linear() -> io.BytesIO:
    return archive(
        model__joblib=b"not read",
        linear__json=json.dumps(LINEAR).encode(),
        linear__f32=ONE_WEIGHT,
        metadata__json=json.dumps(METADATA).encode(),
    )


class Bucket:
    """S3 that holds a linear model under every key."""

    def __init__(self, refuses: bool = False) -> None:
        self.refuses = refuses
        self.got: list[str] = []
        self.put: list[dict[str, Any]] = []

    def get_object(self, **request: Any) -> dict[str, Any]:
        self.got.append(request["Key"])
        return {"Body": linear()}

    def put_object(self, **request: Any) -> None:
        if self.refuses:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject")
        self.put.append(request)


@pytest.fixture
def bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    made = Bucket(getattr(request, "param", False))
    monkeypatch.setenv("DATA_BUCKET", "data")
    monkeypatch.setattr(serve, "_s3", lambda: made)
    serve.model.cache_clear()
    return made


def event(body: Any, key: str = "a", percent: int = 100) -> dict[str, Any]:
    return {
        "model": {"key": key, "version": 3},
        "capture": {"prefix": "capture/reviews/primary/", "percent": percent},
        "inference_id": "id",
        "body": body,
    }


GOOD = {"records": [{"body": "fine"}, {"body": "bad"}]}


def test_the_function_answers_as_the_endpoint_does(bucket: Bucket) -> None:
    answer = serve.handler(event(GOOD), None)
    assert (answer["status"], answer["body"]["model_version"]) == (200, "3")
    assert [each["label"] for each in answer["body"]["predictions"]] == ["5", "1"]
    (put,) = bucket.put
    assert put["Key"].startswith("capture/reviews/primary/20")
    line = json.loads(put["Body"])
    assert json.loads(line["captureData"]["endpointInput"]["data"]) == GOOD
    assert json.loads(line["captureData"]["endpointOutput"]["data"]) == answer["body"]


def test_a_model_is_read_once_and_swapped_when_another_is_asked_for(bucket: Bucket) -> None:
    for key in ("a", "a", "b", "b", "a"):
        serve.handler(event(GOOD, key), None)
    assert bucket.got == ["a", "b", "a"]


@pytest.mark.parametrize("body", [{}, {"records": [1]}, {"records": [{"body": 5}]}])
def test_what_it_refuses_is_not_captured(bucket: Bucket, body: Any) -> None:
    answer = serve.handler(event(body), None)
    assert answer["status"] == 400
    assert isinstance(answer["body"], str)
    assert not bucket.put


def test_a_share_of_none_captures_none(bucket: Bucket) -> None:
    assert serve.handler(event(GOOD, percent=0), None)["status"] == 200
    assert not bucket.put


@pytest.mark.parametrize("bucket", [True], indirect=True)
def test_an_answer_does_not_depend_on_its_capture(
    bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    assert serve.handler(event(GOOD), None)["status"] == 200
    assert "could not be captured" in caplog.text


def test_a_captured_line_is_an_endpoints() -> None:
    config = {
        "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
        "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
    }
    bodies = [capture.Body("application/json", text.encode()) for text in ("in", "out")]
    theirs = capture.event(config, *bodies, "id", None, MOMENT)
    ours = captured.event("in", "out", "id", MOMENT)
    assert ours["eventMetadata"].pop("eventId") != theirs["eventMetadata"].pop("eventId")
    assert ours == theirs
    assert captured.name(MOMENT).startswith("2026/03/01/04/05-06-789-")


def test_a_model_of_another_kind_is_told() -> None:
    with pytest.raises(served_model.NotServableError, match=r"neither linear\.json nor model"):
        served_model.load(archive(model__joblib=b"trees"))


def test_an_explanation_comes_along() -> None:
    asked = request_records.Records([{"body": "fine"}], explain=True)
    (answer,) = served_model.load(linear())(asked)
    (term,) = answer["explanation"]["terms"]
    assert term == {"column": "body", "term": "fine", "weight": 1.0}  # half of what two share


class Function:
    """Lambda, which gives one answer to every call."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.asked = answer, list[dict[str, Any]]()

    def invoke(self, **request: Any) -> dict[str, Any]:
        self.asked.append({**request, "Payload": json.loads(request["Payload"])})
        if isinstance(self.answer, str):
            raise ClientError({"Error": {"Code": self.answer}}, "Invoke")
        return {**self.answer, "Payload": io.BytesIO(json.dumps(self.answer["Payload"]).encode())}


def asked(
    monkeypatch: pytest.MonkeyPatch, answer: Any, champion: bool = True, variant: str | None = None
) -> tuple[Any, list[dict[str, Any]]]:
    """What the API's backend makes of a function's answer; what the function was asked."""
    lambdas = Function(answer)
    names = type("Names", (), {"endpoint_name": "reviews", "serve_function": "reviews-serve"})
    found = {"run": "r1", "model_version": 3} if champion else None
    monkeypatch.setattr(Environment, "from_env", classmethod(lambda cls: names))
    monkeypatch.setattr(registry, "champion", lambda: found)
    monkeypatch.setattr(clients, "client", lambda name: lambdas)
    text = settings.FILE.read_text().replace('serving = "endpoint"', 'serving = "lambda"')
    return serving.invoke(settings.parse(text), GOOD, "id", variant), lambdas.asked


def test_the_champion_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"predictions": [], "model_version": "3"}
    found, (call,) = asked(monkeypatch, {"Payload": {"status": 200, "body": body}})
    assert found == {**body, "variant": "primary"}
    assert call["FunctionName"] == "reviews-serve"
    assert call["Payload"] == event(GOOD, "runs/r1/model/r1-train/output/model.tar.gz")


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        ({"Payload": {"status": 400, "body": "no"}}, 400, "refused_by_model"),
        ({"Payload": {"errorType": "X"}, "FunctionError": "Unhandled"}, 502, "model_error"),
        ("TooManyRequestsException", 503, "busy"),
        ("ResourceNotFoundException", 502, "model_error"),
    ],
)
def test_what_the_function_refuses(
    monkeypatch: pytest.MonkeyPatch, answer: Any, status: int, code: str
) -> None:
    with pytest.raises(ApiError) as error:
        asked(monkeypatch, answer)
    assert (error.value.status, error.value.code) == (status, code)


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [({"champion": False}, 503, "no_model"), ({"variant": "challenger"}, 400, "unknown_variant")],
)
def test_what_is_refused_before_it_is_asked(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], status: int, code: str
) -> None:
    with pytest.raises(ApiError) as error:
        asked(monkeypatch, "never asked", **given)
    assert (error.value.status, error.value.code) == (status, code)


def test_only_the_setting_makes_a_zip() -> None:
    assert serving_package.build({"endpoint": {"serving": "endpoint"}}) is None
    made = serving_package.build({"endpoint": {"serving": "lambda"}})
    assert made is not None
    assert made == serving_package.build({"endpoint": {"serving": "lambda"}})
    names = set(zipfile.ZipFile(io.BytesIO(made)).namelist())
    assert names >= {"serve.py", "captured.py", "linear_scorer.py", "records.py"}
    assert len(made) < 100_000


def test_a_transformers_packages_come_along(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "onnxruntime").mkdir()
    (tmp_path / "onnxruntime" / "runtime.so").write_bytes(b"code")
    monkeypatch.setattr(serving_package, "packages", lambda requirements: tmp_path)
    training = {"hyperparameters": {"model": "transformer"}}
    made = serving_package.build({"endpoint": {"serving": "lambda"}, "training": training})
    assert made is not None
    assert "onnxruntime/runtime.so" in zipfile.ZipFile(io.BytesIO(made)).namelist()


def test_what_lambda_would_not_take_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "large").write_bytes(b"x" * 2_000_000)
    monkeypatch.setattr(serving_package, "MOST_BYTES", 1_000_000)
    with pytest.raises(Problem, match="comes to 2 MB unpacked"):
        serving_package.zipped({"large": tmp_path / "large"})


def test_wheels_that_cannot_be_had_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("./nowhere.whl\n")
    monkeypatch.setattr(project, "home", lambda: tmp_path)
    with pytest.raises(Problem, match="cannot be had"):
        serving_package.packages(requirements)
    assert not list((tmp_path / "serving").glob("*"))
