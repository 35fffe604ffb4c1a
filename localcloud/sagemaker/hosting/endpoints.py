"""Endpoints: created, updated without a gap, brought back after a restart.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpoint.html
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from localcloud import ministack_adapter as cloud
from localcloud.sagemaker import models, names, quotas, tags
from localcloud.sagemaker.errors import ApiError, refuse_unserved, validation
from localcloud.sagemaker.hosting import configs
from localcloud.sagemaker.hosting.fleet import Fleet
from localcloud.sagemaker.hosting.serving import INVOKE_SECONDS
from localcloud.sagemaker.service import operation
from localcloud.sagemaker.store import Record, now, store

log = logging.getLogger(__name__)
KIND = "endpoint"
STOPPED = "InternalServerError: the local cloud was stopped while the endpoint was being changed"
WATCH_SECONDS = 1.0
fleets: dict[str, Fleet] = {}
_stopped = threading.Event()


def find(name: str) -> Record:
    found = store.get(KIND, name)
    if found is None:
        raise validation(f'Could not find endpoint "{names.arn("endpoint", name)}".')
    return found


@operation("CreateEndpoint")
def create_endpoint(request: dict[str, Any]) -> dict[str, Any]:
    refuse_unserved(request, ("DeploymentConfig",))
    name = request["EndpointName"]
    config = configs.find(request["EndpointConfigName"])
    _check_quotas(name, config)
    arn = names.arn("endpoint", name)
    moment = now()
    record = {
        "EndpointName": name,
        "EndpointArn": arn,
        "EndpointConfigName": request["EndpointConfigName"],
        "EndpointStatus": "Creating",
        "CreationTime": moment,
        "LastModifiedTime": moment,
    }
    if not store.add(KIND, name, record):
        raise validation(f'Cannot create already existing endpoint "{arn}".')
    tags.tag(arn, request.get("Tags", []))
    _announce(record)
    _in_thread(_deploy, name, config)
    return {"EndpointArn": arn}


@operation("UpdateEndpoint")
def update_endpoint(request: dict[str, Any]) -> dict[str, Any]:
    refuse_unserved(
        request, ("DeploymentConfig", "RetainAllVariantProperties", "RetainDeploymentConfig")
    )
    name = request["EndpointName"]
    config = configs.find(request["EndpointConfigName"])
    _check_quotas(name, config)
    with store.lock:
        record = _changeable(name)
        _set(name, EndpointStatus="Updating")
    _in_thread(_deploy, name, config)
    return {"EndpointArn": record["EndpointArn"]}


@operation("UpdateEndpointWeightsAndCapacities")
def update_weights(request: dict[str, Any]) -> dict[str, Any]:
    name = request["EndpointName"]
    with store.lock:
        record = _changeable(name)
        fleet = fleets[name]
        wanted = request["DesiredWeightsAndCapacities"]
        for entry in wanted:
            refuse_unserved(entry, ("ServerlessUpdateConfig",))
            if entry["VariantName"] not in fleet.variants:
                raise validation(f"{name} has no variant {entry['VariantName']}.")
            if "DesiredInstanceCount" in entry:
                instance_type = fleet.variants[entry["VariantName"]].instance_type
                _check_quota(name, instance_type, entry["DesiredInstanceCount"])
        _set(name, EndpointStatus="Updating")
    _in_thread(_scale, name, wanted)
    return {"EndpointArn": record["EndpointArn"]}


@operation("DescribeEndpoint")
def describe_endpoint(request: dict[str, Any]) -> dict[str, Any]:
    record = find(request["EndpointName"])
    return {key: value for key, value in record.items() if not key.startswith("_")}


@operation("ListEndpoints")
def list_endpoints(request: dict[str, Any]) -> dict[str, Any]:
    wanted = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
    return names.page(
        store.values(KIND),
        request,
        "Endpoints",
        lambda record: {member: record[member] for member in wanted},
        "EndpointName",
        "EndpointStatus",
        order="Descending",
    )


@operation("DeleteEndpoint")
def delete_endpoint(request: dict[str, Any]) -> None:
    name = request["EndpointName"]
    with store.lock:
        record = find(name)
        if record["EndpointStatus"] in ("Creating", "Updating"):
            raise validation(f'Cannot update in-progress endpoint "{record["EndpointArn"]}".')
        store.delete(KIND, name)
        fleet = fleets.pop(name, None)
    tags.untag(record["EndpointArn"])
    _announce({**record, "EndpointStatus": "Deleting"})
    if fleet:
        _in_thread(fleet.stop, INVOKE_SECONDS)


def resume() -> None:
    """After a start of the cloud: serve again what was in service, close what was under way."""
    for record in store.values(KIND):
        name, status = record["EndpointName"], record["EndpointStatus"]
        if status == "Creating":
            _set(name, EndpointStatus="Failed", FailureReason=STOPPED)
            continue
        if status == "Updating":
            _set(name, EndpointStatus="InService", FailureReason=STOPPED)
        if status != "Failed":
            _in_thread(_bring_back, name)
    threading.Thread(target=_watch, name="endpoints", daemon=True).start()


def stop_all() -> None:
    """The cloud stops: no process outlives it."""
    _stopped.set()
    while fleets:
        fleets.popitem()[1].stop()


def _deploy(name: str, config: Record) -> None:
    """The new fleet answers before the old one ends; a failed update leaves the old one serving."""
    before = fleets.get(name)
    try:
        variants = config["ProductionVariants"]
        fleet = Fleet(name, config, {v["ModelName"]: models.find(v["ModelName"]) for v in variants})
        fleet.start()
    except Exception as error:
        log.warning("endpoint %s: %s", name, error)
        reason = getattr(error, "message", None) or str(error)
        _set(name, EndpointStatus="InService" if before else "Failed", FailureReason=reason[:1024])
        return
    fleets[name] = fleet
    _settle(name, fleet)
    if before:
        before.stop(INVOKE_SECONDS)


def _scale(name: str, wanted: list[dict[str, Any]]) -> None:
    fleet = fleets[name]
    try:
        for entry in wanted:
            variant = fleet.variants[entry["VariantName"]]
            variant.weight = float(entry.get("DesiredWeight", variant.weight))
            variant.count = int(entry.get("DesiredInstanceCount", variant.count))
            variant.scale()
    except Exception as error:
        _set(name, EndpointStatus="InService", FailureReason=str(error)[:1024])
        return
    _settle(name, fleet)


def _bring_back(name: str) -> None:
    """An endpoint's process after a restart, with its last weights and counts."""
    record = find(name)
    try:
        fleet = Fleet(name, record["_config"], record["_models"])
        for summary in record["ProductionVariants"]:
            variant = fleet.variants[summary["VariantName"]]
            variant.weight, variant.count = (
                summary["DesiredWeight"],
                summary["DesiredInstanceCount"],
            )
        fleet.start()
    except Exception as error:
        log.exception("endpoint %s did not come back", name)
        _set(name, EndpointStatus="Failed", FailureReason=str(error)[:1024])
        return
    fleets[name] = fleet


def _settle(name: str, fleet: Fleet) -> None:
    captured = fleet.config.get("DataCaptureConfig")
    changes: dict[str, Any] = {
        "EndpointStatus": "InService",
        "EndpointConfigName": fleet.config["EndpointConfigName"],
        "ProductionVariants": fleet.summaries(),
        # What is deployed stays, whatever becomes of the configuration and the models.
        "_config": fleet.config,
        "_models": fleet.models,
    }
    with store.lock:
        record = find(name)
        record.pop("FailureReason", None)
        record.pop("DataCaptureConfig", None)
        store.put(KIND, name, record)
        if captured:
            changes["DataCaptureConfig"] = {
                "EnableCapture": captured.get("EnableCapture", False),
                "CaptureStatus": "Started" if captured.get("EnableCapture") else "Stopped",
                "CurrentSamplingPercentage": captured["InitialSamplingPercentage"],
                "DestinationS3Uri": captured["DestinationS3Uri"],
                "KmsKeyId": captured.get("KmsKeyId", ""),
            }
        _set(name, **changes)


def _check_quotas(name: str, config: Record) -> None:
    for variant in config["ProductionVariants"]:
        _check_quota(name, variant["InstanceType"], variant.get("InitialInstanceCount", 1))


def _check_quota(name: str, instance_type: str, count: int) -> None:
    used = [
        (variant.instance_type, variant.count)
        for other, fleet in list(fleets.items())
        for variant in fleet.variants.values()
        if other != name
    ]
    quotas.check_usage("endpoint", (instance_type, count), used)


def _changeable(name: str) -> Record:
    record = find(name)
    if record["EndpointStatus"] != "InService":
        if record["EndpointStatus"] == "Failed":
            raise validation(f'Cannot update endpoint "{record["EndpointArn"]}" which is Failed.')
        raise validation(f'Cannot update in-progress endpoint "{record["EndpointArn"]}".')
    return record


def _set(name: str, **changes: Any) -> None:
    _announce(store.update(KIND, name, LastModifiedTime=now(), **changes))


def _announce(record: Record) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html"""
    detail = {key: value for key, value in record.items() if not key.startswith("_")}
    for member in ("CreationTime", "LastModifiedTime"):
        detail[member] = int(detail[member] * 1000)
    # The event gives the status in capitals and underscores: IN_SERVICE.
    status = {"InService": "IN_SERVICE"}.get(record["EndpointStatus"])
    detail["EndpointStatus"] = status or record["EndpointStatus"].upper()
    arn = record["EndpointArn"]
    cloud.put_event("aws.sagemaker", "SageMaker Endpoint State Change", detail, [arn])


def _watch() -> None:
    """Start again what died."""
    while not _stopped.wait(WATCH_SECONDS):
        for fleet in list(fleets.values()):
            fleet.mend()


def _in_thread(act: Any, *arguments: Any) -> None:
    threading.Thread(target=act, args=arguments, daemon=True).start()


def serving(name: str) -> Fleet:
    """The fleet that answers now; errors as InvokeEndpoint gives them."""
    record = store.get(KIND, name)
    account = cloud.config().account
    if record is None or record["EndpointStatus"] in ("Creating", "Failed"):
        raise ApiError("ValidationError", f"Endpoint {name} of account {account} not found.")
    fleet = fleets.get(name)
    if fleet is None:
        raise ApiError("ServiceUnavailable", f"Endpoint {name} is being brought back.", 503)
    return fleet
