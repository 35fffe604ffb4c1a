"""Where a call's log ends: at the worker's mark, without waiting for more."""

from __future__ import annotations

import queue

import pytest

from localcloud.lambda_logs import MARK, read

FOREVER = 3600.0


@pytest.mark.parametrize(
    ("lines", "log"),
    [
        ([MARK], ""),
        (["one", "two", MARK], "one\ntwo"),
        (["one", f"unended{MARK}"], "one\nunended"),
        (["one", "", MARK], "one\n"),
    ],
    ids=["silent", "two lines", "no new line at the end", "an empty line"],
)
def test_a_call_s_lines_are_those_before_the_mark(lines: list[str], log: str):
    waiting: queue.Queue[str] = queue.Queue()
    for line in [*lines, "of the next call"]:
        waiting.put(line)
    assert read(waiting, FOREVER) == log
    assert waiting.get_nowait() == "of the next call"


def test_a_process_that_died_inside_a_call_leaves_what_it_said():
    waiting: queue.Queue[str] = queue.Queue()
    waiting.put("one")
    assert read(waiting, 0.01) == "one"
