"""Shapley values by Kernel SHAP: what each feature adds to an answer, whatever the model is.

The inference code and the monitors stand alone: each holds this file, and a test that they are one.
Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions", 2017; in pairs: Covert
and Lee, "Improving KernelSHAP", 2021.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

A_FEATURE = 8  # coalitions at least: with fewer the values are not determined


def coalitions(count: int, most: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """[coalition, feature], and weights; first the empty and the whole one, which always hold.

    All of them where there are no more than `most`, and the values are exact. Else those of one
    feature and of all but one, which weigh the most, and some of the others by chance.
    """
    ends = np.array([[False] * count, [True] * count])
    sizes = np.arange(1, count)
    by_size = (count - 1) / (sizes * (count - sizes))  # of all coalitions of a size together
    if 2**count <= most:
        every = np.array(list(itertools.product([False, True], repeat=count)))
        inner = every[1:-1]
        weights = np.array([by_size[n - 1] / math.comb(count, n) for n in inner.sum(axis=1)])
    else:
        single = np.eye(count, dtype=bool)
        half = _drawn(count, max(most, A_FEATURE * count) // 2 - count, by_size[1:-1], seed)
        inner = np.concatenate([single, ~single, half, ~half])  # in pairs, which halves the error
        rest = by_size[1:-1].sum() / (2 * len(half))
        weights = np.repeat([by_size[0] / count, rest], [2 * count, 2 * len(half)])
    return np.concatenate([ends, inner]), np.concatenate([[0.0, 0.0], weights])


def values(masks: np.ndarray, weights: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """[feature, output] of the coalitions' answers, [coalition, output].

    Weighted least squares, under the condition that the values add up to the whole effect.
    """
    empty, whole = answers[0], answers[1]
    if masks.shape[1] == 1:
        return (whole - empty)[None]
    inner = masks[2:].astype(float)
    root = np.sqrt(weights[2:])[:, None]
    reduced = (inner[:, :-1] - inner[:, -1:]) * root
    target = (answers[2:] - empty - inner[:, -1:] * (whole - empty)) * root
    found, *_ = np.linalg.lstsq(reduced, target, rcond=None)
    return np.concatenate([found, (whole - empty - found.sum(axis=0))[None]])


def _drawn(count: int, rows: int, by_size: np.ndarray, seed: int) -> np.ndarray:
    """Coalitions of two features and more, [row, feature]; as often of a size as it weighs."""
    random = np.random.default_rng(seed)
    found = np.zeros((rows, count), bool)
    sizes = random.choice(np.arange(2, count - 1), rows, p=by_size / by_size.sum())
    for row, size in zip(found, sizes, strict=True):
        row[random.choice(count, size, replace=False)] = True
    return found
