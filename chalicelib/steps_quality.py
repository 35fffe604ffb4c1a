"""The retrain machine's steps about quality: what to measure, what broke, the verdict.

Each takes the execution's state and returns what the machine keeps under the step's name.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chalicelib import clients, clock, places, queries, runs, tables
from chalicelib.convert import quoted
from chalicelib.environment import Environment
from chalicelib.quality import explanation, offenders, query, verdict

if TYPE_CHECKING:
    from chalicelib.settings import Settings

Run = dict[str, Any]
LIMIT = 16_000  # letters of what is told; DynamoDB and SNS take more


def measurement(run_id: str, configured: Settings, rows_read: str) -> str:
    """The query that measures a run's new rows; `rows_read` is a scalar."""
    dataset = configured.dataset
    return query.statement(
        configured.quality.checks,
        _rows(run_id, configured),
        rows_read,
        clock.now().date(),
        [column.name for column in dataset.columns],
        [dataset.label],
    )


def judge(run: Run) -> dict[str, Any]:
    """How many checks are broken, and the query for rows that break them, where rows do."""
    from chalicelib import settings

    configured, run_id = settings.load(), str(run["run_id"])
    report = _report(run, configured)
    answer: dict[str, Any] = {"broken": len(report.broken)}
    sql = offenders.statement(
        report.broken,
        configured.quality.checks,
        _rows(run_id, configured),
        [column.name for column in configured.dataset.columns],
    )
    if sql:
        answer["offenders"] = queries.request(run_id, sql, Environment.from_env())
    return answer


def conclude(run: Run) -> dict[str, Any]:
    """The report is written; a broken check at error level ends the run."""
    from chalicelib import settings

    environment, configured, run_id = Environment.from_env(), settings.load(), str(run["run_id"])
    report = _report(run, configured)
    found = offenders.read(queries.rows(run["offenders"])) if "offenders" in run else {}
    document = {"run_id": run_id, "dataset": configured.dataset.name, **report.document(found)}
    accepted = run.get("accept_quality") if report.failures else None
    if accepted:
        document["accepted"] = accepted
    _put(environment, run_id, "quality.json", json.dumps(document, indent=2, ensure_ascii=False))
    link = places.uri(environment, places.run(run_id, "quality.json"))
    summary = {
        name: document[name] for name in ("passed", "rows", "rejects", "failures", "warnings")
    }
    summary |= {"report": link, **({"accepted": accepted} if accepted else {})}
    runs.record(run_id, quality=summary, dataset_rows=report.rows)
    if report.failures and not accepted:
        told = explanation.explain(run_id, report, configured.quality.checks, found)
        raise verdict.QualityError(f"{told[:LIMIT]}\n\nThe report: {link}")
    return {"rows": report.rows, "rejects": report.rejects, "told": _told(document, link)}


def _told(document: dict[str, Any], link: str) -> dict[str, Any]:
    """What the notification of a run that went on says about its data."""
    told: dict[str, Any] = {"quality_report": link}
    if document["warnings"]:
        told["quality_warnings"] = document["warnings"]
    if accepted := document.get("accepted"):
        told["broken_checks"] = document["failures"]
        told["accepted_by"] = f"{accepted['who']}: {accepted['why']}"
    return told


def _report(run: Run, configured: Settings) -> verdict.Report:
    """Pure but for reading what the check query measured."""
    (measured,) = queries.rows(run["checked"])
    return verdict.judge(
        measured,
        configured.quality,
        tables.noticed(configured.dataset, Environment.from_env()),
        [column.name for column in configured.dataset.columns],
        [configured.dataset.label],
    )


def _rows(run_id: str, configured: Settings) -> query.Rows:
    database = Environment.from_env().glue_database
    table = f"{quoted(database)}.{quoted(tables.curated(configured.dataset))}"
    return query.Rows(table, run_id, database)


def _put(environment: Environment, run_id: str, name: str, body: str) -> None:
    clients.client("s3").put_object(
        Bucket=environment.data_bucket,
        Key=places.run(run_id, name),
        Body=body.encode(),
        ContentType="application/json",
    )
