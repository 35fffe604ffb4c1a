"""The monitor machine's second part: are live predictions as right as at evaluation?

A look takes the labels that came since the last one, of predictions as old as `catch_up_days`:
ground truth may come late, and each label is judged once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chalicelib import clock, places, records
from chalicelib.environment import Environment
from chalicelib.model import jobs
from chalicelib.monitoring import capture, ground_truth, looks, monitor

if TYPE_CHECKING:
    from chalicelib.settings import Settings

STATE = "#monitor-labels"  # the analysis under way, and until when labels are judged
KIND = "model-quality"
# As Model Monitor names the problem, its part of a report, and what is judged.
PROBLEMS = {
    "multiclass": ("MulticlassClassification", "multiclass_classification", "accuracy"),
    "binary": ("BinaryClassification", "binary_classification", "accuracy"),
    "regression": ("Regression", "regression", "rmse"),
}


class EvaluationError(Exception):
    """The champion's evaluation does not hold the metric that live predictions are judged by."""


def begin(execution: dict[str, Any]) -> dict[str, Any]:
    """Which labels to judge now, or why none: {"analyze", "why", "job"?, ...}."""
    from chalicelib import settings

    environment, configured = Environment.from_env(), settings.load()
    champion = records.get(records.CHAMPION)
    if champion is None:
        return _skip("no model is in service yet")
    now = clock.now()
    name = looks.job_name(configured.pipeline.name, KIND, execution)
    if not records.lease(STATE, name, clock.text(now + looks.LEASE), clock.text(now)):
        return _skip("another look is under way")
    until = now.replace(microsecond=0)  # what is written in this second is the next look's
    since = str((records.get(STATE) or {}).get("labelled_until", champion["in_service_at"]))
    labels = list(ground_truth.written(clock.parse(since), until))
    wanted = configured.monitor.min_records
    found = ground_truth.enough(labels, wanted)
    if found < wanted:
        records.release(STATE)
        return _skip(f"{found} labels since {since}; {wanted} are needed")
    begun = _analysis(name, environment, configured, champion, now, labels)
    return {**begun, "why": f"labels since {since}", "labelled_until": clock.text(until)}


def finish(execution: dict[str, Any]) -> dict[str, Any]:
    """Read the report, publish its metrics, and remember what it found.

    There is no report where too few labels belong to what this model predicted.
    """
    from chalicelib import metrics, settings

    begun, environment = execution["begin_labels"], Environment.from_env()
    until = {"labelled_until": begun["labelled_until"]}
    found = looks.find(environment, begun["report"] + "constraint_violations.json")
    if found is None:
        records.release(STATE, until)
        return {"violations": 0, "records": 0, "why": "too few labels of this model's predictions"}
    violations = [violation(each) for each in found["violations"]]
    statistics = looks.read(environment, begun["report"] + "statistics.json")
    look = looks.record(environment, KIND, begun, violations, statistics)
    looks.remember(look)
    records.release(STATE, until)
    configured = settings.load()
    _, key, _ = PROBLEMS[configured.model.problem]
    metrics.publish(
        metrics.model_quality(
            statistics[f"{key}_metrics"], environment.endpoint_name, environment.monitor_schedule
        ),
        metrics.violations(len(violations), configured.pipeline.name, KIND),
    )
    return {"violations": len(violations), "records": look["records"]}


def baseline(evaluation: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """constraints.json and statistics.json: what the model reached at evaluation, as a limit."""
    _, key, metric = PROBLEMS[settings.model.problem]
    measured = evaluation.get(f"{key}_metrics", {}).get(metric)
    if measured is None:
        raise EvaluationError(f"the champion's evaluation holds no {key}_metrics.{metric}")
    operator = "GreaterThanThreshold" if metric == "rmse" else "LessThanThreshold"
    limit = {"threshold": measured["value"], "comparison_operator": operator}
    test = {
        "perform_test": "Enabled",
        "alpha": 0.01,
        "correction": "Holm",
        "minimum_change": settings.monitor.max_decline,
    }
    known = {**measured, "standard_error": measured["standard_deviation"]}
    return {
        "constraints.json": {
            "version": 0.0,
            f"{key}_constraints": {metric: limit},
            "significance_constraints": test,
        },
        "statistics.json": {"version": 0.0, f"{key}_metrics": {metric: known}},
    }


def violation(found: Mapping[str, Any]) -> dict[str, Any]:
    """The metric stands where other monitors name the feature."""
    names = ("constraint_check_type", "description")
    return {"feature_name": found["metric_name"], **{name: found[name] for name in names}}


def _analysis(
    name: str,
    environment: Environment,
    settings: Settings,
    champion: Mapping[str, Any],
    now: dt.datetime,
    labels: list[str],
) -> dict[str, Any]:
    """Write what the job reads: lists of captured traffic and of labels, and the limits."""
    catch_up = dt.timedelta(days=settings.monitor.catch_up_days)
    windows = monitor.windows(now, champion["in_service_at"], None, catch_up)
    start, end = windows[0][0], windows[-1][1]
    report = looks.report(KIND, name, end)
    names = capture.objects(environment, start, end)
    looks.write(environment, report + "capture.manifest", capture.manifest(environment, names))
    listed = ground_truth.manifest(environment, labels)
    looks.write(environment, report + "labels.manifest", listed)
    evaluation = places.run(champion["run"], "evaluation/evaluation.json")
    for document, content in baseline(looks.read(environment, evaluation), settings).items():
        looks.write(environment, f"{report}baseline/{document}", content)
    seen = jobs.Window(
        clock.text(start),
        clock.text(end),
        places.uri(environment, report + "capture.manifest"),
        places.uri(environment, report),
    )
    problem, _, _ = PROBLEMS[settings.model.problem]
    return {
        "analyze": True,
        "job": jobs.analyze_labels(name, environment, settings, seen, problem),
        "start": seen.start,
        "end": seen.end,
        "report": report,
        "champion_run": champion["run"],
    }


def _skip(why: str) -> dict[str, Any]:
    return {"analyze": False, "why": why}
