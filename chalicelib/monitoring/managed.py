"""`monitor.engine = "managed"`: Model Monitor's own job definitions and schedules, as requests.

AWS's containers then judge, on AWS's schedule, by the baselines that the run has made; formats,
metrics and reports are the same. Pure functions of a run, the settings and the environment.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-scheduling.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib import places
from chalicelib.model import jobs, rollout
from chalicelib.monitoring import attribution, images, kinds, model_quality, timings

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
LONGEST_SECONDS = 3600
# AWS's container reads flat JSON only.
# https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-pre-and-post-processing.html
PREPROCESSOR = '''\
import json


def preprocess_handler(inference_record):
    """The records of a request: {"records": [{...}]}, or one by itself."""
    body = json.loads(inference_record.endpoint_input.data)
    return body.get("records", [body])
'''


@dataclass(frozen=True)
class Monitor:
    """One kind's job definition, and the schedule that runs it."""

    kind: str
    type: str
    definition: Request
    schedule: Request


def monitors(run_id: str, environment: Environment, settings: Settings) -> list[Monitor]:
    """Of every kind that the pipeline can be judged by."""
    wanted = [kind.name for kind in kinds.KINDS.values() if not kinds.unfit(kind, settings)]
    return [_monitor(kind, run_id, environment, settings) for kind in wanted]


def schedule_name(environment: Environment, kind: str) -> str:
    return f"{environment.endpoint_name}-{kind}"


def definition_name(kind: str, run_id: str) -> str:
    return f"{kind}-{run_id}"


def kind_of(schedule: str, environment: Environment) -> str | None:
    """The kind that a schedule of this pipeline is for, by its name or its ARN."""
    name = schedule.rpartition("/")[2]
    return next((kind for kind in TYPES if schedule_name(environment, kind) == name), None)


def explanation_config(run_id: str, settings: Settings) -> Request:
    """Clarify's configuration of feature attributions.

    https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-config-json-monitor-model-explainability-parameters.html
    """
    return {
        "label": settings.dataset.label,
        "headers": attribution.features(settings),
        "predictor": {
            "model_name": rollout.name(settings, run_id),
            "instance_type": settings.monitor.instance_type,
            "initial_instance_count": 1,
            "content_type": "application/json",
        },
        "methods": {"shap": {"num_samples": 128, "agg_method": "mean_abs"}},
    }


def _monitor(kind: str, run_id: str, environment: Environment, settings: Settings) -> Monitor:
    name, of = definition_name(kind, run_id), TYPES[kind]
    tags = [{"Key": "driftloop:pipeline", "Value": settings.pipeline.name}]
    definition = {
        "JobDefinitionName": name,
        f"{of}BaselineConfig": _baseline(kind, run_id, environment),
        f"{of}AppSpecification": _application(kind, run_id, environment, settings),
        f"{of}JobInput": _input(kind, environment, settings),
        f"{of}JobOutputConfig": {"MonitoringOutputs": [{"S3Output": _output(environment)}]},
        "JobResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": settings.monitor.instance_type,
                "VolumeSizeInGB": jobs.VOLUME_GB,
            }
        },
        "RoleArn": environment.job_role_arn,
        "StoppingCondition": {"MaxRuntimeInSeconds": LONGEST_SECONDS},
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
    def document(name: str) -> Request:
        key = places.baseline(run_id, kind) + f"{name}.json"
        return {"S3Uri": places.uri(environment, key)}

    found = {"ConstraintsResource": document("constraints")}
    if kind == kinds.OF_DATA:
        found["StatisticsResource"] = document("statistics")
    return found


def _application(kind: str, run_id: str, environment: Environment, settings: Settings) -> Request:
    region = places.region(environment)
    clarify = kind in ("bias", "attribution")
    found: Request = {
        "ImageUri": images.clarify(region) if clarify else images.analyzer(region),
        "Environment": {"MIN_RECORDS": str(settings.monitor.min_records)},
    }
    if kind == "data-quality":
        found["RecordPreprocessorSourceUri"] = places.uri(environment, preprocessor(run_id))
    elif kind == "model-quality":
        found["ProblemType"] = model_quality.PROBLEMS[settings.model.problem][0]
    elif kind == "bias":
        found["ConfigUri"] = places.uri(environment, places.bias_config(run_id))
    else:
        found["ConfigUri"] = places.uri(environment, explanation(run_id))
    return found


def _input(kind: str, environment: Environment, settings: Settings) -> Request:
    endpoint = {
        "EndpointName": environment.endpoint_name,
        "LocalPath": ENDPOINT,
        "S3InputMode": "File",
        "S3DataDistributionType": "FullyReplicated",
    }
    if kind in ("model-quality", "bias"):
        regression = settings.model.problem == "regression"
        endpoint["InferenceAttribute"] = "prediction" if regression else "label"
        labels = places.uri(environment, jobs.GROUND_TRUTH.rstrip("/"))
        return {"EndpointInput": endpoint, "GroundTruthS3Input": {"S3Uri": labels}}
    if kind == "attribution" and (named := attribution.variables(settings)):
        endpoint["FeaturesAttribute"] = named["features_attribute"]
    return {"EndpointInput": endpoint}


def _output(environment: Environment) -> Request:
    return {
        "S3Uri": places.uri(environment, "monitor/managed"),
        "LocalPath": f"{jobs.OUTPUT}/report",
        "S3UploadMode": "EndOfJob",
    }


def preprocessor(run_id: str) -> str:
    return places.run(run_id, "monitor/preprocess.py")


def explanation(run_id: str) -> str:
    return places.run(run_id, "monitor/explanation/analysis_config.json")
