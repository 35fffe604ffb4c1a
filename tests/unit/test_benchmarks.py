"""Rows, bars and what is written of them; the overhead's arithmetic; the loop's figures."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import __main__ as command
from benchmarks import loop, report
from benchmarks.rows import Bar, Row, Skipped
from cli import overhead, project

FAST = Row("work", 1.0, "s", Bar("at most", 2.0))
SLOW = Row("work", 3.0, "s", Bar("at most", 2.0))


@pytest.mark.parametrize(
    ("side", "figure", "met"),
    [
        ("at most", 29.9, True),
        ("at most", 30.0, True),
        ("at most", 30.1, False),
        ("at least", 29.9, False),
        ("at least", 30.0, True),
        ("at least", 30.1, True),
        ("at most", float("nan"), False),
        ("at least", float("nan"), False),
    ],
)
def test_a_bar_is_met_up_to_its_value_and_never_by_no_number(side, figure, met):
    assert Row("work", figure, "s", Bar(side, 30.0)).holds is met


def test_a_row_without_a_bar_only_informs():
    assert Row("work", 1e9, "s").holds


def test_a_record_has_every_member_and_the_bar_in_words():
    row = Row("import", 90.0, "ms", Bar("at most", 130.0, "1.3 times the peer"), "boto3", 100.0)
    assert row.record() == {
        "work": "import",
        "figure": 90.0,
        "unit": "ms",
        "peer": "boto3",
        "peer_figure": 100.0,
        "bar": "at most 130 (1.3 times the peer)",
        "holds": True,
    }
    assert Row("import", 90.0, "ms").record()["bar"] is None


@pytest.mark.parametrize(
    ("found", "hold"),
    [
        ([FAST], True),
        ([FAST, SLOW], False),
        ([FAST, Skipped("work", "no data")], True),
        ([], True),
    ],
)
def test_one_bar_that_does_not_hold_is_enough(found, hold):
    assert report.all_hold(found) is hold


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(project, "home", lambda: tmp_path)
    return tmp_path


def test_the_json_is_a_list_of_rows_with_machine_and_versions(home: Path):
    path = report.write("subject", [FAST, Skipped("other", "no data")])
    assert path == home / "bench" / "subject.json"
    (row,) = json.loads(path.read_text())
    assert row.keys() == {*FAST.record(), "machine", "versions"}
    assert row["machine"]["processors"] >= 1
    assert row["versions"].keys() >= {"python", "ministack", "boto3"}


@pytest.mark.parametrize(("row", "status"), [(FAST, 0), (SLOW, 1)])
def test_the_exit_status_says_whether_all_bars_hold(row, status, home, monkeypatch):
    subject = type("Subject", (), {"measure": staticmethod(lambda: iter([row]))})
    monkeypatch.setattr(command.importlib, "import_module", lambda name: subject)
    assert command.main(["subject"]) == status
    assert (home / "bench" / "subject.json").exists()


def test_the_table_shows_each_row_and_why_one_was_skipped():
    out = Console(file=io.StringIO(), width=120)
    out.print(report.table("subject", [FAST, SLOW, Skipped("other", "no data")]))
    cells = [line.split() for line in out.file.getvalue().splitlines() if line.strip()]
    told = [(words[0], words[-1]) for words in cells[3:]]
    assert told == [("work", "yes"), ("work", "NO"), ("other:", "skipped")]


def test_times_of_the_loop_come_from_the_demo_s_record():
    facts = {
        "drop_to_in_service_s": 10.0,
        "orchestration_overhead_s": 4.5,
        "endpoint_start_s": 0.5,
        "demo_s": 80.0,
    }
    assert [(row.figure, row.unit, row.holds) for row in loop.times(facts)] == [
        (10.0, "s", True),
        (45.0, "%", False),
        (5.0, "%", True),
        (80.0, "s", True),
    ]


@pytest.mark.parametrize(
    ("intervals", "length"),
    [
        ([], 0),
        ([(1, 3)], 2),
        ([(1, 3), (5, 6)], 3),
        ([(5, 6), (1, 3)], 3),  # in any order
        ([(1, 3), (2, 5)], 4),  # an overlap counts once
        ([(1, 9), (2, 3)], 8),  # one inside another
        ([(1, 3), (3, 4)], 3),  # end to end
        ([(2, 2)], 0),
    ],
)
def test_the_time_that_jobs_cover_is_the_length_of_their_union(intervals, length):
    assert overhead.covered(intervals) == length
