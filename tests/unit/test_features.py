"""What prepare says of single features: that they leak the label, or tell nothing."""

from __future__ import annotations

from typing import Any

import leakage
import numpy as np
import pandas as pd
import pytest
import selection

COUNT = 1000
RANDOM = np.random.default_rng(3)
LABEL = RANDOM.integers(1, 6, COUNT)
CHANCE = RANDOM.integers(0, 5, COUNT)


def given(values: Any, label: Any = LABEL) -> pd.DataFrame:
    return pd.DataFrame({"feature": values, "label": label})


WORDS = np.array(["One", "Two", "Three", "Four", "Five"])


@pytest.mark.parametrize(
    ("rows", "leaks"),
    [
        (given([f"{WORDS[each - 1]} Stars" for each in LABEL]), True),
        (given([f" FIVE stars{' ' * (n % 3)}" if s == 5 else f"text {n}"
                for n, s in enumerate(LABEL)]), True),
        (given(LABEL * 10.0), True),
        (given(LABEL * 1000 + RANDOM.random(COUNT)), True),
        (given(CHANCE), False),
        (given([f"text {n}" for n in range(COUNT)]), False),
        (given(RANDOM.random(COUNT)), False),
        (given(np.where(np.arange(COUNT) < 19, "rare", CHANCE.astype(str))), False),
        (given(CHANCE, np.where(np.arange(COUNT) < 20, 1, 5)), False),
        (given([None] * COUNT), False),
    ],
    ids=["a headline in words", "in one class", "the label itself", "a number set after",
         "chance", "no value twice", "a number by chance", "too rare", "one label is common",
         "nothing there"],
)  # fmt: skip
def test_a_feature_that_gives_the_label_away_is_told(rows: pd.DataFrame, leaks: bool) -> None:
    found = leakage.find(rows, ["feature"], "label")
    assert bool(found) is leaks
    assert all("warning: feature gives label away in" in leakage.words(each) for each in found)


def test_the_example_says_how_sure() -> None:
    headline = np.where(LABEL == 5, "Five Stars", "other")
    headline[np.flatnonzero(LABEL == 4)[:2]] = "Five Stars"
    (found,) = leakage.find(given(headline), ["feature"], "label")
    (example,) = found["examples"]
    assert example["value"] == "five stars"
    assert example["label"] == "5"
    assert example["purity"] == round((LABEL == 5).sum() / example["rows"], 4) < 1


COLUMNS = pd.DataFrame(
    {
        "good": LABEL + RANDOM.random(COUNT),
        "fair": LABEL + 5 * RANDOM.random(COUNT),
        "kind": np.where(LABEL > 3, "high", "low"),
        "chance": RANDOM.random(COUNT),
        "constant": 1,
        "empty": [None] * COUNT,
        "identifier": [f"id-{n}" for n in range(COUNT)],
        "label": LABEL,
    }
)
ALL = list(COLUMNS.columns[:-1])


@pytest.mark.parametrize(
    ("most", "kept"),
    [(0, ["good", "fair", "kind", "chance"]), (3, ["good", "fair", "kind"]), (1, ["good"])],
)
def test_the_telling_features_are_kept(most: int, kept: list[str]) -> None:
    found, dropped = selection.select(
        COLUMNS, ALL, "label", most=most, problem="multiclass", seed=1
    )
    assert found == kept
    assert set(dropped) == set(ALL) - set(kept)
    assert "identifier" in dropped["identifier"]
    assert "100.0% of the rows have no value" in dropped["empty"]
    assert "same value" in dropped["constant"]
