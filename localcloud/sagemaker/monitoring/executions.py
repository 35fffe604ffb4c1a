"""Executions of monitoring schedules: processing jobs that run the project's monitoring_code.

They get what AWS gives a monitoring container: captured traffic by the hour, ground truth, the
baseline, and the environment that says so. An execution is what its processing job tells.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-contract-inputs.html
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localcloud import ministack_adapter as cloud
from localcloud.sagemaker import models
from localcloud.sagemaker.hosting import records
from localcloud.sagemaker.jobs import files, images, lifecycle, processing
from localcloud.sagemaker.jobs.lifecycle import Job, JobError
from localcloud.sagemaker.monitoring import definitions, expressions, metrics
from localcloud.sagemaker.store import Record, now, store

KIND, SCHEDULE = "monitoring_execution", "monitoring_schedule"
CODE = Path(__file__).parents[3] / "monitoring_code"
PROGRAMS = {
    "DataQuality": "data_quality.py",
    "ModelQuality": "model_quality.py",
    "ModelBias": "bias.py",
    "ModelExplainability": "attribution.py",
}
INPUT, BASELINE, OUTPUT = (f"/opt/ml/processing/{name}" for name in ("input", "baseline", "output"))
HOUR = 3600
VIOLATIONS = "CompletedWithViolations"


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
    """An execution with the status of its job."""
    job = store.get(processing.KIND.store, execution["_job"])
    shown = {key: value for key, value in execution.items() if not key.startswith("_")}
    if job is None:
        return {**shown, "LastModifiedTime": shown["CreationTime"]}
    status = job["ProcessingJobStatus"]
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
    job = f"model-monitoring-{moment}-{uuid.uuid4().hex[:24]}"
    execution = {
        "MonitoringScheduleName": name,
        "ScheduledTime": scheduled,
        "CreationTime": now(),
        "MonitoringExecutionStatus": "Pending",
        "EndpointName": schedule["EndpointName"],
        "MonitoringJobDefinitionName": schedule["MonitoringJobDefinitionName"],
        "MonitoringType": schedule["MonitoringType"],
        "_job": job,
    }
    request = _request(schedule, job, window(schedule, scheduled))
    store.put(KIND, job, execution)
    made = lifecycle.create(
        processing.KIND, request, _run, MonitoringScheduleArn=schedule["MonitoringScheduleArn"]
    )
    store.update(KIND, job, ProcessingJobArn=made["ProcessingJobArn"])


def _request(schedule: Record, job: str, span: tuple[float, float]) -> Record:
    """The processing job as DescribeProcessingJob shows it."""
    kind = schedule["MonitoringType"]
    definition = definitions.find(kind, schedule["MonitoringJobDefinitionName"])
    application = definition[f"{kind}AppSpecification"]
    return {
        "ProcessingJobName": job,
        "ProcessingInputs": list(_inputs(kind, definition, span)),
        "ProcessingOutputConfig": {
            "Outputs": [
                {"OutputName": "result", "S3Output": _output(definition, kind, schedule, span)}
            ]
        },
        "ProcessingResources": definition["JobResources"],
        "StoppingCondition": definition.get("StoppingCondition", {"MaxRuntimeInSeconds": HOUR}),
        "AppSpecification": {"ImageUri": application["ImageUri"]},
        "Environment": environment(kind, definition, schedule, span),
        "RoleArn": definition["RoleArn"],
    }


def environment(kind: str, definition: Record, schedule: Record, span: Any) -> dict[str, str]:
    """What AWS tells a monitoring container."""
    given = definitions.endpoint_input(kind, definition)
    baseline = definition.get(f"{kind}BaselineConfig", {})
    sides = ["endpointInput"] if kind != "ModelQuality" else ["endpointOutput"]
    output = definition[f"{kind}JobOutputConfig"]["MonitoringOutputs"][0]["S3Output"]
    start, end = (f"{datetime.fromtimestamp(each, UTC):%Y-%m-%dT%H:%M:%SZ}" for each in span)
    found = {
        "dataset_format": json.dumps({"sagemakerCaptureJson": {"captureIndexNames": sides}}),
        "dataset_source": given["LocalPath"],
        "output_path": output["LocalPath"],
        "publish_cloudwatch_metrics": "Enabled",
        "sagemaker_endpoint_name": given["EndpointName"],
        "sagemaker_monitoring_schedule_name": schedule["MonitoringScheduleName"],
        "start_time": start,
        "end_time": end,
        "start_time_offset": given.get("StartTimeOffset", ""),
        "end_time_offset": given.get("EndTimeOffset", ""),
        "features_attribute": given.get("FeaturesAttribute", ""),
        "exclude_features_attribute": given.get("ExcludeFeaturesAttribute", ""),
        "inference_attribute": given.get("InferenceAttribute", ""),
        "probability_attribute": given.get("ProbabilityAttribute", ""),
        "problem_type": definition[f"{kind}AppSpecification"].get("ProblemType", ""),
        **{
            f"baseline_{document}": f"{BASELINE}/{document}.json"
            for document in ("constraints", "statistics")
            if f"{document.title()}Resource" in baseline
        },
        **definition[f"{kind}AppSpecification"].get("Environment", {}),
    }
    if threshold := given.get("ProbabilityThresholdAttribute"):
        found["probability_threshold_attribute"] = str(threshold)
    if "RecordPreprocessorSourceUri" in definition[f"{kind}AppSpecification"]:
        found["record_preprocessor_script"] = f"{INPUT}/preprocessor/{_script(kind, definition)}"
    return {name: value for name, value in found.items() if value}


def _script(kind: str, definition: Record) -> str:
    return Path(definition[f"{kind}AppSpecification"]["RecordPreprocessorSourceUri"]).name


def _inputs(kind: str, definition: Record, span: tuple[float, float]) -> Iterator[Record]:
    """Captured traffic hour by hour, and what the definition names beside it."""
    given = definitions.endpoint_input(kind, definition)
    start, end = (
        each + expressions.offset(given.get(f"{side}TimeOffset", "PT0S"))
        for each, side in zip(span, ("Start", "End"), strict=True)
    )
    for number, (uri, below) in enumerate(_hours(given["EndpointName"], start, end), 1):
        yield _input(f"endpoint_input_{number}", uri, f"{given['LocalPath']}/{below}")
    if truth := definition[f"{kind}JobInput"].get("GroundTruthS3Input"):
        yield _input("ground_truth_input_1", truth["S3Uri"], f"{INPUT}/ground_truth")
    if limits := definition.get(f"{kind}BaselineConfig", {}).get("ConstraintsResource"):
        # With what lies beside them: a baseline of monitoring_code holds more than AWS's files.
        folder = limits["S3Uri"].rpartition("/")[0]
        yield _input("baseline", f"{folder}/", BASELINE)
    application = definition[f"{kind}AppSpecification"]
    for name, member in (
        ("config", "ConfigUri"),
        ("preprocessor", "RecordPreprocessorSourceUri"),
    ):
        if member in application:
            yield _input(name, application[member], f"{INPUT}/{name}")


def _hours(endpoint: str, start: float, end: float) -> Iterator[tuple[str, str]]:
    """The prefixes with objects, and what each is below the capture's destination."""
    destination = records.find(endpoint)["DataCaptureConfig"]["DestinationS3Uri"].rstrip("/")
    bucket, prefix = files.split(f"{destination}/{endpoint}/")
    pages = cloud.client("s3").get_paginator("list_objects_v2")
    listed = pages.paginate(Bucket=bucket, Prefix=prefix)
    keys = (entry["Key"] for page in listed for entry in page.get("Contents", []))
    for folder in sorted({key.rpartition("/")[0] for key in keys}):
        hour = datetime.strptime("/".join(folder.split("/")[-4:]) + "+0000", "%Y/%m/%d/%H%z")
        if start - HOUR < hour.timestamp() < end:
            yield f"s3://{bucket}/{folder}/", f"{endpoint}/{folder.removeprefix(prefix)}"


def _input(name: str, uri: str, path: str) -> Record:
    source = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": source}


def _output(definition: Record, kind: str, schedule: Record, span: tuple[float, float]) -> Record:
    """`<destination>/<endpoint>/<schedule>/yyyy/mm/dd/hh`, as AWS lays reports out."""
    given = definition[f"{kind}JobOutputConfig"]["MonitoringOutputs"][0]["S3Output"]
    names = f"{schedule['EndpointName']}/{schedule['MonitoringScheduleName']}"
    hour = f"{datetime.fromtimestamp(span[1], UTC):%Y/%m/%d/%H}"
    uri = f"{given['S3Uri'].rstrip('/')}/{names}/{hour}"
    return {"S3Uri": uri, "LocalPath": given["LocalPath"], "S3UploadMode": "EndOfJob"}


def _run(job: Job) -> None:
    """Run AWS's image by our code in its place, and publish the metrics that it leaves."""
    record = store.get(KIND, job.name) or {}
    kind = record["MonitoringType"]
    if not any(
        each["InputName"].startswith("endpoint_input") for each in job.request["ProcessingInputs"]
    ):
        raise JobError("Job inputs had no data")
    images.check_monitoring(job.request["AppSpecification"]["ImageUri"], kind)
    if kind == "ModelExplainability":
        _bring_model(job)
    python = lifecycle.config().jobs_python
    command = [str(python), str(CODE / PROGRAMS[kind])]
    processing.execute(job, python, command, lambda: metrics.publish(job.directory, kind))


def _bring_model(job: Job) -> None:
    """The model that the analysis configuration names: Clarify serves it, we load it."""
    (config,) = (
        each["S3Input"]["S3Uri"]
        for each in job.request["ProcessingInputs"]
        if each["InputName"] == "config"
    )
    path = job.directory / "analysis_config.json"
    files.get_file(config, path)
    name = json.loads(path.read_text())["predictor"]["model_name"]
    container = models.find(name)["PrimaryContainer"]
    folder = job.directory / "processing" / "input"
    files.get_file(container["ModelDataUrl"], folder / "model" / "model.tar.gz")
    code = container["Environment"]["SAGEMAKER_SUBMIT_DIRECTORY"]
    files.get_file(code, folder / "inference" / "inference.tar.gz")
