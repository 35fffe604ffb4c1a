"""The linear model on real reviews, against plain TF-IDF: the same rows, machine and packages.

The reviews lie beside the project, not in it (`../shared/data/reviews`). Both sides run as scripts
in the jobs' environment, as a training job does.
"""

from __future__ import annotations

import csv
import json
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from sklearn.model_selection import StratifiedKFold, train_test_split

from benchmarks.rows import Bar, Row, Skipped
from cli import project

LABEL, HEADLINE, BODY = "star_rating", "review_headline", "review_body"
FOLDS, SEED = 5, 42
HELD_OUT = 0.05  # for the test, and as much again for the validation
SOFTWARE_BAR = 0.52
POINT = 0.01
PEER = Path(__file__).with_name("plain_tfidf.py")
ACCURACY = re.compile(r"validation_accuracy=([0-9.]+)")


def measure() -> Iterator[Row | Skipped]:
    for text, words in (([BODY, HEADLINE], "headline and body"), ([BODY], "body alone")):
        yield from _on("hair_dryer.tsv.gz", words, text, _folds)
    yield from _on("digital_software.tsv.gz", "body alone", [BODY], _one_split)


def _on(
    file: str,
    words: str,
    text: list[str],
    rows: Callable[[str, pd.DataFrame, list[str]], Iterator[Row]],
) -> Iterator[Row | Skipped]:
    work = f"{file.removesuffix('.tsv.gz')}, {words}"
    path = project.root().parent / "shared" / "data" / "reviews" / file
    if path.is_file():
        yield from rows(work, read(path), text)
    else:
        yield Skipped(work, f"there is no {file} in ../shared/data/reviews")


def read(path: Path) -> pd.DataFrame:
    """The columns that count; a lone quote is data, and no text means `not available`."""
    return pd.read_csv(
        path,
        sep="\t",
        quoting=csv.QUOTE_NONE,
        keep_default_na=False,
        dtype=str,
        usecols=[LABEL, HEADLINE, BODY],
    )


def balanced(rows: pd.DataFrame, label: str) -> pd.DataFrame:
    """As many rows of every class as the smallest has."""
    smallest = int(rows[label].value_counts().min())
    return rows.groupby(label).sample(smallest, random_state=SEED).reset_index(drop=True)


def _folds(work: str, rows: pd.DataFrame, text: list[str]) -> Iterator[Row]:
    """Mean accuracy of stratified, balanced folds.

    The peer learns from as many rows of each class, ours from all rows by class weights, but those
    whose body is held out.
    """
    even = balanced(rows, LABEL)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(even, even[LABEL])
    found = []
    for fitted, held_out in folds:
        test = even.iloc[held_out]
        all_rows = rows[~rows[BODY].isin(test[BODY])]
        found.append(Contest(all_rows, even.iloc[fitted], test, text, "logistic"))
    ours = statistics.fmean(each.ours.accuracy for each in found)
    peer = statistics.fmean(each.peer.accuracy for each in found)
    bar = Bar("at least", peer + POINT, "a point above the peer's")
    yield Row(f"{work}: accuracy", ours, "", bar, "TF-IDF, logistic regression", peer)


def _one_split(work: str, rows: pd.DataFrame, text: list[str]) -> Iterator[Row]:
    """Accuracy on the test split, and how long training took."""
    rows = balanced(rows, LABEL)
    train, held_out = train_test_split(
        rows, test_size=2 * HELD_OUT, stratify=rows[LABEL], random_state=SEED
    )
    _, test = train_test_split(held_out, test_size=0.5, stratify=held_out[LABEL], random_state=SEED)
    found, peer = Contest(train, train, test, text, "sgd"), "TF-IDF, SGD"
    bar = Bar("at least", SOFTWARE_BAR)
    yield Row(f"{work}: accuracy", found.ours.accuracy, "", bar, peer, found.peer.accuracy)
    yield Row(f"{work}: trained in", found.ours.seconds, "s", None, peer, found.peer.seconds)


@dataclass(frozen=True)
class Score:
    accuracy: float
    seconds: float  # of the whole process


class Contest:
    """Our training script, as it comes, and the peer, tested on the same rows."""

    def __init__(
        self,
        ours: pd.DataFrame,
        peers: pd.DataFrame,
        test: pd.DataFrame,
        text: list[str],
        classifier: str,
    ) -> None:
        with tempfile.TemporaryDirectory(prefix="driftloop-") as folder:
            for name, rows in (("ours", ours), ("peers", peers), ("test", test)):
                (Path(folder) / name).mkdir()
                rows.to_parquet(Path(folder) / name / "rows.parquet", index=False)
            common = ["--validation", "test", "--label", LABEL, "--text", json.dumps(text)]
            script = [str(project.root() / "training_code" / "train.py"), "--model-dir", "model"]
            self.ours = _run(Path(folder), [*script, "--train", "ours", *common])
            self.peer = _run(
                Path(folder), [str(PEER), "--classifier", classifier, "--train", "peers", *common]
            )


def _run(folder: Path, command: list[str]) -> Score:
    """A script that prints `validation_accuracy=`; neither learns from those rows."""
    python = project.home() / "envs" / "jobs" / "bin" / "python"
    began = time.monotonic()
    done = subprocess.run([str(python), *command], cwd=folder, capture_output=True, text=True)
    seconds = time.monotonic() - began
    found = ACCURACY.search(done.stdout)
    if done.returncode or not found:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return Score(float(found[1]), seconds)
