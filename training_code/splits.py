"""Balance, and splits in which no text is on two sides and each class has its share."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd

MIN_ROWS = 10  # of each class


class DataError(Exception):
    """The rows cannot be trained on; the words say why."""


def undersample(rows: pd.DataFrame, label: str, seed: int) -> pd.DataFrame:
    """As many rows of every class as the smallest has."""
    smallest = int(rows[label].value_counts().min()) if len(rows) else 0
    return rows.groupby(label, group_keys=False).sample(smallest, random_state=seed)


def split(
    rows: pd.DataFrame, *, label: str, group: str, validation: float, test: float, seed: int
) -> dict[str, pd.DataFrame]:
    """train, validation and test; rows of one group share a side, classes their shares."""
    counts = rows[label].value_counts()
    if len(counts) < 2:
        raise DataError(f"{label} has {len(counts)} class; a classifier needs two")
    if counts.min() < MIN_ROWS:
        raise DataError(f"{label}={counts.idxmin()} has {counts.min()} rows; {MIN_ROWS} are needed")
    place = _places(rows, label, group, seed)
    sides = np.select([place < test, place < test + validation], ["test", "validation"], "train")
    shuffled = rows.assign(_side=sides).sample(frac=1, random_state=seed)
    return {
        name: shuffled[shuffled["_side"] == name].drop(columns="_side")
        for name in ("train", "validation", "test")
    }


def _places(rows: pd.DataFrame, label: str, group: str, seed: int) -> np.ndarray:
    """Each row's place in [0, 1) within its class, in an order that depends on its group only.

    A group whose texts carry different labels goes where its first row goes.
    """
    keys = rows[group].map(lambda text: _digest(f"{seed}\n{text}"))
    order = keys.groupby(rows[label]).rank(method="first") - 1
    sizes = rows.groupby(label)[label].transform("size")
    place = (order / sizes).to_numpy(dtype=float)
    return pd.Series(place, index=rows.index).groupby(rows[group]).transform("first").to_numpy()


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), "big")
