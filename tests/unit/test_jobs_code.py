"""The jobs' own code, run as the containers run it: scripts, in the jobs' environment."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli import reviews

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".driftloop" / "envs" / "jobs" / "bin" / "python"
INPUTS = '["review_body", "review_headline", "product_category"]'
TEXT = '["review_body"]'


def run(script: str, base: Path, *arguments: str, **variables: str) -> str:
    """A job's output; its failure fails the test with the output."""
    done = subprocess.run(
        [str(PYTHON), str(ROOT / script), *arguments],
        env={"PATH": os.defpath, "SAGEMAKER_BASE_DIR": str(base), **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def curate(base: Path, count: int) -> None:
    """Generated reviews as the curated table has them."""
    import pandas as pd

    rows = pd.DataFrame(reviews.rows(count, seed=5))
    rows["star_rating"] = rows["star_rating"].astype(int)
    for category, part in rows.groupby("product_category"):
        folder = base / "processing/input/curated" / "run=r1" / f"product_category={category}"
        folder.mkdir(parents=True)
        part.drop(columns="product_category").to_parquet(folder / "part-0")


def prepared(base: Path) -> dict[str, Any]:
    import pandas as pd

    output = base / "processing" / "output"
    return {
        name: pd.read_parquet(output / name / f"{name}.parquet")
        for name in ("train", "validation", "test", "baseline", "held_out")
    }


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A job directory after prepare, train, evaluate and baseline."""
    folder = tmp_path_factory.mktemp("jobs")
    curate(folder, 3000)
    run("training_code/prepare.py", folder, LABEL="star_rating", TEXT=TEXT, INPUTS=INPUTS,
        BALANCE="undersample", BALANCE_EVALUATION="true", VALIDATION_SHARE="0.1",
        TEST_SHARE="0.1")  # fmt: skip
    output = folder / "processing" / "output"
    told = run("training_code/train.py", folder, "--train", str(output / "train"),
        "--validation", str(output / "validation"), "--model-dir", str(folder / "model"),
        "--label", "star_rating", "--text", TEXT, "-C", "0.5")  # fmt: skip
    (folder / "train.log").write_text(told)
    return folder


def test_prepare_balances_and_splits(base: Path) -> None:
    parts = prepared(base)
    for name in ("train", "validation", "test"):
        counts = parts[name]["star_rating"].value_counts()
        assert set(counts.index) == {1, 2, 3, 4, 5}
        assert counts.max() == counts.min()
    texts = {name: set(parts[name]["review_body"]) for name in ("train", "validation", "test")}
    assert not texts["train"] & texts["test"]
    assert not texts["train"] & texts["validation"]
    assert list(parts["baseline"].columns) == json.loads(INPUTS)
    assert len(parts["baseline"]) > len(parts["train"])
    shares = parts["held_out"]["star_rating"].value_counts(normalize=True)
    assert shares.max() > 2 * shares.min()  # mixed as they came
    assert not texts["train"] & set(parts["held_out"]["review_body"])


def test_prepare_reports_what_it_found(base: Path) -> None:
    report = json.loads((base / "processing/output/report/prepare.json").read_text())
    assert report["rows"] == sum(1 for _ in reviews.rows(3000, seed=5)) - report["rows_dropped"]
    assert report["splits"]["test"]["rows"] == len(prepared(base)["test"])
    assert len(report["dataset_digest"]) == 16


def test_tabular_rows_that_are_alike_are_all_kept(tmp_path: Path) -> None:
    import pandas as pd

    folder = tmp_path / "processing" / "input" / "curated"
    folder.mkdir(parents=True)
    rows = pd.DataFrame({"votes": [1, 2] * 200, "day": pd.date_range("2026-01-01", periods=400)})
    rows.assign(label=["a", "b"] * 200).to_parquet(folder / "part-0")
    run("training_code/prepare.py", tmp_path, LABEL="label", INPUTS='["votes"]',
        FEATURES='["votes"]', SPLIT="time", SPLIT_COLUMN="day", TEST_SHARE="0.1")  # fmt: skip
    report = json.loads((tmp_path / "processing/output/report/prepare.json").read_text())
    assert report["rows"] == 400
    assert report["splits"]["test"] == {"rows": 40, "labels": {"a": 20, "b": 20}}
    assert report["leaks"][0]["feature"] == "votes"


def test_labelled_live_records_are_learned_from(tmp_path: Path) -> None:
    curate(tmp_path, 600)
    inputs = tmp_path / "processing" / "input"
    captured = {"records": [{"review_body": f"a live review {n}"} for n in range(40)]}
    part = {"data": json.dumps(captured), "encoding": "JSON", "mode": "INPUT"}
    event = {"eventId": "e", "inferenceId": "call", "inferenceTime": "2026-03-01T12:30:00Z"}
    truth = [
        {"groundTruthData": {"data": "3", "encoding": "CSV"},
         "eventMetadata": {"eventId": f"call/{n}"}} for n in range(40)
    ]  # fmt: skip
    for name, lines in (
        ("capture", [{"captureData": {"endpointInput": part}, "eventMetadata": event}]),
        ("ground_truth", truth),
    ):
        (inputs / name).mkdir()
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (inputs / name / "a.jsonl").write_text(text)
    run("training_code/prepare.py", tmp_path, LABEL="star_rating", TEXT=TEXT, INPUTS=INPUTS,
        SPLIT="time", SPLIT_COLUMN="review_date", TEST_SHARE="0.1", SIMILARITY="0")  # fmt: skip
    test = prepared(tmp_path)["test"]
    live = test["review_body"].str.startswith("a live review")
    assert live.sum() == 40  # they are the newest
    assert (test["star_rating"][live] == 3).all()


def test_prepare_gives_the_same_splits_again(base: Path, tmp_path: Path) -> None:
    import pandas as pd

    again = tmp_path / "processing" / "input" / "curated"
    files = sorted((base / "processing/input/curated").rglob("part-0"), reverse=True)
    frames = [
        pd.read_parquet(path).assign(product_category=path.parent.name.split("=")[1])
        for path in files
    ]
    again.mkdir(parents=True)
    pd.concat(frames).iloc[::-1].to_parquet(again / "part-0")
    run("training_code/prepare.py", tmp_path, LABEL="star_rating", TEXT=TEXT, INPUTS=INPUTS,
        BALANCE="undersample", BALANCE_EVALUATION="true", VALIDATION_SHARE="0.1",
        TEST_SHARE="0.1")  # fmt: skip
    for name in ("train", "validation", "test"):
        one, other = prepared(base)[name], prepared(tmp_path)[name]
        assert one["review_body"].tolist() == other["review_body"].tolist()


def test_train_prints_the_metrics_that_sagemaker_reads(base: Path) -> None:
    told = (base / "train.log").read_text()
    assert "train_accuracy=0." in told
    assert "validation_accuracy=0." in told
    metadata = json.loads((base / "model" / "metadata.json").read_text())
    assert metadata["classes"] == ["1", "2", "3", "4", "5"]
    assert metadata["scores"]["validation"]["accuracy"] > 0.4  # chance is 0.2


def test_evaluate_measures_both_models_on_the_same_rows(base: Path) -> None:
    import shutil
    import tarfile

    inputs = base / "processing" / "input"
    for role in ("model", "champion"):
        (inputs / role).mkdir(exist_ok=True)
        with tarfile.open(inputs / role / "model.tar.gz", "w:gz") as archive:
            for path in (base / "model").iterdir():
                archive.add(path, path.name)
    shutil.copytree(base / "processing/output/test", inputs / "test", dirs_exist_ok=True)
    run("training_code/evaluate.py", base, LABEL="star_rating", INPUTS=INPUTS)
    found = [
        json.loads((base / "processing/output/evaluation" / name).read_text())
        for name in ("evaluation.json", "champion.json")
    ]
    assert found[0] == found[1]
    metrics = found[0]["multiclass_classification_metrics"]
    assert 0.4 < metrics["accuracy"]["value"] < 1
    assert 0 < metrics["accuracy"]["standard_deviation"] < 0.1
    assert sum(metrics["confusion_matrix"]["5"].values()) > 0


def capture_lines(folder: Path, drifted: bool, count: int = 300) -> None:
    """Requests as the endpoint captures them, ten records each."""
    rows = list(reviews.rows(count, seed=11, drifted=drifted))
    lines = []
    for first in range(0, count, 10):
        records = [{name: row[name] for name in json.loads(INPUTS)} for row in rows[first:][:10]]
        data = json.dumps({"records": records})
        part = {"observedContentType": "application/json", "mode": "INPUT", "data": data,
                "encoding": "JSON"}  # fmt: skip
        metadata = {"eventId": f"e{first}", "inferenceTime": "2026-03-01T12:30:00Z"}
        lines.append({"captureData": {"endpointInput": part}, "eventMetadata": metadata})
    hour = folder / "2026/03/01/12"
    hour.mkdir(parents=True)
    (hour / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize("drifted", [False, True], ids=["the same world", "another world"])
def test_data_quality_tells_drift_from_chance(base: Path, tmp_path: Path, drifted: bool) -> None:
    import shutil

    inputs = tmp_path / "processing" / "input"
    shutil.copytree(base / "processing/output/baseline", inputs / "baseline")
    run("monitoring_code/data_quality.py", tmp_path, MODE="baseline", TEXT=TEXT)
    shutil.rmtree(inputs / "baseline")
    shutil.copytree(tmp_path / "processing/output/baseline", inputs / "baseline")
    capture_lines(inputs / "capture", drifted)
    run("monitoring_code/data_quality.py", tmp_path, MODE="analyze", MIN_RECORDS="50",
        start_time="2026-03-01T12:00:00Z", end_time="2026-03-01T13:00:00Z")  # fmt: skip
    report = tmp_path / "processing/output/report"
    statistics = json.loads((report / "statistics.json").read_text())
    assert statistics["dataset"]["item_count"] == 300
    found = json.loads((report / "constraint_violations.json").read_text())["violations"]
    features = {each["feature_name"] for each in found}
    if drifted:
        assert {"product_category", "review_body_oov"} <= features
        assert any("exceeds threshold: 0.1" in each["description"] for each in found)
    else:
        assert found == []


def test_a_class_without_rows_is_a_clear_failure(tmp_path: Path) -> None:
    curate(tmp_path, 30)
    with pytest.raises(AssertionError, match=r"star_rating=\d has \d+ rows; 10"):
        run("training_code/prepare.py", tmp_path, LABEL="star_rating", TEXT=TEXT, INPUTS=INPUTS)
    assert "rows; 10 are needed" in (tmp_path / "output" / "failure").read_text()
