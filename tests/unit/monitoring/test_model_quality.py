"""Model quality: scikit-learn's metrics in AWS's schema; merged by id; told from noise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from .conftest import Write, event, metrics_of, read, run, truth_line


def multiclass(count: int, right: float, seed: int = 0) -> Any:
    from checks import model_metrics

    random = np.random.default_rng(seed)
    truth = random.choice(["1", "2", "3"], count, p=[0.2, 0.3, 0.5]).astype(object)
    guess = random.choice(["1", "2", "3"], count).astype(object)
    said = np.where(random.random(count) < right, truth, guess)
    return model_metrics.classified("MulticlassClassification", truth, said)


def accurate(count: int, share: float, seed: int = 0) -> Any:
    """Answers of which a share is right."""
    from checks import model_metrics

    random = np.random.default_rng(seed)
    truth = random.integers(0, 3, count)
    wrong = (truth + random.integers(1, 3, count)) % 3
    said = np.where(random.random(count) < share, truth, wrong)
    pair = (each.astype(str).astype(object) for each in (truth, said))
    return model_metrics.classified("MulticlassClassification", *pair)


def binary(count: int, seed: int = 0) -> Any:
    from checks import model_metrics

    random = np.random.default_rng(seed)
    truth = random.random(count) < 0.3
    scores = np.clip(0.3 * truth + random.random(count) * 0.7, 0, 1)
    labels, said = (np.where(x, "yes", "no").astype(object) for x in (truth, scores > 0.5))
    return model_metrics.classified("BinaryClassification", labels, said, scores)


def test_multiclass_metrics_are_scikit_learns() -> None:
    from checks import model_metrics

    outcome = multiclass(500, 0.7)
    found = model_metrics.measure(outcome)
    pair = (outcome.truth, outcome.predicted)
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(*pair))
    for name, value in {
        "weighted_recall": sk.recall_score(*pair, average="weighted"),
        "weighted_precision": sk.precision_score(*pair, average="weighted"),
        "weighted_f1": sk.f1_score(*pair, average="weighted"),
        "weighted_f0_5": sk.fbeta_score(*pair, beta=0.5, average="weighted"),
        "weighted_f2": sk.fbeta_score(*pair, beta=2, average="weighted"),
    }.items():
        assert found[name] == pytest.approx(value)
    constant = np.full(500, np.bincount(outcome.truth).argmax())
    expected = sk.f1_score(outcome.truth, constant, average="weighted")
    assert found["weighted_f1_best_constant_classifier"] == pytest.approx(expected)


def test_binary_metrics_are_scikit_learns() -> None:
    from checks import model_metrics

    outcome = binary(400)
    found = model_metrics.measure(outcome)
    pair = (outcome.truth, outcome.predicted)
    assert outcome.classes == ("no", "yes")
    assert found["recall"] == found["true_positive_rate"] == pytest.approx(sk.recall_score(*pair))
    assert found["precision"] == pytest.approx(sk.precision_score(*pair))
    assert found["f2"] == pytest.approx(sk.fbeta_score(*pair, beta=2))
    assert found["auc"] == pytest.approx(sk.roc_auc_score(outcome.truth, outcome.scores))
    assert found["false_positive_rate"] == pytest.approx(1 - found["true_negative_rate"])
    assert found["false_negative_rate"] == pytest.approx(1 - found["recall"])


def test_regression_metrics_are_scikit_learns() -> None:
    from checks.model_metrics import Outcome, measure

    random = np.random.default_rng(0)
    truth = random.normal(size=300)
    said = truth + random.normal(0.1, 0.5, size=300)
    found = measure(Outcome("Regression", truth, said))
    assert found == {
        "mae": pytest.approx(sk.mean_absolute_error(truth, said)),
        "mse": pytest.approx(sk.mean_squared_error(truth, said)),
        "rmse": pytest.approx(sk.root_mean_squared_error(truth, said)),
        "r2": pytest.approx(sk.r2_score(truth, said)),
    }


def test_the_documents_own_example() -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html"""
    from checks import model_metrics

    truth, said = (np.array(list(text), dtype=object) for text in ("0001", "0111"))
    found = model_metrics.described(model_metrics.classified("BinaryClassification", truth, said))
    assert found["confusion_matrix"] == {"0": {"0": 1, "1": 2}, "1": {"0": 0, "1": 1}}
    values = {name: each["value"] for name, each in found.items() if "value" in each}
    assert values["recall"] == 1.0
    assert values["precision"] == pytest.approx(1 / 3)
    assert values["accuracy"] == 0.5
    assert values["precision_best_constant_classifier"] == 0.25
    assert values["accuracy_best_constant_classifier"] == 0.75
    assert np.isnan(found["recall"]["standard_deviation"])  # fewer than 200 samples


def test_the_standard_error_is_the_binomial_one() -> None:
    from checks import model_metrics

    outcome = multiclass(2000, 0.7)
    found = model_metrics.described(outcome)["accuracy"]
    expected = np.sqrt(found["value"] * (1 - found["value"]) / 2000)
    assert found["standard_error"] == pytest.approx(expected, rel=0.2)
    assert 0 < found["standard_deviation"] < found["standard_error"]


def test_an_error_is_known_from_thirty_records_and_model_monitors_deviation_from_200() -> None:
    from checks import model_metrics

    known = {}
    for count in (29, 30, 199, 200):
        found = model_metrics.described(multiclass(count, 0.7))["accuracy"]
        errors = ("standard_error", "standard_deviation")
        known[count] = [bool(np.isfinite(found[name])) for name in errors]
    assert known == {29: [False, False], 30: [True, False], 199: [True, False], 200: [True, True]}


@pytest.mark.parametrize("right", [0.1, 0.3, 0.6, 0.9])
def test_fifty_labels_are_enough_to_see_a_collapse_and_chance_is_none(right: float) -> None:
    """A look takes in 50 labels by default; each is judged once."""
    from checks import model_constraints, model_metrics

    problem = "MulticlassClassification"
    known = model_metrics.described(accurate(2000, right, seed=99))
    judged = {name: known[name] for name in ("accuracy",)}  # as the loop's baseline has it
    limits = model_constraints.suggest(problem, judged, test=True)

    def rings(share: float, seed: int) -> bool:
        live = model_metrics.described(accurate(50, share, seed))
        return bool(model_constraints.find(problem, live, limits, known, 2000 / 50)[0])

    assert sum(rings(right, seed) for seed in range(100)) <= 2
    if right > 0.1:  # else nothing right is no rarity among fifty
        assert all(rings(0.0, seed) for seed in range(5))


@pytest.mark.parametrize("count", [200, 2000])
def test_an_unchanged_model_is_quiet_and_a_worse_one_is_not(count: int) -> None:
    """Label noise: a sixth of the true labels are drawn at random, so accuracy falls by a tenth."""
    from checks import model_constraints, model_metrics

    problem = "MulticlassClassification"
    known = model_metrics.described(multiclass(3000, 0.7, seed=99))
    ours, aws = (model_constraints.suggest(problem, known, test=test) for test in (True, False))
    rang = {"ours": 0, "aws": 0, "worse": 0}
    for seed in range(25):
        live = model_metrics.described(multiclass(count, 0.7, seed))
        rang["ours"] += bool(model_constraints.find(problem, live, ours, known)[0])
        rang["aws"] += bool(model_constraints.find(problem, live, aws, known)[0])
        worse = model_metrics.described(multiclass(count, 0.55, seed))
        rang["worse"] += bool(model_constraints.find(problem, worse, ours, known)[0])
    assert rang["ours"] == 0
    assert rang["aws"] > 5
    assert rang["worse"] >= (24 if count == 2000 else 5)


def test_suggested_constraints_have_aws_members() -> None:
    from checks import model_constraints

    known = {"accuracy": {"value": 0.8, "standard_deviation": 0.01},
             "false_positive_rate": {"value": 0.1, "standard_deviation": 0.01},
             "accuracy_best_constant_classifier": {"value": 0.5, "standard_deviation": 0.0},
             "confusion_matrix": {"0": {"0": 1}}}  # fmt: skip
    assert model_constraints.suggest("BinaryClassification", known, test=False) == {
        "version": 0.0,
        "binary_classification_constraints": {
            "accuracy": {"threshold": 0.8, "comparison_operator": "LessThanThreshold"},
            "false_positive_rate": {
                "threshold": 0.1, "comparison_operator": "GreaterThanThreshold",
            },
        },
    }  # fmt: skip


def answers(right: float, count: int = 600, together: int = 2) -> tuple[list[Any], list[str]]:
    """Captured invocations of two records each, or as many as asked, and their true labels."""
    random = np.random.default_rng(5)
    truth = random.integers(1, 4, count)
    said = np.where(random.random(count) < right, truth, random.integers(1, 4, count))
    events, labels = [], []
    for number in range(0, count, together):
        predictions = [{"label": str(each), "probabilities": {"1": 0.5}}
                       for each in said[number:][:together]]  # fmt: skip
        output = json.dumps({"predictions": predictions})
        events.append(event("{}", "JSON", output=output, inference_id=f"call{number}"))
        for i in range(together):
            identifier = f"call{number}/{i}" if together > 1 else f"call{number}"
            labels.append(truth_line(identifier, str(truth[number + i])))
    return events, labels


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("quality")
    outcome = multiclass(3000, 0.9)
    rows = [f"{1 + t},{1 + p}" for t, p in zip(outcome.truth, outcome.predicted, strict=True)]
    (base / "test.csv").write_text("\n".join(["star_rating,prediction", *rows]))
    message = run("model_quality.py", base, "--source", str(base / "test.csv"), "--output",
                  str(base / "out"), ground_truth_attribute="star_rating")  # fmt: skip
    assert message == "Completed: baseline of 3000 labelled records."
    return base / "out"


@pytest.mark.parametrize(
    ("right", "status"), [(0.9, "Completed"), (0.5, "CompletedWithViolations")]
)
def test_a_schedules_run(
    right: float, status: str, baseline: Path, captured: Write, tmp_path: Path
) -> None:
    events, labels = answers(right)
    folder = tmp_path / "ground-truth/2026/03/05/10"  # days after the predictions
    folder.mkdir(parents=True)
    (folder / "late.jsonl").write_text("\n".join(labels[:500]))
    message = run(
        "model_quality.py", tmp_path, problem_type="MulticlassClassification",
        dataset_source=str(captured(events)), ground_truth_source=str(tmp_path / "ground-truth"),
        baseline_constraints=str(baseline / "constraints.json"),
        baseline_statistics=str(baseline / "statistics.json"),
        output_path=str(tmp_path / "out"), publish_cloudwatch_metrics="Enabled",
        inference_attribute="$.predictions[*].label", sagemaker_endpoint_name="reviews",
        start_time="2026-03-01T12:00:00Z", end_time="2026-03-01T13:00:00Z",
    )  # fmt: skip
    assert message.split(":")[0] == status
    page = (tmp_path / "out/drift.html").read_text()
    assert ("lower than at the baseline" in page) is (status != "Completed")
    assert "<h3>accuracy</h3>" in page
    statistics = read(tmp_path / "out/statistics.json")
    assert statistics["dataset"]["item_count"] == 500
    assert statistics["dataset"]["start_time"] == "2026-03-01T12:00:00Z"
    found = read(tmp_path / "out/constraint_violations.json")["violations"]
    assert bool(found) is (status != "Completed")
    for each in found:
        assert set(each) == {"constraint_check_type", "description", "metric_name"}
        assert f"Metric {each['metric_name']} with " in each["description"]
        assert "was LessThanThreshold '" in each["description"]
    published = metrics_of(tmp_path)
    assert published["accuracy"]["Value"] == pytest.approx((1 + 2 * right) / 3, abs=0.06)
    assert published["accuracy"]["Dimensions"] == [{"Name": "Endpoint", "Value": "reviews"}]


MERGED = '{"sagemakerMergeJson": {"captureIndexNames": ["endpointOutput"]}}'
# As Model Monitor's users write it: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-pre-and-post-processing.html
HANDLER = """
import json

def preprocess_handler(inference_record):
    answer, = json.loads(inference_record.endpoint_output.data)["predictions"]
    return {"endpointOutput_said": answer["label"],
            "groundTruthData_0": inference_record.ground_truth.data}
"""


@pytest.mark.parametrize("handled", [False, True])
@pytest.mark.parametrize(("right", "rings"), [(0.9, False), (0.3, True)])
def test_a_schedules_run_on_merged_lines(
    right: float, rings: bool, handled: bool, baseline: Path, captured: Write, tmp_path: Path
) -> None:
    """AWS's merge job has put ground truth into the captured lines; there is no folder of it."""
    events, labels = answers(right, together=1)
    lines = [
        {**event, "groundTruthData": json.loads(label)["groundTruthData"]}
        for event, label in zip(events, labels, strict=True)
    ]
    after = tmp_path / "after.py"
    after.write_text(f"def postprocess_handler():\n    open({str(tmp_path / 'done')!r}, 'w')\n")
    (tmp_path / "handler.py").write_text(HANDLER)
    script = {"record_preprocessor_script": str(tmp_path / "handler.py")} if handled else {}
    message = run(
        "model_quality.py", tmp_path, problem_type="MulticlassClassification",
        dataset_source=str(captured(lines)), dataset_format=MERGED,
        baseline_constraints=str(baseline / "constraints.json"), output_path=str(tmp_path / "out"),
        inference_attribute="said" if handled else "$.predictions[*].label", **script,
        post_analytics_processor_script=str(after),
        start_time="2026-03-01T12:00:00Z", end_time="2026-03-01T13:00:00Z",
    )  # fmt: skip
    assert (tmp_path / "done").exists()
    assert message.split(":")[0] == ("CompletedWithViolations" if rings else "Completed")
    assert read(tmp_path / "out/statistics.json")["dataset"]["item_count"] == 600


def test_without_constraints_the_metrics_are_told_and_none_is_judged(
    captured: Write, tmp_path: Path
) -> None:
    events, labels = answers(0.3)
    folder = tmp_path / "ground-truth/2026/03/01/12"
    folder.mkdir(parents=True)
    (folder / "labels.jsonl").write_text("\n".join(labels))
    message = run("model_quality.py", tmp_path, "--mode", "analyze",
                  dataset_source=str(captured(events)), output_path=str(tmp_path / "out"),
                  ground_truth_source=str(tmp_path / "ground-truth"))  # fmt: skip
    assert message == "Completed: Job completed successfully with no violations."
    suggested = read(tmp_path / "out/constraints.json")["multiclass_classification_constraints"]
    known = read(tmp_path / "out/statistics.json")["multiclass_classification_metrics"]
    assert suggested["accuracy"]["threshold"] == known["accuracy"]["value"]


def test_labels_of_several_records_in_one_merged_line() -> None:
    """The n-th label is the n-th record's; where their numbers differ, none is."""
    import pyarrow as pa
    from inputs import ground_truth
    from inputs.capture import TRUTH, Batch
    from inputs.jsonlines import Rejects

    truths = [{"data": text, "encoding": "CSV"} for text in ("a", "b\nc", "d")]
    events = pa.table({TRUTH.name: pa.array(truths, TRUTH.type)})
    parents = np.array([0, 1, 1, 2, 2])
    batch = Batch(pa.table({"n": [1, 2, 3, 4, 5]}), events, parents)
    table = ground_truth.merged(batch, Rejects())
    assert table.to_pydict() == {"n": [1, 2, 3], "ground_truth": ["a", "b", "c"]}


def test_an_unknown_format_is_refused_by_name(captured: Write, tmp_path: Path) -> None:
    events, _ = answers(0.9)
    source = str(captured(events))
    message = run("model_quality.py", tmp_path, "--mode", "analyze", fails=True,
                  dataset_source=source, dataset_format='{"avro": {}}')  # fmt: skip
    assert message.startswith("Failed: ")
    assert "dataset_format avro is none of sagemakerCaptureJson, sagemakerMergeJson" in message


def test_probabilities_over_a_threshold(captured: Write, tmp_path: Path) -> None:
    import pyarrow as pa
    from inputs.labelled import Attributes
    from model_quality import outcome

    table = pa.table({"p": [0.9, 0.4, 0.7, None], "ground_truth": ["1", "0", "0", "1"]})
    found = outcome(table, "BinaryClassification", Attributes("", "p", 0.6, ""))
    assert found.predicted.tolist() == [1, 0, 1]
    assert found.truth.tolist() == [1, 0, 0]
