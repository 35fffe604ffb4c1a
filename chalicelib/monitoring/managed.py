"""`monitor.engine = "managed"`: Model Monitor's own job definitions and schedules, as requests.

AWS's containers then judge, on AWS's schedule, by the baselines that the run has made; formats,
metrics and reports are the same. Pure functions of a run, the settings and the environment.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-scheduling.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib import places
from chalicelib.model import jobs
from chalicelib.monitoring import (
    attribution,
    clarify,
    images,
    kinds,
    model_quality,
    preprocessors,
    timings,
)

if TYPE_CHECKING:
    from chalicelib.environment import Environment
    from chalicelib.settings import Settings

Request = dict[str, Any]
TYPES = {
    "data-quality": "DataQuality",
    "model-quality": "ModelQuality",
    "bias": "ModelBias",
    "attribution": "ModelExplainability",
}
ENDPOINT = f"{jobs.INPUT}/endpoint"
LABELLED = ("model-quality", "bias")  # AWS merges labels first
LONGEST_SECONDS = 3600
# An hourly execution that merges labels does two jobs within its hour, each as long as this.
# https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-schedule.html
LONGEST_OF_TWO_SECONDS = 1800
# Members of a baseline that our own monitors add to AWS's schemas.
BEYOND = ("derived_from", "type_counts", "standard_error", "confidence_interval",
          "significance_constraints")  # fmt: skip


@dataclass(frozen=True)
class Monitor:
    """One kind's job definition, and the schedule that runs it."""

    kind: str
    type: str
    definition: Request
    schedule: Request


def wanted(settings: Settings) -> list[str]:
    """Every kind that the pipeline can be judged by."""
    return [kind.name for kind in kinds.KINDS.values() if not kinds.unfit(kind, settings)]


def monitors(
    run_id: str, environment: Environment, settings: Settings, labels: Sequence[str] = ()
) -> list[Monitor]:
    """Of every wanted kind. `labels`: those that the baseline of attributions explains."""
    return [_monitor(kind, run_id, environment, settings, labels) for kind in wanted(settings)]


def schedule_name(environment: Environment, kind: str) -> str:
    return f"{environment.endpoint_name}-{kind}"


def definition_name(kind: str, run_id: str) -> str:
    return f"{kind}-{run_id}"


def kind_of(schedule: str, environment: Environment) -> str | None:
    """The kind that a schedule of this pipeline is for, by its name or its ARN."""
    name = schedule.rpartition("/")[2]
    return next((kind for kind in TYPES if schedule_name(environment, kind) == name), None)


def as_aws_has_it(document: Any) -> Any:
    """A baseline without what our own monitors add: members beyond AWS's schemas, and the features
    that they measure of texts, whose columns AWS's analyzer would miss in every request."""
    if isinstance(document, list):
        kept = [each for each in document if not (isinstance(each, dict) and BEYOND[0] in each)]
        return [as_aws_has_it(each) for each in kept]
    if isinstance(document, dict):
        return {
            name: as_aws_has_it(value) for name, value in document.items() if name not in BEYOND
        }
    return document


def documents(kind: str) -> tuple[str, ...]:
    """What AWS's analysis of a kind holds live traffic against."""
    return ("constraints", "statistics") if kind == kinds.OF_DATA else ("constraints",)


def _monitor(
    kind: str, run_id: str, environment: Environment, settings: Settings, labels: Sequence[str]
) -> Monitor:
    name, of = definition_name(kind, run_id), TYPES[kind]
    tags = [{"Key": "driftloop:pipeline", "Value": settings.pipeline.name}]
    definition = {
        "JobDefinitionName": name,
        f"{of}BaselineConfig": _baseline(kind, run_id, environment),
        f"{of}AppSpecification": _application(kind, run_id, environment, settings),
        f"{of}JobInput": _input(kind, environment, settings, labels),
        f"{of}JobOutputConfig": {"MonitoringOutputs": [{"S3Output": _output(environment)}]},
        "JobResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": settings.monitor.instance_type,
                "VolumeSizeInGB": jobs.VOLUME_GB,
            }
        },
        "RoleArn": environment.job_role_arn,
        "StoppingCondition": {
            "MaxRuntimeInSeconds": LONGEST_OF_TWO_SECONDS if kind in LABELLED else LONGEST_SECONDS
        },
        "Tags": tags,
    }
    timing = timings.expression(settings.monitor.schedule)
    assert timing is not None, "the settings are checked for that"
    schedule = {
        "MonitoringScheduleName": schedule_name(environment, kind),
        "MonitoringScheduleConfig": {
            "ScheduleConfig": {"ScheduleExpression": timing},
            "MonitoringJobDefinitionName": name,
            "MonitoringType": of,
        },
    }
    return Monitor(kind, of, definition, schedule)


def _baseline(kind: str, run_id: str, environment: Environment) -> Request:
    return {
        f"{name.title()}Resource": {"S3Uri": places.uri(environment, baseline(run_id, kind, name))}
        for name in documents(kind)
    }


def _application(kind: str, run_id: str, environment: Environment, settings: Settings) -> Request:
    region = places.region(environment)
    analyzed = kind in preprocessors.SCRIPTS
    found: Request = {
        "ImageUri": images.analyzer(region) if analyzed else images.clarify(region),
        "Environment": {"MIN_RECORDS": str(settings.monitor.min_records)},
    }
    if analyzed:
        found["RecordPreprocessorSourceUri"] = places.uri(environment, preprocessor(run_id, kind))
    else:
        found["ConfigUri"] = places.uri(environment, config(run_id, kind))
    if kind == "model-quality":
        found["ProblemType"] = model_quality.PROBLEMS[settings.model.problem][0]
    return found


def _input(
    kind: str, environment: Environment, settings: Settings, labels: Sequence[str]
) -> Request:
    """Predictions are judged as long as their labels may come: `monitor.catch_up_days`."""
    endpoint = {
        "EndpointName": environment.endpoint_name,
        "LocalPath": ENDPOINT,
        "S3InputMode": "File",
        "S3DataDistributionType": "FullyReplicated",
    }
    if kind == "bias":
        endpoint["FeaturesAttribute"] = clarify.features(settings.model.inputs)
        endpoint["InferenceAttribute"] = clarify.prediction(settings)
    elif kind == "model-quality":
        endpoint["InferenceAttribute"] = preprocessors.ATTRIBUTE
    elif kind == "attribution":
        endpoint["FeaturesAttribute"] = clarify.features(attribution.features(settings))
        endpoint["ProbabilityAttribute"] = clarify.probabilities(settings, labels)
    if kind not in LABELLED:
        return {"EndpointInput": endpoint}
    endpoint["StartTimeOffset"] = f"-P{settings.monitor.catch_up_days}D"
    endpoint["EndTimeOffset"] = "-PT0H"
    truth = places.uri(environment, jobs.GROUND_TRUTH.rstrip("/"))
    return {"EndpointInput": endpoint, "GroundTruthS3Input": {"S3Uri": truth}}


def _output(environment: Environment) -> Request:
    return {
        "S3Uri": places.uri(environment, "monitor/managed"),
        "LocalPath": f"{jobs.OUTPUT}/report",
        "S3UploadMode": "EndOfJob",
    }


def baseline(run_id: str, kind: str, document: str) -> str:
    return places.run(run_id, f"monitor/{kind}/{document}.json")


def preprocessor(run_id: str, kind: str) -> str:
    return places.run(run_id, f"monitor/{kind}/preprocess.py")


def config(run_id: str, kind: str) -> str:
    return places.run(run_id, f"monitor/{kind}/analysis_config.json")
