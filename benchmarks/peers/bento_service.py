"""The linear model as a BentoML service; runs in the environment of `make bench-models`.

MODEL=model.joblib bentoml serve bento_service:Reviews
https://docs.bentoml.com/en/latest/get-started/hello-world.html
"""

from __future__ import annotations

import os

import bentoml
import joblib
import numpy as np


@bentoml.service
class Reviews:
    def __init__(self) -> None:
        self.pipeline = joblib.load(os.environ["MODEL"])

    @bentoml.api
    def predict(self, records: list[dict[str, str]]) -> list[dict[str, float]]:
        rows = np.array([[record["review_body"]] for record in records], dtype=object)
        classes = [str(each) for each in self.pipeline.classes_]
        return [
            dict(zip(classes, map(float, row), strict=True))
            for row in self.pipeline.predict_proba(rows)
        ]
