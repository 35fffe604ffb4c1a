"""Trainings that are killed and go on, and those of several processes."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable, Iterator

import pytest
from conftest import Job

WORDS = ("--sampling", "balanced", "--epochs", "4")


@pytest.fixture
def running() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that end with the test."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


def weights(job: Job) -> dict[str, bytes]:
    names = ("model.safetensors", "head.safetensors")
    return {name: (job.model / name).read_bytes() for name in names}


def test_a_training_that_was_killed_goes_on_to_the_same_weights(
    job: Callable[..., Job],
    running: list[subprocess.Popen[str]],
    capsys: pytest.CaptureFixture[str],
):
    whole, made = job("multiclass"), job("multiclass")
    whole.train(*WORDS)
    process = made.start(*WORDS)
    running.append(process)
    assert process.stdout is not None
    said = ""
    while "epoch 2 of 4" not in said:  # its checkpoint is perhaps written, perhaps not
        line = process.stdout.readline()
        assert line, f"it ended by itself:\n{said}"
        said += line
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    assert not (made.model / "model.safetensors").exists()
    capsys.readouterr()
    made.train(*WORDS)
    told = capsys.readouterr().out
    assert "going on after epoch" in told
    assert "epoch 1 of 4" not in told
    assert weights(made) == weights(whole)
    assert made.metadata()["learning_curve"] == whole.metadata()["learning_curve"]


def test_a_process_for_each_gpu(job: Callable[..., Job], running: list[subprocess.Popen[str]]):
    """Between CPUs by gloo here, between GPUs by NCCL."""
    made = job("multiclass")
    process = made.start(SM_NUM_GPUS="2")
    running.append(process)
    told, _ = process.communicate(timeout=240)
    assert process.returncode == 0, told
    assert re.search(r"in 2 (cpu|cuda) processes", told)
    assert told.count("epoch 1 of 6") == 1
    assert made.metadata()["learning_curve"][-1]["validation"]["accuracy"] > 0.9


def test_a_training_that_has_ended_is_exported_without_another_epoch(
    job: Callable[..., Job], capsys: pytest.CaptureFixture[str]
):
    made = job("binary")
    made.train("--epochs", "1")
    capsys.readouterr()
    made.train("--epochs", "1", "--export", "onnx")
    told = capsys.readouterr().out
    assert "going on after epoch 1" in told
    assert "epoch 1 of 1" not in told
    assert (made.model / "model.onnx").exists()
