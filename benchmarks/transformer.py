"""MiniLM fine-tuned on real reviews: accuracy against plain TF-IDF, throughput against a bare loop,
a single prediction as ONNX in eight bits against eager PyTorch. All in the same run.

The reviews lie beside the project, the weights in the transformer's environment
(`make transformer`), where both sides run as scripts, as a training job does.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from sklearn.model_selection import StratifiedKFold

from benchmarks.model import BODY, FOLDS, HEADLINE, LABEL, SEED, balanced, read
from benchmarks.rows import Bar, Row, Skipped
from cli import pretrained, project

# Every epoch holds as many rows of each star; over the epochs all rows have their turn.
RECIPE = {
    "sampling": "balanced",
    "epochs": 4,
    "patience": 4,
    "max_length": 64,
    "learning_rate": 1e-4,
}
HELD_OUT = 40  # rows of each label, which choose the epoch that is kept
THROUGHPUT_ROWS = 640
POINTS, SHARE, FASTER, LOSS = 0.03, 0.9, 2.5, 0.01
# Dense bf16 (T4: fp16) operations a second, from NVIDIA's data sheets.
PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "A10G": 70e12, "L4": 121e12, "T4": 65e12}
ROWS_A_SECOND = re.compile(r", ([0-9.]+) rows/s")
HERE = Path(__file__).parent


def measure() -> Iterator[Row | Skipped]:
    reviews = project.root().parent / "shared" / "data" / "reviews" / "hair_dryer.tsv.gz"
    if not python().is_file():
        yield Skipped("transformer", "its environment is not there: make transformer")
    elif not reviews.is_file():
        yield Skipped("transformer", "there is no hair_dryer.tsv.gz in ../shared/data/reviews")
    else:
        rows = read(reviews)
        with tempfile.TemporaryDirectory(prefix="driftloop-") as folder:
            yield from _on_folds(Path(folder), rows)
            yield from _throughput(Path(folder), rows)
            yield from _on_gpu(Path(folder), rows)


def python() -> Path:
    return project.home() / "envs" / "transformer" / "bin" / "python"


def _on_folds(folder: Path, rows: pd.DataFrame) -> Iterator[Row]:
    """The folds of benchmarks/model.py; the peer learns from as many rows of each star, ours from
    all rows but those whose body is held out. A few rows choose the epoch that is kept.
    """
    even = balanced(rows, LABEL)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(even, even[LABEL])
    peers, served = [], []
    for number, (fitted, held_out) in enumerate(folds):
        there, test = folder / str(number), even.iloc[held_out]
        learned = rows[~rows[BODY].isin(test[BODY])]
        chosen = learned.groupby(LABEL).sample(HELD_OUT, random_state=SEED)
        learned = learned[~learned[BODY].isin(chosen[BODY])]
        write(there, train=learned, validation=chosen, even=even.iloc[fitted], test=test)
        peers.append(_peer(there))
        train(there, "eager")
        train(there, "int8", export="onnx-int8")  # from the same training's checkpoint
        words = [str(HERE / "served_transformers.py"), "test", LABEL, "eager", "int8"]
        served.append(json.loads(run(there, words).splitlines()[-1]))
    eager, small = (
        {name: statistics.fmean(each[side][name] for each in served) for name in served[0][side]}
        for side in ("eager", "int8")
    )
    yield from _compared(statistics.fmean(peers), eager, small)


def _compared(peer: float, eager: dict[str, float], small: dict[str, float]) -> Iterator[Row]:
    """Means over the folds: {"accuracy", "ms" of one prediction, "mb"}."""
    bar = Bar("at least", peer + POINTS, "3 points above the peer's")
    work = "hair_dryer, headline and body: accuracy"
    yield Row(work, eager["accuracy"], "", bar, "TF-IDF, logistic regression", peer)
    bar = Bar("at least", eager["accuracy"] - LOSS, "a point below eager")
    yield Row("int8: accuracy", small["accuracy"], "", bar, "eager PyTorch", eager["accuracy"])
    yield Row("int8: one prediction", small["ms"], "ms", None, "eager PyTorch", eager["ms"])
    yield Row("int8: times faster", eager["ms"] / small["ms"], "", Bar("at least", FASTER))
    yield Row("int8: size", small["mb"], "MB", None, "float weights", eager["mb"])


def _peer(folder: Path) -> float:
    words = ["--classifier", "logistic", "--train", "even", "--validation", "test"]
    words += ["--label", LABEL, "--text", json.dumps([BODY, HEADLINE])]
    told = run(folder, [str(HERE / "plain_tfidf.py"), *words])
    return float(told.split("validation_accuracy=")[1].split(";")[0])


def write(folder: Path, **splits: pd.DataFrame) -> None:
    for name, rows in splits.items():
        (folder / name).mkdir(parents=True)
        rows.to_parquet(folder / name / "rows.parquet", index=False)


def train(folder: Path, model: str, **changes: object) -> str:
    """What train.py prints."""
    words = ["--model", "transformer", "--model-dir", model, "--label", LABEL]
    words += ["--train", "train", "--validation", "validation"]
    # The headline first: what is too long is cut at its end.
    words += ["--text", json.dumps([HEADLINE, BODY]), "--pretrained", str(pretrained.minilm())]
    for name, value in {**RECIPE, **changes}.items():
        words += [f"--{name}", str(value)]
    return run(folder, [str(project.root() / "training_code" / "train.py"), *words])


def _throughput(folder: Path, rows: pd.DataFrame) -> Iterator[Row]:
    """One epoch of the same rows, and the loop that anybody would write."""
    there = folder / "throughput"
    part = rows.sample(THROUGHPUT_ROWS, random_state=SEED)
    write(there, train=part, validation=part.head(50))
    peer = HERE / "peers" / "bare_fine_tuning.py"
    bare = float(run(there, [str(peer), str(pretrained.minilm())]))
    told = train(there, "model", epochs=1, sampling="all")
    bar = Bar("at least", SHARE * bare, "0.9 of the peer's")
    yield Row("training", _speed(told), "rows/s", bar, "a bare PyTorch loop", bare)


def _on_gpu(folder: Path, rows: pd.DataFrame) -> Iterator[Row | Skipped]:
    """Rows a second in half precision, and the share of the device's peak."""
    name = run(folder, ["-c", "import torch as t; print(t.cuda.is_available() and "
                        "t.cuda.get_device_name())"]).strip()  # fmt: skip
    peak = next((value for known, value in PEAKS.items() if known in name), None)
    if peak is None:
        yield Skipped("training on a GPU", "none is at hand" if name == "False" else name)
        return
    there = folder / "gpu"
    write(there, train=rows, validation=rows.head(50))
    speed = _speed(train(there, "model", epochs=2, sampling="all", batch_size=256))
    # Forward and backward are six operations a weight and token; MiniLM's layers are 10.6 million.
    done = speed * 6 * 10.6e6 * RECIPE["max_length"]
    yield Row(f"training on {name}", speed, "rows/s")
    yield Row("share of its peak, at most", 100 * done / peak, "%")


def _speed(told: str) -> float:
    return float(ROWS_A_SECOND.findall(told)[-1])


def run(folder: Path, words: list[str]) -> str:
    """A script in the transformer's environment; its output."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [str(python()), *words],
        cwd=folder,
        env={**os.environ, "SAGEMAKER_BASE_DIR": str(folder)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{words[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
