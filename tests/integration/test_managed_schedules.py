"""The managed engine against the local SageMaker: schedules follow the model in service, and what
an execution finds becomes a look, an incident and the alarm's metric."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from local_sagemaker import LocalSageMaker, name, until
from roles import ROLE

from chalicelib import clock, places, records, settings
from chalicelib.drift import incidents
from chalicelib.environment import Environment
from chalicelib.model import registry
from chalicelib.monitoring import managed, schedules

pytestmark = pytest.mark.cloud

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".driftloop" / "envs" / "jobs" / "bin" / "python"
ONE, TWO = "20260301-120000-a1b2c3", "20260302-120000-d4e5f6"
REVIEWS = [{"review_body": f"It is fine {n}.", "product_category": "Baby"} for n in range(60)]


LIMITS: dict[str, Any] = {
    "model-quality": {
        "version": 0.0,
        "multiclass_classification_constraints": {
            "accuracy": {"threshold": 0.8, "comparison_operator": "LessThanThreshold"}
        },
    },
    "bias": {"version": "1.0"},
}


def configured(engine: str) -> settings.Settings:
    given = settings.load()
    monitor = given.monitor.model_copy(update={"engine": engine})
    return given.model_copy(update={"monitor": monitor})


@pytest.fixture
def watched(stack: Any, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An endpoint of this test's own name that captures, and the baseline of a run."""
    it = LocalSageMaker(stack, bucket)
    capture = it.capture("capture", "Input")
    config = it.config_with({"DataCaptureConfig": capture}, primary=it.model("watched"))
    endpoint = it.endpoint(config)
    environment = Environment.from_env()
    named = Environment(
        **{
            **vars(environment),
            "endpoint_name": endpoint,
            "job_role_arn": ROLE,
        }
    )
    monkeypatch.setattr(Environment, "from_env", classmethod(lambda cls: named))
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in REVIEWS))
    command = [str(PYTHON), str(ROOT / "monitoring_code/data_quality.py"), "--mode", "baseline",
               "--base", str(tmp_path), "--source", str(tmp_path / "rows.jsonl"), "--output",
               str(tmp_path / "made"), "--text", '["review_body"]']  # fmt: skip
    subprocess.run(command, check=True, timeout=120, capture_output=True)
    for run in (ONE, TWO):
        for path in (tmp_path / "made").iterdir():
            it.put(places.baseline(run, "data-quality") + path.name, path.read_bytes())
        for kind, limits in LIMITS.items():
            it.put(places.baseline(run, kind) + "constraints.json", json.dumps(limits))
    return it


def listed(it: LocalSageMaker) -> dict[str, str]:
    """The job definition of each schedule of the endpoint."""
    endpoint = Environment.from_env().endpoint_name
    found = it.api.list_monitoring_schedules(EndpointName=endpoint)["MonitoringScheduleSummaries"]
    prefix = f"{endpoint}-"
    return {
        each["MonitoringScheduleName"].removeprefix(prefix): each["MonitoringJobDefinitionName"]
        for each in found
    }


def test_schedules_follow_the_model_in_service(watched: LocalSageMaker) -> None:
    kinds = ("data-quality", "model-quality", "bias")
    schedules.apply(ONE, configured("driftloop"))
    assert listed(watched) == {}
    schedules.apply(ONE, configured("managed"))
    schedules.apply(ONE, configured("managed"))
    assert listed(watched) == {kind: f"{kind}-{ONE}" for kind in kinds}
    schedules.apply(TWO, configured("managed"))
    assert listed(watched) == {kind: f"{kind}-{TWO}" for kind in kinds}
    definitions = watched.api.list_data_quality_job_definitions(
        EndpointName=Environment.from_env().endpoint_name
    )["JobDefinitionSummaries"]
    assert [each["MonitoringJobDefinitionName"] for each in definitions] == [f"data-quality-{TWO}"]
    schedules.apply(TWO, configured("driftloop"))
    assert listed(watched) == {}
    assert records.newest(records.NOTIFICATION, 5) == []


@pytest.fixture
def executed(cloud: Any, queue: tuple[str, Any], watched: LocalSageMaker) -> Any:
    """What the template's rule would hand to the monitor's function, here put into a queue."""
    arn, received = queue
    template = yaml.load((ROOT / "infrastructure" / "template.yaml").read_text(), Loader=ShortForms)
    rule = template["Resources"]["ManagedExecutions"]["Properties"]
    (target,) = rule["Targets"]
    pattern = rule["EventPattern"]
    prefix = "arn:aws:sagemaker:us-east-1:000000000000:monitoring-schedule/"
    own = f"{prefix}{Environment.from_env().endpoint_name}-"
    pattern["detail"]["MonitoringScheduleArn"] = [{"prefix": own}]
    events, rule_name = cloud.client("events"), name("managed")
    events.put_rule(Name=rule_name, EventPattern=json.dumps(pattern))
    transformer = target["InputTransformer"]
    events.put_targets(
        Rule=rule_name, Targets=[{"Id": "queue", "Arn": arn, "InputTransformer": transformer}]
    )
    return lambda count=1: received(count)


class ShortForms(yaml.SafeLoader):
    """CloudFormation's !Sub, !Ref and the like as what they are given."""


def given(loader: Any, suffix: str, node: Any) -> Any:
    return {
        yaml.ScalarNode: loader.construct_scalar,
        yaml.SequenceNode: loader.construct_sequence,
        yaml.MappingNode: loader.construct_mapping,
    }[type(node)](node)


ShortForms.add_multi_constructor("!", given)


def run_now(it: LocalSageMaker, kind: str) -> dict[str, Any]:
    """The summary of an execution over the last two hours, once it has ended."""
    schedule = managed.schedule_name(Environment.from_env(), kind)
    timing = {
        "ScheduleExpression": "NOW",
        "DataAnalysisStartTime": "-PT2H",
        "DataAnalysisEndTime": "PT0S",
    }
    it.api.update_monitoring_schedule(
        MonitoringScheduleName=schedule,
        MonitoringScheduleConfig={
            "ScheduleConfig": timing,
            "MonitoringJobDefinitionName": f"{kind}-{ONE}",
            "MonitoringType": managed.TYPES[kind],
        },
    )

    def ended() -> Any:
        found = it.api.list_monitoring_executions(MonitoringScheduleName=schedule)
        (summary,) = found["MonitoringExecutionSummaries"] or [{}]
        status = summary.get("MonitoringExecutionStatus", "Pending")
        return None if status in ("Pending", "InProgress") else summary

    return dict(until(ended))


def capture(it: LocalSageMaker, lines: list[dict[str, Any]], moment: dt.datetime) -> None:
    """Write invocations of an hour; each is told its id and its time."""
    endpoint = Environment.from_env().endpoint_name
    for number, line in enumerate(lines):
        line["eventMetadata"] = {
            "eventId": f"event-{number}",
            "inferenceId": f"call-{number}",
            "inferenceTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        }
    body = "".join(json.dumps(line) + "\n" for line in lines)
    it.put(f"capture/{endpoint}/primary/{moment:%Y/%m/%d/%H}/a.jsonl", body)


def side(body: Any) -> dict[str, str]:
    return {"data": json.dumps(body), "encoding": "JSON", "observedContentType": "application/json"}


def test_what_an_execution_finds_goes_the_way_of_our_own_looks(
    watched: LocalSageMaker, executed: Any
) -> None:
    registry.crown(ONE, "arn:aws:sagemaker:us-east-1:000000000000:model-package/r/1", {},
                   clock.text(clock.now()))  # fmt: skip
    schedules.apply(ONE, configured("managed"))
    strange = [{**row, "product_category": "Garden"} for row in REVIEWS]
    line = {"captureData": {"endpointInput": side({"records": strange})}}
    capture(watched, [line], clock.now() - dt.timedelta(hours=1))
    summary = run_now(watched, "data-quality")
    assert summary["MonitoringExecutionStatus"] == "CompletedWithViolations", summary
    job = summary["ProcessingJobArn"].rpartition("/")[2]
    schedule = managed.schedule_name(Environment.from_env(), "data-quality")
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:monitoring-schedule/{schedule}"
    [event] = [each for each in executed() if each["run"]["job"] == job]
    assert (event["step"], event["run"]["schedule"]) == ("executed", arn)
    found = schedules.executed(event["run"])
    assert found["violations"] > 0
    [look] = records.newest(records.DRIFT, 5)
    assert (look["monitor"], look["records"], look["champion_run"]) == ("data-quality", 60, ONE)
    # The baseline's own measures of its texts are no columns to AWS, so none of them is missing.
    assert {each["feature_name"] for each in look["violations"]} == {"product_category"}
    incident = incidents.newest()
    assert incident is not None
    assert incident.open
    other = schedules.executed({"schedule": f"{arn}-of-another", "job": job})
    assert "not this pipeline's" in other["ignored"]
    schedules.apply(ONE, configured("driftloop"))


def test_labels_are_merged_before_they_are_judged(watched: LocalSageMaker, executed: Any) -> None:
    """Of one record each, in an hour of their own; most have a label, and none is right."""
    schedules.apply(ONE, configured("managed"))
    moment = clock.now() - dt.timedelta(hours=1)
    answer = {"predictions": [{"label": "5", "probabilities": {"5": 1.0}}]}
    lines = [
        {"captureData": {"endpointInput": side({"records": [row]}), "endpointOutput": side(answer)}}
        for row in REVIEWS
    ]
    capture(watched, lines, moment)
    truth = {"data": "1", "encoding": "CSV"}
    labels = [
        {"groundTruthData": truth, "eventMetadata": {"eventId": f"call-{n}"}, "eventVersion": "0"}
        for n in range(50)
    ]
    body = "".join(json.dumps(label) + "\n" for label in labels)
    watched.put(f"ground-truth/{moment:%Y/%m/%d/%H}/a.jsonl", body)
    summary = run_now(watched, "model-quality")
    assert summary["MonitoringExecutionStatus"] == "CompletedWithViolations", summary
    merge, analysis = (each["run"] for each in executed(2))
    assert merge["job"].startswith("groundtruth-merge-")
    assert summary["ProcessingJobArn"].endswith(analysis["job"])
    asked = watched.describe("Processing", analysis["job"])
    assert json.loads(asked["Environment"]["dataset_format"]) == {
        "sagemakerMergeJson": {"captureIndexNames": ["endpointOutput"]}
    }
    assert "merged" in schedules.executed(merge)["ignored"]
    assert records.newest(records.DRIFT, 5) == []
    assert schedules.executed(analysis)["violations"] == 1
    [look] = records.newest(records.DRIFT, 5)
    assert (look["monitor"], look["records"]) == ("model-quality", 50)
    assert [each["feature_name"] for each in look["violations"]] == ["accuracy"]
    schedules.apply(ONE, configured("driftloop"))


# What AWS's containers leave, as its documents show it: nothing beyond their own members.
# https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-violations.html
# https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-model-monitor-bias-drift-violations.html
FOUND: dict[str, tuple[dict[str, Any], str]] = {
    "data-quality": (
        {"feature_name": "review_body", "constraint_check_type": "data_type_check",
         "description": "Data type match requirement is not met."},
        "review_body",
    ),
    "model-quality": (
        {"constraint_check_type": "LessThanThreshold", "metric_name": "accuracy",
         "description": "Metric accuracy with 0.5 +/- 0.01 was LessThanThreshold '0.6'"},
        "accuracy",
    ),
    "bias": (
        {"facet": "product_category", "facet_value": "Baby", "metric_name": "DPPL",
         "constraint_check_type": "bias_drift_check",
         "description": "Value -0.3 does not meet the constraint requirement"},
        "product_category=Baby DPPL",
    ),
    "attribution": (
        {"label": "label0", "metric_name": "shap",
         "constraint_check_type": "feature_attribution_drift_check",
         "description": "Feature attribution drift 0.76 exceeds threshold 0.9"},
        "ranking for label0",
    ),
}  # fmt: skip
LEAVE = """
    import os, pathlib
    base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
    if os.environ["VIOLATIONS"]:
        out = base / "processing/output/report/constraint_violations.json"
        out.write_text(os.environ["VIOLATIONS"])
    (base / "output/message").write_text(os.environ["MESSAGE"])
"""
VIOLATED = "CompletedWithViolations: Job completed successfully with 1 violations."
CLEAN = "Completed: Job completed successfully with no violations."


def ended(it: LocalSageMaker, kind: str, message: str, violations: Any) -> dict[str, Any]:
    """The event of an execution that left a message, and a file of violations unless None."""
    target = {
        "S3Uri": f"s3://{it.bucket}/monitor/managed/{name('execution')}",
        "LocalPath": "/opt/ml/processing/output/report",
        "S3UploadMode": "EndOfJob",
    }
    document = "" if violations is None else json.dumps({"violations": violations})
    job = it.process(
        LEAVE,
        ProcessingOutputConfig={"Outputs": [{"OutputName": "result", "S3Output": target}]},
        Environment={"VIOLATIONS": document, "MESSAGE": message},
    )
    assert job["ProcessingJobStatus"] == "Completed", job
    schedule = managed.schedule_name(Environment.from_env(), kind)
    return {"schedule": f"monitoring-schedule/{schedule}", "job": job["ProcessingJobName"]}


@pytest.mark.parametrize("kind", FOUND)
def test_what_aws_containers_leave_is_read(kind: str, watched: LocalSageMaker) -> None:
    violation, feature = FOUND[kind]
    event = ended(watched, kind, VIOLATED, [violation])
    assert schedules.executed(event)["violations"] == 1
    assert schedules.executed(event) == {"ignored": "its look is taken already"}
    [look] = records.newest(records.DRIFT, 5)
    assert look["monitor"] == kind
    assert [each["feature_name"] for each in look["violations"]] == [feature]
    assert look["violations"][0]["description"] == violation["description"]
    incident = incidents.newest()
    assert incident is not None
    assert (incident.features, incident.seen) == ((feature,), 1)


def test_executions_that_end_together_are_one_incident(
    watched: LocalSageMaker,
) -> None:
    events = [ended(watched, kind, VIOLATED, [violation]) for kind, (violation, _) in FOUND.items()]
    with ThreadPoolExecutor() as together:
        list(together.map(schedules.executed, events))
    incident = incidents.newest()
    assert incident is not None
    assert set(incident.monitors) == set(FOUND)
    assert set(incident.features) == {feature for _, feature in FOUND.values()}


def test_only_an_exit_message_makes_a_missing_file_no_violations(watched: LocalSageMaker) -> None:
    few = "Completed: 3 records, too few to judge."
    assert schedules.executed(ended(watched, "bias", few, None)) == {"violations": 0, "why": few}
    for message in (VIOLATED, ""):
        found = schedules.executed(ended(watched, "bias", message, None))
        assert found == {"error": message or "it gave no reason"}
    assert records.newest(records.DRIFT, 5) == []
    told = [each["subject"] for each in records.newest(records.NOTIFICATION, 5)]
    assert told == ["The bias monitor failed"] * 2
    assert schedules.executed(ended(watched, "bias", CLEAN, None))["violations"] == 0
    [look] = records.newest(records.DRIFT, 5)
    assert look["status"] == "completed"
