"""What a new model is held against later: baselines of its quality, its bias, its attributions.

One job for the three, so that the model is loaded and asked once. It reads labelled rows that the
model has not learned from, mixed as they came, and writes a folder a kind: model-quality/, bias/
and attribution/, each with constraints.json as that kind's own script suggests it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import attribution
import bias
import model_quality
import pyarrow as pa
from checks import model_constraints, model_metrics
from inputs import columns, contract, datasets, labelled, model, payloads
from inputs.contract import Job
from inputs.ground_truth import LABEL
from inputs.jsonlines import Rejects
from outputs import report

PREDICTED = "predicted_label"
KINDS = ("model-quality", "bias", "attribution")


def main() -> None:
    options = parse(sys.argv[1:])
    job = contract.job(options)
    with report.running(job):
        if not options.kinds:
            report.message(job.base, "Completed: no baseline is asked for.")
            return
        table = held_out(job, options.label)
        asked = table.drop_columns([LABEL])
        served = model.load(*model.places(job, options))
        table = table.append_column(PREDICTED, pa.array(served.answers(asked.to_pylist())))
        output = contract.local(options.output, job.base) or job.base / "processing" / "output"
        for kind in options.kinds:
            MAKERS[kind](job, options, served, table, output / kind)
        made = ", ".join(options.kinds)
        report.message(job.base, f"Completed: {made} of {table.num_rows} labelled records.")


def parse(words: list[str]) -> argparse.Namespace:
    env = os.environ.get
    parser = contract.parser(__doc__)
    labelled.arguments(parser)
    model.arguments(parser)
    add = parser.add_argument
    add("--label", default=env("LABEL"), help="the column that holds the truth")
    add("--kinds", type=json.loads, default=env("KINDS", json.dumps(KINDS)), help="a JSON list")
    add("--problem", default=env("problem_type", model_metrics.MULTICLASS))
    add("--metrics", type=json.loads, default=env("METRICS", "null"), help="judged; default: all")
    decline = "share by which a metric may be worse"
    add("--max-decline", type=float, default=env("MAX_DECLINE", "0.05"), help=decline)
    add("--config", default=env("analysis_config"), help="Clarify's analysis configuration")
    add("--sample", type=int, default=env("SAMPLE", "200"), help="records to explain")
    return parser.parse_args(words)


def held_out(job: Job, label: str) -> pa.Table:
    """The labelled rows, the truth as text in the column `ground_truth`."""
    rejects = Rejects()
    parts = list(datasets.batches(job.source, job.dataset_format, rejects))
    assert any(part.num_rows for part in parts), f"{job.source} holds no rows of a baseline"
    table = payloads.together(parts)
    name = columns.name(label)
    truth = table[name].cast(pa.string())
    return table.drop_columns([name]).append_column(LABEL, truth)


def of_quality(
    job: Job, options: argparse.Namespace, served: model.Model, table: pa.Table, folder: Path
) -> None:
    where = labelled.Attributes(PREDICTED, "", None, "")
    judged = model_quality.outcome(table, options.problem, where)
    found = model_metrics.described(judged)
    limits = model_constraints.suggest(
        options.problem,
        {name: found[name] for name in options.metrics or found},
        test=True,
        minimum_change=options.max_decline,
    )
    report.write(folder, "statistics.json", model_quality.described(job, judged, found))
    report.write(folder, "constraints.json", limits)


def of_bias(
    job: Job, options: argparse.Namespace, served: model.Model, table: pa.Table, folder: Path
) -> None:
    found = bias.analysis(table, bias.configuration(job, options.config), PREDICTED)
    report.write(folder, "analysis.json", found)
    report.write(folder, "constraints.json", bias.suggest(found, test=True))


def of_attribution(
    job: Job, options: argparse.Namespace, served: model.Model, table: pa.Table, folder: Path
) -> None:
    asked = columns.select(table.drop_columns([LABEL, PREDICTED]), job.features, job.exclude)
    sample = asked.slice(0, options.sample)  # the rows come in an order by chance
    attribution.suggest_baseline(folder, served, sample, test=True)


MAKERS: dict[str, Callable[[Job, argparse.Namespace, model.Model, pa.Table, Path], None]] = {
    "model-quality": of_quality,
    "bias": of_bias,
    "attribution": of_attribution,
}

if __name__ == "__main__":
    main()
