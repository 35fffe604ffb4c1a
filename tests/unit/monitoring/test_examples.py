"""Examples of a message: the records that show what drifted."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from checks import examples

BASELINE = pa.table({
    "kind": ["toys"] * 60 + ["tools"] * 40,
    "price": [float(n % 10) for n in range(100)],
    "body": ["a fine good thing"] * 100,
})  # fmt: skip
VOCABULARY = {"body": ["fine", "good", "thing"]}


def live(**odd: Any) -> pa.Table:
    """Ninety-nine records as in the baseline, and one that is not in its middle."""
    usual = [dict.fromkeys(odd) | row for row in BASELINE.slice(0, 99).to_pylist()]
    return pa.Table.from_pylist([*usual[:50], {**usual[0], **odd}, *usual[50:]])


@pytest.mark.parametrize(
    ("feature", "odd"),
    [
        ("kind", {"kind": "microwaves"}),
        ("kind", {"kind": None}),
        ("price", {"price": 1000.0}),
        ("body_oov", {"body": "the turntable will not spin"}),
        ("body", {"body": "the turntable will not spin"}),
        ("body_length", {"body": "good " * 400}),
    ],
)
def test_the_record_that_shows_it_comes_first(feature: str, odd: dict[str, Any]) -> None:
    (found,) = examples.telling(live(**odd), BASELINE, [feature], VOCABULARY, 1)
    assert {name: found[name] for name in odd} == odd


def test_each_feature_shows_one_of_its_own() -> None:
    rows = [*live(kind="microwaves").to_pylist(), {**BASELINE.slice(0, 1).to_pylist()[0]}]
    rows[-1]["price"] = 1000.0
    names = ["kind", "price"]
    first, second = examples.telling(pa.Table.from_pylist(rows), BASELINE, names, VOCABULARY, 2)
    assert (first["kind"], second["price"]) == ("microwaves", 1000.0)


def test_a_column_that_came_is_shown_where_it_is() -> None:
    table = live(colour="red")
    found = examples.telling(table, BASELINE, ["colour"], {}, 1)
    assert found[0]["colour"] == "red"


@pytest.mark.parametrize("count", [0, 3, 1000])
@pytest.mark.parametrize("features", [["kind"], ["gone"], []])
def test_never_more_than_there_are(count: int, features: list[str]) -> None:
    found = examples.telling(live(), BASELINE, features, VOCABULARY, count)
    assert len(found) == min(count, 100)


def test_without_a_baselines_rows_there_are_examples_still() -> None:
    assert len(examples.telling(live(), pa.table({}), ["kind"], {}, 3)) == 3
    assert examples.telling(pa.table({}), BASELINE, ["kind"], VOCABULARY, 3) == []
