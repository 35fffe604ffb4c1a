"""The rollout machine's steps: what a person asks of the versions in service, and what came of it.

Input: {"action": rollback | start | promote | stop, "kind"?: shadow | ab, "version"?, "share"?}.
The first step is told its `execution` beside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chalicelib import clients, clock, documents, failures, places
from chalicelib.environment import Environment
from chalicelib.model import autoscaling, deployments, registry, rollout, traffic
from chalicelib.model.deployments import Deployment
from chalicelib.model.traffic import Serving
from chalicelib.steps import settle

if TYPE_CHECKING:
    from chalicelib.settings import Settings

Execution = dict[str, Any]
EARLIER = 100  # versions among which the one before the champion is looked for


def plan(execution: Execution) -> dict[str, Any]:
    """The requests that bring it about; RefusedError says why it cannot be."""
    from chalicelib import settings

    environment, configured = Environment.from_env(), settings.load()
    if configured.endpoint.in_lambda and execution["action"] != "rollback":
        raise traffic.RefusedError(
            'a shadow or an A/B test needs an endpoint, and endpoint.serving is "lambda"'
        )
    champion = registry.champion()
    if champion is None:
        raise traffic.RefusedError("no model is in service yet")
    others = [e for e in deployments.open_ones() if e.execution != execution["execution"]]
    if others:
        raise traffic.RefusedError(f"a {others[0].action} is under way: wait until it has ended")
    before = Serving.of(champion["model_version"], registry.experiment())
    after = traffic.decide(execution, before, _previous(environment, before.champion))
    run_id = _run(champion, after.champion)
    found: dict[str, Any] = {"at": clock.text(clock.now()), "poll_seconds": 1}
    if configured.endpoint.in_lambda:  # the champion's record alone says what serves
        _check_servable(run_id, after.champion, configured)
    else:
        guarded = execution["action"] == "promote"  # it takes over as any new model does
        found |= _requests(champion, before, after, guarded, environment, configured)
    deployment = Deployment(
        execution=execution["execution"],
        action=execution["action"],
        endpoint=environment.endpoint_name,
        config=found.get("endpoint", {}).get("EndpointConfigName"),
        package=registry.arn(champion["model_package_arn"], after.champion),
        after=after,
        before=before,
        share=after.share if "weights" in found else None,
    )
    if not configured.endpoint.in_lambda:
        deployments.begin(deployment)
    return {**found, "deployment": deployment.document()}


def finish(execution: Execution) -> dict[str, Any]:
    """It serves: the champion and the experiment as they are now, told once."""
    from chalicelib import notify

    deployment = Deployment.of(execution["plan_rollout"]["deployment"])
    settle.write_down(deployment)
    after = deployment.after
    notify.notify(
        deployment.action if after.kind is None else after.kind,
        _subject(deployment),
        after.words,
        champion=after.champion,
        before=deployment.before.words if deployment.before else None,
    )
    return {"serving": after.document()}


def fail(execution: Execution) -> dict[str, Any]:
    """People are told why, and what the endpoint serves now."""
    from chalicelib import notify

    planned = execution.get("plan_rollout") or {}
    message = failures.explain(execution["error"], planned.get("at")).message
    deployment = deployments.find(planned["deployment"]["execution"]) if planned else None
    served = settle.conclude(deployment, message) if deployment else False
    if served is None:
        message += "\n\nThe endpoint changes still. When that is over you are told what serves."
    if not served:
        became = "failed" if served is None else "was not done"
        notify.notify("rollout_failed", f"The {execution['action']} {became}", message)
    return {"error": message}


def _check_servable(run_id: str, version: int, configured: Settings) -> None:
    """By the version's lineage; a run that left none is not judged."""
    lineage = documents.find(Environment.from_env(), places.run(run_id, "lineage.json"))
    if lineage is None:
        return
    parameters = lineage["training"].get("HyperParameters", {})
    if why := traffic.unservable(parameters, configured.training.transformer):
        raise traffic.RefusedError(f"version {version} cannot be served by Lambda: {why}")


def _subject(deployment: Deployment) -> str:
    before, after = deployment.before, deployment.after
    if before and after.champion != before.champion:
        again = " again" if deployment.action == "rollback" else ""
        return f"Model version {after.champion} is in service{again}, after {before.champion}"
    return after.words.split(":")[0]


def _requests(
    champion: Mapping[str, Any],
    before: Serving,
    after: Serving,
    guarded: bool,
    environment: Environment,
    configured: Settings,
) -> dict[str, Any]:
    """What SageMaker is asked for: weights alone, or a configuration with all that is missing."""
    client = clients.client("sagemaker")
    serves = client.describe_endpoint(EndpointName=environment.endpoint_name)
    if traffic.reweighs(before, after):
        names = {key: serves[key] for key in ("EndpointName", "EndpointConfigName")}
        return {"endpoint": names, "weights": rollout.weights(environment, after.share)}
    config, models = _wanted(champion, after, environment, configured)
    name = config["EndpointConfigName"]
    kept = deployments.described(client.describe_endpoint_config, EndpointConfigName=name)
    instance_type = (kept or config)["ProductionVariants"][0]["InstanceType"]
    autoscaling.release_before(environment, serves["EndpointConfigName"], instance_type)
    endpoint = {"EndpointName": environment.endpoint_name, "EndpointConfigName": name}
    found: dict[str, Any] = {
        "endpoint": endpoint,
        "create_models": [each for each in models if not _kept_model(each)],
        "update": rollout.retaining(endpoint, configured),
    }
    if kept is None:
        found["create_endpoint_config"] = config
    if guarded:
        variants = [each["VariantName"] for each in serves["ProductionVariants"]]
        found["update"] = rollout.guarded(endpoint, environment, configured, variants)
        found["poll_seconds"] = rollout.poll_seconds(configured)
    return found


def _previous(environment: Environment, champion: int) -> int | None:
    """The newest approved version before the champion's."""
    earlier = [
        int(package["ModelPackageVersion"])
        for package in registry.packages(environment, EARLIER)
        if package["ModelApprovalStatus"] == "Approved"
        and package["ModelPackageVersion"] < champion
    ]
    return max(earlier, default=None)


def _run(champion: Mapping[str, Any], version: int) -> str:
    """The run that a version came from."""
    if version == champion["model_version"]:
        return str(champion["run"])
    client = clients.client("sagemaker")
    try:
        return registry.run_of(registry.arn(champion["model_package_arn"], version))
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":
            raise
        raise traffic.RefusedError(f"there is no model version {version}") from error


def _kept_model(request: Mapping[str, Any]) -> bool:
    describe = clients.client("sagemaker").describe_model
    return deployments.described(describe, ModelName=request["ModelName"]) is not None


def _wanted(
    champion: Mapping[str, Any], after: Serving, environment: Environment, configured: Settings
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The endpoint configuration that is to serve, and its models.

    A version that never served is beside the champion under the configuration's name: its own is
    for its run, which may still wait for approval.
    """
    from chalicelib import runs

    run = _run(champion, after.champion)
    config = rollout.create_endpoint_config(run, environment, configured)
    models = [rollout.create_model(run, environment, configured, after.champion)]
    if after.beside is None:
        return config, models
    name = rollout.name(configured, runs.new_id(clock.now()))
    besides = _run(champion, after.beside)
    model = rollout.create_model(besides, environment, configured, after.beside)
    if not _kept_model(model):
        model["ModelName"] = name
    return rollout.beside(config, name, model["ModelName"], after), [*models, model]
