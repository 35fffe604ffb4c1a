"""Kernel SHAP against the definition of Shapley values, by every coalition."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import shapley

Answer = Callable[[np.ndarray], np.ndarray]  # of coalitions, [coalition, feature]


def game(count: int) -> Answer:
    """Effects of single features, of pairs and of threes, two outputs."""
    random = np.random.default_rng(count)
    one = random.normal(size=(count, 2))
    more = [(each, random.normal(size=2)) for n in (2, 3) for each in _some(count, n)]

    def answer(masks: np.ndarray) -> np.ndarray:
        told = 0.5 + masks @ one
        for features, effect in more:
            told += masks[:, features].all(axis=1)[:, None] * effect
        return told

    return answer


def _some(count: int, size: int) -> list[list[int]]:
    return [list(each) for each in itertools.combinations(range(count), size)][: 2 * count]


def defined(count: int, answer: Answer) -> np.ndarray:
    """Shapley, "A Value for n-Person Games", 1953, equation 12."""
    found = np.zeros((count, 2))
    for feature in range(count):
        others = [each for each in range(count) if each != feature]
        for size in range(count):
            weight = math.factorial(size) * math.factorial(count - size - 1)
            for chosen in itertools.combinations(others, size):
                masks = np.zeros((2, count), bool)
                masks[:, list(chosen)] = True
                masks[1, feature] = True
                without, given = answer(masks)
                found[feature] += weight / math.factorial(count) * (given - without)
    return found


def solved(count: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    masks, weights = shapley.coalitions(count, most)
    answers = game(count)(masks)
    return shapley.values(masks, weights, answers), answers[1] - answers[0]


@pytest.mark.parametrize("count", range(1, 9))
def test_few_features_have_their_exact_values(count: int) -> None:
    found, _ = solved(count, most=256)
    assert found == pytest.approx(defined(count, game(count)), abs=1e-9)


def test_many_features_have_about_their_values() -> None:
    found, whole = solved(11, most=256)
    wanted = defined(11, game(11))
    assert np.abs(found - wanted).mean() < 0.1 * np.abs(wanted).mean()
    assert found.sum(axis=0) == pytest.approx(whole)


def test_coalitions_are_enough_for_very_many_features() -> None:
    """Of effects that only add, the values are the effects: the equations determine them."""
    effects = np.random.default_rng(1).normal(size=(90, 1))
    masks, weights = shapley.coalitions(90, most=256)
    assert len(masks) <= 90 * 8 + 2
    assert shapley.values(masks, weights, masks @ effects) == pytest.approx(effects)
