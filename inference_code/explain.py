"""Why a model answers as it does: a linear one by its weights, others by Shapley values of columns.

Of a transformer, by leaving out words: Shapley values of a hundred words would take it a thousand
answers to each record, which no caller waits for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapley
from records import digits

TOP = 10
COALITIONS = 256  # of a record, at most; up to eight columns these are all there are
Explanation = dict[str, Any]


def linear(pipeline: Any) -> bool:
    return hasattr(pipeline[-1], "coef_") if hasattr(pipeline, "steps") else False


def by_weights(rows: np.ndarray, pipeline: Any, metadata: dict[str, Any]) -> list[Explanation]:
    """The terms of each row that moved its answer the most, of a linear model, exactly.

    A term's weight is its value times its coefficient for the answered label, less the mean over
    the labels: all weights and the intercept together are the label's log-odds against the mean.
    """
    weights, intercepts = coefficients(pipeline)
    columns, terms = names(pipeline, metadata)
    vectors = pipeline[:-1].transform(rows)
    answers = _answers(pipeline, vectors)
    found = []
    for place, answer in enumerate(answers):
        row = vectors[place]
        there, values = (row.indices, row.data) if hasattr(row, "indices") else _dense(row)
        told = values * weights[answer, there]
        strongest = np.argsort(-np.abs(told), kind="stable")[:TOP]
        found.append(
            {
                "method": "linear",
                "intercept": digits(intercepts[answer]),
                "total": digits(told.sum() + intercepts[answer]),
                "terms": [
                    {
                        "column": columns[there[each]],
                        "term": terms[there[each]],
                        "weight": digits(told[each]),
                    }
                    for each in strongest
                    if told[each]
                ],
            }
        )
    return found


def by_shapley(rows: np.ndarray, pipeline: Any, metadata: dict[str, Any]) -> list[Explanation]:
    """What each column adds to the probability of the answered label, or to the number.

    All weights and the intercept, the mean answer to rows of the training split, are the total.
    """
    columns = _columns(metadata)
    found = []
    for row in rows:
        values, empty, whole = _attributed(row, pipeline, metadata)
        answer = whole.argmax()
        told = values[:, answer]
        found.append(
            {
                "method": "shap",
                "intercept": digits(empty[answer]),
                "total": digits(whole[answer]),
                "terms": [
                    {"column": columns[each], "term": str(row[each]), "weight": digits(told[each])}
                    for each in np.argsort(-np.abs(told), kind="stable")[:TOP]
                ],
            }
        )
    return found


def overall(
    rows: np.ndarray, pipeline: Any, metadata: dict[str, Any]
) -> dict[str, dict[str, float]]:
    """For each label, the mean absolute Shapley value of every column."""
    means = np.mean([np.abs(_attributed(row, pipeline, metadata)[0]) for row in rows], axis=0)
    labels = [str(label) for label in getattr(pipeline, "classes_", ["value"])]
    return {
        label: dict(zip(_columns(metadata), map(digits, told), strict=True))
        for label, told in zip(labels, means.T, strict=True)
    }


def _attributed(
    row: np.ndarray, pipeline: Any, metadata: dict[str, Any]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A row's Shapley values, [column, label], and the answers without and with its columns.

    A column out of a coalition has the values of some rows of the training split, one after
    another, and the answer is their mean. A transformer has no such rows: there its text is empty.
    """
    background = np.array(metadata["background"] or [[""] * len(row)], dtype=object)
    masks, weights = shapley.coalitions(len(row), COALITIONS)
    asked = np.where(masks[:, None, :], row, background).reshape(-1, len(row))
    answers = _told(pipeline, asked).reshape(len(masks), len(background), -1).mean(axis=1)
    return shapley.values(masks, weights, answers), answers[0], answers[1]


def _columns(metadata: dict[str, Any]) -> list[str]:
    return [*metadata["text"], *metadata["numeric"], *metadata["categorical"]]


def by_words(rows: np.ndarray, pipeline: Any, metadata: dict[str, Any]) -> list[Explanation]:
    """How much less the answer would be without each word, the text asked again without it.

    Li et al., "Understanding Neural Networks through Representation Erasure", 2016.
    """
    found = []
    for row in rows:
        spans = [(c, span) for c, text in enumerate(row) for span in pipeline.words(text)]
        asked = np.repeat(row[None], len(spans) + 1, axis=0)
        for place, (column, (first, last)) in enumerate(spans, start=1):
            asked[place, column] = row[column][:first] + row[column][last:]
        told = _told(pipeline, asked)
        answer = told[0].argmax()
        changes = told[0, answer] - told[1:, answer]
        strongest = np.argsort(-np.abs(changes), kind="stable")[:TOP]
        found.append(
            {
                "method": "occlusion",
                "terms": [
                    {
                        "column": metadata["text"][spans[each][0]],
                        "term": row[spans[each][0]][slice(*spans[each][1])],
                        "weight": digits(changes[each]),
                    }
                    for each in strongest
                    if changes[each]
                ],
            }
        )
    return found


def by_label(rows: np.ndarray, pipeline: Any, metadata: dict[str, Any]) -> dict[str, list[Any]]:
    """For each label, the terms that spoke for it the most in the rows where it was answered.

    A term's weight is its mean over those rows, of a linear model exactly.
    """
    weights, _ = coefficients(pipeline)
    columns, terms = names(pipeline, metadata)
    vectors = pipeline[:-1].transform(rows)
    answers = _answers(pipeline, vectors)
    found = {}
    for place, label in enumerate(getattr(pipeline, "classes_", ["value"])):
        there = vectors[answers == place]
        if not there.shape[0]:
            continue
        told = np.asarray(there.mean(axis=0)).ravel() * weights[place]
        best = [each for each in np.argsort(-told, kind="stable")[:TOP] if told[each] > 0]
        found[str(label)] = [
            {"column": columns[each], "term": terms[each], "weight": digits(told[each])}
            for each in best
        ]
    return found


def coefficients(pipeline: Any) -> tuple[np.ndarray, np.ndarray]:
    """((labels, features), (labels,)), less the mean over the labels; one row for a regression."""
    weights = np.atleast_2d(pipeline[-1].coef_)
    intercepts = np.atleast_1d(pipeline[-1].intercept_)
    if not hasattr(pipeline, "classes_"):
        return weights, intercepts
    if len(weights) == 1:  # two classes share one row
        return np.vstack([-weights, weights]) / 2, np.array([-intercepts[0], intercepts[0]]) / 2
    return weights - weights.mean(axis=0), intercepts - intercepts.mean()


def names(pipeline: Any, metadata: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The column and the term of each feature."""
    transformer = pipeline[0]
    columns: list[str] = []
    terms: list[str] = []
    for name, part, _ in transformer.transformers_:
        if name.startswith("text"):
            found = [str(term) for term in part.get_feature_names_out()]
            columns += [metadata["text"][int(name.removeprefix("text"))]] * len(found)
            terms += found
        elif name == "numeric":
            columns += metadata["numeric"]
            terms += metadata["numeric"]
        elif name == "categorical":
            for column, values in _categories(part, metadata["categorical"]):
                columns += [column] * len(values)
                terms += values
    return columns, terms


def _categories(part: Any, names: list[str]) -> list[tuple[str, list[str]]]:
    """The values of each categorical column that have a feature of their own."""
    found = []
    for column, values, rare in zip(
        names, part.categories_, part.infrequent_categories_, strict=True
    ):
        kept = [str(value) for value in values if rare is None or value not in rare]
        found.append((column, kept + (["(rare)"] if rare is not None else [])))
    return found


def _answers(pipeline: Any, vectors: Any) -> np.ndarray:
    """The place of each row's label; 0 for a regression."""
    if not hasattr(pipeline, "classes_"):
        return np.zeros(vectors.shape[0], dtype=int)
    return pipeline[-1].predict_proba(vectors).argmax(axis=1)


def _told(pipeline: Any, rows: np.ndarray) -> np.ndarray:
    if hasattr(pipeline, "classes_"):
        return pipeline.predict_proba(rows)
    return pipeline.predict(rows)[:, None]


def _dense(row: Any) -> tuple[np.ndarray, np.ndarray]:
    values = np.asarray(row).ravel()
    there = np.flatnonzero(values)
    return there, values[there]
