"""The transformer's decisions, one by one."""

from __future__ import annotations

import argparse
from pathlib import Path

import checkpoints
import numpy as np
import onnx_export
import optimization
import pytest
import task
import torch
import transformer_data
from failures import DataError
from transformer_data import Encoded, Sampler


def sampler(counts: list[int], **changes: object) -> Sampler:
    labels = np.repeat(np.arange(len(counts)), counts)
    settings = {"size": 4, "seed": 1, "balanced": False, **changes}
    return Sampler(np.arange(len(labels)) % 7, labels, **settings)  # type: ignore[arg-type]


def test_an_epoch_takes_every_row_once():
    rows = np.concatenate(sampler([5, 6]).epoch(0))
    assert sorted(rows) == list(range(11))


def test_balanced_epochs_hold_every_label_alike_and_take_turns_through_the_others():
    chosen = sampler([2, 6], balanced=True)
    epochs = [np.concatenate(chosen.epoch(number)) for number in range(3)]
    assert all(sorted(chosen.labels[rows]) == [0, 0, 1, 1] for rows in epochs)
    assert {row for rows in epochs for row in rows} == set(range(8))
    assert chosen.rows == 4
    assert chosen.steps == 1


def test_batches_depend_on_the_seed_and_the_epoch_alone():
    first, again, next_, other = (
        [batch.tolist() for batch in each]
        for each in (
            sampler([9, 9]).epoch(3),
            sampler([9, 9]).epoch(3),
            sampler([9, 9]).epoch(4),
            sampler([9, 9], seed=2).epoch(3),
        )
    )
    assert first == again
    assert first != next_
    assert first != other


def test_a_batch_is_padded_to_its_longest():
    rows = Encoded([[2, 9, 3], [2, 3]], torch.tensor([1, 0]), pad=7)
    ids, mask, known = rows.batch(np.array([1, 0]))
    assert ids.tolist() == [[2, 3, 7], [2, 9, 3]]
    assert mask.tolist() == [[1, 1, 0], [1, 1, 1]]
    assert known.tolist() == [0, 1]


def test_columns_are_joined_without_those_that_are_empty():
    rows = np.array([["good", "ok"], ["", "ok"], ["", ""]], dtype=object)
    assert transformer_data.joined(rows) == ["good | ok", "ok", ""]


@pytest.mark.parametrize(
    ("step", "share"), [(0, 0.5), (1, 1.0), (2, 1.0), (6, 0.5), (10, 0.0), (11, 0.0)]
)
def test_the_rate_warms_up_and_falls(step: int, share: float):
    assert optimization.rate(step, steps=10, warmup=0.2) == pytest.approx(share)


@pytest.mark.parametrize(
    ("name", "depth"),
    [
        ("encoder.embeddings.word_embeddings.weight", 0),
        ("encoder.encoder.layer.0.output.dense.weight", 1),
        ("encoder.transformer.layer.5.ffn.lin1.bias", 6),
    ],
)
def test_the_depth_of_a_parameter(name: str, depth: int):
    assert optimization.depth(name) == depth


@pytest.mark.parametrize(
    ("asked", "found"),
    [("auto", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)],
)
def test_the_precision_on_a_cpu(asked: str, found: torch.dtype):
    assert optimization.precision(asked, torch.device("cpu")) == found


@pytest.mark.parametrize(
    ("weights", "sampling", "found"),
    [
        ("balanced", "all", [0.6666667, 2.0]),
        ("balanced", "balanced", None),
        ("none", "all", None),
    ],
)
def test_rare_labels_weigh_more_once(weights: str, sampling: str, found: list[float] | None):
    options = argparse.Namespace(class_weight=weights, sampling=sampling, label_smoothing=0.0)
    weight = optimization.cross_entropy(np.array([0, 0, 0, 1]), options).weight
    assert (weight is None) == (found is None)
    assert found is None or weight.tolist() == pytest.approx(found)


@pytest.mark.parametrize(
    ("problem", "values", "place"),
    [("multiclass", [0.2, 0.6, 0.6], 1), ("regression", [0.9, 0.4, 0.5], 1)],
)
def test_the_first_of_the_best_epochs(problem: str, values: list[float], place: int):
    assert task.Task(problem, []).best(values) == place


def test_one_label_cannot_be_learned():
    with pytest.raises(DataError, match="one label only"):
        task.of("binary", np.array(["a", "a"], dtype=object))


@pytest.mark.parametrize(
    ("before", "after", "metric", "lost"),
    [(0.62, 0.61, "accuracy", 0.01), (0.60, 0.62, "accuracy", -0.02), (1.0, 1.05, "rmse", 0.05)],
)
def test_what_eight_bits_lose(before: float, after: float, metric: str, lost: float):
    assert onnx_export.lost({metric: before}, {metric: after}, metric) == pytest.approx(lost)


def test_trainings_that_share_a_folder_keep_their_checkpoints_apart(tmp_path: Path):
    mine, other = checkpoints.fingerprint({"epochs": 2}), checkpoints.fingerprint({"epochs": 3})
    checkpoints.write(tmp_path, mine, {"history": [1]})
    assert checkpoints.read(tmp_path, other) is None
    checkpoints.write(tmp_path, other, {"history": [3]})
    checkpoints.write(tmp_path, mine, {"history": [1, 2]})
    assert checkpoints.read(tmp_path, mine) == {"history": [1, 2]}
    assert checkpoints.read(tmp_path, other) == {"history": [3]}
    assert len(list(tmp_path.iterdir())) == 2
