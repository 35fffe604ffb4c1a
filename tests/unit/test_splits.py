"""Splits: what stays together, what the shares are, and that nothing looks ahead."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import similar
import splits
from failures import DataError

LONG = "this hair dryer is quiet and quick and I would buy it again for my sister any day"


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (LONG, LONG, True),
        (LONG, LONG.upper() + "!!", True),
        (LONG, LONG + " of the week", True),
        (LONG, LONG.replace("hair", "nail").replace("sister", "cat"), False),
        (LONG, "it broke after a week and nobody answers the letters I write to them", False),
        ("good", "Good.", True),
        ("good", "bad", False),
        ("", "", True),
        ("!!!", "???", False),
        ("\ud800 broken", "\ud800 broken", True),
    ],
)
def test_near_identical_texts_are_found(one: str, other: str, together: bool) -> None:
    found = similar.groups([one, "something else altogether, of its own", other], 0.7)
    assert bool(found[0] == found[2]) is together
    assert found[1] not in (found[0], found[2])


def test_without_similarity_only_the_same_text_is_together() -> None:
    assert len(set(similar.groups(["good", "Good.", "good"], 0))) == 2
    assert len(similar.groups([], 0.8)) == 0


def test_many_texts_in_chunks_are_found_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"{LONG} number {n // 2} {n // 2} {n // 2} {'x' * (n % 2)}" for n in range(60)]
    whole = similar.groups(texts, 0.7)
    monkeypatch.setattr(similar, "CHUNK", 7)
    assert (similar.groups(texts, 0.7) == whole).all()


def test_groups_join_rows_of_one_key_and_rows_of_one_text() -> None:
    texts = ["a b c d", "e f g h", "i j k l", "e f g h", "m n o p", "q r s t"]
    customers = pd.Series(["ann", "ann", "bob", "cid", None, None])
    found = splits.groups(texts, 0.8, customers)
    assert found[0] == found[1] == found[3]  # ann's two, and cid who wrote what ann wrote
    assert len(set(found[[0, 2, 4, 5]])) == 4


def rows(count: int, classes: int = 3) -> tuple[pd.Series, np.ndarray, np.ndarray]:
    """Labels of unequal classes, each row its own group, and the rows' digests."""
    label = pd.Series(np.minimum(np.arange(count) % 7, classes - 1), name="label")
    digest = splits.digests([f"text {n}" for n in range(count)], 42)
    return label, np.arange(count), digest


def test_each_class_has_its_share_on_each_side() -> None:
    label, group, digest = rows(7000)
    sides = splits.by_share(label, group, digest, validation=0.1, test=0.2)
    for _, part in pd.Series(sides).groupby(label):
        shares = part.value_counts(normalize=True)
        assert shares["test"] == pytest.approx(0.2, abs=0.04)
        assert shares["validation"] == pytest.approx(0.1, abs=0.04)


def test_the_smallest_class_is_on_every_side() -> None:
    label, group, digest = rows(70)
    sides = splits.by_share(label, group, digest, validation=0.01, test=0.01)
    assert set(zip(label, sides, strict=True)) == {(c, s) for c in range(3) for s in splits.NAMES}


def test_a_row_keeps_its_side_when_the_dataset_grows() -> None:
    label, group, digest = rows(7000)
    shares = {"validation": 0.1, "test": 0.1}
    few = splits.by_share(label[:3500], group[:3500], digest[:3500], **shares)
    assert (splits.by_share(label, group, digest, **shares)[:3500] == few).all()


def test_a_group_is_on_one_side() -> None:
    label, group, digest = rows(7000)
    group = group // 5
    sides = splits.by_share(label, group, digest, validation=0.1, test=0.1)
    assert pd.Series(sides).groupby(group).nunique().max() == 1


def test_a_class_of_one_customer_cannot_be_split() -> None:
    label, group, digest = rows(70)
    group[label == 2] = 0
    with pytest.raises(DataError, match=r"label=2 are 1 groups .* 3 are needed"):
        splits.by_share(label, group, digest, validation=0.1, test=0.1)


def test_by_time_trains_on_the_past_only() -> None:
    day = pd.Series(pd.date_range("2026-01-01", periods=100).repeat(10), name="day")
    group = np.arange(1000)
    group[-1] = group[0]  # a copy of the first row in the last
    sides = splits.by_time(day, group, validation=0.1, test=0.1)
    assert sides[-1] == ""
    latest = {name: day[sides == name].max() for name in splits.NAMES}
    earliest = {name: day[sides == name].min() for name in splits.NAMES}
    assert latest["train"] < earliest["validation"]
    assert latest["validation"] < earliest["test"]
    assert [int((sides == name).sum()) for name in splits.NAMES] == [800, 100, 99]


def test_by_time_needs_every_time() -> None:
    day = pd.Series([pd.Timestamp("2026-01-01"), None], name="day")
    with pytest.raises(DataError, match="day is missing in 1 rows"):
        splits.by_time(day, np.arange(2), validation=0.1, test=0.1)


@pytest.mark.parametrize(
    ("label", "problem", "words"),
    [
        ([1] * 50, "multiclass", "y has 1 class"),
        ([1, 2, 3] * 20, "binary", "y has 3 classes; a binary problem has two"),
        ([1] * 50 + [2] * 9, "multiclass", "y=2 has 9 rows; 10 are needed"),
        ([1.5] * 19, "regression", "there are 19 rows; 20 are needed"),
    ],
)
def test_too_few_rows_are_told(label: list[float], problem: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        splits.strata(pd.Series(label, name="y"), problem)


def test_a_regressions_strata_are_tenths() -> None:
    found = splits.strata(pd.Series(np.repeat([0.0, 1.0], 50)), "regression")
    assert found.value_counts().tolist() == [10] * 10
