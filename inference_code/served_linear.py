"""A linear pipeline that answers a few rows at once without scikit-learn.

Many rows, and explanations, are the pipeline's own, which is loaded when it is first needed.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import Any

import linear_scorer
import numpy as np

FEW = 32  # rows: beyond that scikit-learn's vectors are faster


class ServedLinear:
    """The pipeline of a model's folder, beside its scorer."""

    def __init__(self, folder: str, scorer: linear_scorer.LinearScorer) -> None:
        self._folder, self._scorer = folder, scorer
        if scorer.classes:
            self.classes_ = np.array(scorer.classes, dtype=object)
            self.predict_proba = self._predict_proba

    @cached_property
    def pipeline(self) -> Any:
        import joblib

        return joblib.load(os.path.join(self._folder, "model.joblib"))

    @property
    def steps(self) -> Any:
        return self.pipeline.steps

    def __getitem__(self, place: Any) -> Any:
        return self.pipeline[place]

    def predict(self, rows: np.ndarray) -> np.ndarray:
        if len(rows) > FEW or self._scorer.classes:
            return self.pipeline.predict(rows)
        return np.array([self._scorer.value(row) for row in rows])

    def _predict_proba(self, rows: np.ndarray) -> np.ndarray:
        if len(rows) > FEW:
            return self.pipeline.predict_proba(rows)
        return np.array([self._scorer.probabilities(row) for row in rows])
