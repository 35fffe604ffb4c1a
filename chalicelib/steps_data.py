"""The retrain machine's steps about the data: begin, convert, plan; and the failure's end.

Each takes the execution's state and returns what the machine keeps under the step's name.
"""

from __future__ import annotations

from typing import Any

from chalicelib import convert as sql
from chalicelib import dataset as data
from chalicelib import failures, places, queries, runs, steps_quality, tables
from chalicelib.environment import Environment

Run = dict[str, Any]


def begin(run: Run) -> dict[str, Any]:
    """The run is on its way; without new files the crawl and the conversion are left out."""
    runs.begin(str(run["run_id"]))
    return {
        "run_id": run["run_id"],
        "has_new_data": bool(run["arrivals"]),
        "crawler": {"Name": Environment.from_env().crawler_name},
    }


def convert(run: Run) -> dict[str, Any]:
    """The catalog made ready, and the three queries: insert, rejects, check."""
    from chalicelib import settings

    environment, configured = Environment.from_env(), settings.load()
    run_id, arrivals = str(run["run_id"]), list(run["arrivals"])
    dataset, database = configured.dataset, environment.glue_database
    rejected = places.run(run_id, "rejects/")
    data.empty(environment, data.run_prefix(dataset, run_id))
    data.empty(environment, rejected)
    tables.prepare(dataset, environment, arrivals)
    rows_read = sql.count(dataset, database, arrivals)
    target = places.uri(environment, rejected)
    planned = {
        "convert": sql.insert(dataset, database, run_id, arrivals),
        "rejects": sql.rejects(dataset, database, arrivals, target),
        "check": steps_quality.measurement(run_id, configured, rows_read),
    }
    return {name: queries.request(run_id, each, environment) for name, each in planned.items()}


def plan(run: Run) -> dict[str, Any]:
    """Write down what this run trains on, and the requests of its four jobs."""
    from chalicelib import settings, steps_model

    data.write(str(run["run_id"]), run["arrivals"], settings.load().dataset, Environment.from_env())
    return steps_model.job_requests(run)


def fail(run: Run) -> dict[str, Any]:
    """The one failure path: the cause in words on the run, told once."""
    explanation = failures.explain(run["error"])
    closed = runs.fail(
        str(run["run_id"]),
        explanation.message,
        error_state=failures.state(run, explanation) or None,
        error_detail=explanation.detail or None,
    )
    return {"closed": closed, "error": explanation.message}
