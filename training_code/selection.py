"""Which tabular features are worth keeping."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.feature_selection import mutual_info_classif, mutual_info_regression

MISSING = 0.99  # of the rows: an empty column
IDENTIFIER = 0.9  # distinct values a row: a name, not a quality
SAMPLE = 20_000  # rows that the mutual information is estimated on


def select(
    rows: pd.DataFrame, features: list[str], label: str, *, most: int, problem: str, seed: int
) -> tuple[list[str], dict[str, str]]:
    """(those kept, why each other was dropped).

    Empty, constant and identifying columns go; of the rest, where there are more than `most`
    (0: no limit), those stay whose mutual information with the label is the greatest.
    """
    dropped = {name: why for name in features if (why := _useless(rows[name]))}
    kept = [name for name in features if name not in dropped]
    if most and len(kept) > most:
        information = _information(rows, kept, label, problem, seed)
        best = sorted(kept, key=lambda name: -information[name])[:most]
        dropped |= {
            name: f"mutual information {information[name]:.4f} is not among the {most} greatest"
            for name in kept
            if name not in best
        }
        kept = [name for name in kept if name in best]
    return kept, dropped


def _useless(column: pd.Series) -> str:
    known = column.dropna()
    if len(known) <= (1 - MISSING) * len(column):
        return f"{1 - len(known) / max(len(column), 1):.1%} of the rows have no value"
    distinct = known.nunique()
    if distinct < 2:
        return "every row has the same value"
    if not pd.api.types.is_numeric_dtype(known) and distinct > IDENTIFIER * len(known):
        return f"{distinct} values in {len(known)} rows: an identifier"
    return ""


def _information(
    rows: pd.DataFrame, features: list[str], label: str, problem: str, seed: int
) -> dict[str, float]:
    """Mutual information of each feature with the label, in nats."""
    sample = rows.sample(min(len(rows), SAMPLE), random_state=seed)
    numeric = [pd.api.types.is_numeric_dtype(sample[name]) for name in features]
    columns = [
        sample[name].fillna(sample[name].median()) if number else pd.factorize(sample[name])[0]
        for name, number in zip(features, numeric, strict=True)
    ]
    table = np.column_stack([np.asarray(column, dtype=float) for column in columns])
    estimate = mutual_info_regression if problem == "regression" else mutual_info_classif
    target = sample[label] if problem == "regression" else pd.factorize(sample[label])[0]
    discrete = [not number for number in numeric]
    found = estimate(table, target, discrete_features=discrete, random_state=seed)
    return dict(zip(features, found.tolist(), strict=True))
