"""Data quality: what the inputs looked like at training, and whether live traffic still does.

MODE=baseline reads the training sample and writes statistics.json and constraints.json;
MODE=analyze reads captured requests and writes statistics.json and constraint_violations.json, in
the formats of SageMaker Model Monitor.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-contract-outputs.html
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import constraints
import records
import statistics_file
import text_features
import violations


def main() -> None:
    options = parse(sys.argv[1:])
    base = options.base / "processing"
    if options.mode == "baseline":
        baseline(base / "input" / "baseline", base / "output" / "baseline", options)
    else:
        analyze(base / "input", base / "output" / "report", options)


def parse(words: list[str]) -> argparse.Namespace:
    env = os.environ
    parser = argparse.ArgumentParser(description=__doc__)
    base = Path(env.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    parser.add_argument("--base", type=Path, default=base)
    modes = ("baseline", "analyze")
    parser.add_argument("--mode", choices=modes, default=env.get("MODE", "analyze"))
    parser.add_argument("--text", type=json.loads, default=env.get("TEXT", "[]"))
    parser.add_argument("--threshold", type=float, default=env.get("THRESHOLD", "0.1"))
    parser.add_argument("--min-records", type=int, default=env.get("MIN_RECORDS", "1"))
    parser.add_argument("--start", default=env.get("START", ""), help="first moment, ISO 8601")
    parser.add_argument("--end", default=env.get("END", ""), help="first moment after, ISO 8601")
    return parser.parse_args(words)


def baseline(source: Path, target: Path, options: argparse.Namespace) -> None:
    """Statistics, suggested constraints, and the words that the texts use."""
    columns = records.parquet(source)
    vocabulary = text_features.vocabulary(columns, options.text)
    described = text_features.add(columns, options.text, vocabulary)
    statistics = statistics_file.describe(described, skip=options.text)
    suggested = constraints.suggest(statistics, options.threshold, options.text)
    write(target / "statistics.json", statistics)
    write(target / "constraints.json", suggested)
    write(target / "vocabulary.json", vocabulary)
    print(f"baseline of {statistics['dataset']['item_count']} records, {len(described)} features")


def analyze(source: Path, target: Path, options: argparse.Namespace) -> None:
    """Live records of the window against the baseline."""
    folder = source / "baseline"
    known, limits, vocabulary = (
        json.loads((folder / f"{name}.json").read_text())
        for name in ("statistics", "constraints", "vocabulary")
    )
    columns = records.captured(source / "capture", options.start, options.end)
    described = text_features.add(columns, options.text, vocabulary)
    statistics = statistics_file.describe(described, skip=options.text)
    count = statistics["dataset"]["item_count"]
    found: list[dict[str, Any]] = []
    if count < options.min_records:
        print(f"{count} records: fewer than {options.min_records}, so none is judged")
    else:
        found = violations.find(statistics, known, limits)
    write(target / "statistics.json", statistics)
    write(target / "constraint_violations.json", {"violations": found})
    print(f"{count} records, {len(found)} violations")
    for each in found:
        print(f"{each['feature_name']}: {each['constraint_check_type']}: {each['description']}")


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1))


if __name__ == "__main__":
    main()
