"""Fleets behind endpoints: put in service without a gap, scaled, mended, back after a restart.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpoint.html
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from typing import Any

from localcloud import ministack_adapter as cloud
from localcloud.sagemaker import models
from localcloud.sagemaker.errors import ApiError
from localcloud.sagemaker.hosting import records, shifting
from localcloud.sagemaker.hosting.fleet import MEMBERS, Fleet
from localcloud.sagemaker.hosting.guardrails import Plan, Step
from localcloud.sagemaker.hosting.serving import INVOKE_SECONDS
from localcloud.sagemaker.hosting.shifting import Pending
from localcloud.sagemaker.store import Record, now, store

STOPPED = "InternalServerError: the local cloud was stopped while the endpoint was being changed"
WATCH_SECONDS = 1.0

log = logging.getLogger(__name__)
fleets: dict[str, Fleet] = {}
_pending: dict[str, Pending] = {}
_stopped = threading.Event()


def serving(name: str) -> Fleet:
    """The fleet that answers now; errors as InvokeEndpoint gives them."""
    record = store.get(records.KIND, name)
    account = cloud.config().account
    if record is None or record["EndpointStatus"] in ("Creating", "Failed"):
        raise ApiError("ValidationError", f"Endpoint {name} of account {account} not found.")
    pending = _pending.get(name)
    if pending and random.random() < pending.share:
        return pending.fleet
    fleet = fleets.get(name)
    if fleet is None:
        raise ApiError("ServiceUnavailable", f"Endpoint {name} is being brought back.", 503)
    return fleet


def deploy(name: str, config: Record, plan: Plan) -> None:
    """Put a configuration in service, step by step as planned; returns at once."""
    _in_thread(_deploy, name, config, plan)


def scale(name: str, wanted: list[dict[str, Any]]) -> None:
    """Change weights and counts of variants; returns at once."""
    _in_thread(_scale, name, wanted)


def withdraw(name: str) -> None:
    """End the fleet of an endpoint that is no more, once its requests are answered."""
    if fleet := fleets.pop(name, None):
        _in_thread(fleet.stop, INVOKE_SECONDS)


def resume() -> None:
    """After a start of the cloud: serve again what was in service, close what was under way."""
    for record in store.values(records.KIND):
        name, status = record["EndpointName"], record["EndpointStatus"]
        if status == "Creating":
            records.change(name, EndpointStatus="Failed", FailureReason=STOPPED)
            continue
        if status == "Updating":
            records.settle(name, EndpointStatus="InService", FailureReason=STOPPED)
        if status != "Failed":
            _in_thread(_bring_back, record)
    threading.Thread(target=_watch, name="endpoints", daemon=True).start()


def stop_all() -> None:
    """The cloud stops: no process outlives it, and the next one tells what it cut off."""
    _stopped.set()
    while _pending:
        _pending.popitem()[1].fleet.stop()
    while fleets:
        fleets.popitem()[1].stop()


def _deploy(name: str, config: Record, plan: Plan) -> None:
    """The new fleet answers before the old one ends; a failed update leaves the old one serving."""
    before = fleets.get(name)
    try:
        wanted = {v["ModelName"] for member in MEMBERS for v in config.get(member, [])}
        fleet = Fleet(name, config, {each: models.find(each) for each in wanted})
        tell = _telling(name, fleet)
        tell("Creating", lambda count: f"Launching {count} instance(s).", Step(0, 0))
        pending = _start(name, fleet)
        if before:
            shifting.shift(pending, plan, tell, _stopped)
    except Exception as error:
        under_way = _pending.pop(name, None)
        _failed(name, error, "InService" if before else "Failed")
        if under_way:
            under_way.fleet.stop(INVOKE_SECONDS)
        return
    fleets[name] = fleet
    _pending.pop(name, None)
    _settle(name, fleet)
    if before:
        before.stop(INVOKE_SECONDS)


def _telling(name: str, fleet: Fleet) -> shifting.Tell:
    """Tells how far the deployment of a fleet is."""
    began = now()

    def tell(status: str, words: Callable[[int], str], step: Step) -> None:
        if not _stopped.is_set():
            records.progress(name, fleet.pending(began, step, status, words))

    return tell


def _scale(name: str, wanted: list[dict[str, Any]]) -> None:
    """A failed change leaves weights and counts as they were."""
    fleet = fleets[name]
    before = {each.name: (each.weight, each.count) for each in fleet.variants.values()}
    try:
        for entry in wanted:
            variant = fleet.variants[entry["VariantName"]]
            variant.weight = float(entry.get("DesiredWeight", variant.weight))
            variant.count = int(entry.get("DesiredInstanceCount", variant.count))
            variant.scale()
    except Exception as error:
        for variant in fleet.variants.values():
            variant.weight, variant.count = before[variant.name]
        _failed(name, error, "InService")
        return
    _settle(name, fleet)


def _bring_back(record: Record) -> None:
    """An endpoint's processes after a restart, with its last weights and counts."""
    name = record["EndpointName"]
    try:
        fleet = Fleet(name, record["_config"], record["_models"])
        for summary in record["ProductionVariants"]:
            variant = fleet.variants[summary["VariantName"]]
            variant.weight = summary["DesiredWeight"]
            variant.count = summary["DesiredInstanceCount"]
        _start(name, fleet)
    except Exception as error:
        _failed(name, error, "Failed")
        return
    finally:
        _pending.pop(name, None)
    with store.lock:
        there = store.get(records.KIND, name) is not None
        if there:
            fleets[name] = fleet
    if not there:  # deleted meanwhile
        fleet.stop()


def _start(name: str, fleet: Fleet) -> Pending:
    pending = _pending[name] = Pending(fleet)
    fleet.start()
    return pending


def _failed(name: str, error: Exception, status: str) -> None:
    if _stopped.is_set() or store.get(records.KIND, name) is None:
        return
    log.warning("endpoint %s: %s", name, error, exc_info=error)
    reason = error.message if isinstance(error, ApiError) else str(error)
    records.settle(name, EndpointStatus=status, FailureReason=reason[:1024])


def _settle(name: str, fleet: Fleet) -> None:
    """Tell what serves. What is deployed stays, whatever becomes of configuration and models."""
    members: Record = {
        "EndpointConfigName": fleet.config["EndpointConfigName"],
        "ProductionVariants": fleet.summaries(),
        "_config": fleet.config,
        "_models": fleet.models,
    }
    if fleet.shadows:
        members["ShadowProductionVariants"] = fleet.summaries(shadows=True)
    if captured := fleet.config.get("DataCaptureConfig"):
        members["DataCaptureConfig"] = {
            "EnableCapture": captured.get("EnableCapture", False),
            "CaptureStatus": "Started" if captured.get("EnableCapture") else "Stopped",
            "CurrentSamplingPercentage": captured["InitialSamplingPercentage"],
            "DestinationS3Uri": captured["DestinationS3Uri"],
            "KmsKeyId": captured.get("KmsKeyId", ""),
        }
    records.serves(name, members)


def _watch() -> None:
    """Start again what died; one that takes long holds up no other."""
    while not _stopped.wait(WATCH_SECONDS):
        shifted = [each.fleet for each in list(_pending.values()) if each.share]
        for fleet in [*fleets.values(), *shifted]:
            if fleet.wounded:
                _in_thread(fleet.mend)


def _in_thread(act: Any, *arguments: Any) -> None:
    threading.Thread(target=act, args=arguments, daemon=True).start()
