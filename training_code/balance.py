"""As many rows of every class: fewer of the large ones, or more of the small ones."""

from __future__ import annotations

import pandas as pd


def undersample(rows: pd.DataFrame, label: str) -> pd.DataFrame:
    """Of every class as many rows as the smallest has, the first of each."""
    smallest = int(rows[label].value_counts().min())
    return rows.groupby(label).head(smallest)


def oversample(rows: pd.DataFrame, label: str, seed: int) -> pd.DataFrame:
    """Of every class as many rows as the largest has: all of them, and some again."""
    largest = int(rows[label].value_counts().max())
    drawn = [
        part.sample(largest - len(part), replace=True, random_state=seed)
        for _, part in rows.groupby(label)
    ]
    return pd.concat([rows, *drawn]).sample(frac=1, random_state=seed)
