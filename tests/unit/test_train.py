"""Every model for every problem: trained from Parquet, served as the endpoint serves it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import inference
import numpy as np
import pandas as pd
import pytest
import train
from threadpoolctl import threadpool_limits

COUNT = 400


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other on a busy machine take minutes over milliseconds."""
    with threadpool_limits(1):
        yield


def rows(problem: str, scale: float = 1) -> pd.DataFrame:
    """What the label is stands in the text and in the tabular columns alike."""
    random = np.random.default_rng(7)
    stars = random.integers(1, 6, COUNT)
    frame = pd.DataFrame(
        {
            "body": [f"{['awful', 'poor', 'fair', 'good', 'great'][s - 1]} thing" for s in stars],
            "votes": stars * 10 + random.random(COUNT),
            "kind": np.where(stars > 3, "new", "used"),
        }
    )
    frame.loc[:5, ["votes", "kind"]] = None
    labels = {
        "multiclass": stars,
        "binary": np.where(stars > 3, "high", "low"),
        "regression": (stars + 0.5) * scale,
    }
    return frame.assign(label=labels[problem])


def trained(folder: Path, problem: str, *words: str, scale: float = 1) -> Any:
    """The served model after `train.py` with the words."""
    frame = rows(problem, scale)
    for name, part in (("train", frame[:300]), ("validation", frame[300:])):
        (folder / name).mkdir()
        part.to_parquet(folder / name / "part.parquet")
    options = ["--train", str(folder / "train"), "--validation", str(folder / "validation")]
    options += ["--model-dir", str(folder / "model"), "--label", "label", "--problem", problem]
    train.run(train.parse([*options, *words]))
    return inference.model_fn(str(folder / "model"))


TEXT = ("--text", '["body"]')
FEATURES = ("--features", '["votes", "kind", "dropped_by_prepare"]')
GOOD = {"body": "great thing", "votes": 50.5, "kind": "new"}
BAD = {"body": "awful thing", "votes": 10.5, "kind": "used"}


@pytest.mark.parametrize(
    "words",
    [TEXT, FEATURES, (*TEXT, *FEATURES), ("--model", "boosted", "--max-iter", "20", *FEATURES)],
    ids=["linear text", "linear tabular", "linear both", "boosted"],
)
@pytest.mark.parametrize(
    ("problem", "high", "low"), [("multiclass", "5", "1"), ("binary", "high", "low")]
)
def test_a_classifier(
    tmp_path: Path, words: tuple[str, ...], problem: str, high: str, low: str
) -> None:
    model = trained(tmp_path, problem, *words)
    found = inference.predict_fn([GOOD, BAD], model)
    assert [each["label"] for each in found] == [high, low]
    assert sum(found[0]["probabilities"].values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    "words",
    [(*TEXT, "-C", "10"), FEATURES, ("--model", "boosted", "--max-iter", "20", *FEATURES)],
    ids=["linear text", "linear tabular", "boosted"],
)
def test_a_regression(tmp_path: Path, words: tuple[str, ...]) -> None:
    model = trained(tmp_path, "regression", *words)
    high, low = inference.predict_fn([GOOD, BAD], model)
    assert high["prediction"] == pytest.approx(5.5, abs=0.7)
    assert low["prediction"] == pytest.approx(1.5, abs=0.7)
    assert set(model[1]["scores"]["validation"]) == {"rmse"}


@pytest.mark.parametrize("words", [FEATURES, ("--model", "boosted", *FEATURES)])
def test_a_label_of_a_small_scale_keeps_its_digits(
    tmp_path: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """A search compares its trials by what the log says, and the gate models by their answers."""
    model = trained(tmp_path, "regression", *words, scale=1e-6)
    (told,) = re.findall(r"validation_rmse=([0-9.eE+-]+);", capsys.readouterr().out)
    scores = model[1]["scores"]["validation"]
    assert float(told) == pytest.approx(scores["rmse"], rel=1e-5)
    assert 0 < scores["rmse"] < 1e-6
    high, low = inference.predict_fn(inference.Records([GOOD, BAD], explain=True), model)
    assert high["prediction"] == pytest.approx(5.5e-6, rel=0.2)
    assert low["prediction"] == pytest.approx(1.5e-6, rel=0.4)
    assert any(term["weight"] for term in high["explanation"]["terms"])


@pytest.mark.parametrize(
    "words", [(*TEXT, *FEATURES), ("--model", "boosted", "--max-iter", "20", *FEATURES)]
)
def test_what_is_missing_or_unknown_is_answered_all_the_same(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    model = trained(tmp_path, "multiclass", *words)
    strange = [{}, {"body": "", "votes": None, "kind": None}, {"kind": "never seen"}]
    assert all(each["label"] in "12345" for each in inference.predict_fn(strange, model))


@pytest.mark.parametrize(
    ("record", "words"),
    [({"body": 5}, "body must be a text"), ({"votes": "many"}, "votes must be a number")],
)
def test_a_record_of_the_wrong_type_is_a_bad_request(
    tmp_path: Path, record: dict[str, Any], words: str
) -> None:
    model = trained(tmp_path, "multiclass", *TEXT, *FEATURES)
    with pytest.raises(inference.BadRequestError, match=words):
        inference.predict_fn([record], model)


def test_the_same_rows_and_seed_give_the_same_weights(tmp_path: Path) -> None:
    weights = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        model, _ = trained(tmp_path / name, "multiclass", *TEXT)
        weights.append(model[-1].coef_)
    assert (weights[0] == weights[1]).all()


def test_class_weights_lift_the_rare_class(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    rare = random.random(300) < 0.1
    body = np.where(rare ^ (random.random(300) < 0.2), "odd", "usual")
    for name in ("train", "validation"):
        (tmp_path / name).mkdir()
        frame = pd.DataFrame({"body": body, "label": rare.astype(int)})
        frame.to_parquet(tmp_path / name / "part.parquet")
    told = {}
    for weights in ("balanced", "none"):
        options = ["--train", str(tmp_path / "train"), "--validation", str(tmp_path / "validation")]
        options += ["--model-dir", str(tmp_path / weights), "--label", "label", *TEXT]
        train.run(train.parse([*options, "--class-weight", weights]))
        model = inference.model_fn(str(tmp_path / weights))
        told[weights] = inference.predict_fn([{"body": "odd"}], model)[0]["label"]
    assert told == {"balanced": "1", "none": "0"}


def test_a_boosted_model_without_columns_says_so(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    rows("multiclass").to_parquet(tmp_path / "train" / "part.parquet")
    script = Path(train.__file__)
    done = subprocess.run(
        [sys.executable, str(script), "--train", "train", "--validation", "train", "--model-dir",
         "model", "--label", "label", "--text", '["body"]', "--model", "boosted"],
        cwd=tmp_path, env={"PATH": os.defpath, "SAGEMAKER_BASE_DIR": str(tmp_path)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "model.features names none" in (tmp_path / "output" / "failure").read_text()


def test_the_metadata_says_what_the_model_is(tmp_path: Path) -> None:
    trained(tmp_path, "binary", *TEXT, *FEATURES)
    metadata = json.loads((tmp_path / "model" / "metadata.json").read_text())
    assert metadata["numeric"] == ["votes"]
    assert metadata["categorical"] == ["kind"]
    assert metadata["classes"] == ["high", "low"]
    assert metadata["training_rows"] == 300
