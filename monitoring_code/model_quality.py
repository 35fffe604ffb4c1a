"""Model quality: are live predictions as right as they were on the baseline?

  baseline  reads a dataset of predictions and true labels; writes statistics.json and
            constraints.json
  analyze   merges captured predictions with ground truth by inference id, late labels too, and
            writes statistics.json, constraints.json and constraint_violations.json

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality.html
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from checks import model_constraints, model_metrics, significance
from checks.model_metrics import BINARY, KEYS, MULTICLASS, REGRESSION, Outcome
from inputs import columns, contract, labelled
from inputs.contract import Job
from inputs.ground_truth import LABEL
from inputs.jsonlines import Rejects
from inputs.labelled import Attributes
from inputs.window import UTC
from outputs import drift, measures, metrics, page, report


def main() -> None:
    options = parse(sys.argv[1:])
    contract.without_pandas(options)
    job, attributes = contract.job(options), labelled.attributes(options)
    with report.running(job):
        rejects = Rejects()
        table = labelled.read(job, options, rejects, inputs=False)
        if drift.too_few(job, table.num_rows, rejects):
            return
        judged = outcome(table, options.problem, attributes)
        found = model_metrics.described(judged)
        statistics = described(job, judged, found)
        report.write(job.output, "statistics.json", statistics)
        test = options.rule == "Significance"
        suggested = model_constraints.suggest(options.problem, found, test=test)
        if job.mode == contract.BASELINE:
            report.write(job.output, "constraints.json", suggested)
            words = f"Completed: baseline of {len(judged)} labelled records."
            report.message(job.base, words, rejects)
        else:
            analyze(job, judged, found, suggested, rejects)


def parse(words: list[str]) -> argparse.Namespace:
    parser = contract.parser(__doc__)
    labelled.arguments(parser)
    env = os.environ.get
    problem = env("problem_type", MULTICLASS)
    parser.add_argument("--problem", choices=(BINARY, MULTICLASS, REGRESSION), default=problem)
    rules = ("Significance", "Threshold")
    words_of = "Threshold is AWS's own"
    parser.add_argument("--rule", choices=rules, default=env("RULE", rules[0]), help=words_of)
    return parser.parse_args(words)


def outcome(table: pa.Table, problem: str, attributes: Attributes) -> Outcome:
    """Truth, predictions and scores as arrays; records without a prediction are left out."""
    names = [name for name in table.column_names if name != LABEL]
    predicted = attributes.prediction(names)
    scored = next(iter(columns.found(names, attributes.probability)), None)
    assert predicted or scored, f"no prediction among {', '.join(names)}"
    table = table.filter(pc.is_valid(table[predicted or scored]))
    truth = table[LABEL]
    if problem == REGRESSION:
        said = table[predicted or scored].cast(pa.float64()).to_numpy()
        return Outcome(problem, truth.cast(pa.float64()).to_numpy(), said)
    scores = table[scored].cast(pa.float64()).to_numpy() if scored else None
    labels = columns.classes(truth)
    if predicted is not None and attributes.threshold is None:
        return model_metrics.classified(problem, labels, columns.classes(table[predicted]), scores)
    assert scores is not None, "a probability threshold needs a probability"
    cut = 0.5 if attributes.threshold is None else attributes.threshold
    negative, positive = model_metrics.classified(problem, labels, labels).classes
    return model_metrics.classified(
        problem, labels, np.where(scores >= cut, positive, negative), scores
    )


def described(job: Job, judged: Outcome, found: dict[str, Any]) -> dict[str, Any]:
    """statistics.json of model quality."""
    moments = {"start_time": job.window.start, "end_time": job.window.end}
    moments["evaluation_time"] = datetime.now(UTC)
    return {
        "version": 0.0,
        "dataset": {
            "item_count": len(judged),
            **{name: f"{moment:%Y-%m-%dT%H:%M:%SZ}" for name, moment in moments.items() if moment},
        },
        f"{KEYS[judged.problem]}_metrics": found,
    }


def analyze(
    job: Job, judged: Outcome, found: dict[str, Any], suggested: dict[str, Any], rejects: Rejects
) -> None:
    """The metrics against the baseline's constraints; without those none is judged."""
    limits = job.document(job.constraints)
    known, fewer = baseline(job, judged)
    broken, compared = (
        model_constraints.find(judged.problem, found, limits, known, fewer)
        if limits is not None
        else ([], [])
    )
    report.write(job.output, "constraints.json", limits or suggested)
    report.write(job.output, "constraint_violations.json", {"violations": broken})
    drift.write(job, len(judged), rejects, compared)
    values = {name: each["value"] for name, each in found.items() if "value" in each}
    data = [metrics.single(name, v) for name, v in values.items() if np.isfinite(v)]
    metrics.publish(job, metrics.MODEL, data)
    test, least = significance.enabled(limits or {}), significance.least_change(limits)
    run = page.Run.of(
        job,
        "Model quality",
        rejects,
        records=len(judged),
        baseline=round(len(judged) * fewer) if known else None,
        subject="metric",
        violations=[{**each, "feature_name": each["metric_name"]} for each in broken],
        compared=compared,
        rule=page.rule(f"a metric worse by more than {least:.0%}", test),
    )
    page.write(job, run, measures.quality(run, found, known))
    for each in broken:
        print(each["description"])
    report.completed(job.base, len(broken), rejects)


def baseline(job: Job, judged: Outcome) -> tuple[dict[str, Any], float]:
    """The baseline's metrics, and its records for each live one; AWS gives a schedule neither."""
    known = job.document(job.statistics)
    if known is None:
        return {}, 1.0
    return known[f"{KEYS[judged.problem]}_metrics"], known["dataset"]["item_count"] / len(judged)


if __name__ == "__main__":
    main()
