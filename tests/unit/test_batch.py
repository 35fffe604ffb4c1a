"""A file's rows as records to predict, and what a file's parts are called."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib import clients, settings
from chalicelib.batch import requests
from chalicelib.batch.files import BatchFile
from chalicelib.batch.lines import LineWriter
from chalicelib.environment import Environment
from chalicelib.reading import inspection, kinds
from chalicelib.steps import batch

TOML = """
[pipeline]
name = "prices"
[dataset]
name = "prices"
label = "price"
delimiter = ","
quote = '"'
columns = [
    { name = "id", type = "string", required = true },
    { name = "rooms", type = "integer" },
    { name = "area", type = "number" },
    { name = "new", type = "boolean" },
    { name = "since", type = "date", formats = ["%d.%m.%Y", "%Y-%m-%d"] },
    { name = "price", type = "number", required = true },
]
[model]
problem = "regression"
inputs = ["rooms", "area", "new", "since"]
required = ["area"]
features = ["rooms", "area"]
"""
SETTINGS = settings.parse(TOML)
FILE = BatchFile("batch/in/deep/a.csv", "v1", 10, "2026-01-01T00:00:00Z")
WHOLE = {"rooms": 3, "area": 70.5, "new": True, "since": "2020-12-31"}


def converted(text: str, name: str = "a.csv") -> tuple[list[Any], list[Any]]:
    """The lines and the rejects of a file."""
    lines, rejects = io.BytesIO(), io.BytesIO()
    writer = LineWriter(lines, rejects, SETTINGS)
    content = [text.encode()]
    kind = kinds.of(name, content[0])
    columns = [each.model_copy(update={"required": False}) for each in SETTINGS.dataset.columns]
    dataset = SETTINGS.dataset.model_copy(update={"columns": tuple(columns)})
    inspection.read_text(name, kind, content, dataset, writer, 100)
    lists = (
        [json.loads(line) for line in io.BytesIO(each.getvalue())] for each in (lines, rejects)
    )
    told, refused = lists
    assert (writer.rows, writer.rejected) == (len(told) + len(refused), len(refused))
    return told, refused


@pytest.mark.parametrize(
    ("row", "record", "other"),
    [
        ("a,3,70.5,true,31.12.2020,9", WHOLE, {"id": "a", "price": "9"}),
        ("a,3,70.5,T,2020-12-31,", WHOLE, {"id": "a"}),
        (",,1e2,0,,", {"area": 100.0, "new": False}, {}),
        ('"two\nlines",,1,,,', {"area": 1.0}, {"id": "two\nlines"}),
        ("a,,1,,,dear", {"area": 1.0}, {"id": "a", "price": "dear"}),  # nobody predicts by it
    ],
)
def test_a_row_is_typed_as_the_dataset_says(row: str, record: Any, other: Any) -> None:
    lines, rejects = converted(f"id,rooms,area,new,since,price\n{row}\n")
    assert rejects == []
    assert lines == [{"row": 1, "record": record, "other": other}]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("a,three,70,,,", "rooms is 'three', which is no integer"),
        ("a,3,nan,,,", "area is 'nan', which is no number"),
        ("a,3,7,yes,,", "new is 'yes', which is no boolean"),
        ("a,3,7,,2020/1/1,", "since is '2020/1/1', which is no date"),
        ("a,3,,,,", "area is missing"),
        ("a,3", "the row has 2 values, the header 6"),
    ],
)
def test_a_row_that_cannot_be_predicted_says_why(row: str, words: str) -> None:
    lines, rejects = converted(f"id,rooms,area,new,since,price\nb,1,1,,,\n{row}\n")
    assert [line["row"] for line in lines] == [1]
    assert rejects == [{"row": 2, "message": words}]


def test_json_lines_and_columns_in_another_order_are_the_same_records() -> None:
    by_name, _ = converted("area,id,more\n70.5,a,x\n")
    assert by_name == [{"row": 1, "record": {"area": 70.5}, "other": {"id": "a", "more": "x"}}]
    as_json, _ = converted('{"area": 70.5, "id": "a"}\n', "a.jsonl")
    assert as_json == [{"row": 1, "record": {"area": 70.5}, "other": {"id": "a"}}]


def test_a_file_is_its_key_and_version_whenever_its_event_comes() -> None:
    later = BatchFile(FILE.key, "v1", 10, "2026-01-02T00:00:00Z")
    other = BatchFile(FILE.key, "v2", 10, FILE.dropped_at)
    assert FILE.id == later.id != other.id
    assert BatchFile(**FILE.document) == FILE
    assert FILE.out("out") == "batch/out/deep/a.csv.out"
    assert FILE.lines == f"batch/jobs/{FILE.id}/deep/a.csv"


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [([], 0), ([b"a\n", b"b\n"], 2), ([b"a\nb"], 2), ([b"a\n", b"b", b"\n"], 2), ([b"a", b"b"], 1)],
)
def test_an_unfinished_last_line_is_an_answer_too(
    monkeypatch: pytest.MonkeyPatch, chunks: list[bytes], lines: int
) -> None:
    body = SimpleNamespace(iter_chunks=lambda size: iter(chunks))
    s3 = SimpleNamespace(get_object=lambda **request: {"Body": body})
    monkeypatch.setattr(clients, "client", lambda name: s3)
    names = SimpleNamespace(data_bucket="data")
    monkeypatch.setattr(Environment, "from_env", classmethod(lambda cls: names))
    assert batch._count("batch/out/a.out") == lines


def test_the_manifest_accounts_for_the_rows() -> None:
    facts = {
        "etag": "e",
        "rows": 10,
        "rejected": 3,
        "model_version": 2,
        "model_run": "r",
        "job": "j",
        "started_at": "s",
    }
    found = requests.manifest(FILE, facts, "f")
    assert (found["predicted"], found["rejects"]) == (7, "batch/out/deep/a.csv.rejects.jsonl")
    assert requests.manifest(FILE, {**facts, "rejected": 0}, "f")["rejects"] is None
