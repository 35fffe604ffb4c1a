"""Why the model answers as it does: which columns it needs, which terms speak for which label.

Columns by permutation importance, whatever the model is (Breiman, "Random Forests", 2001, section
10); beside it exact weights of a linear model's terms, or the Shapley values of another's columns,
where the script that serves it tells them.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

import metrics
import numpy as np
import pandas as pd
import scoring
from scoring import Classified, Scored

SAMPLE = 1000  # rows that are asked again
ATTRIBUTED = 100  # rows whose Shapley values are told
REPEATS = 3
EXAMPLES = 3

Record = dict[str, Any]


def explain(
    served: Any, model: Any, asked: list[Record], scored: Scored, known: pd.Series, seed: int
) -> dict[str, Any]:
    """{"method", "columns", "terms", "shap", "examples"} of a model that has been scored."""
    named = "rmse" if not isinstance(scored, Classified) else "accuracy"
    terms = served.summary_fn(asked, model) if hasattr(served, "summary_fn") else {}
    shap = _shap(served, model, asked, seed)
    methods = {"permutation importance of columns": True, "exact weights of terms": terms,
               "Shapley values of columns": shap}  # fmt: skip
    return {
        "method": "; ".join(words for words, used in methods.items() if used),
        "metric": named,
        "columns": _columns(served, model, asked, known, named, seed),
        "terms": terms,
        "shap": shap,
        "examples": _examples(served, model, asked, scored),
    }


def _shap(served: Any, model: Any, asked: list[Record], seed: int) -> dict[str, dict[str, float]]:
    """By label the mean absolute Shapley value of each column, over some rows."""
    if not hasattr(served, "attributions_fn"):
        return {}
    places = np.random.default_rng(seed).permutation(len(asked))[:ATTRIBUTED]
    return served.attributions_fn([asked[place] for place in places], model)


def _columns(
    served: Any, model: Any, asked: list[Record], known: pd.Series, named: str, seed: int
) -> dict[str, float]:
    """How much worse the metric gets when a column's values are dealt out anew, (columns)."""
    random = np.random.default_rng(seed)
    places = random.permutation(len(asked))[:SAMPLE]
    records, truth = [asked[place] for place in places], known.iloc[places]
    problem = "regression" if named == "rmse" else "multiclass"
    sign = 1 if named == "rmse" else -1

    def measured(given: list[Record]) -> float:
        return metrics.measure(scoring.score(served, model, given, truth, problem))[named]

    before = measured(records)
    found = {}
    for column in sorted({name for record in records for name in record}):
        values = [record.get(column) for record in records]
        worse = []
        for _ in range(REPEATS):
            dealt = [values[place] for place in random.permutation(len(values))]
            worse.append(
                measured([_with(r, column, v) for r, v in zip(records, dealt, strict=True)])
            )
        found[column] = sign * (float(np.mean(worse)) - before)
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def _with(record: Record, column: str, value: Any) -> Record:
    changed = {name: old for name, old in record.items() if name != column}
    return changed if value is None else {**changed, column: value}


def _examples(
    served: Any, model: Any, asked: list[Record], scored: Scored
) -> dict[str, list[dict[str, Any]]]:
    """Answers the model was surest of: those that were right, and those that were wrong."""
    if not isinstance(scored, Classified) or scored.probabilities is None:
        return {}
    sure = scored.probabilities.max(axis=1)
    right = scored.actual == scored.predicted
    explains = hasattr(served, "explains") and served.explains(model)
    found = {}
    for name, there in (("right", right), ("wrong", ~right)):
        best = [int(place) for place in np.argsort(-sure, kind="stable") if there[place]][:EXAMPLES]
        told = served.explain_fn([asked[place] for place in best], model) if explains else []
        found[name] = [
            {
                "record": asked[place],
                "label": scored.classes[scored.predicted[place]],
                "actual": scored.classes[scored.actual[place]],
                "explanation": why,
            }
            for place, why in zip_longest(best, told, fillvalue={})
        ]
    return found
