"""The rollout machine's steps: what a person asks of the versions in service, and what came of it.

Input: {"action": rollback | start | promote | stop, "kind"?: shadow | ab, "version"?, "share"?}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib import clients, clock, failures
from chalicelib.environment import Environment
from chalicelib.model import autoscaling, registry, rollout, traffic
from chalicelib.model.traffic import Serving

Execution = dict[str, Any]
EARLIER = 100  # versions among which the one before the champion is looked for


def plan(execution: Execution) -> dict[str, Any]:
    """The requests that bring it about; RefusedError says why it cannot be."""
    from chalicelib import runs, settings

    environment, configured = Environment.from_env(), settings.load()
    champion = registry.champion()
    if champion is None:
        raise traffic.RefusedError("no model is in service yet")
    before = Serving.of(champion["model_version"], registry.experiment())
    after = traffic.decide(execution, before, _previous(environment, before.champion))
    endpoint = environment.endpoint_name
    found: dict[str, Any] = {
        "at": clock.text(clock.now()),
        "before": before.document(),
        "after": after.document(),
        "poll_seconds": 1,
    }
    serves = clients.client("sagemaker").describe_endpoint(EndpointName=endpoint)
    if traffic.reweighs(before, after):
        names = {"EndpointName": endpoint, "EndpointConfigName": serves["EndpointConfigName"]}
        return {**found, "endpoint": names, "weights": rollout.weights(environment, after.share)}
    champions = _run(champion, after.champion)
    models = [(champions, after.champion)]
    config = rollout.create_endpoint_config(champions, environment, configured)
    if after.beside is not None:
        besides = _run(champion, after.beside)
        models.append((besides, after.beside))
        name = rollout.name(configured, runs.new_id(clock.now()))
        config = rollout.beside(config, name, rollout.name(configured, besides), after)
    client = clients.client("sagemaker")
    found["create_models"] = [
        rollout.create_model(run, environment, configured, version)
        for run, version in models
        if _kept(client.describe_model, ModelName=rollout.name(configured, run)) is None
    ]
    name = config["EndpointConfigName"]
    kept = _kept(client.describe_endpoint_config, EndpointConfigName=name)
    if kept is None:
        found["create_endpoint_config"] = config
    instance_type = (kept or config)["ProductionVariants"][0]["InstanceType"]
    autoscaling.release_before(environment, serves["EndpointConfigName"], instance_type)
    update = {"EndpointName": endpoint, "EndpointConfigName": name}
    return {**found, "endpoint": update, "update": _guarded(execution, update, serves)}


def finish(execution: Execution) -> dict[str, Any]:
    """It serves: the champion and the experiment as they are now, told once."""
    from chalicelib import notify, settings

    planned = execution["plan_rollout"]
    before, after = Serving(**planned["before"]), Serving(**planned["after"])
    if after.champion != before.champion:
        _crown(before, after, execution["action"])
    registry.experiment_runs(after.document() if after.kind else None)
    autoscaling.apply(Environment.from_env(), settings.load())
    notify.notify(
        execution["action"] if after.kind is None else after.kind,
        _subject(execution, before, after),
        after.words,
        champion=after.champion,
        before=before.words,
    )
    return {"serving": after.document()}


def fail(execution: Execution) -> dict[str, Any]:
    """What served serves on; people are told why."""
    from chalicelib import notify, settings

    planned = execution.get("plan_rollout") or {}
    explanation = failures.explain(execution["error"], planned.get("at"))
    notify.notify("rollout_failed", f"The {execution['action']} was not done", explanation.message)
    autoscaling.apply(Environment.from_env(), settings.load())
    return {"error": explanation.message}


def _crown(before: Serving, after: Serving, action: str) -> None:
    """The version of before is rejected where people went back from it."""
    from chalicelib import runs

    champion = registry.champion() or {}
    arn = registry.arn(champion, after.champion)
    if action == "rollback":
        why = f"rolled back to version {after.champion}"
        registry.set_status(registry.arn(champion, before.champion), "Rejected", why)
    registry.set_status(arn, "Approved", f"in service by {action}")
    run_id = registry.run_of(arn)
    evaluation = (runs.get(run_id) or {}).get("evaluation") or {}
    registry.crown(run_id, arn, evaluation, clock.text(clock.now()))


def _subject(execution: Execution, before: Serving, after: Serving) -> str:
    if after.champion != before.champion:
        again = " again" if execution["action"] == "rollback" else ""
        return f"Model version {after.champion} is in service{again}, after {before.champion}"
    return after.words.split(":")[0]


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
        return registry.run_of(registry.arn(champion, version))
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":
            raise
        raise traffic.RefusedError(f"there is no model version {version}") from error


def _kept(describe: Callable[..., Any], **name: str) -> dict[str, Any] | None:
    """What SageMaker has still, from when it served before; None where it was deleted."""
    try:
        return dict(describe(**name))
    except clients.client("sagemaker").exceptions.ClientError as error:
        if error.response["Error"]["Code"] == "ValidationException":
            return None
        raise


def _guarded(
    execution: Execution, update: dict[str, Any], serves: Mapping[str, Any]
) -> dict[str, Any]:
    """A promotion takes over as any new model does; going back is done at once."""
    from chalicelib import settings

    configured = settings.load()
    if execution["action"] != "promote":
        return rollout.retaining(update, configured)
    variants = [each["VariantName"] for each in serves["ProductionVariants"]]
    return rollout.guarded(update, Environment.from_env(), configured, variants)
