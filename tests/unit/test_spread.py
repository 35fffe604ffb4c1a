"""How a conversion is spread over INSERTs and files."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from chalicelib.ingest import spread
from chalicelib.ingest.spread import Part

GB = 2**30


@pytest.mark.parametrize(
    ("text_bytes", "wanted"), [(0, 1), (GB // 4, 1), (GB, 3), (75 * GB, 210), (2**40, 256)]
)
def test_files_come_near_the_target(text_bytes: int, wanted: int) -> None:
    assert spread.files(text_bytes) == wanted


@pytest.mark.parametrize(
    ("text_bytes", "last", "wide"),
    [(0, 1, False), (GB // 4, 100, False), (0, 101, True), (GB, 1, True)],
    ids=["small", "as many as one INSERT writes", "more", "large"],
)
def test_partitions_are_measured_where_one_insert_may_not_do(
    text_bytes: int, last: int, wide: bool
) -> None:
    assert spread.is_wide(text_bytes, last) is wide


@pytest.mark.parametrize(
    ("rows", "text_bytes", "wanted"),
    [
        ({}, 0, [Part()]),
        ({"a": 1, "b": 2}, 1000, [Part()]),
        ({"a": 97, "b": 2, "c": 1}, 10 * GB, [Part(files={"a": 27})]),
        ({f"{n:03}": 1 for n in range(100)}, 1000, [Part()]),
        (
            {f"{n:03}": 1 for n in reversed(range(250))},
            1000,
            [Part(("000", "099")), Part(("100", "199")), Part(("200", "249"))],
        ),
        (
            {f"{n:03}": 1 for n in range(100)} | {"z": 100},
            2 * GB,
            [Part(("000", "099")), Part(("z", "z"), {"z": 3})],
        ),
    ],
    ids=["none", "few", "a large one", "a hundred", "more", "more, and a large one"],
)
def test_parts(rows: Mapping[str, int], text_bytes: int, wanted: list[Part]) -> None:
    assert spread.parts("town", rows, text_bytes) == wanted


def test_the_order_is_athenas() -> None:
    """By code points: capitals first, other scripts last."""
    rows = dict.fromkeys([*(f"a{n}" for n in range(100)), "Z", "ä", "\N{GRINNING FACE}"], 1)
    bounds = [part.bounds for part in spread.parts("town", rows, 0)]
    assert bounds == [("Z", "a98"), ("a99", "\N{GRINNING FACE}")]


def test_a_column_that_is_no_partition_is_refused_in_words() -> None:
    rows = {str(n): 1 for n in range(10_001)}
    with pytest.raises(spread.TooManyPartitionsError, match="town, which has more than 10,000"):
        spread.parts("town", rows, 0)
