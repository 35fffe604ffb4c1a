"""Executions of monitoring schedules: processing jobs that run the project's monitoring_code.

Where a monitor needs labels, a job that merges them into the captured lines comes first. An
execution is what its jobs tell.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-contract-inputs.html
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-merge.html
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from localcloud.sagemaker import models
from localcloud.sagemaker.jobs import files, images, lifecycle, processing
from localcloud.sagemaker.jobs.lifecycle import Job, JobError
from localcloud.sagemaker.monitoring import expressions, metrics, requests
from localcloud.sagemaker.store import Record, now, store

KIND, SCHEDULE = "monitoring_execution", "monitoring_schedule"
CODE = Path(__file__).parents[3] / "monitoring_code"
MERGER = Path(__file__).with_name("merger.py")
PROGRAMS = {
    "DataQuality": "data_quality.py",
    "ModelQuality": "model_quality.py",
    "ModelBias": "bias.py",
    "ModelExplainability": "attribution.py",
}
VIOLATIONS = "CompletedWithViolations"
MERGE = "groundtruth-merge"


def start_due(schedule: Record) -> None:
    """Start the execution whose time has come; one of a schedule runs at a time."""
    expression = _timing(schedule)["ScheduleExpression"]
    fired = schedule.get("_fired")
    if expression == expressions.NOW:
        if fired is None:
            _start(schedule, now())
        return
    moment = expressions.following(expression, fired or schedule["CreationTime"])
    if now() >= moment:
        _start(schedule, moment)


def of(schedule: str | None) -> list[Record]:
    """Summaries of a schedule's executions, or of all, the oldest first."""
    return [
        _summary(each)
        for each in store.values(KIND)
        if schedule in (None, each["MonitoringScheduleName"])
    ]


def window(schedule: Record, scheduled: float) -> tuple[float, float]:
    """What an execution analyses: the hours since the one before, or what NOW names.

    Start and end of NOW are offsets to the time that it runs at.
    """
    timing = _timing(schedule)
    if timing["ScheduleExpression"] != expressions.NOW:
        return expressions.before(timing["ScheduleExpression"], scheduled), scheduled
    start, end = (
        scheduled + expressions.offset(timing[f"DataAnalysis{side}Time"])
        for side in ("Start", "End")
    )
    return start, end


def _timing(schedule: Record) -> Record:
    default = {"ScheduleExpression": expressions.DAILY}
    found: Record = schedule["MonitoringScheduleConfig"].get("ScheduleConfig", default)
    return found


def _summary(execution: Record) -> Record:
    """An execution with the status of its job; one whose labels are merged is to go on."""
    job = store.get(processing.KIND.store, execution["_job"])
    shown = {key: value for key, value in execution.items() if not key.startswith("_")}
    if job is None:
        return {**shown, "LastModifiedTime": shown["CreationTime"]}
    status = job["ProcessingJobStatus"]
    if status == "Completed" and execution["_job"].startswith(MERGE):
        status = "Pending"
    if status == "Completed" and job.get("ExitMessage", "").startswith(VIOLATIONS):
        status = VIOLATIONS
    reason = {"FailureReason": job["FailureReason"]} if "FailureReason" in job else {}
    return {
        **shown,
        **reason,
        "MonitoringExecutionStatus": status,
        "LastModifiedTime": job["LastModifiedTime"],
    }


def _start(schedule: Record, scheduled: float) -> None:
    name = schedule["MonitoringScheduleName"]
    running = [e for e in of(name) if e["MonitoringExecutionStatus"] in ("InProgress", "Stopping")]
    store.update(SCHEDULE, name, _fired=max(scheduled, now()))
    if running:
        return
    moment = f"{datetime.fromtimestamp(scheduled, UTC):%Y%m%d%H%M}"
    mark = f"{moment}-{uuid.uuid4().hex[:24]}"
    execution = {
        "MonitoringScheduleName": name,
        "ScheduledTime": scheduled,
        "CreationTime": now(),
        "MonitoringExecutionStatus": "Pending",
        "EndpointName": schedule["EndpointName"],
        "MonitoringJobDefinitionName": schedule["MonitoringJobDefinitionName"],
        "MonitoringType": schedule["MonitoringType"],
        "_schedule": schedule,
    }
    span = window(schedule, scheduled)
    if schedule["MonitoringType"] in requests.MERGED:
        job = f"{MERGE}-{mark}"
        store.put(KIND, mark, {**execution, "_job": job})
        _create(mark, requests.merge(schedule, job, span), _merge)
    else:
        store.put(KIND, mark, {**execution, "_job": requests.name(schedule, mark)})
        _create(mark, requests.analysis(schedule, mark, span), _analyze)


def _create(mark: str, request: Record, run: Callable[[Job], None]) -> None:
    arn = (store.get(KIND, mark) or {})["_schedule"]["MonitoringScheduleArn"]
    made = lifecycle.create(processing.KIND, request, run, MonitoringScheduleArn=arn)
    store.update(KIND, mark, ProcessingJobArn=made["ProcessingJobArn"])


def _merge(job: Job) -> None:
    """Merge the labels; the analysis of the merged lines comes after."""
    _needs(job, "endpoint_input", "groundtruth_input")
    python = lifecycle.config().jobs_python
    processing.execute(job, python, [str(python), str(MERGER)])
    if lifecycle.describe(processing.KIND, job.name)["ProcessingJobStatus"] != "Completed":
        return
    mark = job.name.removeprefix(f"{MERGE}-")
    execution = store.get(KIND, mark) or {}
    schedule = execution["_schedule"]
    span = window(schedule, execution["ScheduledTime"])
    request = requests.analysis(schedule, mark, span, requests.merged(job.request))
    _create(mark, request, _analyze)
    store.update(KIND, mark, _job=request["ProcessingJobName"])


def _analyze(job: Job) -> None:
    """Run AWS's image by our code in its place, and publish the metrics that it leaves."""
    execution = store.get(KIND, requests.mark(job.name)) or {}
    kind = execution["MonitoringType"]
    _needs(job, "endpoint_input")
    images.check_monitoring(job.request["AppSpecification"]["ImageUri"], kind)
    if kind == "ModelExplainability":
        _bring_model(job)
    python = lifecycle.config().jobs_python
    command = [str(python), str(CODE / PROGRAMS[kind])]
    processing.execute(job, python, command, lambda: metrics.publish(job.directory, kind))


def _needs(job: Job, *inputs: str) -> None:
    named = [each["InputName"] for each in job.request["ProcessingInputs"]]
    if not all(any(name.startswith(each) for name in named) for each in inputs):
        raise JobError("Job inputs had no data")


def _bring_model(job: Job) -> None:
    """What the analysis configuration names: the model, which Clarify serves and we load, and the
    row that absent features are taken from."""
    (uri,) = (
        each["S3Input"]["S3Uri"]
        for each in job.request["ProcessingInputs"]
        if each["InputName"] == "config"
    )
    path = job.directory / "analysis_config.json"
    files.get_file(uri, path)
    config = json.loads(path.read_text())
    container = models.find(config["predictor"]["model_name"])["PrimaryContainer"]
    folder = job.directory / "processing" / "input"
    files.get_file(container["ModelDataUrl"], folder / "model" / "model.tar.gz")
    code = container["Environment"]["SAGEMAKER_SUBMIT_DIRECTORY"]
    files.get_file(code, folder / "inference" / "inference.tar.gz")
    background = job.directory / "processing" / "baseline" / "constraints" / "background.json"
    background.parent.mkdir(parents=True, exist_ok=True)
    row = config["methods"]["shap"]["baseline"][0]
    background.write_text(json.dumps(row["records"][0]))
