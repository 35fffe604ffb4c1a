"""Bias drift: are some people's records or predictions worse off than they were at the baseline?

  baseline  reads a dataset of facets, labels and predictions; writes analysis.json and
            constraints.json
  analyze   merges captured traffic with ground truth; writes analysis.json, constraints.json and
            constraint_violations.json

What is a facet, a label and a positive outcome is told by Clarify's analysis configuration:
  {"label": "star_rating", "label_values_or_threshold": [4, 5],
   "facet": [{"name_or_index": "product_category", "value_or_threshold": ["Baby"]}],
   "group_variable": "marketplace"}
https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-config-json-monitor-bias-parameters.html
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from checks import bias_constraints, bias_metrics, significance
from checks.bias_metrics import POST, PRE
from inputs import columns, contract, labelled
from inputs.contract import Job
from inputs.ground_truth import LABEL
from inputs.jsonlines import Rejects
from outputs import drift, measures, metrics, page, report

STAGES = {PRE: "Pre-training", POST: "Post-Training"}  # as the metrics' dimension has them


def main() -> None:
    options = parse(sys.argv[1:])
    contract.without_pandas(options)
    job, attributes = contract.job(options), labelled.attributes(options)
    with report.running(job):
        config = configuration(job, options.config)
        rejects = Rejects()
        table = labelled.read(job, options, rejects, inputs=True)
        if drift.too_few(job, table.num_rows, rejects):
            return
        names = [name for name in table.column_names if name != LABEL]
        found = analysis(table, config, attributes.prediction(names))
        report.write(job.output, "analysis.json", found)
        suggested = suggest(found, test=options.rule == "Significance")
        if job.mode == contract.BASELINE:
            report.write(job.output, "constraints.json", suggested)
            words = f"Completed: baseline of {table.num_rows} labelled records."
            report.message(job.base, words, rejects)
        else:
            report.count(job.output, table.num_rows)
            judge(job, found, suggested, table.num_rows, rejects)


def parse(words: list[str]) -> argparse.Namespace:
    env = os.environ.get
    parser = contract.parser(__doc__)
    labelled.arguments(parser)
    where = "Clarify's analysis configuration: a file, or JSON"
    parser.add_argument("--config", default=env("analysis_config"), help=where)
    rules = ("Significance", "Threshold")
    words_of = "Threshold is AWS's own"
    parser.add_argument("--rule", choices=rules, default=env("RULE", rules[0]), help=words_of)
    return parser.parse_args(words)


def configuration(job: Job, given: str | None) -> dict[str, Any]:
    """The analysis configuration; by default where a bias job definition puts it."""
    if given and given.lstrip().startswith("{"):
        return dict(json.loads(given))
    path = contract.local(given, job.base)
    path = path or job.base / "processing" / "input" / "config" / "analysis_config.json"
    return dict(json.loads(Path(path).read_text()))


def analysis(table: pa.Table, config: Mapping[str, Any], prediction: str | None) -> dict[str, Any]:
    """analysis.json: both stages' metrics of every facet; without predictions the first only."""
    wanted = _listed(config["label_values_or_threshold"])
    truth = holds(table[LABEL], wanted)
    stages = {PRE: truth, **({POST: holds(table[prediction], wanted)} if prediction else {})}
    named = config.get("group_variable")
    group = columns.classes(table[columns.name(named)]) if named else np.zeros(len(truth), str)
    found: dict[str, Any] = {"version": "1.0"}
    for stage, predicted in stages.items():
        facets: dict[str, list[Any]] = {}
        for facet, value, having in facet_values(table, config["facet"]):
            counts = bias_metrics.tally(having, truth, predicted, group)
            measured = [_plain(each) for each in bias_metrics.measure(counts, stage)]
            facets.setdefault(facet, []).append({"value_or_threshold": value, "metrics": measured})
        found[stage] = {
            "label": config.get("label", LABEL),
            "label_value_or_threshold": ",".join(map(str, wanted)),
            "facets": facets,
        }
    return found


def facet_values(
    table: pa.Table, facets: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, str, np.ndarray]]:
    """(facet, value, which records have it); without a stated value, each one that occurs."""
    for facet in facets:
        given = str(facet["name_or_index"])
        name = next(iter(columns.found(table.column_names, given)), None)
        assert name is not None, f"there is no column {given} for the facet"
        stated = _listed(facet.get("value_or_threshold") or [])
        if stated:
            yield given, ",".join(map(str, stated)), holds(table[name], stated)
            continue
        for value in sorted(set(columns.classes(table[name]).tolist())):
            yield given, value, holds(table[name], [value])


def holds(column: pa.ChunkedArray, values: Sequence[Any]) -> np.ndarray:
    """Which records have one of the values; one number of a fractional column is a threshold."""
    if len(values) == 1 and pa.types.is_floating(column.type) and not columns.whole(column):
        over = pc.fill_null(pc.greater(column, float(values[0])), False)
        return np.asarray(over.to_numpy(), bool)
    return np.isin(columns.classes(column), [_text(value) for value in values])


def suggest(found: Mapping[str, Any], *, test: bool) -> dict[str, Any]:
    """constraints.json: the analysis itself, as Clarify has it, and our rule where asked for."""
    if not test:
        return dict(found)
    return {**found, "significance_constraints": significance.rule(minimum_change=0.05)}


def judge(
    job: Job,
    found: Mapping[str, Any],
    suggested: Mapping[str, Any],
    records: int,
    rejects: Rejects,
) -> None:
    """The analysis against the baseline's constraints; without those none is judged."""
    limits = job.document(job.constraints)
    broken, compared = bias_constraints.find(found, limits) if limits is not None else ([], [])
    report.write(job.output, "constraints.json", limits or suggested)
    report.write(job.output, "constraint_violations.json", {"version": "1.0", "violations": broken})
    drift.write(job, records, rejects, compared)
    metrics.publish(job, metrics.BIAS, list(published(found)))
    test, least = significance.enabled(limits or {}), significance.least_change(limits)
    run = page.Run.of(
        job,
        "Bias",
        rejects,
        records=records,
        baseline=None,
        subject="measure",
        violations=[
            {**each, "feature_name": "{facet}={facet_value} {metric_name}".format(**each)}
            for each in broken
        ],
        compared=compared,
        rule=page.rule(f"a measure further from no bias by more than {least:g}", test),
    )
    page.write(job, run, measures.bias(run, found, limits or {}))
    for each in broken:
        print(
            f"{each['facet']}={each['facet_value']}: {each['metric_name']}: {each['description']}"
        )
    report.completed(job.base, len(broken), rejects)


def published(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-model-monitor-bias-drift-cw.html"""
    for entry in bias_constraints.entries(found):
        if entry.metric["value"] is not None:
            yield metrics.single(
                f"bias_metric_{entry.metric['name']}",
                entry.metric["value"],
                BiasStage=STAGES[entry.stage],
                Label=found[entry.stage]["label"],
                LabelValue=found[entry.stage]["label_value_or_threshold"],
                Facet=entry.facet,
                FacetValue=entry.value,
            )


def _plain(metric: bias_metrics.Metric) -> dict[str, Any]:
    """A metric as analysis.json has it; its interval and error are beyond Clarify's members."""
    found: dict[str, Any] = {
        "name": metric.name,
        "description": metric.description,
        "value": metric.value,
    }
    if metric.error is not None:
        found["error"] = metric.error
    if metric.interval is not None:
        found["confidence_interval"] = list(metric.interval)
        found["standard_error"] = metric.standard_error
    return found


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    """1, 1.0 and "1" are one value."""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


if __name__ == "__main__":
    main()
