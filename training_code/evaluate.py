"""The new model, and the champion, measured on the same test split.

A SageMaker Processing job; by hand: `python evaluate.py --base DIR --label star_rating`. Writes
evaluation.json (and champion.json) in SageMaker's ModelMetrics form:
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import failures
import metrics
import pandas as pd
import scoring
from failures import DataError
from scoring import Classified, Scored


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
    parser.add_argument("--seed", type=int, default=env.get("SEED", "42"))
    return parser.parse_args(words)


def run(options: argparse.Namespace) -> None:
    """Score each model through the serving code, and write what it measures."""
    inputs = options.base / "processing" / "input"
    output = options.base / "processing" / "output" / "evaluation"
    output.mkdir(parents=True, exist_ok=True)
    rows = read(inputs / "test")
    asked, known = scoring.records(rows.drop(columns=options.label)), rows[options.label]
    served = scoring.serving(inputs)
    for role, name in (("model", "evaluation.json"), ("champion", "champion.json")):
        if not (inputs / role).is_dir():
            continue
        model = scoring.load(served, inputs / role)
        scored = scoring.score(served, model, asked, known, options.problem)
        write(output / name, evaluation(scored, options))
        told = ", ".join(f"{k} {v:.4f}" for k, v in metrics.measure(scored).items())
        print(f"{role}: {told} on {len(rows)} rows")


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


def write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2))


if __name__ == "__main__":
    main()
