"""The retrain machine's steps about quality: what to measure, what broke, the verdict.

Each takes the execution's state and returns what the machine keeps under the step's name.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chalicelib import clients, clock, failures, links, places, runs
from chalicelib.environment import Environment
from chalicelib.ingest import queries, tables
from chalicelib.ingest.convert import quoted
from chalicelib.quality import document as documents
from chalicelib.quality import explanation, history, offenders, page, query, verdict
from chalicelib.schema import TrainingDataset

if TYPE_CHECKING:
    from chalicelib.quality.declared import Quality
    from chalicelib.schema import Dataset

Run = dict[str, Any]
SUMMARY = ("passed", "rows", "rejects", "failures", "warnings", "accepted")
LIMIT = 16_000  # letters of what is told; DynamoDB and SNS take more


def measurement(run: Run, rows_read: str) -> str:
    """The query that measures a run's new rows; `rows_read` is a scalar."""
    dataset, quality = _judged(run)
    wanted = query.Wanted.of(quality, dataset, _label(dataset))
    return query.statement(wanted, _rows(run, dataset), rows_read, clock.now().date())


def judge(run: Run) -> dict[str, Any]:
    """How many checks are broken, and the query for rows that break them, where rows do."""
    dataset, quality = _judged(run)
    report = _report(run, _history(run))
    answer: dict[str, Any] = {"broken": len(report.broken)}
    sql = offenders.statement(
        report.broken,
        quality.checks,
        _rows(run, dataset),
        [column.name for column in dataset.columns],
    )
    if sql:
        answer["offenders"] = queries.request(str(run["run_id"]), sql, Environment.from_env())
    return answer


def conclude(run: Run) -> dict[str, Any]:
    """The report is written; a broken check at error level ends the run."""
    environment, run_id = Environment.from_env(), str(run["run_id"])
    dataset, quality = _judged(run)
    earlier = _history(run)
    report = _report(run, earlier)
    found, no_rows = _offending(run)
    accepted = run.get("accept_quality") if report.failures else None
    document = documents.document(run_id, dataset.name, report, found, earlier, accepted, no_rows)
    link = _write(environment, run_id, document)
    summary = {name: document[name] for name in SUMMARY if document[name] is not None}
    runs.record(run_id, quality={**summary, "report": link}, dataset_rows=report.rows)
    good = not report.failures or bool(accepted)
    history.write(dataset.name, run_id, report.values, good)
    if report.failures and not accepted:
        told = explanation.explain(run_id, report, quality.checks, found, no_rows)
        where = f"The report: {_readable(run_id)}\nIn the bucket: {link}"
        raise verdict.QualityError(f"{told[:LIMIT]}\n\n{where}")
    told_of = _told(document, _readable(run_id))
    return {"rows": report.rows, "rejects": report.rejects, "told": told_of}


def _readable(run_id: str) -> str:
    """The report's address for whoever has the message: no account is needed."""
    page = places.run(run_id, "quality.html")
    return links.url(links.DOCUMENT, page, clock.now() + links.DAYS)


def _offending(run: Run) -> tuple[offenders.Offending, str]:
    """Rows that break a check; or none and why: the query that looks for them has failed."""
    asked = run["judge"].get("offenders")
    if not asked:
        return {}, ""
    if queries.is_done(asked):
        return offenders.read(queries.rows(asked)), ""
    return {}, failures.explain(asked).message


def _told(document: dict[str, Any], link: str) -> dict[str, Any]:
    """What the notification of a run that went on says about its data."""
    told: dict[str, Any] = {"quality_report": link}
    if document["warnings"]:
        told["quality_warnings"] = document["warnings"]
    if accepted := document.get("accepted"):
        told["broken_checks"] = document["failures"]
        told["accepted_by"] = f"{accepted['who']}: {accepted['why']}"
    return told


def _report(run: Run, earlier: dict[str, list[float]]) -> verdict.Report:
    """The verdict on what the check query measured, beside what earlier runs did."""
    (measured,) = queries.rows(run["reconcile"]["check"])
    dataset, quality = _judged(run)
    return verdict.judge(
        measured,
        query.Wanted.of(quality, dataset, _label(dataset)),
        quality.max_rejects,
        run["schema"]["changes"],
        earlier,
    )


def _history(run: Run) -> dict[str, list[float]]:
    return history.read(str(run["dataset"]), str(run["run_id"]))


def _judged(run: Run) -> tuple[Dataset, Quality]:
    """The run's dataset and what its rows must keep."""
    from chalicelib import settings

    name = str(run["dataset"])
    return settings.load().find(name), settings.load().quality_of(name)


def _rows(run: Run, dataset: Dataset) -> query.Rows:
    database = Environment.from_env().glue_database
    table = f"{quoted(database)}.{quoted(tables.curated(dataset))}"
    return query.Rows(table, str(run["run_id"]), database)


def _label(dataset: Dataset) -> str | None:
    return dataset.label if isinstance(dataset, TrainingDataset) else None


def _write(environment: Environment, run_id: str, document: dict[str, Any]) -> str:
    """Put quality.json and the page that shows it; returns the page's URI."""
    files = {
        "quality.json": (json.dumps(document, indent=2, ensure_ascii=False), "application/json"),
        "quality.html": (page.render(document), "text/html; charset=utf-8"),
    }
    for name, (body, kind) in files.items():
        clients.client("s3").put_object(
            Bucket=environment.data_bucket,
            Key=places.run(run_id, name),
            Body=body.encode(),
            ContentType=kind,
        )
    return places.uri(environment, places.run(run_id, "quality.html"))
