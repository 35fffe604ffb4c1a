"""The three baselines of a new model, of one job: what each kind's own script suggests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from .conftest import read, run

SCRIPT = """
import json, os

def model_fn(model_dir):
    return json.load(open(os.path.join(model_dir, "model.json")))

def predict_fn(records, model):
    shares = [min(max(sum(w * r[name] for name, w in model.items()), 0), 1) for r in records]
    return [{"label": str(int(s > 0.5)), "probabilities": {"0": 1 - s, "1": s}} for s in shares]
"""
CONFIG = {"label": "truth", "label_values_or_threshold": [1], "facet": [{"name_or_index": "sex"}]}
BIAS = ("--config", json.dumps(CONFIG))


@pytest.fixture
def rows(tmp_path: Path) -> dict[str, Any]:
    """A job's folder: labelled rows, and a model that is right about most of them."""
    random = np.random.default_rng(3)
    inputs = tmp_path / "processing/input"
    for name in ("inference", "model", "baseline"):
        (inputs / name).mkdir(parents=True)
    (inputs / "inference/inference.py").write_text(SCRIPT)
    (inputs / "model/model.json").write_text(json.dumps({"age": 0.01, "size": 0.001}))
    age, size = random.uniform(0, 100, 300).round(2), random.uniform(0, 10, 300).round(2)
    found = {
        "age": age,
        "size": size,
        "sex": random.choice(["f", "m"], 300),
        "truth": (age + random.normal(0, 20, 300) > 50).astype(int),
    }
    pq.write_table(pa.table(found), inputs / "baseline/held_out.parquet")
    return found


def test_each_is_what_its_own_script_suggests(rows: dict[str, Any], tmp_path: Path) -> None:
    features = {"features_attribute": "age,size", "problem_type": "BinaryClassification"}
    message = run("model_baselines.py", tmp_path, "--label", "truth", *BIAS, **features)
    assert message == "Completed: model-quality, bias, attribution of 300 labelled records."
    said = ((rows["age"] * 0.01 + rows["size"] * 0.001) > 0.5).astype(int)
    pq.write_table(pa.table({**rows, "predicted_label": said}), tmp_path / "said.parquet")
    shared = ("--source", str(tmp_path / "said.parquet"), "--mode", "baseline")
    own, made = tmp_path / "own", tmp_path / "processing/output"
    truth = ("--truth", "truth")
    run("bias.py", tmp_path, *shared, *truth, *BIAS, "--output", str(own))
    assert read(made / "bias/constraints.json") == read(own / "constraints.json")
    run("model_quality.py", tmp_path, *shared, *truth, "--output", str(own), **features)
    key = "binary_classification_constraints"
    assert read(made / "model-quality/constraints.json")[key] == read(own / "constraints.json")[key]
    values = read(made / "attribution/constraints.json")["explanations"]["kernel_shap"]
    assert list(values["1"]["global_shap_values"]) == ["age", "size"]
    assert set(read(made / "attribution/background.json")) == {"age", "size"}


def test_only_what_is_asked_for(rows: dict[str, Any], tmp_path: Path) -> None:
    words = ("--label", "truth", "--kinds", '["model-quality"]', "--metrics", '["accuracy"]')
    run("model_baselines.py", tmp_path, *words, "--max-decline", "0.2")
    made = tmp_path / "processing/output"
    assert [path.name for path in made.iterdir()] == ["model-quality"]
    limits = read(made / "model-quality/constraints.json")
    assert list(limits["multiclass_classification_constraints"]) == ["accuracy"]
    assert limits["significance_constraints"]["minimum_change"] == 0.2


def test_no_rows_are_no_baseline(rows: dict[str, Any], tmp_path: Path) -> None:
    empty = pa.table({name: values[:0] for name, values in rows.items()})
    pq.write_table(empty, tmp_path / "processing/input/baseline/held_out.parquet")
    message = run("model_baselines.py", tmp_path, "--label", "truth", *BIAS, fails=True)
    assert "holds no rows of a baseline" in message
