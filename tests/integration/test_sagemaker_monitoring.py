"""Model Monitor's schedules: made, listed, stopped; executions that judge captured traffic.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-scheduling.html
"""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from local_sagemaker import ACCOUNT, INSTANCE, ROLE, LocalSageMaker, name, refusal, until

pytestmark = pytest.mark.cloud

ANALYZER = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
CLARIFY = "205585389593.dkr.ecr.us-east-1.amazonaws.com/sagemaker-clarify-processing:1.0"
HOURLY = {"ScheduleExpression": "cron(0 * ? * * *)"}
NOW = {
    "ScheduleExpression": "NOW",
    "DataAnalysisStartTime": "-PT3H",
    "DataAnalysisEndTime": "PT0S",
}
ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".driftloop" / "envs" / "jobs" / "bin" / "python"


@pytest.fixture(scope="module")
def known(sagemaker: LocalSageMaker, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A baseline of whole numbers, suggested by our job; the prefix it lies under."""
    folder = tmp_path_factory.mktemp("known")
    (folder / "rows.csv").write_text("age\n" + "1\n2\n" * 100)
    command = [str(PYTHON), str(ROOT / "monitoring_code/data_quality.py"), "--mode", "baseline",
               "--base", str(folder), "--source", str(folder / "rows.csv"), "--output",
               str(folder / "made")]  # fmt: skip
    subprocess.run(command, check=True, timeout=120, capture_output=True)
    for path in (folder / "made").iterdir():
        sagemaker.put(f"known/{path.name}", path.read_bytes())
    return f"s3://{sagemaker.bucket}/known"


@pytest.fixture(scope="module")
def endpoint(sagemaker: LocalSageMaker, known: str) -> str:
    """An endpoint that captures, and two hours of traffic, some of it of a wrong type."""
    capture = sagemaker.capture("seen", "Input")
    config = sagemaker.config_with({"DataCaptureConfig": capture}, main=sagemaker.model("watched"))
    found = sagemaker.endpoint(config)
    for hours, values in ((2, ["1", "2"] * 25), (1, ["1", "2"] * 15 + ["one"] * 20)):
        moment = datetime.now(UTC) - timedelta(hours=hours)
        lines = [
            json.dumps(
                {
                    "captureData": {"endpointInput": {"data": each, "encoding": "CSV"}},
                    "eventMetadata": {
                        "eventId": str(1 + number % 2),
                        "inferenceTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
                    },
                }
            )
            for number, each in enumerate(values)
        ]
        sagemaker.put(f"seen/{found}/main/{moment:%Y/%m/%d/%H}/a.jsonl", "\n".join(lines))
    return found


def definition(sagemaker: LocalSageMaker, endpoint: str, **application: Any) -> dict[str, Any]:
    """The request of a data quality job definition."""
    known = f"s3://{sagemaker.bucket}/known"
    output = {"S3Uri": f"s3://{sagemaker.bucket}/reports", "LocalPath": "/opt/ml/processing/result"}
    return {
        "JobDefinitionName": name("definition"),
        "DataQualityBaselineConfig": {
            "ConstraintsResource": {"S3Uri": f"{known}/constraints.json"},
            "StatisticsResource": {"S3Uri": f"{known}/statistics.json"},
        },
        "DataQualityAppSpecification": {"ImageUri": ANALYZER, **application},
        "DataQualityJobInput": {
            "EndpointInput": {"EndpointName": endpoint, "LocalPath": "/opt/ml/processing/input/e"}
        },
        "DataQualityJobOutputConfig": {"MonitoringOutputs": [{"S3Output": output}]},
        "JobResources": {
            "ClusterConfig": {
                "InstanceCount": 1, "InstanceType": INSTANCE, "VolumeSizeInGB": 1,
            }
        },
        "RoleArn": ROLE,
    }  # fmt: skip


def scheduled(sagemaker: LocalSageMaker, made: str, timing: dict[str, str]) -> str:
    schedule = name("schedule")
    sagemaker.api.create_monitoring_schedule(
        MonitoringScheduleName=schedule,
        MonitoringScheduleConfig={
            "ScheduleConfig": timing,
            "MonitoringJobDefinitionName": made,
            "MonitoringType": "DataQuality",
        },
    )
    return schedule


def made(sagemaker: LocalSageMaker, request: dict[str, Any]) -> str:
    sagemaker.api.create_data_quality_job_definition(**request)
    return str(request["JobDefinitionName"])


def ended(sagemaker: LocalSageMaker, schedule: str) -> dict[str, Any]:
    """The one execution of a schedule, once it has ended."""

    def look() -> Any:
        found = sagemaker.api.list_monitoring_executions(MonitoringScheduleName=schedule)
        summaries = found["MonitoringExecutionSummaries"]
        if not summaries or summaries[0]["MonitoringExecutionStatus"] in ("Pending", "InProgress"):
            return None
        return summaries

    [summary] = until(look)
    return dict(summary)


def test_an_execution_judges_the_traffic_of_its_hours(
    sagemaker: LocalSageMaker, endpoint: str
) -> None:
    hear = sagemaker.listen("SageMaker Processing Job State Change")
    schedule = scheduled(sagemaker, made(sagemaker, definition(sagemaker, endpoint)), NOW)
    execution = ended(sagemaker, schedule)
    assert execution["MonitoringExecutionStatus"] == "CompletedWithViolations", execution[
        "FailureReason"
    ]
    assert execution["EndpointName"] == endpoint
    job = sagemaker.api.describe_processing_job(
        ProcessingJobName=execution["ProcessingJobArn"].rpartition("/")[2]
    )
    arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:monitoring-schedule/{schedule}"
    assert job["MonitoringScheduleArn"] == arn
    (output,) = job["ProcessingOutputConfig"]["Outputs"]
    report = output["S3Output"]["S3Uri"]
    assert f"/reports/{endpoint}/{schedule}/" in report
    found = json.loads(sagemaker.get(f"{report}/constraint_violations.json"))["violations"]
    assert "data_type_check" in {each["constraint_check_type"] for each in found}
    assert json.loads(sagemaker.get(f"{report}/statistics.json"))["dataset"]["item_count"] == 100
    listed = sagemaker.cloud.client("cloudwatch").list_metrics(
        Namespace="aws/sagemaker/Endpoints/data-metrics",
        Dimensions=[{"Name": "MonitoringSchedule", "Value": schedule}],
    )["Metrics"]
    assert "feature_non_null_age" in {metric["MetricName"] for metric in listed}
    described = sagemaker.api.describe_monitoring_schedule(MonitoringScheduleName=schedule)
    last = described["LastMonitoringExecutionSummary"]
    assert last["MonitoringExecutionStatus"] == "CompletedWithViolations"
    until(lambda: any(e["detail"].get("MonitoringScheduleArn") == arn for e in hear()))


def test_a_preprocessing_script(sagemaker: LocalSageMaker, endpoint: str) -> None:
    script = sagemaker.put(
        "code/handle.py",
        "def preprocess_handler(record):\n"
        "    return {'age': int(record.event_metadata['event_id'])}\n",
    )
    request = definition(sagemaker, endpoint, RecordPreprocessorSourceUri=script)
    execution = ended(sagemaker, scheduled(sagemaker, made(sagemaker, request), NOW))
    log = sagemaker.log("Processing", execution["ProcessingJobArn"].rpartition("/")[2])
    assert execution["MonitoringExecutionStatus"] == "Completed", log


@pytest.mark.parametrize(
    ("timing", "image", "reason"),
    [
        ({**NOW, "DataAnalysisStartTime": "-P9D", "DataAnalysisEndTime": "-P8D"}, ANALYZER,
         "Job inputs had no data"),
        (NOW, CLARIFY, "Cannot pull the image"),
    ],
    ids=["no traffic", "another image"],
)  # fmt: skip
def test_an_execution_fails_with_words(
    sagemaker: LocalSageMaker, endpoint: str, timing: dict[str, str], image: str, reason: str
) -> None:
    request = definition(sagemaker, endpoint)
    request["DataQualityAppSpecification"]["ImageUri"] = image
    execution = ended(sagemaker, scheduled(sagemaker, made(sagemaker, request), timing))
    assert execution["MonitoringExecutionStatus"] == "Failed"
    assert reason in execution["FailureReason"]


def test_the_life_of_a_schedule(sagemaker: LocalSageMaker, endpoint: str) -> None:
    api = sagemaker.api
    first = made(sagemaker, definition(sagemaker, endpoint))
    schedule = scheduled(sagemaker, first, HOURLY)
    found = api.list_monitoring_schedules(EndpointName=endpoint, NameContains=schedule)
    [summary] = found["MonitoringScheduleSummaries"]
    assert summary["MonitoringScheduleStatus"] == "Scheduled"
    assert summary["MonitoringJobDefinitionName"] == first
    api.stop_monitoring_schedule(MonitoringScheduleName=schedule)
    stopped = api.describe_monitoring_schedule(MonitoringScheduleName=schedule)
    assert stopped["MonitoringScheduleStatus"] == "Stopped"
    api.start_monitoring_schedule(MonitoringScheduleName=schedule)
    second = made(sagemaker, definition(sagemaker, endpoint))
    config = {"MonitoringJobDefinitionName": second, "MonitoringType": "DataQuality"}
    api.update_monitoring_schedule(MonitoringScheduleName=schedule, MonitoringScheduleConfig=config)
    [after] = api.list_monitoring_schedules(NameContains=schedule)["MonitoringScheduleSummaries"]
    assert after["MonitoringJobDefinitionName"] == second
    listed = api.list_data_quality_job_definitions(EndpointName=endpoint, MaxResults=100)
    named = {each["MonitoringJobDefinitionName"] for each in listed["JobDefinitionSummaries"]}
    assert {first, second} <= named
    api.delete_data_quality_job_definition(JobDefinitionName=first)
    code, _ = refusal(api.describe_data_quality_job_definition, JobDefinitionName=first)
    assert code == "ResourceNotFound"
    api.delete_monitoring_schedule(MonitoringScheduleName=schedule)
    code, _ = refusal(api.describe_monitoring_schedule, MonitoringScheduleName=schedule)
    assert code == "ResourceNotFound"


def test_what_is_refused(sagemaker: LocalSageMaker, endpoint: str) -> None:
    api, request = sagemaker.api, definition(sagemaker, endpoint)
    first = made(sagemaker, request)
    code, _ = refusal(api.create_data_quality_job_definition, **request)
    assert code == "ResourceInUse"
    schedule = scheduled(sagemaker, first, HOURLY)
    config = {"MonitoringJobDefinitionName": first, "MonitoringType": "DataQuality"}

    def refused(**config: Any) -> tuple[str, str]:
        return refusal(
            api.create_monitoring_schedule,
            MonitoringScheduleName=name("schedule"),
            MonitoringScheduleConfig=config,
        )

    code, _ = refusal(
        api.create_monitoring_schedule,
        MonitoringScheduleName=schedule,
        MonitoringScheduleConfig=config,
    )
    assert code == "ResourceInUse"
    code, words = refused(**config, ScheduleConfig={"ScheduleExpression": "rate(1 hour)"})
    assert (code, "Invalid ScheduleExpression" in words) == ("ValidationException", True)
    assert (
        refused(**config, ScheduleConfig={"ScheduleExpression": "NOW"})[0] == "ValidationException"
    )
    other = {**config, "MonitoringType": "ModelBias"}
    assert refused(**other)[0] == "ResourceNotFound"
    unknown = definition(sagemaker, "nobody")
    code, words = refusal(api.create_data_quality_job_definition, **unknown)
    assert (code, "Could not find endpoint" in words) == ("ValidationException", True)
    api.delete_monitoring_schedule(MonitoringScheduleName=schedule)
