"""Have texts changed as a whole? Two tests on samples, where no single measure may tell.

The TF-IDF centroids' distance, beyond what random splits of the same texts have; and how well a
classifier tells live texts from the baseline's (AUC - 0.5).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from checks import significance
from checks.comparison import DRIFT, Comparison

FEWEST = 30  # texts on either side that such a test needs
FEATURES = 5000
SPLITS = 60
FOLDS = 4


def compare(
    names: Sequence[str], baseline: pa.Table, live: pa.Table, threshold: float
) -> Iterator[Comparison]:
    """Both tests of every text column that the two samples have."""
    for name in names:
        if name in baseline.column_names and name in live.column_names:
            texts = [_texts(each[name]) for each in (baseline, live)]
            if min(map(len, texts)) >= FEWEST:
                yield from _compare(name, *texts, threshold)


def _compare(
    name: str, baseline: list[str], live: list[str], threshold: float
) -> Iterator[Comparison]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(
        max_features=FEATURES, min_df=2, sublinear_tf=True, token_pattern=r"[^\W\d_]{2,}"
    )
    try:
        matrix = vectorizer.fit_transform(baseline + live)
    except ValueError:  # no word occurs twice
        return
    sides = np.repeat([0, 1], [len(baseline), len(live)])
    value, chance = _centroids(matrix, sides)
    distance, p = value - float(chance.mean()), significance.beyond(value, chance)
    yield Comparison(name, DRIFT, "TF-IDF centroid", max(0.0, distance), threshold, p)
    auc = _auc(matrix, sides)
    p = significance.auc(auc, len(baseline), len(live))
    yield Comparison(
        name, DRIFT, "Domain classifier (AUC - 0.5)", max(0.0, auc - 0.5), threshold, p
    )


def _centroids(matrix: object, sides: np.ndarray) -> tuple[float, np.ndarray]:
    """Cosine distance of the two sides' mean vectors, and that of random sides."""
    random = np.random.default_rng(0)
    splits = np.stack([sides, *(random.permutation(sides) for _ in range(SPLITS))])
    sums = splits.astype(float) @ matrix  # type: ignore[operator]
    other = (1.0 - splits) @ matrix  # type: ignore[operator]
    norms = np.linalg.norm(sums, axis=1) * np.linalg.norm(other, axis=1)
    apart = 1 - (sums * other).sum(axis=1) / norms
    return float(apart[0]), apart[1:]


def _auc(matrix: object, sides: np.ndarray) -> float:
    """Of texts that the classifier has not seen, averaged over the folds."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold

    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    model = LogisticRegression(solver="liblinear", class_weight="balanced")
    found = []
    for train, test in folds.split(sides, sides):
        model.fit(matrix[train], sides[train])  # type: ignore[index]
        scores = model.decision_function(matrix[test])  # type: ignore[index]
        found.append(roc_auc_score(sides[test], scores))
    return float(np.mean(found))


def _texts(column: pa.ChunkedArray) -> list[str]:
    return [text for text in column.cast(pa.string()).to_pylist() if text]
