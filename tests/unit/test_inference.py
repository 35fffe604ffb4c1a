"""What the endpoint's script takes and gives: JSON, and JSON lines for batch transforms."""

from __future__ import annotations

import json

import inference
import pytest

LINES = "application/jsonlines"


@pytest.mark.parametrize(
    ("body", "content_type", "records", "explain"),
    [
        ('{"records": [{"a": 1}]}', "application/json", [{"a": 1}], False),
        (b'{"records": [{"a": 1}], "explain": true}', "application/json; v=1", [{"a": 1}], True),
        (b'{"a": 1}\n{"a": "\xe2\x80\xa8"}\n\n', LINES, [{"a": 1}, {"a": "\u2028"}], False),
        ('{"a": 1}', LINES, [{"a": 1}], False),
    ],
)
def test_a_body_is_records(body, content_type, records, explain):
    found = inference.input_fn(body, content_type)
    assert (list(found), found.explain) == (records, explain)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "application/json", 400),
        (b'{"records": [1]}', "application/json", 400),
        (b"not json", LINES, 400),
        (b"[1]", LINES, 400),
        (b"a,b", "text/csv", 415),
    ],
)
def test_a_body_that_is_none_is_refused(body, content_type, status):
    with pytest.raises(inference.BadRequestError) as refused:
        inference.input_fn(body, content_type)
    assert refused.value.status_code == status


def test_an_answer_is_a_document_or_a_line_for_each_record(monkeypatch):
    monkeypatch.setenv("MODEL_VERSION", "3")
    predictions = [{"label": "1"}, {"label": "2"}]
    whole = json.loads(inference.output_fn(predictions, "*/*"))
    assert whole == {"predictions": predictions, "model_version": "3"}
    lines = inference.output_fn(predictions, LINES)
    assert [json.loads(line) for line in lines.split("\n")] == predictions
