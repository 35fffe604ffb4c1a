"""The model's columns, by how they are read, and rows of them as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

BACKGROUND = 20


@dataclass(frozen=True)
class Columns:
    text: list[str]
    numeric: list[str]
    categorical: list[str]

    @property
    def all(self) -> list[str]:
        return [*self.text, *self.numeric, *self.categorical]

    def places(self, names: list[str]) -> list[int]:
        return [self.all.index(name) for name in names]

    def array(self, rows: pd.DataFrame) -> np.ndarray:
        """(n, columns.all), objects: texts and categories as str, numbers as float or NaN."""
        numbers = rows[self.numeric].apply(pd.to_numeric, errors="coerce").astype(object)
        words = [*self.text, *self.categorical]
        told = rows[words].astype(object).where(rows[words].notna(), "").astype(str)
        return pd.concat([told, numbers], axis=1)[self.all].to_numpy(dtype=object)

    def background(self, rows: pd.DataFrame) -> list[list[str | float | None]]:
        """Some training rows as JSON, (BACKGROUND, columns.all): what explanations compare with."""
        table = self.array(rows.head(BACKGROUND))
        return [[None if value != value else value for value in row] for row in table]


def of(rows: pd.DataFrame, text: list[str], features: list[str]) -> Columns:
    """Features that hold numbers, and others; those that prepare dropped are not there."""
    there = [name for name in features if name in rows]
    numeric = [name for name in there if pd.api.types.is_numeric_dtype(rows[name])]
    return Columns(text, numeric, [name for name in there if name not in numeric])
