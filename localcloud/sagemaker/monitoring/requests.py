"""The processing jobs of an execution: what AWS gives its monitoring containers.

Captured traffic by the hour, the baseline, and the environment that says so; of a monitor that
needs labels, the lines that a first job merged them into.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-contract-inputs.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from localcloud import ministack_adapter as cloud
from localcloud.sagemaker.hosting import records
from localcloud.sagemaker.jobs import files
from localcloud.sagemaker.monitoring import definitions, expressions
from localcloud.sagemaker.store import Record

INPUT, BASELINE, OUTPUT = (f"/opt/ml/processing/{name}" for name in ("input", "baseline", "output"))
GROUND_TRUTH = "/opt/ml/processing/groundtruth"
# The merger's registry in us-east-1, as the analyzer's.
MERGER = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-groundtruth-merger"
MERGED = ("ModelQuality", "ModelBias")  # MonitoringTypes that need labels
SIDES = {
    "DataQuality": ["endpointInput"],
    "ModelQuality": ["endpointOutput"],
    "ModelBias": ["endpointInput", "endpointOutput"],
    "ModelExplainability": ["endpointInput"],
}
# Baseline documents, and the folder of each.
DOCUMENTS = {"constraints": "constraints", "statistics": "stats"}
SCRIPTS = {
    "record_preprocessor_script": ("preprocessor", "RecordPreprocessorSourceUri"),
    "post_analytics_processor_script": ("postprocessor", "PostAnalyticsProcessorSourceUri"),
}
HOUR = 3600
HOURLY = re.compile(r"\d{4}/\d\d/\d\d/\d\d$")
Span = tuple[float, float]


def name(schedule: Record, mark: str) -> str:
    """Of an execution's analysis."""
    quality = schedule["MonitoringType"] == "ModelQuality"
    return f"{'model-quality' if quality else 'model'}-monitoring-{mark}"


def mark(job: str) -> str:
    """What an execution's jobs have in common in their names: its hour, and a random part."""
    return "-".join(job.split("-")[-2:])


def merge(schedule: Record, job: str, span: Span) -> Record:
    """The job that merges labels into the captured lines, below `<destination>/merge`."""
    kind, definition = _defined(schedule)
    given = definitions.endpoint_input(kind, definition)
    start, _ = moved = _moved(given, span)
    truth = definition[f"{kind}JobInput"]["GroundTruthS3Input"]["S3Uri"].rstrip("/")
    # Labels are filed by when they came, which is after the prediction.
    labels = list(_hours(f"{truth}/", (start, span[1])))
    output = {
        "S3Uri": f"{_reports(kind, definition)['S3Uri']}/merge",
        "LocalPath": OUTPUT,
        "S3UploadMode": "EndOfJob",
    }
    return {
        **_shared(definition, job),
        "ProcessingInputs": [
            *_numbered("endpoint_input", _captured(given, moved)),
            *_numbered("groundtruth_input", ((uri, f"{GROUND_TRUTH}/{at}") for uri, at in labels)),
        ],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "result", "S3Output": output}]},
        "AppSpecification": {"ImageUri": MERGER},
        "Environment": {
            "dataset_source": given["LocalPath"],
            "ground_truth_source": GROUND_TRUTH,
            "output_path": OUTPUT,
        },
    }


def merged(request: Record) -> str:
    """Where a merge job's lines lie."""
    return str(request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"])


def analysis(schedule: Record, marked: str, span: Span, merged: str | None = None) -> Record:
    """The job that judges; `merged`: the prefix of lines with labels, in place of the captured."""
    kind, definition = _defined(schedule)
    given = definitions.endpoint_input(kind, definition)
    application = definition[f"{kind}AppSpecification"]
    scripts = [
        each for each in (*SCRIPTS.values(), ("config", "ConfigUri")) if each[1] in application
    ]
    return {
        **_shared(definition, name(schedule, marked)),
        "ProcessingInputs": [
            *_numbered("endpoint_input", _captured(given, _moved(given, span), merged)),
            *(
                _input(document, uri, f"{BASELINE}/{DOCUMENTS[document]}")
                for document, uri in _baseline(kind, definition)
            ),
            *(_input(name, application[member], f"{INPUT}/{name}") for name, member in scripts),
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {"OutputName": "result", "S3Output": _output(definition, kind, schedule, span)}
            ]
        },
        "AppSpecification": {"ImageUri": application["ImageUri"]},
        "Environment": environment(kind, definition, schedule, span, merged=merged is not None),
    }


def environment(
    kind: str, definition: Record, schedule: Record, span: Span, *, merged: bool
) -> dict[str, str]:
    """What AWS tells a monitoring container."""
    given = definitions.endpoint_input(kind, definition)
    application = definition[f"{kind}AppSpecification"]
    output = _reports(kind, definition)
    start, end = (f"{datetime.fromtimestamp(each, UTC):%Y-%m-%dT%H:%M:%SZ}" for each in span)
    lines = "sagemakerMergeJson" if merged else "sagemakerCaptureJson"
    found = {
        "dataset_format": json.dumps({lines: {"captureIndexNames": SIDES[kind]}}),
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
        "problem_type": application.get("ProblemType", ""),
        **{
            f"baseline_{document}": f"{BASELINE}/{DOCUMENTS[document]}/{_file(uri)}"
            for document, uri in _baseline(kind, definition)
        },
        **application.get("Environment", {}),
    }
    if threshold := given.get("ProbabilityThresholdAttribute"):
        found["probability_threshold_attribute"] = str(threshold)
    for variable, (folder, member) in SCRIPTS.items():
        if member in application:
            found[variable] = f"{INPUT}/{folder}/{_file(application[member])}"
    return {name: value for name, value in found.items() if value}


def _defined(schedule: Record) -> tuple[str, Record]:
    kind = schedule["MonitoringType"]
    return kind, definitions.find(kind, schedule["MonitoringJobDefinitionName"])


def _shared(definition: Record, job: str) -> Record:
    return {
        "ProcessingJobName": job,
        "ProcessingResources": definition["JobResources"],
        "StoppingCondition": definition.get("StoppingCondition", {"MaxRuntimeInSeconds": HOUR}),
        "RoleArn": definition["RoleArn"],
    }


def _baseline(kind: str, definition: Record) -> list[tuple[str, str]]:
    given = definition.get(f"{kind}BaselineConfig", {})
    members = ((document, f"{document.title()}Resource") for document in DOCUMENTS)
    return [(document, given[member]["S3Uri"]) for document, member in members if member in given]


def _moved(given: Record, span: Span) -> Span:
    """The span by the definition's offsets, which labels that come late need."""
    start, end = (
        each + expressions.offset(given.get(f"{side}TimeOffset", "PT0S"))
        for each, side in zip(span, ("Start", "End"), strict=True)
    )
    return start, end


def _captured(given: Record, span: Span, merged: str | None = None) -> Iterator[tuple[str, str]]:
    """Each hour's prefix, and where it lies in the container."""
    endpoint = given["EndpointName"]
    kept = merged or records.find(endpoint)["DataCaptureConfig"]["DestinationS3Uri"]
    for uri, below in _hours(f"{kept.rstrip('/')}/{endpoint}/", span):
        yield uri, f"{given['LocalPath']}/{endpoint}/{below}"


def _hours(uri: str, span: Span) -> Iterator[tuple[str, str]]:
    """The prefixes .../yyyy/mm/dd/hh/ with objects of the span, and what each is below the URI."""
    bucket, prefix = files.split(uri)
    pages = cloud.client("s3").get_paginator("list_objects_v2")
    listed = pages.paginate(Bucket=bucket, Prefix=prefix)
    keys = (entry["Key"] for page in listed for entry in page.get("Contents", []))
    for folder in sorted({key.rpartition("/")[0] for key in keys}):
        found = HOURLY.search(folder)
        if found is None:
            continue
        hour = datetime.strptime(f"{found[0]}+0000", "%Y/%m/%d/%H%z")
        if span[0] - HOUR < hour.timestamp() < span[1]:
            yield f"s3://{bucket}/{folder}/", folder.removeprefix(prefix)


def _numbered(word: str, places: Iterable[tuple[str, str]]) -> Iterator[Record]:
    for number, (uri, path) in enumerate(places, 1):
        yield _input(f"{word}_{number}", uri, path)


def _file(uri: str) -> str:
    return uri.rpartition("/")[2]


def _reports(kind: str, definition: Record) -> dict[str, str]:
    """Where the definition wants them, and where the container leaves them."""
    given = definition[f"{kind}JobOutputConfig"]["MonitoringOutputs"][0]["S3Output"]
    return {"S3Uri": given["S3Uri"].rstrip("/"), "LocalPath": given["LocalPath"]}


def _input(name: str, uri: str, path: str) -> Record:
    source = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": source}


def _output(definition: Record, kind: str, schedule: Record, span: tuple[float, float]) -> Record:
    """`<destination>/<endpoint>/<schedule>/yyyy/mm/dd/hh`, as AWS lays reports out."""
    given = _reports(kind, definition)
    names = f"{schedule['EndpointName']}/{schedule['MonitoringScheduleName']}"
    hour = f"{datetime.fromtimestamp(span[1], UTC):%Y/%m/%d/%H}"
    uri = f"{given['S3Uri']}/{names}/{hour}"
    return {"S3Uri": uri, "LocalPath": given["LocalPath"], "S3UploadMode": "EndOfJob"}
