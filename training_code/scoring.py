"""What a model answers on the test rows, through the code that serves it.

So that a script of the user's own, and its inference.py, are measured as the endpoint runs them.
"""

from __future__ import annotations

import importlib
import json
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from failures import DataError

BATCH = 1000  # records a call


@dataclass(frozen=True)
class Classified:
    """Answers of a classifier: indices into the classes, and the probabilities if it tells them."""

    classes: list[str]
    actual: np.ndarray  # (n,) int
    predicted: np.ndarray  # (n,) int
    probabilities: np.ndarray | None  # (n, classes) float

    def at(self, places: np.ndarray) -> Classified:
        """The answers on some of the rows."""
        told = None if self.probabilities is None else self.probabilities[places]
        return Classified(self.classes, self.actual[places], self.predicted[places], told)

    def told(self, places: np.ndarray) -> np.ndarray:
        """Labels of indices into the classes, (n,) of str."""
        return np.array(self.classes, dtype=object)[places].astype(str)

    def ordered(self, first: list[str]) -> Classified:
        """The same with some classes first."""
        order = [*first, *(name for name in self.classes if name not in first)]
        moved = [self.classes.index(name) for name in order]
        place = np.argsort(moved)
        told = None if self.probabilities is None else self.probabilities[:, moved]
        return Classified(order, place[self.actual], place[self.predicted], told)


@dataclass(frozen=True)
class Estimated:
    """Answers of a regression: (n,) float each."""

    actual: np.ndarray
    predicted: np.ndarray

    def at(self, places: np.ndarray) -> Estimated:
        return Estimated(self.actual[places], self.predicted[places])


Scored = Classified | Estimated


def serving(inputs: Path) -> Any:
    """The module `inference` of the job's input, or by hand of the folder beside this one."""
    folder = Path(__file__).resolve().parent.parent / "inference_code"
    archive = inputs / "inference" / "inference.tar.gz"
    if archive.is_file():
        folder = unpack(archive)
    sys.path.insert(0, str(folder))
    return importlib.import_module("inference")


def load(served: Any, folder: Path) -> Any:
    """The model of a folder's model.tar.gz, as the endpoint loads it."""
    return served.model_fn(str(unpack(folder / "model.tar.gz")))


def unpack(archive: Path) -> Path:
    folder = archive.with_name(archive.name.split(".")[0])
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder


def records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as the API's JSON records: what is missing is left out."""
    listed = json.loads(rows.to_json(orient="records", date_format="iso"))
    return [{k: v for k, v in record.items() if v is not None} for record in listed]


def score(
    served: Any, model: Any, asked: list[dict[str, Any]], known: pd.Series, problem: str
) -> Scored:
    """The model's answers to the records, beside what is known."""
    answers: list[dict[str, Any]] = []
    for first in range(0, len(asked), BATCH):
        answers += served.predict_fn(asked[first : first + BATCH], model)
    if len(answers) != len(asked):
        raise DataError(f"the model answered {len(answers)} of {len(asked)} records")
    if problem == "regression":
        told = np.array([answer["prediction"] for answer in answers], dtype=float)
        return Estimated(known.to_numpy(dtype=float), told)
    return _classified(answers, known.astype(str).tolist())


def _classified(answers: list[dict[str, Any]], known: list[str]) -> Classified:
    told = [str(answer["label"]) for answer in answers]
    likely = [answer.get("probabilities") for answer in answers]
    every = {*known, *told, *(name for each in likely for name in each or ())}
    classes = sorted(every, key=lambda name: (len(name), name))
    index = {name: place for place, name in enumerate(classes)}
    probabilities = None
    if all(likely):
        table = [[each.get(name, 0.0) for name in classes] for each in likely if each]
        probabilities = np.array(table, dtype=float)
    return Classified(
        classes,
        np.array([index[name] for name in known]),
        np.array([index[name] for name in told]),
        probabilities,
    )
