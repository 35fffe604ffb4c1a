"""The scorer of a linear model answers as scikit-learn's pipeline, to the sixth digit."""

from __future__ import annotations

import json
import math
from pathlib import Path

import columns
import inference
import joblib
import lean_linear
import linear_scorer
import numpy as np
import pandas as pd
import pytest
import served_linear
import train

from cli import reviews

COUNT, UNSEEN = 900, 300
KINDS = ["new", "used", "worn", "", "rare"]


def rows(problem: str) -> pd.DataFrame:
    """Reviews with a number and a category beside their text, some of them missing."""
    made = pd.DataFrame(reviews.rows(COUNT + UNSEEN, seed=3))
    made["kind"] = [KINDS[at % 4] if at % 399 else KINDS[4] for at in range(len(made))]
    made["votes"] = [math.nan if at % 7 == 0 else (at * 37) % 50 for at in range(len(made))]
    stars = made["star_rating"].astype(int)
    made["label"] = {"multiclass": stars, "binary": stars > 3, "regression": stars}[problem]
    return made[["review_body", "votes", "kind", "label"]]


@pytest.fixture(scope="module", params=["multiclass", "binary", "regression"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """A model's folder, unseen rows as the pipeline reads them, and as records."""
    folder, made = tmp_path_factory.mktemp(request.param), rows(request.param)
    for name, part in (("train", made[:COUNT]), ("validation", made[COUNT:])):
        (folder / name).mkdir()
        part.to_parquet(folder / name / "rows.parquet", index=False)
    words = ["--train", str(folder / "train"), "--validation", str(folder / "validation")]
    words += ["--model-dir", str(folder / "model"), "--label", "label"]
    words += ["--problem", request.param, "--text", '["review_body"]']
    words += ["--features", '["votes", "kind"]', "--learning_curve", "[]"]
    train.run(train.parse(words))
    unseen = made[COUNT:].reset_index(drop=True)
    table = columns.of(unseen, ["review_body"], ["votes", "kind"]).array(unseen)
    return folder / "model", table, unseen


def test_every_unseen_row_is_answered_alike(trained) -> None:
    folder, table, _ = trained
    pipeline, scorer = joblib.load(folder / "model.joblib"), linear_scorer.load(str(folder))
    assert scorer is not None
    if not scorer.classes:
        told = np.array([scorer.value(row) for row in table])
        assert np.abs(told - pipeline.predict(table)).max() < 1e-5
        return
    told = np.array([scorer.probabilities(row) for row in table])
    assert scorer.classes == [str(each) for each in pipeline.classes_]
    assert np.abs(told - pipeline.predict_proba(table)).max() < 1e-6


@pytest.mark.parametrize(
    "row",
    [
        ["", math.nan, "never seen"],
        ["é \u2028 !?! 漢字 " * 50, 1e9, ""],
        ["ÄRGER ärger", -0.0, "new"],
    ],
    ids=["nothing", "strange", "capitals"],
)
def test_strange_rows_too(trained, row) -> None:
    folder, _, _ = trained
    pipeline, scorer = joblib.load(folder / "model.joblib"), linear_scorer.load(str(folder))
    table = np.array([row], dtype=object)
    if scorer.classes:
        (wanted,) = pipeline.predict_proba(table)
        assert scorer.probabilities(row) == pytest.approx(wanted.tolist(), abs=1e-6)
    else:
        assert scorer.value(row) == pytest.approx(float(pipeline.predict(table)[0]), rel=1e-5)


def test_the_endpoint_answers_few_rows_as_it_answers_many(trained) -> None:
    folder, _, unseen = trained
    model = inference.model_fn(str(folder))
    assert isinstance(model[0], served_linear.ServedLinear)
    records = [
        {name: value for name, value in row.items() if value == value and name != "label"}
        for row in unseen[: served_linear.FEW + 1].to_dict("records")
    ]
    many = inference.predict_fn(records, model)
    one_by_one = [inference.predict_fn([record], model)[0] for record in records]
    for answer, alone in zip(many, one_by_one, strict=True):
        if "prediction" in answer:
            assert answer["prediction"] == pytest.approx(alone["prediction"], abs=2e-5)
        else:
            assert answer["probabilities"] == pytest.approx(alone["probabilities"], abs=2e-6)
    explained = inference.predict_fn(inference.Records([records[0]], explain=True), model)
    assert explained[0]["explanation"]["terms"]


def test_without_scikit_learn_answers_and_explanations_are_the_same(trained) -> None:
    folder, _, unseen = trained
    pipeline, metadata = inference.model_fn(str(folder))
    scorer = linear_scorer.load(str(folder))
    assert scorer is not None
    records = [
        {name: value for name, value in row.items() if value == value and name != "label"}
        for row in unseen[:20].to_dict("records")
    ]
    wanted = inference.predict_fn(inference.Records(records, explain=True), (pipeline, metadata))
    rows = inference.rows_of(records, metadata)
    for row, there in zip(rows, wanted, strict=True):
        here = lean_linear.answer(scorer, row, explain=True)
        ours, theirs = here.pop("explanation"), there.pop("explanation")
        assert here.get("label") == there.get("label")
        if "prediction" in there:
            assert here["prediction"] == pytest.approx(there["prediction"], rel=1e-5)
        shares = there.get("probabilities", {})
        assert here.get("probabilities", {}) == pytest.approx(shares, abs=2e-6)
        for name in ("intercept", "total"):
            assert ours[name] == pytest.approx(theirs[name], abs=1e-4)
        sizes = [[abs(term["weight"]) for term in each["terms"]] for each in (ours, theirs)]
        assert sizes[0] == pytest.approx(sizes[1], abs=1e-4)
        both = weights(ours).keys() & weights(theirs).keys()  # of equal weights any may be the last
        assert len(both) >= len(ours["terms"]) - 3
        for name in both:
            assert weights(ours)[name] == pytest.approx(weights(theirs)[name], abs=1e-4)


def weights(explanation: dict) -> dict[tuple[str, str], float]:
    return {(term["column"], term["term"]): term["weight"] for term in explanation["terms"]}


def test_a_folder_without_it_has_no_scorer(tmp_path: Path) -> None:
    (tmp_path / "metadata.json").write_text(json.dumps({}))
    assert linear_scorer.load(str(tmp_path)) is None
