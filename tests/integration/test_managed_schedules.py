"""The managed engine against the local SageMaker: schedules follow the model in service, and what
an execution finds becomes a look, an incident and the alarm's metric."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml
from local_sagemaker import LocalSageMaker, until
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
    for path in (tmp_path / "made").iterdir():
        it.put(places.baseline(ONE, "data-quality") + path.name, path.read_bytes())
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
    events, name = cloud.client("events"), f"managed-{uuid.uuid4().hex[:8]}"
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    transformer = target["InputTransformer"]
    events.put_targets(
        Rule=name, Targets=[{"Id": "queue", "Arn": arn, "InputTransformer": transformer}]
    )
    return lambda: received(1)


class ShortForms(yaml.SafeLoader):
    """CloudFormation's !Sub, !Ref and the like as what they are given."""


def given(loader: Any, suffix: str, node: Any) -> Any:
    return {
        yaml.ScalarNode: loader.construct_scalar,
        yaml.SequenceNode: loader.construct_sequence,
        yaml.MappingNode: loader.construct_mapping,
    }[type(node)](node)


ShortForms.add_multi_constructor("!", given)


def test_what_an_execution_finds_goes_the_way_of_our_own_looks(
    watched: LocalSageMaker, executed: Any
) -> None:
    registry.crown(ONE, "arn:aws:sagemaker:us-east-1:000000000000:model-package/r/1", {},
                   clock.text(clock.now()))  # fmt: skip
    schedules.apply(ONE, configured("managed"))
    endpoint = Environment.from_env().endpoint_name
    moment = clock.now() - dt.timedelta(hours=1)
    strange = [{**row, "product_category": "Garden"} for row in REVIEWS]
    line = {
        "captureData": {
            "endpointInput": {"data": json.dumps({"records": strange}), "encoding": "JSON"}
        },
        "eventMetadata": {"eventId": "e", "inferenceTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}"},
    }
    watched.put(f"capture/{endpoint}/primary/{moment:%Y/%m/%d/%H}/a.jsonl", json.dumps(line))
    name = managed.schedule_name(Environment.from_env(), "data-quality")
    now = {
        "ScheduleExpression": "NOW",
        "DataAnalysisStartTime": "-PT2H",
        "DataAnalysisEndTime": "PT0S",
    }
    watched.api.update_monitoring_schedule(
        MonitoringScheduleName=name,
        MonitoringScheduleConfig={
            "ScheduleConfig": now,
            "MonitoringJobDefinitionName": f"data-quality-{ONE}",
            "MonitoringType": "DataQuality",
        },
    )

    def ended() -> Any:
        found = watched.api.list_monitoring_executions(MonitoringScheduleName=name)
        (summary,) = found["MonitoringExecutionSummaries"] or [{}]
        status = summary.get("MonitoringExecutionStatus", "Pending")
        return None if status in ("Pending", "InProgress") else summary

    summary = until(ended)
    assert summary["MonitoringExecutionStatus"] == "CompletedWithViolations", summary
    job = summary["ProcessingJobArn"].rpartition("/")[2]
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:monitoring-schedule/{name}"
    [event] = [each for each in executed() if each["run"]["job"] == job]
    assert (event["step"], event["run"]["schedule"]) == ("executed", arn)
    found = schedules.executed(event["run"])
    assert found["violations"] > 0
    [look] = records.newest(records.DRIFT, 5)
    assert (look["monitor"], look["records"], look["champion_run"]) == ("data-quality", 60, ONE)
    assert "product_category" in {each["feature_name"] for each in look["violations"]}
    incident = incidents.newest()
    assert incident is not None
    assert incident.open
    other = schedules.executed({"schedule": f"{arn}-of-another", "job": job})
    assert "not this pipeline's" in other["ignored"]
    schedules.apply(ONE, configured("driftloop"))
