"""Feature-attribution drift: does the model still decide by the same features?

  baseline  explains predictions for a sample of a dataset; writes analysis.json and
            constraints.json, whose `explanations` hold the global Shapley values
  analyze   explains predictions for a sample of captured requests; a ranking of features whose
            nDCG against the baseline's is under 0.9, and not by chance, is a violation

The model is a SageMaker artefact (model.tar.gz or its content) with the script that serves it.
https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-model-monitor-feature-attribution-drift.html
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from checks import attributions, significance
from inputs import columns, contract, datasets, model
from inputs.contract import Job
from inputs.jsonlines import Rejects
from outputs import drift, measures, metrics, page, report
from profiles.dataset import Sample

METHOD = "kernel_shap"
FEWEST = 30  # records whose mean attributions say something
# Beside the constraints: the row that absent features are taken from, and every record's values.
BACKGROUND, LOCAL = "background.json", "local_values.json"


def main() -> None:
    options = parse(sys.argv[1:])
    job = contract.job(options)
    with report.running(job):
        rejects = Rejects()
        sample = sampled(job, options.sample, rejects)
        if drift.too_few(job, sample.seen, rejects, FEWEST):
            return
        explained = model.load(*model.places(job, options))
        if job.mode == contract.BASELINE:
            assert sample.rows is not None
            suggest_baseline(
                job.output, explained, sample.rows, test=options.rule == "Significance"
            )
            words = f"Completed: baseline of {sample.rows.num_rows} explanations."
            report.message(job.base, words, rejects)
        else:
            analyze(job, explained, sample, rejects)


def parse(words: list[str]) -> argparse.Namespace:
    parser = contract.parser(__doc__)
    model.arguments(parser)
    env = os.environ.get
    parser.add_argument(
        "--sample", type=int, default=env("SAMPLE", "200"), help="records to explain"
    )
    rules = ("Significance", "Threshold")
    words_of = "Threshold is AWS's own"
    parser.add_argument("--rule", choices=rules, default=env("RULE", rules[0]), help=words_of)
    return parser.parse_args(words)


def suggest_baseline(folder: Path, explained: model.Model, sample: pa.Table, *, test: bool) -> None:
    """The sample's attributions, which are the limits too, the row that stands for absence, and,
    for a `test` of chance, each record's absolute values."""
    background = usual(sample)
    values, names = explanations(explained, sample, background)
    found = analysis(explained, values, names, background)
    local = {
        label: np.abs(values[:, :, n]).round(6).tolist() for n, label in enumerate(explained.labels)
    }
    report.write(folder, BACKGROUND, background)
    report.write(folder, LOCAL, local)
    report.write(folder, "analysis.json", found)
    limits = {**found, "significance_constraints": significance.rule()} if test else found
    report.write(folder, "constraints.json", limits)


def sampled(job: Job, size: int, rejects: Rejects) -> Sample:
    """A random sample of a dataset's rows or of captured requests."""
    sample = Sample(size)
    if job.captured:
        tables = (batch.columns for batch in job.capture().batches(rejects))
    else:
        tables = datasets.batches(job.source, job.dataset_format, rejects)
    for table in tables:
        sample.add(columns.select(table, job.features, job.exclude))
    return sample


def usual(sample: pa.Table) -> dict[str, Any]:
    """One row of what is usual: medians of numbers, the commonest category, no text."""
    found: dict[str, Any] = {}
    for name in sample.column_names:
        values = [value for value in sample[name].to_pylist() if value not in (None, "")]
        if not values:
            found[name] = None
        elif isinstance(values[0], str):
            value, count = Counter(values).most_common(1)[0]
            found[name] = value if count * 20 >= len(values) else ""
        else:
            found[name] = sorted(values)[len(values) // 2]
    return found


def explanations(
    explained: model.Model, sample: pa.Table, background: Mapping[str, Any]
) -> tuple[np.ndarray, list[str]]:
    """Shapley values [record, feature, label], and the features' names."""
    names = [name for name in background if name in sample.column_names]
    return attributions.shapley(explained, sample.to_pylist(), background, names), names


def analysis(
    explained: model.Model, values: np.ndarray, names: list[str], background: Mapping[str, Any]
) -> dict[str, Any]:
    """analysis.json of Clarify: the global Shapley values of each label."""
    expected = explained([dict(background)])[0].tolist()
    means = attributions.overall(values, names, explained.labels)
    return {
        "version": "1.0",
        "explanations": {
            METHOD: {
                label: {"global_shap_values": means[label], "expected_value": value}
                for label, value in zip(explained.labels, expected, strict=True)
            }
        },
    }


def analyze(job: Job, explained: model.Model, sample: Sample, rejects: Rejects) -> None:
    """The live ranking against the baseline's."""
    assert sample.rows is not None
    count = sample.rows.num_rows
    background = job.document(job.beside / BACKGROUND) or usual(sample.rows)
    found = analysis(explained, *explanations(explained, sample.rows, background), background)
    limits = job.document(job.constraints) or found  # without a baseline none is judged
    live, known = (
        {label: each["global_shap_values"] for label, each in one["explanations"][METHOD].items()}
        for one in (found, limits)
    )
    local = local_values(job)
    broken, compared = attributions.find(live, known, limits, count, local)
    report.count(job.output, count)
    report.write(job.output, "analysis.json", found)
    report.write(job.output, "constraints.json", limits)
    report.write(job.output, "constraint_violations.json", {"version": "1.0", "violations": broken})
    drift.write(job, sample.seen, rejects, compared)
    run = page.Run.of(
        job,
        "Feature attributions",
        rejects,
        records=count,
        baseline=None if local is None else len(next(iter(local.values()))),
        subject="label",
        violations=[
            {**each, "feature_name": attributions.RANKING + each["label"]} for each in broken
        ],
        compared=compared,
        rule=page.rule(f"an nDCG under {attributions.THRESHOLD}", significance.enabled(limits)),
    )
    page.write(job, run, measures.attribution(run, live, known))
    metrics.publish(job, metrics.EXPLAINABILITY, published(found))
    report.completed(job.base, len(broken), rejects)


def local_values(job: Job) -> dict[str, np.ndarray] | None:
    """[record, feature] of each label of the baseline; None of one that is not ours."""
    known = job.document(job.beside / LOCAL)
    return None if known is None else {label: np.array(rows) for label, rows in known.items()}


def published(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-feature-attribute-drift-cw.html"""
    shared = {"ExplainabilityMethod": "KernelShap", "ValueType": "GlobalShapValues"}
    data = []
    for label, each in found["explanations"][METHOD].items():
        for name, value in each["global_shap_values"].items():
            data.append(metrics.single(f"feature_{name}", value, Label=label, **shared))
        expected = {**shared, "ValueType": "ExpectedValue"}
        data.append(
            metrics.single("ExpectedValue", each["expected_value"], Label=label, **expected)
        )
    return data


if __name__ == "__main__":
    main()
