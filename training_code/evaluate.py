"""The new model, and the champion, measured on the same test split.

A SageMaker Processing job; by hand: `python evaluate.py --base DIR --label star_rating --inputs
'["review_body"]'`. Writes evaluation.json (and champion.json) in SageMaker's ModelMetrics form,
comparison.json (or not_compared.json), slices.json, bias.json, explanations.json and
model_card.html.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import comparison
import explanations
import failures
import metrics
import model_card
import pandas as pd
import posttraining_bias
import scoring
from failures import DataError
from findings import Findings
from scoring import Classified, Scored

LONGEST = 300  # characters of why the champion was not compared with


def main() -> None:
    options = parse(sys.argv[1:])
    try:
        run(options)
    except DataError as error:
        failures.tell(options.base, str(error))
        sys.exit(f"evaluate: {error}")


def parse(words: list[str]) -> argparse.Namespace:
    env = os.environ
    parser = argparse.ArgumentParser(description=__doc__)
    base = Path(env.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    parser.add_argument("--base", type=Path, default=base)
    parser.add_argument("--label", default=env.get("LABEL"), required="LABEL" not in env)
    problems = ("multiclass", "binary", "regression")
    parser.add_argument("--problem", choices=problems, default=env.get("PROBLEM", "multiclass"))
    for name in ("inputs", "slices", "facets", "positive"):
        parser.add_argument(f"--{name}", type=json.loads, default=env.get(name.upper(), "[]"))
    parser.add_argument("--group", default=env.get("GROUP", ""))
    parser.add_argument("--seed", type=int, default=env.get("SEED", "42"))
    options = parser.parse_args(words)
    options.positive = [str(label) for label in options.positive]
    return options


def run(options: argparse.Namespace) -> None:
    """Score each model through the serving code, and write what it measures."""
    inputs = options.base / "processing" / "input"
    output = options.base / "processing" / "output" / "evaluation"
    output.mkdir(parents=True, exist_ok=True)
    rows = read(inputs / "test")
    asked = scoring.records(rows[[name for name in options.inputs if name in rows]])
    served = scoring.serving(inputs)
    model = scoring.load(served, inputs / "model")
    challenger = score(served, model, asked, rows, options)
    tell("model", challenger)
    champion, reason = champion_of(served, inputs / "champion", asked, rows, options)
    documents = {"evaluation": evaluation(challenger, options)}
    if champion is not None:
        tell("champion", champion)
        documents["champion"] = evaluation(champion, options)
        documents["comparison"] = comparison.compare(challenger, champion, options.seed)
    elif reason:
        print(f"the champion is not compared with: {reason}", flush=True)
        documents["not_compared"] = {"reason": reason}
    places = comparison.slices(rows, options.slices)
    documents["slices"] = comparison.by_slice(places, challenger, champion, options.seed)
    documents["bias"] = biases(challenger, rows, options)
    documents["explanations"] = explanations.explain(
        served, model, asked, challenger, rows[options.label], options.seed
    )
    documents["training"] = training(inputs)
    for name, content in documents.items():
        (output / f"{name}.json").write_text(json.dumps(content, indent=2))
    found = findings(challenger, rows, inputs, documents, options)
    (output / "model_card.html").write_text(model_card.page(found), encoding="utf-8")


def champion_of(
    served: Any, folder: Path, asked: list[Any], rows: pd.DataFrame, options: argparse.Namespace
) -> tuple[Scored | None, str]:
    """The champion's answers, or why there are none to compare with; "" where it has no folder.

    It may be of another kind, of another problem, or of a script whose serving code is gone: that
    must not keep a new model from being judged by its own numbers.
    """
    if not folder.is_dir():
        return None, ""
    try:
        return score(served, scoring.load(served, folder), asked, rows, options), ""
    except Exception as error:
        return None, " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST]


def tell(role: str, scored: Scored) -> None:
    measured = metrics.measure(scored)
    told = ", ".join(f"{name} {value:.6g}" for name, value in measured.items())
    print(f"{role}: {told} on {len(scored.actual)} rows", flush=True)


def score(
    served: Any, model: Any, asked: list[Any], rows: pd.DataFrame, options: argparse.Namespace
) -> Scored:
    """A binary problem's positive label comes last, as the metrics take it."""
    found = scoring.score(served, model, asked, rows[options.label], options.problem)
    if options.problem == "binary" and isinstance(found, Classified) and options.positive:
        return found.ordered([name for name in found.classes if name not in options.positive])
    return found


def training(inputs: Path) -> dict[str, Any]:
    """What training said of itself, as far as it did: rows, scores, the versions it ran on."""
    told = described(inputs / "model" / "model" / "metadata.json")
    names = ("model", "training_rows", "scores", "learning_curve", "versions")
    return {name: told[name] for name in names if name in told}


def read(folder: Path) -> pd.DataFrame:
    files = sorted(folder.rglob("*.parquet"))
    if not files:
        raise DataError("the test split has no Parquet file")
    return pd.concat([pd.read_parquet(path) for path in files], ignore_index=True)


def evaluation(scored: Scored, options: argparse.Namespace) -> dict[str, Any]:
    """SageMaker's ModelMetrics form: each metric with the bootstrap's standard deviation."""
    spread = metrics.deviations(metrics.bootstrap(scored, options.seed))
    found: dict[str, Any] = {
        name: {"value": value, "standard_deviation": spread.get(name, 0.0)}
        for name, value in metrics.measure(scored).items()
    }
    if not isinstance(scored, Classified):
        return {"version": 0.0, "regression_metrics": found}
    counts = metrics.confusion(scored)
    found["confusion_matrix"] = {
        row: {column: int(counts[i, j]) for j, column in enumerate(scored.classes)}
        for i, row in enumerate(scored.classes)
    }
    return {"version": 0.0, f"{options.problem}_classification_metrics": found}


def biases(scored: Scored, rows: pd.DataFrame, options: argparse.Namespace) -> dict[str, Any]:
    if not options.facets or not isinstance(scored, Classified):
        return {}
    labels = {"actual": scored.told(scored.actual), "predicted": scored.told(scored.predicted)}
    return posttraining_bias.report(
        rows,
        options.facets,
        options.positive,
        labels,
        label=options.label,
        group=options.group or None,
    )


def findings(
    scored: Scored,
    rows: pd.DataFrame,
    inputs: Path,
    documents: dict[str, Any],
    options: argparse.Namespace,
) -> Findings:
    """What the card tells."""
    model = described(inputs / "model" / "model" / "metadata.json")
    (measured,) = (v for k, v in documents["evaluation"].items() if k.endswith("_metrics"))
    reads = [name for kind in ("text", "numeric", "categorical") for name in model.get(kind, [])]
    found: dict[str, Any] = {}
    if isinstance(scored, Classified):
        shares = rows[options.label].value_counts(normalize=True)
        found = {
            "classes": scored.classes,
            "confusion": metrics.confusion(scored),
            "calibration": metrics.calibration(scored) if scored.probabilities is not None else [],
            "most_common": float(shares.max()),
        }
    return Findings(
        label=options.label,
        rows=len(rows),
        reads=reads or options.inputs,
        metrics=measured,
        slices=documents["slices"],
        explanations=documents["explanations"],
        model=model,
        prepared=described(inputs / "prepare" / "prepare.json"),
        comparison=documents.get("comparison", {}),
        not_compared=documents.get("not_compared", {}).get("reason", ""),
        bias=documents["bias"],
        **found,
    )


def described(path: Path) -> dict[str, Any]:
    """A document of the run; empty where a script of the user's own, or a run by hand, has none."""
    found: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return found


if __name__ == "__main__":
    main()
