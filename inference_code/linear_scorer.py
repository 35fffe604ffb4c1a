"""A linear model's answers without scikit-learn: a look-up and a sum for each term of a row.

training_code/linear_export.py writes what it reads. It needs the standard library alone, so it also
runs where scikit-learn does not fit, and it answers one row in a tenth of the time. The numbers are
scikit-learn's to the sixth digit.
https://scikit-learn.org/stable/modules/feature_extraction.html#tfidf-term-weighting
"""

from __future__ import annotations

import json
import math
import os
import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

DOCUMENT, WEIGHTS = "linear.json", "linear.f32"
Term = tuple[int, float]  # the place of a feature, and its value
Part = Callable[[Any], Iterator[Term]]


class LinearScorer:
    """Scores rows of `columns`, texts and categories as str, numbers as float or NaN."""

    def __init__(self, document: dict[str, Any], weights: array[float]) -> None:
        self.columns: list[str] = document["columns"]
        self.classes: list[str] = document["classes"]  # empty for a regression
        self.intercept: list[float] = document["intercept"]
        self._weights = weights  # (features, outputs), one after the other
        self._described: list[dict[str, Any]] = document["parts"]
        self._parts = [PARTS[part["kind"]](part) for part in self._described]

    def probabilities(self, row: Sequence[Any]) -> list[float]:
        """Of each class."""
        scores = self._scores(row)
        if len(scores) == 1:
            positive = 1 / (1 + math.exp(-scores[0])) if scores[0] > -700 else 0.0
            return [1 - positive, positive]
        highest = max(scores)
        shares = [math.exp(score - highest) for score in scores]
        total = sum(shares)
        return [share / total for share in shares]

    def value(self, row: Sequence[Any]) -> float:
        """A regression's answer."""
        return self._scores(row)[0]

    def features(self, row: Sequence[Any]) -> Iterator[tuple[str, str, float, array[float]]]:
        """The column, the term, the value and the weights (one an output) of each feature."""
        outputs = len(self.intercept)
        described = zip(self.columns, self._described, self._parts, row, strict=True)
        for column, description, part, value in described:
            for place, size in part(value):
                weights = self._weights[place * outputs : (place + 1) * outputs]
                yield column, _term(description, column, place, value), size, weights

    def _scores(self, row: Sequence[Any]) -> list[float]:
        weights, outputs = self._weights, len(self.intercept)
        scores = list(self.intercept)
        for part, value in zip(self._parts, row, strict=True):
            for place, weight in part(value):
                first = place * outputs
                for at, each in enumerate(weights[first : first + outputs]):
                    scores[at] += weight * each
        return scores


def load(folder: str) -> LinearScorer | None:
    """The scorer of a model's folder, or None where none was written."""
    path = os.path.join(folder, DOCUMENT)
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    weights = array("f")
    with open(os.path.join(folder, WEIGHTS), "rb") as file:
        weights.frombytes(file.read())
    return LinearScorer(document, weights)


def _term(part: dict[str, Any], column: str, place: int, value: Any) -> str:
    """What a feature is called, as explain.py does."""
    if part["kind"] == "text":
        return str(part["terms"][place - part["first"]])
    if part["kind"] == "category":
        return str(value) if value in part["places"] else "(rare)"
    return column


def text(part: dict[str, Any]) -> Part:
    """TF-IDF of words and runs of words: sublinear, of length one."""
    words, longest, first = re.compile(part["pattern"]).findall, part["longest"], part["first"]
    known = {term: place for place, term in enumerate(part["terms"])}
    idf = part["idf"]

    def terms(value: str) -> Iterator[Term]:
        found = words(value.lower())
        counts = Counter(known[term] for term in _runs(found, longest) if term in known)
        values = {place: (1 + math.log(count)) * idf[place] for place, count in counts.items()}
        length = math.sqrt(sum(each * each for each in values.values())) or 1.0
        return ((first + place, each / length) for place, each in values.items())

    return terms


def _runs(words: list[str], longest: int) -> Iterator[str]:
    yield from words
    for size in range(2, longest + 1):
        yield from map(" ".join, zip(*(words[at:] for at in range(size)), strict=False))


def number(part: dict[str, Any]) -> Part:
    """Scaled; the median where there is none."""
    median, mean, scale, first = part["median"], part["mean"], part["scale"], part["first"]

    def terms(value: float) -> Iterator[Term]:
        yield first, ((median if value != value else value) - mean) / scale

    return terms


def category(part: dict[str, Any]) -> Part:
    """One feature for each value that is not rare; `rare` for all others, where there is one."""
    places, rare, first = part["places"], part["rare"], part["first"]

    def terms(value: str) -> Iterator[Term]:
        place = places.get(value, rare)
        if place is not None:
            yield first + place, 1.0

    return terms


PARTS: dict[str, Callable[[dict[str, Any]], Part]] = {
    "text": text,
    "number": number,
    "category": category,
}
