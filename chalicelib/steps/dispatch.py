"""The Lambda states of the machines: which function does which step.

An event is {"step": name, "run": the execution's state}, and what the step needs of the execution's
context: its `task_token`, its ARN as `execution`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Step = Callable[[dict[str, Any]], dict[str, Any]]


class UnknownStepError(Exception):
    """The machine asks for a step that this version does not have."""


def retrain(event: Mapping[str, Any]) -> dict[str, Any]:
    from chalicelib.steps import approval, data, deploy, model, quality, rollout, settle, training

    return _dispatch(
        event,
        {
            "begin": data.begin,
            "convert": data.convert,
            "plan_part": data.plan_part,
            "schema": data.schema,
            "reconcile": data.reconciled,
            "judge": quality.judge,
            "quality": quality.conclude,
            "plan": data.plan,
            "plan_training": training.plan_training,
            "keep_best": training.keep_best,
            "finish_data": data.finish_data,
            "fail": data.fail,
            "gate": model.decide,
            "register": model.register,
            "ask": approval.ask,
            "expire": approval.expire,
            "plan_deploy": deploy.plan,
            "finish": model.finish,
            "plan_rollout": rollout.plan,
            "finish_rollout": rollout.finish,
            "fail_rollout": rollout.fail,
            "settle": settle.sweep,
        },
    )


def monitor(event: Mapping[str, Any]) -> dict[str, Any]:
    from chalicelib.monitoring import looks, schedules
    from chalicelib.steps import monitor

    known = {
        "begin": looks.begin,
        "finish": looks.finish,
        "fail": monitor.fail,
        "executed": schedules.executed,
    }
    return _dispatch(event, known)


def batch(event: Mapping[str, Any]) -> dict[str, Any]:
    from chalicelib.steps import batch

    return _dispatch(event, {"begin": batch.begin, "finish": batch.finish, "fail": batch.fail})


def _dispatch(event: Mapping[str, Any], known: Mapping[str, Step]) -> dict[str, Any]:
    name, run = event["step"], event["run"]
    if name not in known:
        raise UnknownStepError(f"there is no step {name}; there are: {', '.join(sorted(known))}")
    context = {key: event[key] for key in ("task_token", "execution") if key in event}
    return known[name]({**run, **context})
