"""Records that show what drifted: their values are far more frequent live than in the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from profiles import text
from profiles.text import Vocabulary

BINS = 10  # of a number's values in the baseline
OOV = "_oov"  # of a text that drifted, the records with the most unknown words


def telling(
    live: pa.Table,
    reference: pa.Table,
    features: Sequence[str],
    vocabulary: Vocabulary,
    count: int,
) -> list[dict[str, Any]]:
    """At most `count` rows of `live`; each feature in turn gives the one that shows it best.

    `features`: those that drifted, the furthest first; measures of texts among them.
    """
    if not live.num_rows:
        return []
    now, before = (_with_measures(table, vocabulary) for table in (live, reference))
    named = [name + OOV if name in vocabulary else name for name in features]
    shown = [
        surprise(now[name], _column(before, name)) for name in named if name in now.schema.names
    ]
    if not shown:
        return live.slice(0, count).to_pylist()
    total, chosen = np.sum(shown, axis=0), list[int]()
    for turn in range(min(count, live.num_rows)):
        ranked = np.lexsort((-total, -shown[turn % len(shown)]))
        chosen.append(next(int(row) for row in ranked if int(row) not in chosen))
    return live.take(pa.array(chosen, pa.int64())).to_pylist()


def surprise(live: pa.ChunkedArray, baseline: pa.ChunkedArray) -> np.ndarray:
    """Of each live value (n,), the share of its kind that the baseline does not explain.

    0 where it is as frequent in the baseline or more, 1 where it is unknown there.
    """
    codes = _codes(live, baseline)
    now, before = codes[: len(live)], codes[len(live) :]
    shares = [
        np.bincount(side, minlength=codes.max() + 1) / max(1, len(side)) for side in (now, before)
    ]
    ratio = shares[1][now] / shares[0][now]
    return np.clip(1 - ratio, 0, 1)


def _codes(live: pa.ChunkedArray, baseline: pa.ChunkedArray) -> np.ndarray:
    """Every value's bin: of all but numbers itself; missing ones have their own."""
    values, known = [*live.to_pylist(), *baseline.to_pylist()], baseline.to_pylist()
    present = [value for value in values if value is not None]
    if present and all(isinstance(value, int | float) for value in present):
        edges = _edges([value for value in known if value is not None] or present)
        binned = 1 + np.searchsorted(edges, [0 if v is None else v for v in values], side="right")
        return np.where([value is None for value in values], 0, binned)
    spoken = np.array(["" if value is None else f"={value}" for value in values])
    return np.unique(spoken, return_inverse=True)[1]


def _edges(values: list[float]) -> np.ndarray:
    """Deciles from the least value to just beyond the greatest: what is further has its own bin."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)))
    edges[-1] = np.nextafter(edges[-1], np.inf)
    return edges


def _with_measures(table: pa.Table, vocabulary: Vocabulary) -> pa.Table:
    measured = text.features(table, vocabulary) if vocabulary else pa.table({})
    for name in measured.column_names:
        table = table.append_column(name, measured[name])
    return table


def _column(table: pa.Table, name: str) -> pa.ChunkedArray:
    """All missing where the baseline has no such column."""
    if name in table.column_names:
        return table[name]
    return pa.chunked_array([pa.nulls(table.num_rows)])
