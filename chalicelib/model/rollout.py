"""The requests that put a registered model into service.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from chalicelib import places
from chalicelib.model import containers

if TYPE_CHECKING:
    from chalicelib.environment import Environment
    from chalicelib.model.traffic import Serving
    from chalicelib.settings import Settings

Request = dict[str, Any]
LOOKS = 600  # at the endpoint while it bakes


def name(settings: Settings, run_id: str) -> str:
    """Of a run's model and of its endpoint configuration."""
    return f"{settings.pipeline.name}-{run_id}"


def container(environment: Environment, settings: Settings, run_id: str) -> Request:
    """The container that serves the run's model by the inference script.

    A transformer's image takes no code but what lies in the artefact, under code/.
    https://github.com/aws/sagemaker-huggingface-inference-toolkit
    """
    given = {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_REGION": places.region(environment),
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
    }
    if not settings.training.transformer:
        given["SAGEMAKER_SUBMIT_DIRECTORY"] = places.code(environment, "inference")
    return {
        "Image": containers.serving(places.region(environment), settings),
        "ModelDataUrl": places.uri(environment, places.model(run_id)),
        "Environment": given,
    }


def create_model(
    run_id: str, environment: Environment, settings: Settings, version: int
) -> Request:
    primary = container(environment, settings, run_id)
    primary["Environment"]["MODEL_VERSION"] = str(version)
    return {
        "ModelName": name(settings, run_id),
        "PrimaryContainer": primary,
        "ExecutionRoleArn": environment.job_role_arn,
    }


def create_endpoint_config(run_id: str, environment: Environment, settings: Settings) -> Request:
    """One variant, every request and answer captured as the settings say."""
    variant = {
        "VariantName": places.VARIANT,
        "ModelName": name(settings, run_id),
        "InitialInstanceCount": settings.endpoint.instance_count,
        "InstanceType": settings.endpoint.instance_type,
        "InitialVariantWeight": 1.0,
    }
    return {
        "EndpointConfigName": name(settings, run_id),
        "ProductionVariants": [variant],
        "DataCaptureConfig": {
            "EnableCapture": settings.endpoint.capture_percent > 0,
            "InitialSamplingPercentage": settings.endpoint.capture_percent,
            "DestinationS3Uri": places.uri(environment, "capture"),
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
        },
    }


def beside(config: Request, name: str, model: str, serving: Serving) -> Request:
    """The configuration with another model as the champion's shadow, or to share its requests.

    A shadow's weight is its share of the champion's requests that it gets a copy of.
    https://docs.aws.amazon.com/sagemaker/latest/dg/model-shadow-deployment.html
    """
    (primary,) = config["ProductionVariants"]
    other = {**primary, "ModelName": model, "InitialVariantWeight": serving.share}
    if serving.kind == "shadow":
        other["VariantName"] = places.SHADOW
        return {**config, "EndpointConfigName": name, "ShadowProductionVariants": [other]}
    other["VariantName"] = places.CHALLENGER
    rest = {**primary, "InitialVariantWeight": round(1 - serving.share, 6)}
    return {**config, "EndpointConfigName": name, "ProductionVariants": [rest, other]}


def weights(environment: Environment, share: float) -> Request:
    """UpdateEndpointWeightsAndCapacities: the challenger's share of the requests."""
    shares = {places.VARIANT: round(1 - share, 6), places.CHALLENGER: share}
    return {
        "EndpointName": environment.endpoint_name,
        "DesiredWeightsAndCapacities": [
            {"VariantName": variant, "DesiredWeight": weight} for variant, weight in shares.items()
        ],
    }


def deployment(environment: Environment, settings: Settings) -> Request:
    """DeploymentConfig: in which steps traffic shifts, and the alarms that shift it back.

    The last shift bakes for TerminationWaitInSeconds, those before it for WaitIntervalInSeconds.
    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green-canary.html
    """
    rollout = settings.rollout
    size = {"Type": "CAPACITY_PERCENT", "Value": rollout.percent}
    sizes = {"canary": {"CanarySize": size}, "linear": {"LinearStepSize": size}}
    policy = {
        "TrafficRoutingConfiguration": {
            "Type": rollout.strategy.upper(),
            "WaitIntervalInSeconds": rollout.bake_seconds,
            **sizes.get(rollout.strategy, {}),
        },
        "TerminationWaitInSeconds": rollout.bake_seconds,
        "MaximumExecutionTimeoutInSeconds": _timeout(rollout.total_seconds),
    }
    alarms = [{"AlarmName": name} for name in environment.rollout_alarms.split(",")]
    return {
        "BlueGreenUpdatePolicy": policy,
        "AutoRollbackConfiguration": {"Alarms": alarms},
    }


def _timeout(bake_seconds: int) -> int:
    """All baking, and an hour for instances to start, within what SageMaker allows."""
    from chalicelib.releasing import LONGEST_SECONDS

    return min(bake_seconds + 3600, LONGEST_SECONDS)


def poll_seconds(settings: Settings) -> int:
    """Between two looks at the endpoint: a long bake must not fill the execution's history.

    https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
    """
    return max(1, settings.rollout.total_seconds // LOOKS)


def update(
    run_id: str, environment: Environment, settings: Settings, variants: Iterable[str]
) -> Request:
    """UpdateEndpoint; guarded where a bake is set and the endpoint's variants stay the same.

    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html
    """
    return guarded(endpoint(run_id, environment, settings), environment, settings, variants)


def guarded(
    request: Request, environment: Environment, settings: Settings, variants: Iterable[str]
) -> Request:
    """An update with guardrails, where those are set and possible."""
    request = retaining(request, settings)
    if settings.rollout.bake_seconds and list(variants) == [places.VARIANT]:
        return {**request, "DeploymentConfig": deployment(environment, settings)}
    return request


def retaining(request: Request, settings: Settings) -> Request:
    """An update of an endpoint that is scaled: the instances that there are stay as many.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpoint.html
    """
    if not settings.endpoint.scales:
        return request
    own = [{"VariantPropertyType": each} for each in ("DesiredWeight", "DataCaptureConfig")]
    return {
        **request,
        "RetainAllVariantProperties": True,
        "ExcludeRetainedVariantProperties": own,
    }


def endpoint(run_id: str, environment: Environment, settings: Settings) -> Request:
    return {
        "EndpointName": environment.endpoint_name,
        "EndpointConfigName": name(settings, run_id),
    }
