"""`driftloop quality suggest` asks here, JSON in and JSON out: the command knows no SQL, and this
module no cloud.

{"dataset", "file"} is answered with {"toml"}. {"dataset", "database", "run"} is answered with
{"query"}; asked again with the rows found so far under "found", with the next query or {"toml"}.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from chalicelib import settings
from chalicelib.ingest import tables
from chalicelib.ingest.convert import quoted
from chalicelib.quality import query, sample, suggest, verdict
from chalicelib.reading.refusals import RefusedError
from chalicelib.schema import Dataset, TrainingDataset


def answer(asked: Mapping[str, Any]) -> dict[str, str]:
    """One question's answer."""
    dataset = settings.load().find(asked["dataset"])
    if "file" in asked:
        return {"toml": of_file(Path(asked["file"]), dataset)}
    return of_run(asked, dataset)


def of_file(path: Path, dataset: Dataset) -> str:
    """Suggestions from a file's first rows."""
    table = sample.read(path, dataset)
    first = sample.values(suggest.first_look(dataset.columns), table)
    checks, few = suggest.second_look(dataset.columns, first)
    values = first | sample.values(checks, table)
    histograms = {name: sample.histogram(table[name]) for name in few}
    found = suggest.suggest(dataset.columns, _label(dataset), values, histograms)
    return suggest.toml(found, f"the first {int(first['size'] or 0):,} rows of {path.name}")


def of_run(asked: Mapping[str, Any], dataset: Dataset) -> dict[str, str]:
    """Suggestions from the rows of a run, measured by two queries."""
    database, run_id = str(asked["database"]), str(asked["run"])
    table = f"{quoted(database)}.{quoted(tables.curated(dataset))}"
    chosen = query.Rows(table, run_id, database)
    rows: Sequence[Mapping[str, str | None]] = asked.get("found", ())
    first = query.Wanted(suggest.first_look(dataset.columns))
    if not rows:
        return {"query": query.statement(first, chosen, "0", dt.date.today())}
    values = _values(first, rows[0])
    checks, few = suggest.second_look(dataset.columns, values)
    second = query.Wanted(checks, histograms=few)
    if len(rows) == 1:
        return {"query": query.statement(second, chosen, "0", dt.date.today())}
    values |= _values(second, rows[1])
    histograms = {name: json.loads(rows[1][f"h{i}"] or "{}") for i, name in enumerate(few)}
    found = suggest.suggest(dataset.columns, _label(dataset), values, histograms)
    return {"toml": suggest.toml(found, f"the rows of run {run_id}")}


def _values(wanted: query.Wanted, row: Mapping[str, str | None]) -> dict[str, float | None]:
    measured = {c.metric: verdict.number(row[f"m{i}"]) for i, c in enumerate(wanted.metrics)}
    return {"size": verdict.number(row["rows"]), **measured}


def _label(dataset: Dataset) -> str | None:
    return dataset.label if isinstance(dataset, TrainingDataset) else None


if __name__ == "__main__":
    try:
        json.dump(answer(json.load(sys.stdin)), sys.stdout)
    except (KeyError, OSError, ValueError, RefusedError) as error:
        sys.exit(f"{error}")
