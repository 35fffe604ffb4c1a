"""Splits: each group of rows on one side, classes in their shares, or the future apart.

A row's side follows from its group and the seed alone, so it keeps its side when the dataset
grows: no later model is tested on what an earlier one learned from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd
import similar
from failures import DataError

NAMES = ("train", "validation", "test")
MIN_ROWS = 10  # of each class
BINS = 10  # of a number to predict, as its strata


def strata(label: pd.Series, problem: str) -> pd.Series:
    """What is shared out evenly: the classes, or for a regression tenths of the label.

    DataError where there are too few rows of one.
    """
    if problem == "regression":
        if len(label) < MIN_ROWS * 2:
            raise DataError(f"there are {len(label)} rows; {MIN_ROWS * 2} are needed")
        return pd.qcut(label.rank(method="first"), BINS, labels=False)
    counts = label.value_counts()
    if len(counts) < 2:
        raise DataError(f"{label.name} has {len(counts)} class; a classifier needs two")
    if problem == "binary" and len(counts) > 2:
        raise DataError(f"{label.name} has {len(counts)} classes; a binary problem has two")
    if counts.min() < MIN_ROWS:
        raise DataError(
            f"{label.name}={counts.idxmin()} has {counts.min()} rows; {MIN_ROWS} are needed"
        )
    return label


def digests(texts: Sequence[str], seed: int) -> np.ndarray:
    """A number in [0, 2**56) for each text, (n,) int64, that looks drawn by chance."""
    return np.array([_digest(f"{seed}\n{text}") for text in texts], dtype=np.int64)


def groups(texts: Sequence[str], similarity: float, keys: pd.Series | None = None) -> np.ndarray:
    """The group of each row, (n,) int32: alike texts, and rows of the same key, stay together."""
    alike = similar.groups(texts, similarity)
    if keys is None:
        return alike
    known = keys.notna().to_numpy()
    codes = keys.astype("category").cat.codes.to_numpy().astype(np.int64)
    codes = np.where(known, codes + alike.max(initial=0) + 1, alike)
    count = int(codes.max(initial=0)) + 1
    return similar.components(count, alike, codes)[alike]


def by_share(
    stratum: pd.Series, group: np.ndarray, digest: np.ndarray, *, validation: float, test: float
) -> np.ndarray:
    """The side of each row, (n,) of NAMES: by chance, a group whole, in the stratum's shares.

    A group goes by its row of the least digest, in that row's stratum; each stratum has a group on
    each side, however small it is. DataError where a stratum has too few groups for that.
    """
    frame = pd.DataFrame({"group": group, "stratum": stratum.to_numpy(), "digest": digest})
    heads = frame.sort_values("digest", kind="stable").drop_duplicates("group")
    # Hashed anew: the least of a large group's digests is smaller than chance would have it.
    drawn = similar.mix(heads["digest"].to_numpy().astype(np.uint64))
    heads = heads.assign(place=drawn / 2.0**64).sort_values("place")
    place = heads["place"]
    counts = heads["stratum"].value_counts()
    if counts.min() < len(NAMES):
        raise DataError(
            f"the rows of {stratum.name}={counts.idxmin()} are {counts.min()} groups of rows that "
            f"belong together; {len(NAMES)} are needed"
        )
    order = heads.groupby("stratum").cumcount()
    tested = (place < test) | (order == 0)
    # The places are in order, so the first that is not for the test comes after all that are.
    first = tested.groupby(heads["stratum"]).transform("sum")
    validated = (place < test + validation) | (order == first)
    sides = np.select([tested, validated], ["test", "validation"], "train")
    return pd.Series(sides, index=heads["group"]).loc[group].to_numpy()


def by_time(moment: pd.Series, group: np.ndarray, *, validation: float, test: float) -> np.ndarray:
    """The side of each row by when it was: train before validation before test.

    Rows of the same moment share a side. A later row of a group that began on an earlier side
    is a copy of what was learned, and is left out: its side is "".
    """
    if moment.isna().any():
        raise DataError(f"{moment.name} is missing in {int(moment.isna().sum())} rows")
    place = moment.rank(method="min", pct=True).to_numpy() - 1 / len(moment)
    limits = 1 - validation - test, 1 - test
    sides = np.searchsorted(limits, place, side="right")
    first = pd.Series(sides).groupby(group).transform("min").to_numpy()
    named = np.array(NAMES)[sides]
    return np.where(sides > first, "", named)


def _digest(text: str) -> int:
    content = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(content, digest_size=7).digest(), "big")
