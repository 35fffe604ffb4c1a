"""The retrain machine's steps about the data: begin, convert, quality, plan; and the failure's end.

Each takes the execution's state and returns what the machine keeps under the step's name.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from chalicelib import clients, clock, failures, places, runs, tables
from chalicelib import convert as sql
from chalicelib import dataset as data
from chalicelib.environment import Environment
from chalicelib.quality import query as checks
from chalicelib.quality import verdict

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
    table = f"{sql.quoted(database)}.{sql.quoted(tables.curated(dataset))}"
    check = checks.statement(
        configured.quality.checks,
        checks.Rows(table, run_id, database),
        sql.count(dataset, database, arrivals),
        clock.now().date(),
        [column.name for column in dataset.columns],
        [dataset.label],
    )
    target = places.uri(environment, rejected)
    queries = {
        "convert": sql.insert(dataset, database, run_id, arrivals),
        "rejects": sql.rejects(dataset, database, arrivals, target),
        "check": check,
    }
    return {name: _request(run_id, query, environment) for name, query in queries.items()}


def quality(run: Run) -> dict[str, Any]:
    """Read what the check query measured; a broken check at error level ends the run."""
    from chalicelib import settings

    environment = Environment.from_env()
    run_id = str(run["run_id"])
    query_id = run["checked"]["QueryExecution"]["QueryExecutionId"]
    configured = settings.load()
    noticed = tables.noticed(configured.dataset, environment)
    report = verdict.judge(
        _first_row(query_id),
        configured.quality,
        noticed,
        [column.name for column in configured.dataset.columns],
        [configured.dataset.label],
    )
    document = report.document
    clients.client("s3").put_object(
        Bucket=environment.data_bucket,
        Key=places.run(run_id, "quality.json"),
        Body=json.dumps(document, indent=2, ensure_ascii=False).encode(),
        ContentType="application/json",
    )
    summary = {
        name: document[name] for name in ("passed", "rows", "rejects", "failures", "warnings")
    }
    runs.record(run_id, quality=summary, dataset_rows=report.rows)
    if report.failures:
        raise verdict.QualityError(" ".join(report.failures))
    return {"passed": True, "rows": report.rows, "rejects": report.rejects}


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


def _request(run_id: str, query: str, environment: Environment) -> dict[str, Any]:
    """StartQueryExecution; the token makes a retried start the same query.

    https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html
    """
    token = hashlib.sha256(f"{run_id}\n{query}".encode()).hexdigest()
    return {
        "QueryString": query,
        "WorkGroup": environment.athena_workgroup,
        "QueryExecutionContext": {"Database": environment.glue_database},
        "ClientRequestToken": token,
    }


def _first_row(query_id: str) -> dict[str, str | None]:
    answer = clients.client("athena").get_query_results(QueryExecutionId=query_id, MaxResults=2)
    names, values = (
        [cell.get("VarCharValue") for cell in row["Data"]] for row in answer["ResultSet"]["Rows"]
    )
    return dict(zip([str(name) for name in names], values, strict=True))
