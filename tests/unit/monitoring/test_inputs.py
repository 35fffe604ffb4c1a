"""What monitoring jobs read: windows, captured traffic, ground truth, datasets, the contract."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import Write, event


def read(folder: Path, **how: Any) -> tuple[dict[str, list[Any]], list[str], dict[str, int]]:
    """Columns, ids and what was refused."""
    from inputs.capture import Capture
    from inputs.jsonlines import Rejects

    rejects = Rejects()
    found = list(Capture(folder, **how).batches(rejects))
    columns = pa.concat_tables([each.columns for each in found]).to_pydict() if found else {}
    return columns, [str(i) for each in found for i in each.ids.to_pylist()], rejects.counts


@pytest.mark.parametrize(
    ("words", "length"),
    [
        ("-P3D", timedelta(days=-3)),
        ("-PT1H", timedelta(hours=-1)),
        ("P1DT2H30M", timedelta(days=1, hours=2, minutes=30)),
        ("PT45S", timedelta(seconds=45)),
        ("-P2W", timedelta(weeks=-2)),
    ],
)
def test_offsets_are_iso_8601_durations(words: str, length: timedelta) -> None:
    from inputs.window import offset

    assert offset(words) == length


@pytest.mark.parametrize("words", ["", "P", "PT", "3D", "-P3", "-PT-1H", "one day"])
def test_what_is_no_duration_is_refused(words: str) -> None:
    from inputs.window import offset

    with pytest.raises(ValueError, match="no ISO 8601 duration"):
        offset(words)


@pytest.mark.parametrize(
    ("arguments", "start", "end"),
    [
        (("2026-03-02T00:00:00Z", "2026-03-02T01:00:00Z"), (2, 0), (2, 1)),
        (("2026-03-02T00:00:00Z", "2026-03-02T01:00:00Z", "-P1D", "-PT1H"), (1, 0), (2, 0)),
        (("", "2026-03-02T01:00:00Z", "-P1D", ""), (1, 1), (2, 1)),
        (("2019-12-01T15: 20: 00Z", "2019-12-01T16: 20: 00Z"), (1, 15), (1, 16)),
    ],
)
def test_a_window_is_start_and_end_moved_by_offsets(
    arguments: tuple[str, ...], start: tuple[int, int], end: tuple[int, int]
) -> None:
    from inputs.window import window

    found = window(*arguments)
    assert found.start is not None
    assert found.end is not None
    assert (found.start.day, found.start.hour) == start
    assert (found.end.day, found.end.hour) == end


@pytest.mark.parametrize(
    ("hour", "kept"),
    [("2026/03/01/10", False), ("2026/03/01/11", True), ("2026/03/01/13", True),
     ("2026/03/01/15", False), ("no/hour/at/all", True)],
)  # fmt: skip
def test_files_of_other_hours_are_not_opened(hour: str, kept: bool) -> None:
    from inputs.window import window

    found = window("2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z")
    assert found.may_hold(Path("reviews/AllTraffic") / hour / "a.jsonl") is kept


RECORDS = {"a": [1, 2], "b": ["x", "y"]}
PAYLOADS = {
    "csv, a record a payload": [event("1,x"), event("2,y")],
    "csv, several records": [event("1,x\n2,y\n")],
    "csv, line breaks of Windows": [event("1,x\r\n2,y\r\n")],
    "csv in base64": [event(base64.b64encode(b"1,x\n2,y").decode(), "BASE64")],
}


@pytest.mark.parametrize("events", PAYLOADS.values(), ids=PAYLOADS)
def test_csv_payloads_are_named_by_the_baseline(events: list[Any], captured: Write) -> None:
    columns, _, refused = read(captured(events), names=("a", "b"))
    assert columns == RECORDS
    assert not refused


JSON_PAYLOADS = {
    "an object a payload": ['{"a": 1, "b": "x"}', '{"a": 2, "b": "y"}'],
    "records": ['{"records": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]}'],
    "instances over several lines": [
        '{"instances": [\n {"a": 1, "b": "x"},\n {"a": 2, "b": "y"}]}'
    ],
    "a list": ['[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]'],
    "JSON lines": ['{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}'],
}


@pytest.mark.parametrize("payloads", JSON_PAYLOADS.values(), ids=JSON_PAYLOADS)
@pytest.mark.parametrize("coded", [False, True], ids=["plain", "base64"])
def test_json_payloads(payloads: list[str], coded: bool, captured: Write) -> None:
    events = [
        event(base64.b64encode(text.encode()).decode(), "BASE64", content_type="application/json")
        if coded
        else event(text, "JSON")
        for text in payloads
    ]
    columns, _, refused = read(captured(events))
    assert columns == RECORDS
    assert not refused


def test_quotes_line_breaks_and_odd_rows_in_csv(captured: Write) -> None:
    events = [event('1,"says ""hi"",\nand leaves"'), event("2,y"), event("3,z,too many")]
    columns, ids, refused = read(captured(events), names=("a", "b"))
    assert columns == {"a": [1, 2], "b": ['says "hi",\nand leaves', "y"]}
    assert len(ids) == 2
    assert refused == {"CSV rows without 2 columns": 1}


def test_members_of_members_lists_and_truth_values(captured: Write) -> None:
    payload = '{"User": {"Age": 3, "Home Town": "x"}, "vector": [1.5, 2.5], "ok": true}'
    columns, _, _ = read(captured([event(payload, "JSON")]))
    assert columns == {"user_age": [3], "user_home_town": ["x"], "vector_0": [1.5],
                       "vector_1": [2.5], "ok": ["true"]}  # fmt: skip


def test_a_member_of_several_types_is_text(captured: Write) -> None:
    events = [event('{"a": 1}', "JSON"), event('{"a": "one"}', "JSON"), event("{}", "JSON")]
    columns, _, _ = read(captured(events))
    assert columns == {"a": ["1", "one", None]}


def test_lines_that_cannot_be_read_are_counted(captured: Write) -> None:
    events = ["not json", "[]", event("1,x"), event("\x00", "PROTOBUF"), event("@@", "BASE64"),
              event("{", "JSON"), event("2,y", moment="yesterday")]  # fmt: skip
    columns, _, refused = read(captured(events), names=("a", "b"))
    assert columns == {"a": [1], "b": ["x"]}
    assert sum(refused.values()) == 6


def test_only_the_window_and_the_variant(captured: Write) -> None:
    from inputs.window import window

    times = ("11:59:59", "12:00:00", "12:59:59", "13:00:00")
    moments = [f"2026-03-01T{time}Z" for time in times]
    captured([event(str(n), moment=moment) for n, moment in enumerate(moments, 1)])
    folder = captured([event("5")], variant="Canary")
    hour = window("2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z")
    assert read(folder, window=hour, variant="AllTraffic")[0] == {"_c0": [2, 3]}
    assert sorted(read(folder, window=hour)[0]["_c0"]) == [2, 3, 5]


def test_both_sides_stand_output_first(captured: Write) -> None:
    both = ("endpointInput", "endpointOutput")
    events = [event("1,x\n2,y", output="0.25\n0.75"), event("3,z", output="0.5")]
    columns, ids, _ = read(captured(events), indexes=both, names=("p", "a", "b"))
    assert columns == {"p": [0.25, 0.75, 0.5], "a": [1, 2, 3], "b": ["x", "y", "z"]}
    assert len(ids) == 3


def test_the_callers_id_wins_over_the_endpoints(captured: Write) -> None:
    events = [event("1\n2", inference_id="mine"), event("3", number=7)]
    assert read(captured(events))[1] == ["mine/0", "mine/1", "event-7"]


def test_a_users_script_makes_the_records(tmp_path: Path, captured: Write) -> None:
    from inputs.preprocessing import preprocess

    script = tmp_path / "mine.py"
    script.write_text(
        "def preprocess_handler(inference_record, logger):\n"
        "    text = inference_record.endpoint_input.data\n"
        "    if text == 'skip':\n"
        "        return []\n"
        "    ids = inference_record.event_metadata['event_id']\n"
        "    return [{'feature0': n, 'of': ids} for n in text.split(',')]\n"
    )
    folder = captured([event("1,2"), event("skip"), event("3", number=2)])
    columns, ids, refused = read(folder, handler=preprocess(script))
    assert columns == {"feature0": ["1", "2", "3"], "of": ["event-0", "event-0", "event-2"]}
    assert ids == ["event-0/0", "event-0/1", "event-2"]
    assert refused == {"records that the preprocessing script skipped": 1}


def test_a_script_without_the_function_is_named(tmp_path: Path) -> None:
    from inputs.preprocessing import preprocess

    (tmp_path / "mine.py").write_text("")
    with pytest.raises(AssertionError, match=r"mine.py has no preprocess_handler"):
        preprocess(tmp_path / "mine.py")


WORDS = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"]))


@settings(max_examples=50, deadline=None)
@given(st.lists(WORDS, max_size=40), st.integers(1, 60))
def test_blocks_lose_no_line(tmp_path_factory: Any, lines: list[str], size: int) -> None:
    from inputs.jsonlines import blocks

    folder = tmp_path_factory.mktemp("lines")
    half = len(lines) // 2
    (folder / "a").write_text("".join(line + "\n" for line in lines[:half]))
    (folder / "b").write_text("\n".join(lines[half:]))  # no line break at the end
    found = b"".join(map(bytes, blocks([folder / "a", folder / "b"], size))).decode().splitlines()
    assert [line for line in found if line.strip()] == [line for line in lines if line.strip()]


def test_ground_truth_by_id_the_later_line_wins(tmp_path: Path) -> None:
    from inputs import ground_truth
    from inputs.jsonlines import Rejects

    def line(data: str, encoding: str = "CSV", **ids: str) -> str:
        return json.dumps({"groundTruthData": {"data": data, "encoding": encoding},
                           "eventMetadata": ids, "eventVersion": "0"})  # fmt: skip

    lines = [line("1", eventId="a"), line("2", eventId="b", inferenceId="mine"),
             line("3", eventId="a"), line('{"star_rating": 5}', "JSON", eventId="c")]  # fmt: skip
    path = tmp_path / "2026/03/01/13/labels.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(lines))
    found = ground_truth.read(tmp_path, Rejects()).to_pylist()
    assert {each["event_id"]: each["ground_truth"] for each in found} == {
        "a": "3",
        "mine": "2",
        "c": "5",
    }


DATASETS = {
    "csv": "A,B c\n1,x\n,y\n3,\n",
    "json": '{"A": 1, "B c": "x"}\n{"B c": "y"}\n{"A": 3}\n',
}


@pytest.mark.parametrize("kind", ["csv", "json", "parquet", "by ending"])
def test_datasets(kind: str, tmp_path: Path) -> None:
    from inputs import datasets
    from inputs.jsonlines import Rejects

    if kind == "parquet":
        table = pa.table({"A": [1, None, 3], "B c": ["x", "y", None]})
        pq.write_table(table, tmp_path / "part-0.parquet")
    else:
        (tmp_path / "data.csv").write_text(DATASETS.get(kind, DATASETS["csv"]))
    stated = {} if kind == "by ending" else {kind: {}}
    (found,) = datasets.batches(tmp_path, stated, Rejects())
    assert found.to_pydict() == {"a": [1, None, 3], "b_c": ["x", "y", None]}


def test_csv_without_a_header(tmp_path: Path) -> None:
    from inputs import datasets
    from inputs.jsonlines import Rejects

    (tmp_path / "data.csv").write_text("1,x\n2,y\n")
    (found,) = datasets.batches(tmp_path, {"csv": {"header": "false"}}, Rejects())
    assert found.to_pydict() == {"_c0": [1, 2], "_c1": ["x", "y"]}


@pytest.mark.parametrize(
    ("features", "exclude", "kept"),
    [
        ("", "", ["a", "b", "outer_c"]),
        ("a,outer_c", "", ["a", "outer_c"]),
        ("$.b", "", ["b"]),
        ("$.records[*].b", "", ["b"]),
        ("0-1", "", ["a", "b"]),
        ("", "1", ["a", "outer_c"]),
        ("a,b", "b", ["a"]),
    ],
)
def test_attributes_select_columns(features: str, exclude: str, kept: list[str]) -> None:
    from inputs.columns import select

    table = pa.table({"a": [1], "b": [2], "outer_c": [3]})
    assert select(table, features, exclude).column_names == kept


MANAGED = {
    "dataset_format": json.dumps(
        {"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}
    ),
    "dataset_source": "/opt/ml/processing/endpointdata",
    "output_path": "/opt/ml/processing/resultdata",
    "baseline_constraints": "/opt/ml/processing/baseline/constraints/constraints.json",
    "baseline_statistics": "/opt/ml/processing/baseline/stats/statistics.json",
    "start_time": "2019-12-01T15:20:00Z",
    "end_time": "2019-12-01T16:20:00Z",
    "publish_cloudwatch_metrics": "Enabled",
    "sagemaker_endpoint_name": "endpoint-name",
    "sagemaker_monitoring_schedule_name": "schedule-name",
}


def test_the_contract_of_a_monitoring_schedule(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from inputs import contract
    from inputs.window import UTC

    for name, value in {**MANAGED, "SAGEMAKER_BASE_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    job = contract.job(contract.parser(None).parse_args([]))
    assert (job.mode, job.captured, job.publish, job.put) == ("analyze", True, True, False)
    assert job.source == tmp_path / "processing/endpointdata"
    assert job.output == tmp_path / "processing/resultdata"
    assert job.constraints.parent == tmp_path / "processing/baseline/constraints"
    assert job.statistics.parent == tmp_path / "processing/baseline/stats"
    assert job.window.start == datetime(2019, 12, 1, 15, 20, tzinfo=UTC)
    assert job.capture().indexes == ("endpointInput", "endpointOutput")
    assert (job.endpoint, job.schedule) == ("endpoint-name", "schedule-name")
