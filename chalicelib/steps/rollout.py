"""The rollout machine's steps: what a person asks of the versions in service, and what came of it.

Input: {"action": rollback | start | promote | stop, "kind"?: shadow | ab, "version"?, "share"?}.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from chalicelib import clients, clock, failures, places
from chalicelib.environment import Environment
from chalicelib.model import autoscaling, registry, rollout, traffic
from chalicelib.model.traffic import Serving

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
    before = Serving.of(champion["model_version"], registry.experiment())
    after = traffic.decide(execution, before, _previous(environment, before.champion))
    guarded = execution["action"] == "promote"  # it takes over as any new model does
    found: dict[str, Any] = {
        "at": clock.text(clock.now()),
        "before": before.document(),
        "after": after.document(),
        "poll_seconds": rollout.poll_seconds(configured) if guarded else 1,
    }
    if configured.endpoint.in_lambda:  # the champion's record alone says what serves
        _check_servable(_run(champion, after.champion), after.champion, configured)
        return found
    client = clients.client("sagemaker")
    serves = client.describe_endpoint(EndpointName=environment.endpoint_name)
    if traffic.reweighs(before, after):
        names = {key: serves[key] for key in ("EndpointName", "EndpointConfigName")}
        return {**found, "endpoint": names, "weights": rollout.weights(environment, after.share)}
    config, models = _wanted(champion, after, environment, configured)
    found["create_models"] = [each for each in models if not _kept_model(each)]
    name = config["EndpointConfigName"]
    kept = _kept(client.describe_endpoint_config, EndpointConfigName=name)
    if kept is None:
        found["create_endpoint_config"] = config
    instance_type = (kept or config)["ProductionVariants"][0]["InstanceType"]
    autoscaling.release_before(environment, serves["EndpointConfigName"], instance_type)
    found["endpoint"] = {"EndpointName": environment.endpoint_name, "EndpointConfigName": name}
    found["update"] = rollout.retaining(found["endpoint"], configured)
    if guarded:
        variants = [each["VariantName"] for each in serves["ProductionVariants"]]
        found["update"] = rollout.guarded(found["endpoint"], environment, configured, variants)
    return found


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


def _check_servable(run_id: str, version: int, configured: Settings) -> None:
    """By the version's lineage; a run that left none is not judged."""
    client = clients.client("s3")
    bucket, key = Environment.from_env().data_bucket, places.run(run_id, "lineage.json")
    try:
        content = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except client.exceptions.NoSuchKey:
        return
    parameters = json.loads(content)["training"].get("HyperParameters", {})
    if why := traffic.unservable(parameters, configured.training.transformer):
        raise traffic.RefusedError(f"version {version} cannot be served by Lambda: {why}")


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


def _kept_model(request: Mapping[str, Any]) -> bool:
    describe = clients.client("sagemaker").describe_model
    return _kept(describe, ModelName=request["ModelName"]) is not None


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
