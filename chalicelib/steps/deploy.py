"""The retrain machine's step before it deploys: the requests that put the model into service.

They are made once nothing but the deployment is left to do: while a person was asked about the
model, an A/B test may have begun or ended, and the champion may have been rolled back.
"""

from __future__ import annotations

from typing import Any

from chalicelib import clients, clock, runs
from chalicelib.environment import Environment
from chalicelib.model import autoscaling, deployments, rollout
from chalicelib.model.deployments import DEPLOY, Deployment
from chalicelib.model.traffic import Serving

Run = dict[str, Any]


def plan(run: Run) -> dict[str, Any]:
    """From what the endpoint serves (`endpoint_before`, in which an error says that there is none).

    From here on the run cannot be stopped. RunEndedError: somebody was faster.
    """
    from chalicelib import settings

    environment, configured = Environment.from_env(), settings.load()
    run_id, before = str(run["run_id"]), run["endpoint_before"]
    runs.deploy(run_id)
    serves, registered = before.get("EndpointConfigName"), run["register"]
    autoscaling.release_before(environment, serves, configured.endpoint.instance_type)
    _clear(rollout.name(configured, run_id), serves)
    version = registered["model_version"]
    planned = {
        "at": clock.text(clock.now()),
        "create_model": rollout.create_model(run_id, environment, configured, version),
        "create_endpoint_config": rollout.create_endpoint_config(run_id, environment, configured),
    }
    if serves:
        variants = [each["VariantName"] for each in before["ProductionVariants"]]
        planned["update"] = rollout.update(run_id, environment, configured, variants)
    if not configured.endpoint.in_lambda:
        deployments.begin(
            Deployment(
                execution=runs.execution_arn(run_id),
                action=DEPLOY,
                endpoint=environment.endpoint_name,
                config=rollout.name(configured, run_id),
                package=registered["model_package_arn"],
                after=Serving(version),
            )
        )
    return planned


def _clear(name: str, serves: str | None) -> None:
    """Remove what an earlier try of this run left, unless the endpoint uses it already.

    CreateModel and CreateEndpointConfig refuse a name that is taken.
    """
    client = clients.client("sagemaker")
    if serves == name:
        return
    for delete, argument in (
        (client.delete_endpoint_config, "EndpointConfigName"),
        (client.delete_model, "ModelName"),
    ):
        try:
            delete(**{argument: name})
        except client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "ValidationException":
                raise  # a ValidationException says that there is none
