"""The transformer from Parquet to answers: every problem, both encoders, ONNX and PyTorch."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import served_model
import torch
from conftest import Job
from failures import DataError
from records import Records
from safetensors.torch import load_file

GOOD = {"body": "the great thing", "headline": "a thing"}
BAD = {"body": "the awful thing"}


@pytest.fixture(scope="module")
def exported(job: Callable[..., Job]) -> Job:
    """A classifier that is served as ONNX in eight bits."""
    made = job("multiclass")
    made.train("--export", "onnx-int8")
    return made


def test_a_classifier_answers_through_onnx(exported: Job):
    good, bad = exported.ask(GOOD, BAD)
    assert (good["label"], bad["label"]) == ("5", "1")
    assert sum(good["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert not (exported.model / "model.safetensors").exists()


def test_the_lambda_function_answers_alike(exported: Job, tmp_path: Path):
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(exported.model, ".")
    with archive.open("rb") as content:
        predict = served_model.load(content)
    assert predict(Records([GOOD, BAD])) == exported.ask(GOOD, BAD)
    (explained,) = predict(Records([GOOD], explain=True))
    assert explained["explanation"]["terms"][0]["term"] == "great"


def test_the_export_says_what_eight_bits_cost(exported: Job):
    told = exported.metadata()["onnx"]
    assert told["quantization"] == "int8"
    assert told["int8"]["accuracy"] >= told["float"]["accuracy"] - 0.01
    assert told["bytes"] == (exported.model / "model.onnx").stat().st_size


def test_what_lambda_serves_from_is_there(exported: Job):
    assert json.loads((exported.model / "model.json").read_text()) == {
        "version": 1,
        "problem": "multiclass",
        "labels": ["1", "2", "3", "4", "5"],
        "inputs": ["body", "headline"],
        "separator": " | ",
        "max_length": 16,
        "quantization": "int8",
    }
    tokenizer = json.loads((exported.model / "tokenizer.json").read_text())
    assert tokenizer["truncation"]["max_length"] == 16
    assert tokenizer["padding"]["strategy"] == "BatchLongest"


def test_every_epoch_is_on_the_learning_curve(exported: Job):
    curve = exported.metadata()["learning_curve"]
    assert [each["epoch"] for each in curve] == [1, 2, 3, 4, 5, 6]
    assert curve[-1]["validation"]["accuracy"] > 0.9


def test_the_word_that_mattered_explains_the_answer(exported: Job):
    (found,) = exported.ask(GOOD, explain=True)
    (without,) = exported.ask({**GOOD, "body": "the  thing"})
    first = found["explanation"]["terms"][0]
    assert (first["column"], first["term"]) == ("body", "great")
    difference = found["probabilities"]["5"] - without["probabilities"]["5"]
    # The other texts of its batch are another number of tokens long, so eight bits round otherwise.
    assert first["weight"] == pytest.approx(difference, abs=0.02)


def test_answers_keep_their_order_in_a_batch(exported: Job):
    (alone,) = exported.ask(BAD)
    together = exported.ask({"body": "the good thing " * 9}, BAD, {"body": ""}, GOOD)
    assert together[1]["probabilities"]["1"] == pytest.approx(alone["probabilities"]["1"], abs=0.02)
    assert together[3]["label"] == "5"


@pytest.mark.parametrize("export", ["none", "onnx"])
@pytest.mark.parametrize(("problem", "kind"), [("binary", "distilbert"), ("regression", "bert")])
def test_other_problems_and_encoders(job: Callable[..., Job], problem: str, kind: str, export: str):
    made = job(problem, kind)
    made.train("--sampling", "balanced", "--export", export)
    good, bad = made.ask(GOOD, BAD)
    if problem == "binary":
        assert (good["label"], bad["label"]) == ("high", "low")
    else:
        assert good["prediction"] == pytest.approx(105, abs=0.8)
        assert bad["prediction"] == pytest.approx(101, abs=0.8)


def test_a_frozen_encoder_stays_as_it_was(job: Callable[..., Job], encoders: dict[str, Path]):
    made = job("binary")
    made.train("--epochs", "1", "--fine_tuning", "frozen")
    before, after = (
        load_file(folder / "model.safetensors") for folder in (encoders["bert"], made.model)
    )
    assert after
    assert all(torch.equal(before[name], value) for name, value in after.items())


def test_epochs_without_gain_end_the_training(
    job: Callable[..., Job], capsys: pytest.CaptureFixture[str]
):
    job("binary").train("--epochs", "50", "--patience", "1", "--learning_rate", "1e-9")
    told = capsys.readouterr().out
    assert "epoch 2 of 50" in told
    assert "epoch 4 of 50" not in told


def test_every_epoch_says_its_metrics_as_sagemaker_reads_them(
    job: Callable[..., Job], capsys: pytest.CaptureFixture[str]
):
    job("regression").train("--epochs", "2")
    lines = [line for line in capsys.readouterr().out.splitlines() if "validation_rmse=" in line]
    assert len(lines) == 3
    assert lines[0].startswith("epoch 1 of 2, ")
    assert lines[2].startswith("train_rmse=")


def test_half_precision_learns_as_well(job: Callable[..., Job]):
    made = job("binary")
    made.train("--precision", "bf16")
    good, bad = made.ask(GOOD, BAD)
    assert (good["label"], bad["label"]) == ("high", "low")


@pytest.mark.parametrize("lacking", [None, "model.safetensors", "tokenizer.json"])
def test_a_channel_that_lacks_something_is_told(
    job: Callable[..., Job], encoders: dict[str, Path], tmp_path: Path, lacking: str | None
):
    channel = None
    if lacking:
        channel = shutil.copytree(encoders["bert"], tmp_path / "channel")
        (channel / lacking).unlink()
    words = f"lacks .*{lacking or 'config.json'}.*driftloop pretrained upload"
    with pytest.raises(DataError, match=words):
        job("binary", channel).train()


def test_an_encoder_of_another_kind_is_told(job: Callable[..., Job], encoders: Any, tmp_path: Path):
    channel = shutil.copytree(encoders["bert"], tmp_path / "channel")
    config = json.loads((channel / "config.json").read_text())
    (channel / "config.json").write_text(json.dumps(config | {"model_type": "gpt2"}))
    with pytest.raises(DataError, match="holds a gpt2"):
        job("binary", channel).train()


def test_tabular_columns_are_refused(job: Callable[..., Job]):
    with pytest.raises(DataError, match="reads texts alone"):
        job("binary").train("--features", '["headline"]')
