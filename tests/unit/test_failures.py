"""Step Functions errors in words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib import clients, clock, failures


@pytest.fixture(autouse=True)
def _log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "log_tail", lambda group, job: f"last line of {group} {job}")


@pytest.mark.parametrize(
    ("error", "cause", "words"),
    [
        (
            "States.TaskFailed",
            {
                "TrainingJobName": "r-train",
                "TrainingJobStatus": "Failed",
                "FailureReason": "AlgorithmError: no label",
            },
            "the training job r-train failed: AlgorithmError: no label",
        ),
        (
            "States.TaskFailed",
            {"ProcessingJobName": "r-prepare", "ProcessingJobStatus": "Stopped"},
            "the processing job r-prepare was stopped: it gave no reason",
        ),
        (
            "States.TaskFailed",
            {
                "HyperParameterTuningJobName": "r-tune",
                "HyperParameterTuningJobStatus": "Stopped",
            },
            "the tuning job r-tune was stopped: it gave no reason",
        ),
        ("QualityFailed", {"errorMessage": "too few rows", "errorType": "Q"}, "too few rows"),
        (
            "Athena.QueryFailed",
            {"QueryExecution": {"Status": {"State": "FAILED", "StateChangeReason": "no table"}}},
            "the Athena query failed: no table",
        ),
        ("CrawlFailed", {"Status": "FAILED", "ErrorMessage": "denied"}, "crawler failed: denied"),
        (
            "EndpointFailed",
            {"EndpointName": "reviews", "FailureReason": "ping"},
            "reviews did not take the new model: ping",
        ),
        (
            "TooManyRejects",
            {"counts": {"accepted": 200, "rejected": 20}, "max_rejects": 0.05},
            "20 of 200 rows (10.0%) do not fit the schema; 5.0% may (max_rejects)",
        ),
        ("States.Timeout", "", "ran past its time limit"),
        ("SageMaker.X", "plain words", "SageMaker.X: plain words"),
        ("", "", "no cause was given"),
    ],
)
def test_explains(error: str, cause: Any, words: str) -> None:
    text = cause if isinstance(cause, str) else json.dumps(cause)
    assert words in failures.explain({"Error": error, "Cause": text}).message


def test_a_failed_job_brings_its_log_and_its_state() -> None:
    cause = {"TrainingJobName": "r-train", "TrainingJobStatus": "Failed", "FailureReason": "x"}
    found = failures.explain({"Error": "States.TaskFailed", "Cause": json.dumps(cause)})
    assert found.detail == "last line of /aws/sagemaker/TrainingJobs r-train"
    assert failures.state({}, found) == "Train"


ASKED, RAN = {"QueryString": "SELECT 1"}, {"QueryExecutionId": "q"}
COUNTED: dict[str, Any] = {"convert": {"convert": RAN, "count": RAN}, "schema": {}}
NEW = {"begin": {"has_new_data": True}}
REJECTS = {"has_rejects": True, "rejects": ASKED, "check": ASKED}


PARTS: dict[str, Any] = {**NEW, "convert": {"convert": ASKED, "count": ASKED}, "schema": {}}


REGISTERED: dict[str, Any] = {
    "begin": {}, "plan": {}, "prepared": {}, "plan_training": {}, "gate": {}, "register": {},
}  # fmt: skip


@pytest.mark.parametrize(
    ("run", "name"),
    [
        ({}, "Begin"),
        (NEW, "PlanConvert"),
        ({"begin": {"has_new_data": False}}, "Plan"),
        (
            {**NEW, "convert": {"convert": ASKED, "count": ASKED}, "schema": {}},
            "Convert",
        ),
        ({**NEW, "convert": {"convert": RAN, "count": ASKED}, "schema": {}}, "Count"),
        ({**PARTS, "plan_part": {"more": False, "insert": ASKED}}, "ConvertPart"),
        ({**PARTS, "plan_part": {"more": True, "insert": RAN}}, "ConvertPart"),
        ({**PARTS, "plan_part": {"more": False, "insert": RAN}}, "Count"),
        ({**NEW, **COUNTED, "reconcile": REJECTS | {"has_rejects": False}}, "Check"),
        ({**NEW, **COUNTED, "reconcile": REJECTS}, "Rejects"),
        ({**NEW, **COUNTED, "reconcile": REJECTS | {"rejects": RAN}}, "Check"),
        (
            {**NEW, **COUNTED, "reconcile": REJECTS | {"rejects": RAN, "too_many": True}},
            "RejectsWithinLimit",
        ),
        ({"begin": {}, "plan": {}}, "Prepare"),
        ({"begin": {}, "plan": {}, "reused": "r0"}, "PlanTraining"),
        (
            {"begin": {}, "plan": {}, "reused": "r0", "plan_training": {}, "gate": {}},
            "Register",
        ),
        (REGISTERED, "PlanDeploy"),
        ({**REGISTERED, "plan_deploy": {}}, "Deploy"),
    ],
)
def test_the_state_is_the_first_without_a_result(run: dict[str, Any], name: str) -> None:
    assert failures.state(run, failures.Explanation("")) == name


HISTORY = [
    ("2026-03-01T12:00:00Z", "OK", "calm"),
    ("2026-03-01T12:01:00Z", "ALARM", "Threshold Crossed: 1 datapoint [0.5] was greater"),
    ("2026-03-01T12:02:00Z", "OK", "calm again"),
]


class Alarms:
    """CloudWatch, where one of two alarms has fired and is calm again."""

    def describe_alarm_history(self, **request: Any) -> dict[str, Any]:
        items = [
            {
                "AlarmName": request["AlarmName"],
                "Timestamp": clock.parse(at),
                "HistoryData": json.dumps({"newState": {"stateValue": to, "stateReason": why}}),
            }
            for at, to, why in HISTORY
            if request["AlarmName"] == "errors" and clock.parse(at) >= request["StartDate"]
        ]
        return {"AlarmHistoryItems": items}


@pytest.mark.parametrize(
    ("deployed_at", "fired"),
    [
        ("2026-03-01T11:59:00Z", ["errors"]),
        ("2026-03-01T12:01:30Z", []),  # it fired before this deployment
        (None, []),
    ],
)
def test_the_alarm_that_brought_the_old_model_back_is_named(
    monkeypatch: pytest.MonkeyPatch, deployed_at: str | None, fired: list[str]
) -> None:
    monkeypatch.setattr(clients, "client", lambda service: Alarms())
    watched = [{"AlarmName": "latency"}, {"AlarmName": "errors"}]
    facts = {
        "EndpointName": "reviews",
        "FailureReason": "rolled back",
        "LastDeploymentConfig": {"AutoRollbackConfiguration": {"Alarms": watched}},
    }
    found = failures.explain({"Error": "EndpointFailed", "Cause": json.dumps(facts)}, deployed_at)
    assert [each["alarm"] for each in found.alarms] == fired
    assert ("the alarm errors fired: Threshold Crossed" in found.message) is bool(fired)
    assert fired or found.message == "reviews did not take the new model: rolled back"
