"""What outlives a cloud that is stopped, or killed: endpoints, the registry, and the truth about
what was under way.

https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

from __future__ import annotations

import base64
import json
import signal
from typing import Any

import pytest
from botocore.exceptions import ClientError
from local_sagemaker import LocalSageMaker, gone, name, until
from roles import ROLE

pytestmark = pytest.mark.cloud

WAITS = """
import os, subprocess, time
child = subprocess.Popen(["sleep", "600"], start_new_session=True)
print("processes", os.getpid(), child.pid, flush=True)
time.sleep(600)
"""
ANALYZER = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
REASON = "InternalServerError: the local cloud was stopped while the job was under way"


def listen_to_executions(it: LocalSageMaker) -> Any:
    return it.listen("Step Functions Execution Status Change", source="aws.states")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stop", "kill"])
def test_after_the_end_of_a_cloud_the_next_tells_the_truth(own_cloud, number):
    own_cloud.start()
    it = LocalSageMaker(own_cloud, "sagemaker-restart")
    own_cloud.client("s3").create_bucket(Bucket=it.bucket)
    hear_jobs = it.listen("SageMaker Training Job State Change")
    hear_executions = listen_to_executions(it)
    group = name("group")
    it.api.create_model_package_group(ModelPackageGroupName=group)
    package = it.api.create_model_package(ModelPackageGroupName=group)["ModelPackageArn"]
    capture = it.capture("capture", "Input")
    config = it.config_with({"DataCaptureConfig": capture}, main=(it.model("before"), 2.0, 1))
    endpoint = it.endpoint(config)
    unborn = name("endpoint")
    heavy = it.config(main=it.model("heavy"))
    it.api.create_endpoint(EndpointName=unborn, EndpointConfigName=heavy)
    done = it.train("print('done')")
    request = it.training(WAITS)
    execution = it.execution("Training", request)
    training = request["TrainingJobName"]
    lines = until(lambda: [line for line in log(it, training) if line.startswith("processes")])
    processes = [int(word) for word in lines[0].split()[1:]]
    serving = it.invoke(endpoint)["pid"]
    saved = own_cloud.state / "services"
    until(lambda: all(word in read(saved) for word in (training, execution, package, unborn)))

    port = int(own_cloud.endpoint.rpartition(":")[2])
    if number == signal.SIGTERM:
        it.invoke(endpoint, "the last request")
    own_cloud.stop(number)
    own_cloud.start(port)

    assert all(gone(pid) for pid in processes)
    job = it.describe("Training", training)
    assert (job["TrainingJobStatus"], job["FailureReason"]) == ("Failed", REASON)
    assert (job["SecondaryStatus"], "TrainingEndTime" in job) == ("Failed", True)
    assert job["SecondaryStatusTransitions"][-1]["Status"] == "Failed"
    assert it.describe("Training", done["TrainingJobName"])["TrainingJobStatus"] == "Completed"
    until(lambda: ("Failed", REASON) in jobs_told(hear_jobs(), job["TrainingJobArn"]))

    states = own_cloud.client("stepfunctions")
    ended = states.describe_execution(executionArn=execution)
    assert ended["status"] in ("FAILED", "ABORTED")
    assert "restart" in ended["cause"]
    until(lambda: ended["status"] in executions_told(hear_executions(), execution))
    events = states.get_execution_history(executionArn=execution)["events"]
    assert events[-1]["type"] in ("ExecutionFailed", "ExecutionAborted")

    found = it.api.describe_model_package(ModelPackageName=package)
    assert found["ModelPackageGroupName"] == group
    if number == signal.SIGTERM:
        lines = b"".join(it.get(f"s3://{it.bucket}/{key}") for key in it.keys("capture/"))
        last = base64.b64encode(b"the last request")
        assert last in lines
    answer = until(lambda: answered(it, endpoint))
    assert answer["model"] == "before"
    assert answer["pid"] != serving
    variant = it.api.describe_endpoint(EndpointName=endpoint)["ProductionVariants"][0]
    assert (variant["CurrentWeight"], variant["CurrentInstanceCount"]) == (2.0, 1)
    cut = it.api.describe_endpoint(EndpointName=unborn)
    assert cut["EndpointStatus"] == "Failed"
    assert "stopped while the endpoint was being changed" in cut["FailureReason"]
    assert it.train("print('again')")["TrainingJobStatus"] == "Completed"


def log(it: LocalSageMaker, training: str) -> list[str]:
    return it.log("Training", training)


def read(folder: Any) -> str:
    return "".join(path.read_text() for path in folder.glob("*.json"))


def jobs_told(events: list[dict[str, Any]], arn: str) -> list[tuple[str, str]]:
    mine = [event["detail"] for event in events if event["resources"] == [arn]]
    return [(each["TrainingJobStatus"], each.get("FailureReason", "")) for each in mine]


def executions_told(events: list[dict[str, Any]], arn: str) -> list[str]:
    return [e["detail"]["status"] for e in events if e["detail"]["executionArn"] == arn]


def answered(it: LocalSageMaker, endpoint: str) -> dict[str, Any] | None:
    """The endpoint's answer, once it is back."""
    try:
        return it.invoke(endpoint)
    except ClientError:
        return None


def test_a_monitoring_schedule_outlives_its_cloud_and_runs_the_next_time_once(own_cloud):
    """An hour passes while the cloud is stopped: its clock is turned back by that in the state."""
    own_cloud.start()
    it = LocalSageMaker(own_cloud, "sagemaker-schedules")
    own_cloud.client("s3").create_bucket(Bucket=it.bucket)
    capture = it.capture("capture", "Input")
    endpoint = it.endpoint(it.config_with({"DataCaptureConfig": capture}, main=it.model()))
    definition = monitored(it, endpoint)
    hourly = {"ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"}, **definition}
    schedule = name("schedule")
    it.api.create_monitoring_schedule(
        MonitoringScheduleName=schedule, MonitoringScheduleConfig=hourly
    )
    for again in range(2):
        port = int(own_cloud.endpoint.rpartition(":")[2])
        assert own_cloud.stop() == 0
        if not again:
            an_hour_earlier(own_cloud.state / "services", schedule)
        own_cloud.start(port)
        found = it.api.describe_monitoring_schedule(MonitoringScheduleName=schedule)
        assert found["MonitoringScheduleStatus"] == "Scheduled"
        assert found["MonitoringScheduleConfig"] == hourly
        until(lambda: executions(it, schedule))
        at_once(it, definition)
        [execution] = executions(it, schedule)
        assert execution["ScheduledTime"].minute == 0


def monitored(it: LocalSageMaker, endpoint: str) -> dict[str, str]:
    """A definition of data quality, as schedules name it."""
    made = name("definition")
    output = {"S3Uri": f"s3://{it.bucket}/reports", "LocalPath": "/opt/ml/processing/result"}
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    given = {"EndpointName": endpoint, "LocalPath": "/opt/ml/processing/input/e"}
    it.api.create_data_quality_job_definition(
        JobDefinitionName=made,
        DataQualityAppSpecification={"ImageUri": ANALYZER},
        DataQualityJobInput={"EndpointInput": given},
        DataQualityJobOutputConfig={"MonitoringOutputs": [{"S3Output": output}]},
        JobResources={"ClusterConfig": cluster},
        RoleArn=ROLE,
    )
    return {"MonitoringJobDefinitionName": made, "MonitoringType": "DataQuality"}


def executions(it: LocalSageMaker, schedule: str) -> Any:
    found = it.api.list_monitoring_executions(MonitoringScheduleName=schedule)
    return found["MonitoringExecutionSummaries"]


def at_once(it: LocalSageMaker, definition: dict[str, str]) -> None:
    """A schedule made now has run, so the cloud has looked at all that are due."""
    span = {"DataAnalysisStartTime": "-PT1H", "DataAnalysisEndTime": "PT0S"}
    now = {"ScheduleConfig": {"ScheduleExpression": "NOW", **span}, **definition}
    schedule = name("schedule")
    it.api.create_monitoring_schedule(MonitoringScheduleName=schedule, MonitoringScheduleConfig=now)
    until(lambda: executions(it, schedule))


def an_hour_earlier(services: Any, schedule: str) -> None:
    """Write the saved schedule as if it had been made an hour before."""
    [file] = [path for path in services.glob("*.json") if schedule in path.read_text()]
    saved = json.loads(file.read_text())
    for record in kept(saved, schedule):
        record["CreationTime"] -= 3600
    file.write_text(json.dumps(saved))


def kept(saved: Any, schedule: str) -> Any:
    """The records of a schedule, wherever they lie."""
    if isinstance(saved, dict):
        if saved.get("MonitoringScheduleName") == schedule and "MonitoringScheduleArn" in saved:
            yield saved
        for each in saved.values():
            yield from kept(each, schedule)
    elif isinstance(saved, list):
        for each in saved:
            yield from kept(each, schedule)
