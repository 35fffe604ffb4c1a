"""Predictions beside the truth: captured answers merged with ground truth, or a dataset of both.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-merge.html
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from inputs import columns, contract, datasets, ground_truth, payloads
from inputs.capture import INPUT, OUTPUT, Batch
from inputs.contract import Job
from inputs.jsonlines import Rejects

HANDLED = "endpointoutput_"  # before a column that a preprocessing script makes of the answer
PREDICTIONS = ("label", "prediction", "predicted_label", "_c0")


@dataclass(frozen=True)
class Attributes:
    """Where the prediction, its probability and the truth lie: names, positions or JSONPaths.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_EndpointInput.html
    """

    inference: str
    probability: str
    threshold: float | None
    truth: str

    def prediction(self, names: Sequence[str]) -> str | None:
        """The prediction's column; without an attribute, the first that is commonly so named."""
        if self.inference:
            asked = (self.inference, f"{HANDLED}{self.inference}")
            return next((each for name in asked for each in columns.found(names, name)), None)
        if self.probability:
            return None
        return next((name for name in PREDICTIONS if name in names), None)


def arguments(parser: argparse.ArgumentParser) -> None:
    env = os.environ.get
    add = parser.add_argument
    add("--inference", default=env("inference_attribute", ""), help="the prediction's column")
    add("--probability", default=env("probability_attribute", ""), help="of the positive class")
    threshold = env("probability_threshold_attribute")
    add("--probability-threshold", type=float, default=threshold, help="default: 0.5")
    add("--truth", default=env("ground_truth_attribute", ""), help="the true label's column")
    add("--ground-truth", default=env("ground_truth_source"), help="a folder of ground truth")


def attributes(options: argparse.Namespace) -> Attributes:
    threshold = options.probability_threshold
    return Attributes(
        options.inference,
        options.probability,
        None if threshold is None else float(threshold),
        options.truth,
    )


def read(job: Job, options: argparse.Namespace, rejects: Rejects, *, inputs: bool) -> pa.Table:
    """Labelled records, the truth in the column `ground_truth`; `inputs`: the requests' too."""
    found = attributes(options)
    if job.captured:
        capture = replace(job.capture(), indexes=(INPUT, OUTPUT) if inputs else (OUTPUT,))
        label = _labeller(job, found, options.ground_truth, rejects)
        seen, parts = 0, []
        for batch in capture.batches(rejects):
            seen += batch.columns.num_rows
            parts.append(label(batch))
        table = payloads.together(parts) if parts else pa.table({})
        print(f"{table.num_rows} of {seen} records have a label")
        return table
    parts = list(datasets.batches(job.source, job.dataset_format, rejects))
    table = payloads.together(parts) if parts else pa.table({})
    name = next(iter(columns.found(table.column_names, found.truth or ground_truth.LABEL)), None)
    assert name is not None, f"the dataset has no column {found.truth or ground_truth.LABEL}"
    truth = table[name].cast(pa.string())
    return table.drop_columns([name]).append_column(ground_truth.LABEL, truth)


def _labeller(
    job: Job, found: Attributes, folder: str | None, rejects: Rejects
) -> Callable[[Batch], pa.Table]:
    """What puts the labels beside a batch: of the lines themselves, or from a folder by id."""
    if job.merged:
        return lambda batch: ground_truth.merged(batch, rejects, found.truth)
    base = contract.local(folder, job.base) or job.base / "processing/input/ground_truth"
    labels = ground_truth.read(Path(base), rejects, found.truth)
    print(f"labels of {labels.num_rows} ids")
    return lambda batch: ground_truth.merge(batch, labels)
