"""Does one feature alone give the label away? Then the model learns that and nothing else.

A headline "Five Stars" is the label in words; an identifier or an amount set after the fact are
such features too. The rows are judged, not the features' names.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

MIN_ROWS = 20  # of a value, before it is judged
PURITY = 0.95  # of a value's rows, with one label
SHARE = 0.01  # of all rows, before a value is worth a warning
EXAMPLES = 5
BINS = 100  # of a number with more values


def find(rows: pd.DataFrame, features: list[str], label: str) -> list[dict[str, Any]]:
    """The features of which some values almost always mean the same label, worst first.

    {"feature", "share" of the rows with such a value, "examples": [{"value", "label", "rows",
    "purity"}]}. A value's purity counts only as far as the label's own share does not explain it.
    """
    common = rows[label].value_counts(normalize=True)
    found = [_judged(rows, name, label, common) for name in features]
    return sorted((each for each in found if each), key=lambda each: -each["share"])


def words(found: dict[str, Any]) -> str:
    first = found["examples"][0]
    return (
        f"warning: {found['feature']} gives {found['label']} away in {found['share']:.1%} of the "
        f"rows: {first['value']!r} is {first['label']} in {first['purity']:.1%} of "
        f"{first['rows']} rows"
    )


def _judged(rows: pd.DataFrame, name: str, label: str, common: pd.Series) -> dict[str, Any] | None:
    values = _values(rows[name])
    counts = pd.crosstab(values, rows[label].to_numpy())
    counts = counts[counts.sum(axis=1) >= MIN_ROWS]
    if counts.empty:
        return None
    sizes, best = counts.sum(axis=1), counts.max(axis=1)
    told = counts.idxmax(axis=1)
    purity = best / sizes
    # Twice as pure as chance would have it: one label in 98 % of all rows makes 95 % no news.
    expected = told.map(common).astype(float)
    pure = (purity >= PURITY) & (1 - purity <= (1 - expected) / 2)
    share = float(sizes[pure].sum() / len(rows))
    if share < SHARE:
        return None
    top = sizes[pure].nlargest(EXAMPLES).index
    examples = [
        {
            "value": str(value)[:80],
            "label": str(told[value]),
            "rows": int(sizes[value]),
            "purity": round(float(purity[value]), 4),
        }
        for value in top
    ]
    return {"feature": name, "label": label, "share": round(share, 4), "examples": examples}


def _values(column: pd.Series) -> pd.Series:
    """Texts without case and surrounding space; numbers of many values in bins."""
    if pd.api.types.is_numeric_dtype(column) and column.nunique() > BINS:
        bins = max(1, min(BINS, len(column) // (2 * MIN_ROWS)))
        return pd.qcut(column, bins, labels=False, duplicates="drop")
    known = column.astype(object).where(column.notna(), np.nan)
    return known.map(lambda value: value.strip().lower() if isinstance(value, str) else value)
