"""What batch transform's filters choose and how it joins.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from localcloud.sagemaker import data_processing
from localcloud.sagemaker.data_processing import DataProcessingError
from localcloud.sagemaker.errors import ApiError

JSON, LINES, CSV = "application/json", "application/jsonlines", "text/csv"


def of(content_type: str, accept: str | None = None, split: str = "Line", **processing: str) -> Any:
    return data_processing.of(
        {
            "DataProcessing": processing,
            "TransformInput": {"ContentType": content_type, "SplitType": split},
            "TransformOutput": {"Accept": accept or content_type, "AssembleWith": "Line"},
        }
    )


@pytest.mark.parametrize(
    ("expression", "record", "sent"),
    [
        ("$", {"a": 1}, {"a": 1}),
        ("$.a", {"a": {"b": 1}, "c": 2}, {"b": 1}),
        ("$.a.b", {"a": {"b": 1}}, 1),
        ("$['a']", {"a": 1, "b": 2}, 1),
        ("$['a','c']", {"a": 1, "b": 2, "c": 3}, {"a": 1, "c": 3}),
        ("$.a.['b', 'c']", {"a": {"b": 1, "c": 2, "d": 3}}, {"b": 1, "c": 2}),
        ("$.*", {"a": 1, "b": 2}, [1, 2]),
        ("$[0]", [1, 2, 3], 1),
        ("$[1:]", [1, 2, 3], [2, 3]),
        ("$[0,2:]", [1, 2, 3, 4], [1, 3, 4]),
    ],
)
def test_an_input_filter_chooses(expression: str, record: Any, sent: Any) -> None:
    found = of(LINES, InputFilter=expression).sent(json.dumps(record).encode())
    assert json.loads(found) == sent


@pytest.mark.parametrize("expression", ["", "a", "$a", "$..a", "$[?(@.a)]", "$['a"])
def test_what_is_no_path_is_refused(expression: str) -> None:
    with pytest.raises(ApiError, match="JSONPath"):
        of(LINES, InputFilter=expression)


@pytest.mark.parametrize(
    ("content_type", "processing", "records", "answer", "kept"),
    [
        (LINES, {"JoinSource": "Input"}, [b'{"a": 1}', b'{"a": 2}'], b"8\n9\n",
         b'{"a": 1, "SageMakerOutput": 8}\n{"a": 2, "SageMakerOutput": 9}'),
        (LINES, {"JoinSource": "Input"}, [b"[1, 2]"], b"9",
         b'{"SageMakerInput": [1, 2], "SageMakerOutput": 9}'),
        (LINES, {"JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"},
         [b'{"id": 7, "a": 1}'], b'{"label": "x"}',
         b'{"id": 7, "SageMakerOutput": {"label": "x"}}'),
        (LINES, {"OutputFilter": "$.label"}, [b"{}"], b'{"label": "x", "p": 1}', b'"x"'),
        (CSV, {"JoinSource": "Input"}, [b'1,"a,b"', b"2,c"], b"0.5\n0.6", b'1,"a,b",0.5\n2,c,0.6'),
        (CSV, {"JoinSource": "Input", "OutputFilter": "$[0,-1]"}, [b"1,x,y"], b"0.5", b"1,0.5"),
        (LINES, {}, [b"{}", b"{}"], b"as it came\n", b"as it came\n"),
    ],
)  # fmt: skip
def test_an_answer_is_laid_beside_its_record(
    content_type: str, processing: Any, records: list[bytes], answer: bytes, kept: bytes
) -> None:
    assert of(content_type, **processing).kept(records, answer) == kept


@pytest.mark.parametrize(
    ("records", "answer", "words"),
    [
        ([b"{}", b"{}"], b"1\n", "mismatched line count"),
        ([b"{}"], b"not json", "Unable to decode"),
    ],
)
def test_an_answer_that_cannot_be_joined_fails(
    records: list[bytes], answer: bytes, words: str
) -> None:
    with pytest.raises(DataProcessingError, match=words):
        of(LINES, JoinSource="Input").kept(records, answer)


def test_a_filter_that_finds_nothing_fails() -> None:
    with pytest.raises(DataProcessingError, match="finds nothing"):
        of(LINES, InputFilter="$.a").sent(b'{"b": 1}')


@pytest.mark.parametrize(
    ("content_type", "accept", "split", "words"),
    [
        ("text/plain", JSON, "Line", "JSON, JSON lines or CSV"),
        (LINES, CSV, "Line", "input's format"),
        (LINES, "*/*", "Line", "input's format"),
        (JSON, JSON, "None", "AssembleWith"),
    ],
)
def test_what_does_not_go_together_is_refused(
    content_type: str, accept: str, split: str, words: str
) -> None:
    with pytest.raises(ApiError, match=words):
        of(content_type, accept, split, JoinSource="Input")
