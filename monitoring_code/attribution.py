"""Feature-attribution drift: does the model still decide by the same features?

  baseline  explains predictions for a sample of a dataset; writes analysis.json and
            constraints.json, whose `explanations` hold the global Shapley values
  analyze   explains predictions for a sample of captured requests; a ranking of features whose
            nDCG against the baseline's is under 0.9 is a violation

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

import pyarrow as pa
from checks import attributions
from inputs import columns, contract, datasets, model
from inputs.contract import Job
from inputs.jsonlines import Rejects
from outputs import drift, metrics, report
from profiles.dataset import Sample

METHOD = "kernel_shap"
FEWEST = 30  # records whose mean attributions say something
BACKGROUND = (
    "background.json"  # beside the constraints: the row that absent features are taken from
)


def main() -> None:
    options = parse(sys.argv[1:])
    job = contract.job(options)
    with report.running(job):
        rejects = Rejects()
        sample = sampled(job, options.sample, rejects)
        if drift.too_few(job, sample.seen, rejects, FEWEST):
            return
        assert sample.rows is not None
        explained = model.load(*model.places(job, options))
        if job.mode == contract.BASELINE:
            suggest_baseline(job.output, explained, sample.rows)
            words = f"Completed: baseline of {sample.rows.num_rows} explanations."
            report.message(job.base, words, rejects)
        else:
            analyze(job, explained, sample.rows, rejects)
            drift.write(job, sample.seen, rejects)


def parse(words: list[str]) -> argparse.Namespace:
    parser = contract.parser(__doc__)
    model.arguments(parser)
    sample = os.environ.get("SAMPLE", "200")
    parser.add_argument("--sample", type=int, default=sample, help="records to explain")
    return parser.parse_args(words)


def suggest_baseline(folder: Path, explained: model.Model, sample: pa.Table) -> None:
    """The sample's attributions, which are the limits too, and the row that stands for absence."""
    background = usual(sample)
    found = analysis(explained, sample, background)
    report.write(folder, BACKGROUND, background)
    report.write(folder, "analysis.json", found)
    report.write(folder, "constraints.json", found)


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


def analysis(
    explained: model.Model, sample: pa.Table, background: Mapping[str, Any]
) -> dict[str, Any]:
    """analysis.json of Clarify: the global Shapley values of each label."""
    names = [name for name in background if name in sample.column_names]
    values = attributions.shapley(explained, sample.to_pylist(), background, names)
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


def analyze(job: Job, explained: model.Model, sample: pa.Table, rejects: Rejects) -> None:
    """The live ranking against the baseline's."""
    background = job.document(job.beside / BACKGROUND) or usual(sample)
    found = analysis(explained, sample, background)
    limits = job.document(job.constraints) or found  # without a baseline none is judged
    live, known = (
        {label: each["global_shap_values"] for label, each in one["explanations"][METHOD].items()}
        for one in (found, limits)
    )
    broken, scores = attributions.violations(live, known)
    report.count(job.output, sample.num_rows)
    report.write(job.output, "analysis.json", found)
    report.write(job.output, "constraints.json", limits)
    report.write(job.output, "constraint_violations.json", {"version": "1.0", "violations": broken})
    metrics.publish(job, metrics.EXPLAINABILITY, published(found))
    for label, score in scores.items():
        print(f"{label}: nDCG {score:.4f}; under {attributions.THRESHOLD} is drift")
    report.completed(job.base, len(broken), rejects)


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
