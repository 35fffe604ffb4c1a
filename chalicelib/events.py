"""The edge of every event handler: log lines carry the run, an event that comes twice acts once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger

from chalicelib.environment import Environment
from chalicelib.steps import dispatch

Event = dict[str, Any]
logger = Logger()


def intake(event: Event, context: Any) -> Any:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html"""
    from chalicelib.ingest import intake as files

    _correlate(event["id"], context)
    return files.arrived(event)


def coalesce(event: Event, context: Any) -> Any:
    from chalicelib.ingest import coalesce as waiting

    _correlate(event["Records"][0]["messageId"], context)
    return waiting.woken()


def sweep(event: Event, context: Any) -> Any:
    from chalicelib.batch import unheard
    from chalicelib.drift import reaction as incidents
    from chalicelib.ingest import coalesce as waiting
    from chalicelib.model import approval as decisions
    from chalicelib.model import deployments

    _correlate(event["id"], context)
    return {
        **waiting.sweep(),
        "drift": incidents.sweep(),
        "approval": decisions.sweep(),
        "batch": unheard.announce(),
        "deployments": deployments.sweep(),
    }


def run_step(event: Event, context: Any) -> Any:
    _correlate(str(event["run"].get("run_id", "rollout")), context)
    logger.info("step", extra={"step": event["step"]})
    return dispatch.retrain(event)


def monitor_step(event: Event, context: Any) -> Any:
    _correlate(str(event["run"].get("scheduled_at")), context)
    result = dispatch.monitor(event)
    logger.info("monitor", extra={"step": event["step"], "why": result.get("why")})
    return result


def batch(event: Event, context: Any) -> Any:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html"""
    from chalicelib.batch import start

    _correlate(event["id"], context)
    return start.arrived(event)


def batch_step(event: Event, context: Any) -> Any:
    _correlate(event["run"]["batch_id"], context)
    logger.info("batch", extra={"step": event["step"]})
    return dispatch.batch(event)


def run_ended(event: Event, context: Any) -> Any:
    """A run, or a batch, that ended without its machine's last word: stopped, timed out, or its
    closing failed.

    https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    """
    from chalicelib import runs
    from chalicelib.model import approval

    detail, environment = event["detail"], Environment.from_env()
    _correlate(detail["name"], context)
    told = detail.get("cause") or detail.get("error") or "nobody said why"
    words = f"the execution ended as {detail['status']}: {told}"
    if detail["stateMachineArn"] == environment.retrain_machine_arn:
        runs.fail(detail["name"], words)
        approval.abandon(runs.get(detail["name"]))
    elif detail["stateMachineArn"] == environment.batch_machine_arn:
        _batch_ended(detail["input"], words)
    else:
        return {"ignored": detail["stateMachineArn"]}
    return {"closed": detail["name"]}


def _batch_ended(given: str, words: str) -> None:
    from chalicelib.batch.files import BatchFile
    from chalicelib.steps import batch

    batch.close(BatchFile(**json.loads(given)["file"]), words)


def approval(event: Event, context: Any) -> Any:
    """Somebody approved or rejected a package in the registry; our own decisions come by too."""
    from chalicelib.model import approval as decisions

    detail = event["detail"]
    if detail["ModelPackageGroupName"] != Environment.from_env().model_group:
        return {"ignored": detail["ModelPackageGroupName"]}
    _correlate(event["id"], context)
    return decisions.registry_changed(detail)


def drift(event: Event, context: Any) -> Any:
    from chalicelib.drift import reaction as policy

    _correlate(event["id"], context)
    result = once(policy.alarmed, event, context)
    logger.info("drift", extra={"result": result})
    return result


def webhook(event: Event, context: Any) -> Any:
    from chalicelib import webhook as subscriber

    _correlate(event["Records"][0]["Sns"]["MessageId"], context)
    return subscriber.forward(event)


def once(act: Callable[[Event], Any], event: Event, context: Any) -> Any:
    """EventBridge delivers at least once: the second time answers what the first did.

    https://docs.aws.amazon.com/powertools/python/latest/utilities/idempotency/
    """
    from aws_lambda_powertools.utilities.idempotency import (
        DynamoDBPersistenceLayer,
        IdempotencyConfig,
        idempotent_function,
    )

    store = DynamoDBPersistenceLayer(table_name=Environment.from_env().idempotency_table)
    config = IdempotencyConfig(event_key_jmespath="id", raise_on_no_idempotency_key=True)
    config.register_lambda_context(context)

    def acted(*, event: Event) -> Any:
        return act(event)

    guarded: Callable[..., Any] = idempotent_function(
        acted,
        data_keyword_argument="event",
        persistence_store=store,
        config=config,
        key_prefix=f"{act.__module__}.{act.__qualname__}",
    )
    return guarded(event=event)


def _correlate(identifier: str, context: Any) -> None:
    """Every log line of this call carries what it is about: the run's id where there is one."""
    logger.set_correlation_id(identifier)
    logger.append_keys(request_id=getattr(context, "aws_request_id", None))
