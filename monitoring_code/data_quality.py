"""Data quality: what the inputs looked like at training, and whether live traffic still does.

  baseline  reads a dataset and writes statistics.json and constraints.json
  analyze   reads captured traffic (or a dataset) and writes statistics.json, constraints.json,
            constraint_violations.json, drift.json and drift.html

All but the last two are in the formats of SageMaker Model Monitor; so are the environment
variables that the options default to, and the status and metrics that are left behind.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-contract-outputs.html
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from checks import comparison, constraints, examples, violations
from inputs import columns, contract, datasets
from inputs.contract import Job
from inputs.jsonlines import Rejects
from outputs import drift, features, metrics, page, report
from profiles import dataset, text

# Beside AWS's files of a baseline: the words its texts use, and a sample of its rows.
EXAMPLES = 10  # records that show what drifted, as many as a message may have
VOCABULARY, REFERENCE = "vocabulary.json", "reference.parquet"
NOTHING: dict[str, Any] = {
    "dataset": {"item_count": 0},
    "features": [],
}  # statistics of no baseline
Batches = Callable[[], Iterable[pa.Table]]


def main() -> None:
    options = parse(sys.argv[1:])
    contract.without_pandas(options)
    job = contract.job(options)
    with report.running(job):
        if job.mode == contract.BASELINE:
            suggest_baseline(job, options.text, options.threshold, options.rule)
        else:
            analyze(job, options.threshold, options.rule)


def parse(words: list[str]) -> argparse.Namespace:
    env = os.environ.get
    parser = contract.parser(__doc__)
    rules = (constraints.SIGNIFICANCE, constraints.ROBUST, constraints.SIMPLE)
    words_of = "columns of free text, a JSON list; default: those of sentences"
    parser.add_argument("--text", type=json.loads, default=env("TEXT", "null"), help=words_of)
    parser.add_argument("--threshold", type=float, default=env("THRESHOLD", "0.1"))
    parser.add_argument("--rule", choices=rules, default=env("RULE", constraints.SIGNIFICANCE))
    return parser.parse_args(words)


def suggest_baseline(job: Job, named: list[str] | None, threshold: float, rule: str) -> None:
    """Statistics, suggested constraints, the words that the texts use, a sample."""
    rejects = Rejects()

    def batches() -> Iterable[pa.Table]:
        for batch in datasets.batches(job.source, job.dataset_format, rejects):
            yield columns.select(batch, job.features, job.exclude)

    if named is None:
        named = [name for head in itertools.islice(batches(), 1) for name in text.detect(head)]
    vocabulary = dataset.learn(batches(), named) if named else {}
    described = dataset.gathered(batches(), vocabulary, baseline=True)
    assert described.rows, f"{job.source} holds no rows of a baseline"
    statistics = described.statistics()
    report.write(job.output, "statistics.json", statistics)
    suggested = constraints.suggest(statistics, threshold, rule)
    report.write(job.output, "constraints.json", suggested)
    report.write(job.output, VOCABULARY, vocabulary)
    pq.write_table(described.sample, job.output / REFERENCE)
    count = len(statistics["features"])
    words = f"Completed: baseline of {described.rows} records, {count} features."
    report.message(job.base, words, rejects)


def analyze(job: Job, threshold: float, rule: str) -> None:
    """Live records of the window against the baseline.

    Without its statistics nothing is held against a distribution; without its constraints nothing
    is judged, and those that the records suggest are written.
    """
    known, stated = job.document(job.statistics) or NOTHING, job.document(job.constraints)
    rejects = Rejects()
    vocabulary = json.loads(_beside(job, VOCABULARY).read_text()) if _has(job, VOCABULARY) else {}
    described = dataset.gathered(live(job, stated or known, rejects), vocabulary, baseline=False)
    statistics = described.statistics()
    limits = stated or constraints.suggest(statistics, threshold, rule)
    found, compared = judge(job, described, statistics, known, limits) if stated else ([], [])
    report.write(job.output, "statistics.json", statistics)
    report.write(job.output, "constraints.json", limits)
    report.write(job.output, "constraint_violations.json", {"violations": found})
    drift.write(job, described.rows, rejects, compared)
    reference = pq.read_table(_beside(job, REFERENCE)) if _has(job, REFERENCE) else None
    if found:
        names = drifted(found, compared)
        base = reference if reference is not None else pa.table({})
        shown = examples.telling(described.sample, base, names, vocabulary, EXAMPLES)
        report.write(job.output, "examples.json", [_spoken(record) for record in shown])
    run = page.Run.of(
        job,
        "Drift",
        rejects,
        records=described.rows,
        baseline=known["dataset"]["item_count"],
        subject="feature",
        violations=found,
        compared=compared,
        rule=explained(constraints.config(limits)),
    )
    data = features.Data(statistics, known, described.sample, reference)
    page.write(job, run, features.body(run, data))
    if constraints.config(limits).emit_metrics:
        distances = _furthest(compared)
        metrics.publish(job, metrics.DATA, metrics.data_quality(statistics, distances.items()))
    for each in found:
        print(f"{each['feature_name']}: {each['constraint_check_type']}: {each['description']}")
    report.completed(job.base, len(found), rejects)


def live(job: Job, known: Mapping[str, Any], rejects: Rejects) -> Iterable[pa.Table]:
    """Batches of the records to judge; CSV columns are named by the baseline's order."""
    names = tuple(feature["name"] for feature in known["features"] if "derived_from" not in feature)
    if job.captured:
        found = (batch.columns for batch in job.capture(names).batches(rejects))
    else:
        found = iter(datasets.batches(job.source, job.dataset_format, rejects))
    return (columns.select(batch, job.features, job.exclude) for batch in found)


def judge(
    job: Job,
    described: dataset.Described,
    statistics: Mapping[str, Any],
    known: Mapping[str, Any],
    limits: Mapping[str, Any],
) -> tuple[list[violations.Violation], list[comparison.Comparison]]:
    """Violations and tests; none where there are too few records."""
    if described.rows < job.min_records:
        print(f"{described.rows} records: fewer than {job.min_records}, so none is judged")
        return [], []
    texts: list[comparison.Comparison] = []
    config = constraints.config(limits)
    if _has(job, REFERENCE) and config.significance is not None:
        from checks import text as text_checks

        named = sorted({f["derived_from"] for f in known["features"] if "derived_from" in f})
        reference = pq.read_table(_beside(job, REFERENCE))
        texts = list(text_checks.compare(named, reference, described.sample, config.threshold))
    return violations.find(statistics, known, limits, texts)


def explained(config: constraints.Config) -> str:
    """The rule in words."""
    method = f" ({config.method})" if config.significance is None else ""
    return page.rule(f"a distance over {config.threshold:g}{method}", config.significance)


def drifted(found: list[violations.Violation], compared: list[comparison.Comparison]) -> list[str]:
    """Features that drifted: those without a distance, then the furthest over the threshold."""
    excess: dict[str, float] = {}
    for each in compared:
        excess[each.feature] = max(excess.get(each.feature, 0.0), each.excess)
    names = dict.fromkeys(str(each["feature_name"]) for each in found)
    return sorted(names, key=lambda name: -excess.get(name, float("inf")))


def _spoken(record: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in record.items() if value is not None}


def _furthest(compared: list[comparison.Comparison]) -> dict[str, float]:
    """The largest drift distance of each feature."""
    found: dict[str, float] = {}
    for each in compared:
        if each.check == comparison.DRIFT:
            found[each.feature] = max(found.get(each.feature, 0.0), each.distance)
    return found


def _has(job: Job, name: str) -> bool:
    return _beside(job, name).is_file()


def _beside(job: Job, name: str) -> Path:
    return job.beside / name


if __name__ == "__main__":
    main()
