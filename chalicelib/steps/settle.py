"""The step that the sweep asks for: changes of what serves whose executions ended before they could
write down what came of them. The endpoint says so, and the record follows it.
"""

from __future__ import annotations

from typing import Any

from chalicelib import clients, clock
from chalicelib.environment import Environment
from chalicelib.model import autoscaling, deployments, registry
from chalicelib.model.deployments import DEPLOY, Deployment


def sweep(_: dict[str, Any]) -> dict[str, Any]:
    """Look at each change that has no end yet."""
    return {"settled": [_look(each) for each in deployments.open_ones()]}


def conclude(deployment: Deployment, why: str) -> bool | None:
    """Write down what came of a change; None while the endpoint changes still.

    `why` its execution could not, in words. A version whose run could not put it into service is
    rejected in the registry: no rollback leads to it.
    """
    from chalicelib import notify, settings

    served = deployments.serves(deployment)
    if served is None:
        return None
    if served:
        write_down(deployment)
        words = f"{why}\n\nSageMaker did it all the same: {deployment.after.words}."
        subject = f"{deployment.after.words.split(':')[0]}, though the {deployment.action} failed"
        notify.notify(deployment.action, subject, words, champion=deployment.after.champion)
        return True
    if deployment.action == DEPLOY:
        registry.set_status(deployment.package, "Rejected", why)
    autoscaling.apply(Environment.from_env(), settings.load())
    deployments.end(deployment.execution)
    return False


def write_down(deployment: Deployment) -> None:
    """What was planned serves: the champion, its monitors, what is beside it, and its scaling."""
    from chalicelib import settings

    before, after = deployment.before, deployment.after
    if before is None or before.champion != after.champion:
        _crown(deployment)
    registry.experiment_runs(after.document() if after.kind else None)
    autoscaling.apply(Environment.from_env(), settings.load())
    deployments.end(deployment.execution)


def _crown(deployment: Deployment) -> None:
    """The version of before is rejected where people went back from it."""
    from chalicelib import runs, settings
    from chalicelib.monitoring import schedules

    package, action, before = deployment.package, deployment.action, deployment.before
    if action == "rollback" and before is not None:
        why = f"rolled back to version {deployment.after.champion}"
        registry.set_status(registry.arn(package, before.champion), "Rejected", why)
    registry.set_status(package, "Approved", f"in service by {action}")
    run_id = registry.run_of(package)
    evaluation = (runs.get(run_id) or {}).get("evaluation") or {}
    registry.crown(run_id, package, evaluation, clock.text(clock.now()))
    schedules.apply(run_id, settings.load())


def _look(deployment: Deployment) -> str:
    from chalicelib import notify

    action = deployment.action
    states = clients.client("stepfunctions")
    found = states.describe_execution(executionArn=deployment.execution)
    if found["status"] == "RUNNING":
        return f"the {action} goes on"
    why = f"the execution {deployment.execution} ended as {found['status']}"
    why += f": {found['cause']}" if found.get("cause") else ""
    served = conclude(deployment, why)
    if served is None:
        return f"the endpoint changes still, by the {action}"
    if not served and action != DEPLOY:  # a run tells of its own failure
        notify.notify("rollout_failed", f"The {action} was not done", why)
    return f"the {action} was {'' if served else 'not '}done"
