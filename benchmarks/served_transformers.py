"""Models of one training, served by the inference code: accuracy, one prediction's time, size.

`served_transformers.py TEST LABEL MODEL...`: folders; prints {MODEL: {"accuracy", "ms", "mb"}}.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "inference_code"))
import inference

TIMED, WARM = 100, 10
WEIGHTS = ("*.safetensors", "model.onnx")


def main(test: str, label: str, *models: str) -> None:
    rows = pd.read_parquet(test)
    records = rows.drop(columns=label).to_dict("records")
    print(json.dumps({name: measured(name, records, rows[label]) for name in models}))


def measured(folder: str, records: list[dict[str, str]], known: pd.Series) -> dict[str, float]:
    model = inference.model_fn(folder)
    told = [answer["label"] for answer in inference.predict_fn(records, model)]
    times = []
    for record in records[: WARM + TIMED]:
        began = time.perf_counter()
        inference.predict_fn([record], model)
        times.append(time.perf_counter() - began)
    files = [path for pattern in WEIGHTS for path in Path(folder).glob(pattern)]
    return {
        "accuracy": float((known == told).mean()),
        "ms": 1000 * statistics.median(times[WARM:]),
        "mb": sum(path.stat().st_size for path in files) / 1e6,
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
