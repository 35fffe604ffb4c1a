"""The evaluation of a model: comparison, slices, explanations and the card."""

from __future__ import annotations

import html
import json
import re
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import comparison
import evaluate
import explain
import inference
import model_card
import numpy as np
import pandas as pd
import pytest
import train
from scoring import Classified, Estimated
from threadpoolctl import threadpool_limits

COUNT = 600


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def answers(right: float, seed: int, count: int = COUNT) -> Classified:
    """A classifier of two classes that is right in a share of the rows."""
    random = np.random.default_rng(seed)
    actual = np.arange(count) % 2
    hit = random.permutation(count) < right * count
    return Classified(["a", "b"], actual, np.where(hit, actual, 1 - actual), None)


@pytest.mark.parametrize(
    ("challenger", "champion", "verdict"),
    [
        (answers(0.9, 1), answers(0.5, 2), "better"),
        (answers(0.5, 1), answers(0.9, 2), "worse"),
        (answers(0.7, 1), answers(0.7, 2), "even"),
        (answers(0.7, 1), answers(0.7, 1), "same"),
    ],
)
def test_the_interval_tells_better_from_chance(
    challenger: Classified, champion: Classified, verdict: str
) -> None:
    found = comparison.compare(challenger, champion, seed=1)["accuracy"]
    low, high = found["interval"]
    assert found["difference"] == pytest.approx(found["challenger"] - found["champion"])
    assert low <= found["difference"] <= high
    assert {
        "better": low > 0,
        "worse": high < 0,
        "even": low < 0 < high,
        "same": low == high == 0,
    }[verdict]


def test_pairs_have_a_narrower_interval_than_strangers() -> None:
    """Two models that fail on the same rows differ in few: their interval is narrow."""
    one = answers(0.7, 1)
    other = Classified(one.classes, one.actual, one.predicted.copy(), None)
    other.predicted[:6] = 1 - other.predicted[:6]
    low, high = comparison.compare(one, other, seed=1)["accuracy"]["interval"]
    assert high - low < 0.03 < 2 * 1.96 * (2 * 0.7 * 0.3 / COUNT) ** 0.5


def test_slices_of_rows_enough_are_measured() -> None:
    kinds = ["big"] * 500 + [None] * 71 + ["few"] * 29
    places = comparison.slices(pd.DataFrame({"kind": kinds}), ["kind"])
    found = comparison.by_slice(places, answers(0.9, 1), answers(0.8, 2), seed=1)
    assert [(each["value"], each["rows"]) for each in found] == [("big", 500), ("(none)", 71)]
    assert found[0]["comparison"]["accuracy"]["difference"] > 0
    numbers = Estimated(np.arange(600.0), np.arange(600.0) + 1)
    assert comparison.by_slice(places, numbers, None, seed=1)[0]["metrics"]["mae"]["value"] == 1


def rows(problem: str) -> pd.DataFrame:
    random = np.random.default_rng(5)
    good = random.random(COUNT) < 0.5
    body = [f"{'fine' if g else 'awful'} <b>thing</b> {n % 7}" for n, g in enumerate(good)]
    votes = good * 5 + random.random(COUNT)
    good ^= random.random(COUNT) < 0.05  # nothing tells everything
    labels: dict[str, Any] = {
        "multiclass": np.where(good, np.where(random.random(COUNT) < 0.5, 5, 4), 1),
        "binary": np.where(good, "keep", "back"),
        "regression": good * 4.0 + random.random(COUNT),
    }
    return pd.DataFrame(
        {
            "body": body,
            "votes": votes,
            "kind": np.where(random.random(COUNT) < 0.4, "new", "used"),
            "label": labels[problem],
        }
    )


def evaluated(base: Path, problem: str, *words: str) -> Path:
    """The folder of the evaluation of a model trained on the rows."""
    inputs = base / "processing" / "input"
    frame = rows(problem)
    parts = {"train": frame[:300], "validation": frame[300:400], "test": frame[400:]}
    for name, part in parts.items():
        (inputs / name).mkdir(parents=True)
        part.to_parquet(inputs / name / "part.parquet")
    common = ["--train", str(inputs / "train"), "--validation", str(inputs / "validation")]
    common += ["--label", "label", "--problem", problem, *words]
    for role, more in (("model", []), ("champion", ["-C", "0.01", "--max-iter", "2"])):
        folder = base / role
        train.run(train.parse([*common, "--model-dir", str(folder), *more]))
        (inputs / role).mkdir()
        with tarfile.open(inputs / role / "model.tar.gz", "w:gz") as archive:
            for path in folder.iterdir():
                archive.add(path, path.name)
    leak = {"feature": "votes", "label": "label", "share": 0.4, "examples": [
        {"value": "<9>", "label": "5", "rows": 99, "purity": 1.0}]}  # fmt: skip
    (inputs / "prepare").mkdir()
    (inputs / "prepare" / "prepare.json").write_text(json.dumps({"leaks": [leak]}))
    return evaluate_again(base, problem)


def evaluate_again(base: Path, problem: str) -> Path:
    evaluate.run(
        evaluate.parse(
            ["--base", str(base), "--label", "label", "--problem", problem, "--inputs",
             '["body", "votes", "kind"]', "--slices", '["kind"]', "--facets", '["kind"]',
             "--positive", '[5, 4, "keep"]']
        )
    )  # fmt: skip
    return base / "processing" / "output" / "evaluation"


TEXT = ("--text", '["body"]')
BOTH = (*TEXT, "--features", '["votes", "kind"]')
BOOSTED = ("--model", "boosted", "--max-iter", "10", "--features", '["votes", "kind"]')


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("multiclass", TEXT),
        ("multiclass", BOTH),
        ("multiclass", BOOSTED),
        ("binary", BOTH),
        ("regression", BOTH),
        ("regression", BOOSTED),
    ],
)
def test_every_problem_is_evaluated_whole(
    tmp_path: Path, problem: str, words: tuple[str, ...]
) -> None:
    folder = evaluated(tmp_path, problem, *words)
    documents = {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}
    assert set(documents) == {
        "evaluation", "champion", "comparison", "slices", "bias", "explanations", "training",
    }  # fmt: skip
    kind = "regression" if problem == "regression" else f"{problem}_classification"
    metrics = documents["evaluation"][f"{kind}_metrics"]
    metric = "rmse" if problem == "regression" else "accuracy"
    assert metrics[metric]["standard_deviation"] > 0
    assert {each["value"] for each in documents["slices"]} == {"new", "used"}
    assert max(documents["explanations"]["columns"].values()) > 0.1
    assert bool(documents["explanations"]["terms"]) is (words is not BOOSTED)
    assert bool(documents["explanations"]["shap"]) is (words is BOOSTED)
    assert bool(documents["bias"]) is (problem != "regression")
    card = (folder / "model_card.html").read_text()
    assert "<b>thing</b>" not in card
    assert not re.search(r"(src|href)=|url\(|@import|<script", card)
    assert ("its numbers may not hold" in card) is (words is not TEXT)
    for title in ("Against the model in service", "A column that tells too much", "Facts"):
        assert title in card


@pytest.mark.parametrize(
    ("champion", "reason"),
    [
        ("nothing", "FileNotFoundError: "),  # of a script whose serving code is gone
        ("regression", "KeyError: 'label'"),  # from before the problem was another
    ],
)
def test_a_champion_that_cannot_be_asked_is_told(
    tmp_path: Path, champion: str, reason: str
) -> None:
    folder = evaluated(tmp_path / "now", "binary", *BOOSTED)
    archive = tmp_path / "now" / "processing" / "input" / "champion" / "model.tar.gz"
    if champion == "nothing":
        tarfile.open(archive, "w:gz").close()
    else:
        evaluated(tmp_path / "before", champion, *BOOSTED)
        archive.write_bytes((tmp_path / "before/processing/input/model/model.tar.gz").read_bytes())
    shutil.rmtree(archive.with_name("model"))
    shutil.rmtree(folder)
    evaluate_again(tmp_path / "now", "binary")
    told = json.loads((folder / "not_compared.json").read_text())["reason"]
    assert told.startswith(reason)
    assert not {"comparison.json", "champion.json"} & {path.name for path in folder.iterdir()}
    assert html.escape(told) in (folder / "model_card.html").read_text()


def test_a_binary_problems_positive_label_is_the_wished_for_one(tmp_path: Path) -> None:
    folder = evaluated(tmp_path, "binary", *TEXT)
    metrics = json.loads((folder / "evaluation.json").read_text())["binary_classification_metrics"]
    counts = metrics["confusion_matrix"]
    assert list(counts) == ["back", "keep"]
    truth = counts["keep"]["keep"] + counts["keep"]["back"]
    assert metrics["recall"]["value"] == pytest.approx(counts["keep"]["keep"] / truth)


@pytest.mark.parametrize("problem", ["multiclass", "binary", "regression"])
def test_a_linear_models_terms_add_up_to_its_answer(tmp_path: Path, problem: str) -> None:
    evaluated(tmp_path, problem, *BOTH)
    model = inference.model_fn(str(tmp_path / "model"))
    record = {"body": "fine thing 3", "votes": 5.5, "kind": "new"}
    (answer,) = inference.predict_fn(inference.Records([record], True), model)
    why = answer["explanation"]
    explained = why["intercept"] + sum(term["weight"] for term in why["terms"])
    assert explained == pytest.approx(why["total"], abs=1e-4)  # there are fewer terms than TOP
    if problem == "regression":
        assert why["total"] == pytest.approx(answer["prediction"], abs=1e-4)
        return
    logits = np.log(list(answer["probabilities"].values()))
    place = list(answer["probabilities"]).index(answer["label"])
    assert why["total"] == pytest.approx(logits[place] - logits.mean(), abs=1e-3)


@pytest.mark.parametrize("problem", ["multiclass", "binary", "regression"])
def test_a_boosted_models_terms_add_up_to_its_answer(tmp_path: Path, problem: str) -> None:
    evaluated(tmp_path, problem, *BOOSTED)
    model = inference.model_fn(str(tmp_path / "model"))
    asked = inference.Records([{"votes": 9, "kind": "new"}, {"kind": None}], explain=True)
    for answer in inference.predict_fn(asked, model):
        why = answer["explanation"]
        assert why["method"] == "shap"
        added = why["intercept"] + sum(term["weight"] for term in why["terms"])
        assert added == pytest.approx(why["total"], rel=1e-5)
        probability = answer.get("probabilities", {}).get(answer.get("label"))
        assert why["total"] == pytest.approx(answer.get("prediction", probability), rel=1e-5)
        assert why["terms"][0]["column"] == "votes"


@pytest.mark.parametrize("problem", ["multiclass", "regression"])
def test_what_decides_overall_is_on_the_card(tmp_path: Path, problem: str) -> None:
    folder = evaluated(tmp_path, problem, *BOOSTED)
    shap = json.loads((folder / "explanations.json").read_text())["shap"]
    assert set(shap) == ({"value"} if problem == "regression" else {"1", "4", "5"})
    assert all(told["votes"] > told["kind"] >= 0 for told in shap.values())
    assert "absolute Shapley values" in (folder / "model_card.html").read_text()


def test_a_model_of_ones_own_says_that_it_cannot_explain() -> None:
    class Alone:
        feature_names_in_ = ("body",)

        def predict(self, rows: Any) -> list[float]:
            return [1.0] * len(rows)

    asked = inference.Records([{"body": "x"}], explain=True)
    with pytest.raises(inference.BadRequestError, match="cannot explain"):
        inference.predict_fn(asked, (Alone(), {}))


def test_names_of_rare_categories_are_one(tmp_path: Path) -> None:
    evaluated(tmp_path, "multiclass", *BOTH)
    pipeline, metadata = inference.model_fn(str(tmp_path / "model"))
    columns, terms = explain.names(pipeline, metadata)
    assert (
        len(columns)
        == len(terms)
        == pipeline[:-1].transform(inference.array([{}], metadata)).shape[1]
    )
    assert dict.fromkeys(columns) == {"body": None, "votes": None, "kind": None}


def test_words_of_every_metric_on_the_card_are_told() -> None:
    assert set(model_card.WORDS) >= model_card.PERCENT
