"""The retrain machine's steps about the data: begin, convert (in parts), schema, reconcile, plan,
the end of a run that trains nothing; and the failure's end.

Each takes the execution's state and returns what the machine keeps under the step's name.
"""

from __future__ import annotations

from typing import Any

from chalicelib import failures, places, runs
from chalicelib.environment import Environment
from chalicelib.ingest import arrivals, damaged, leftovers, queries, reconcile, spread, tables
from chalicelib.ingest import convert as sql
from chalicelib.ingest import dataset as data
from chalicelib.ingest import schema_changes as changes
from chalicelib.model import deployments
from chalicelib.schema import Dataset
from chalicelib.steps import quality, settle

Run = dict[str, Any]


def begin(run: Run) -> dict[str, Any]:
    """The run is on its way; without new files the crawl and the conversion are left out."""
    from chalicelib import settings

    environment = Environment.from_env()
    runs.begin(str(run["run_id"]))
    return {
        "run_id": run["run_id"],
        "has_new_data": bool(runs.files(str(run["run_id"]))),
        "trains": run["dataset"] == settings.load().dataset.name,
        "crawler": {
            "Name": environment.crawler_name,
            "RecrawlPolicy": {"RecrawlBehavior": tables.recrawl(_dataset(run), environment)},
        },
    }


def convert(run: Run) -> dict[str, Any]:
    """The catalog made ready, what earlier attempts wrote removed, and the queries.

    Rows of many partitions, or of large ones, are measured before: `plan_part`.
    """
    environment, run_id = Environment.from_env(), str(run["run_id"])
    source = _source(run, _arrivals(run))
    last = data.newest(environment, source.dataset.name)
    leftovers.remove(environment, source.dataset.name, run_id)
    leftovers.remove_failed(environment, source.dataset.name, last)
    data.empty(environment, places.run(run_id, "rejects/"))
    tables.prepare(source.dataset, environment, source.layouts, run_id)
    planned = {"convert": sql.insert(source, run_id), "count": sql.counts(source, run_id)}
    if source.dataset.partition_by:
        planned["measure"] = sql.partitions(source, run_id)
    requests = {name: queries.request(run_id, q, environment) for name, q in planned.items()}
    partitions = int(last["partitions"]) if last else 1
    in_parts = "measure" in planned and spread.is_wide(source.text_bytes, partitions)
    return {**requests, "in_parts": in_parts}


def plan_part(run: Run) -> dict[str, Any]:
    """The next INSERT of a run whose partitions are too many, or too large, for one.

    Before the first goes what an INSERT of everything may have left when it failed. Each has a
    token of its own, so that a repeated start writes nothing twice.
    """
    environment, run_id = Environment.from_env(), str(run["run_id"])
    source = _source(run, _arrivals(run))
    at = int(run["plan_part"]["part"]) + 1 if "plan_part" in run else 0
    if at == 0:
        leftovers.remove(environment, source.dataset.name, run_id)
    rows = {
        str(row["value"]): int(row["rows"] or 0) for row in queries.rows(run["convert"]["measure"])
    }
    parts = spread.parts(str(source.dataset.partition_by), rows, source.text_bytes)
    insert = sql.insert(source, run_id, parts[at])
    return {
        "part": at,
        "parts": len(parts),
        "more": at + 1 < len(parts),
        "insert": queries.request(run_id, insert, environment),
    }


def schema(run: Run) -> dict[str, Any]:
    """How the columns of the files differ from those of the last run; the dataset's policy acts."""
    from chalicelib import notify

    run_id, dataset, new = str(run["run_id"]), _dataset(run), _arrivals(run)
    before = runs.learned(dataset.name)["columns"] or changes.declared(dataset)
    now = changes.seen(new, before)
    found = changes.compare(dataset, before, now, new)
    words = [change.words for change in found]
    runs.record(run_id, columns=now, schema_changes=[change.document for change in found])
    if found and dataset.schema_change == "stop":
        raise changes.SchemaStopError(
            f"the files of {dataset.name} have changed: {'; '.join(words)}. Bring pipeline.toml to "
            "it, or set schema_change to warn; then start the run again."
        )
    if found and dataset.schema_change == "warn":
        notify.notify(
            "schema_changed",
            f"The files of {dataset.name} have changed",
            "\n".join(words),
            run_id=run_id,
        )
    return {"changes": words}


def reconciled(run: Run) -> dict[str, Any]:
    """Every row accounted for, or the run ends; then the queries on rejects and quality."""
    from chalicelib import settings

    environment, run_id, new = Environment.from_env(), str(run["run_id"]), _arrivals(run)
    source = _source(run, new)
    (counted,) = queries.rows(run["convert"]["count"])
    counts = reconcile.Counts.of(sum(int(each["rows"]) for each in new), counted)
    runs.record(run_id, rows=counts.document)
    counts.check()
    most = settings.load().quality_of(source.dataset.name).max_rejects
    target = places.uri(environment, places.run(run_id, "rejects/"))
    check = quality.measurement(run, str(counts.curated + counts.rejected))
    return {
        "counts": counts.document,
        "max_rejects": most,
        "has_rejects": counts.rejected > 0,
        "too_many": counts.over(most),
        "rejects": queries.request(run_id, sql.rejects(source, run_id, target), environment),
        "check": queries.request(run_id, check, environment),
    }


def plan(run: Run) -> dict[str, Any]:
    """Write down what this run trains on, and the request that prepares it."""
    from chalicelib.steps import training

    version = _version(run)
    return {**training.plan_prepare(run, version["digest"]), "dataset": version}


def finish_data(run: Run) -> dict[str, Any]:
    """The end of a run of a dataset that no model learns from: its new version is there."""
    version = _version(run)
    runs.succeed(str(run["run_id"]), outcome="data_ready")
    return {"outcome": "data_ready", "dataset": version}


def fail(run: Run) -> dict[str, Any]:
    """The one failure path: the cause in words on the run, told once.

    A deployment that it had begun is looked at; where the endpoint changes still, by the sweep.
    """
    explanation = failures.explain(run["error"], (run.get("plan_deploy") or {}).get("at"))
    run_id = str(run["run_id"])
    if explanation.alarms:
        runs.record(run_id, rolled_back=list(explanation.alarms))
    if deployment := deployments.find(run_id):
        settle.conclude(deployment, explanation.message)
    closed = runs.fail(
        run_id,
        explanation.message,
        error_state=failures.state(run, explanation) or None,
        error_detail=explanation.detail or None,
        damaged=damaged.named(explanation.message),
    )
    return {"closed": closed, "error": explanation.message}


def _version(run: Run) -> dict[str, Any]:
    """Write the run's dataset version; what lineage says of it."""
    rows = (run.get("reconcile") or {}).get("counts", {})
    new = _arrivals(run)
    conversion = sql.insert(_source(run, new), "") if new else ""
    version = data.write(
        str(run["run_id"]),
        new,
        rows,
        _dataset(run),
        Environment.from_env(),
        conversion,
    )
    names = ("version", "digest", "before", "rows", "total_rows", "files", "schema_hash")
    return {name: version[name] for name in names}


def _dataset(run: Run) -> Dataset:
    from chalicelib import settings

    return settings.load().find(str(run["dataset"]))


def _source(run: Run, new: list[arrivals.Arrival]) -> sql.Source:
    return sql.Source.of(_dataset(run), Environment.from_env().glue_database, new)


def _arrivals(run: Run) -> list[arrivals.Arrival]:
    return arrivals.every(str(run["dataset"]), runs.files(str(run["run_id"])))
