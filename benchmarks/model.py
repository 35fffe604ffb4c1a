"""The linear model on real reviews, against plain TF-IDF on the same rows in the same run.

The reviews lie beside the project, not in it (`../shared/data/reviews`).
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline

from benchmarks.rows import Bar, Row, Skipped
from cli import project

LABEL, HEADLINE, BODY = "star_rating", "review_headline", "review_body"
FOLDS, SEED = 5, 42
HELD_OUT = 0.05  # validation, and as much again for the test
SOFTWARE_BAR = 0.52


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
        yield from rows(work, _balanced(path, text), text)
    else:
        yield Skipped(work, f"there is no {file} in ../shared/data/reviews")


def _folds(work: str, rows: pd.DataFrame, text: list[str]) -> Iterator[Row]:
    """Mean accuracy of stratified folds."""
    ours, peer = [], []
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    for fitted, held_out in folds.split(rows, rows[LABEL]):
        train, test = rows.iloc[fitted], rows.iloc[held_out]
        ours.append(_ours(train, test, text)[0])
        peer.append(_peer(LogisticRegression(C=3, max_iter=1000), train, test, text)[0])
    theirs = float(np.mean(peer))
    yield Row(
        f"{work}: accuracy",
        float(np.mean(ours)),
        "of 1",
        Bar("at least", theirs, "the peer's"),
        "TF-IDF with logistic regression",
        theirs,
    )


def _one_split(work: str, rows: pd.DataFrame, text: list[str]) -> Iterator[Row]:
    """Accuracy on the 5 % held out for the test, and the time that fitting took."""
    parts = _code("splits").split(
        rows, label=LABEL, group="_group", validation=HELD_OUT, test=HELD_OUT, seed=SEED
    )
    accuracy, seconds = _ours(parts["train"], parts["test"], text)
    theirs, their_seconds = _peer(
        SGDClassifier(random_state=SEED), parts["train"], parts["test"], text
    )
    peer = "TF-IDF with SGD"
    yield Row(f"{work}: accuracy", accuracy, "of 1", Bar("at least", SOFTWARE_BAR), peer, theirs)
    yield Row(f"{work}: fitted in", seconds, "s", None, peer, their_seconds)


def _ours(train: pd.DataFrame, test: pd.DataFrame, text: list[str]) -> tuple[float, float]:
    """Accuracy, and seconds to fit, of what training_code/train.py makes by default."""
    code = _code("train")
    needed = ["--train", ".", "--validation", ".", "--model-dir", ".", "--label", LABEL]
    options = code.parse([*needed, "--text", "[]"])
    model = code.pipeline(len(text), options.max_features, options.C)
    return _score(
        model,
        (code.texts(train, text), code.labels(train, LABEL)),
        (code.texts(test, text), code.labels(test, LABEL)),
    )


def _peer(
    classifier: Any, train: pd.DataFrame, test: pd.DataFrame, text: list[str]
) -> tuple[float, float]:
    """Accuracy, and seconds to fit, of the plain pipeline on the texts put together."""
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    sides = [
        (rows[text].agg("\n".join, axis=1).to_numpy(), rows[LABEL].to_numpy())
        for rows in (train, test)
    ]
    return _score(make_pipeline(words, classifier), *sides)


def _score(model: Pipeline, train: tuple[Any, Any], test: tuple[Any, Any]) -> tuple[float, float]:
    began = time.monotonic()
    model.fit(*train)
    return float(model.score(*test)), time.monotonic() - began


def _balanced(path: Path, text: list[str]) -> pd.DataFrame:
    """As the pipeline prepares them: rows with text, each once, as many of every class."""
    rows = pd.read_csv(
        path,
        sep="\t",
        quoting=csv.QUOTE_NONE,
        keep_default_na=False,
        dtype=str,
        usecols=[LABEL, HEADLINE, BODY],
    )
    prepare = _code("prepare")
    options = prepare.parse(["--label", LABEL, "--text", '["x"]', "--inputs", '["x"]'])
    options.text = text
    cleaned = prepare.clean(rows, options)
    return _code("splits").undersample(cleaned, LABEL, SEED)


def _code(name: str) -> ModuleType:
    """A script of training_code/, which stands alone: its modules find each other by the path."""
    import importlib

    folder = str(project.root() / "training_code")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(name)
