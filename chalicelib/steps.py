"""The Lambda states of both machines: which function does which step.

An event is {"step": name, "run": the execution's state}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Step = Callable[[dict[str, Any]], dict[str, Any]]


class UnknownStepError(Exception):
    """The machine asks for a step that this version does not have."""


def retrain(event: Mapping[str, Any]) -> dict[str, Any]:
    from chalicelib import steps_data, steps_model, steps_quality

    return _dispatch(
        event,
        {
            "begin": steps_data.begin,
            "convert": steps_data.convert,
            "schema": steps_data.schema,
            "reconcile": steps_data.reconciled,
            "judge": steps_quality.judge,
            "quality": steps_quality.conclude,
            "plan": steps_data.plan,
            "finish_data": steps_data.finish_data,
            "fail": steps_data.fail,
            "gate": steps_model.decide,
            "register": steps_model.register,
            "finish": steps_model.finish,
        },
    )


def monitor(event: Mapping[str, Any]) -> dict[str, Any]:
    from chalicelib import model_quality, steps_monitor
    from chalicelib import monitor as data_quality

    return _dispatch(
        event,
        {
            "begin": data_quality.begin,
            "finish": data_quality.finish,
            "begin_labels": model_quality.begin,
            "finish_labels": model_quality.finish,
            "fail": steps_monitor.fail,
        },
    )


def _dispatch(event: Mapping[str, Any], known: Mapping[str, Step]) -> dict[str, Any]:
    name, run = event["step"], event["run"]
    if name not in known:
        raise UnknownStepError(f"there is no step {name}; there are: {', '.join(sorted(known))}")
    return known[name](run)
