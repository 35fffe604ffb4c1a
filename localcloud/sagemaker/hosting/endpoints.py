"""The operations of endpoints.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpoint.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from localcloud.sagemaker import names, quotas, tags
from localcloud.sagemaker.errors import refuse_unserved, validation
from localcloud.sagemaker.hosting import configs, deployment, guardrails, records, shifting
from localcloud.sagemaker.hosting.fleet import MEMBERS, Fleet
from localcloud.sagemaker.hosting.guardrails import Plan
from localcloud.sagemaker.hosting.records import KIND, find
from localcloud.sagemaker.service import operation
from localcloud.sagemaker.store import Record, now, store

# Of other services: an update's endpoint, and the instance types of its variants before and after.
update_checks: list[Callable[[str, Mapping[str, str], Mapping[str, str]], None]] = []


@operation("CreateEndpoint")
def create_endpoint(request: dict[str, Any]) -> dict[str, Any]:
    name = request["EndpointName"]
    config = configs.find(request["EndpointConfigName"])
    _check_quotas(name, config)
    _plan(request.get("DeploymentConfig"), config)
    arn = names.arn("endpoint", name)
    moment = now()
    record = {
        "EndpointName": name,
        "EndpointArn": arn,
        "EndpointConfigName": request["EndpointConfigName"],
        "EndpointStatus": "Creating",
        "CreationTime": moment,
        "LastModifiedTime": moment,
        **_kept(request.get("DeploymentConfig")),
    }
    if not store.add(KIND, name, record):
        raise validation(f'Cannot create already existing endpoint "{arn}".')
    tags.tag(arn, request.get("Tags", []))
    records.announce(record)
    deployment.deploy(name, config, Plan())
    return {"EndpointArn": arn}


@operation("UpdateEndpoint")
def update_endpoint(request: dict[str, Any]) -> dict[str, Any]:
    name = request["EndpointName"]
    config = configs.find(request["EndpointConfigName"])
    _check_quotas(name, config)
    with store.lock:
        record = _changeable(name)
        config = _retained(request, config, deployment.fleets[name])
        _check_update(name, config)
        wanted = request.get("DeploymentConfig")
        if request.get("RetainDeploymentConfig"):
            wanted = wanted or record.get("LastDeploymentConfig")
        plan = _plan(wanted, config)
        if wanted:
            _check_same_variants(name, config)
        records.change(name, EndpointStatus="Updating", **_kept(wanted))
    deployment.deploy(name, config, plan)
    return {"EndpointArn": record["EndpointArn"]}


@operation("UpdateEndpointWeightsAndCapacities")
def update_weights(request: dict[str, Any]) -> dict[str, Any]:
    name = request["EndpointName"]
    with store.lock:
        record = _changeable(name)
        fleet = deployment.fleets[name]
        wanted = request["DesiredWeightsAndCapacities"]
        for entry in wanted:
            refuse_unserved(entry, ("ServerlessUpdateConfig",))
            if entry["VariantName"] not in fleet.variants:
                raise validation(f"{name} has no variant {entry['VariantName']}.")
            if "DesiredInstanceCount" in entry:
                instance_type = fleet.variants[entry["VariantName"]].instance_type
                _check_quota(name, instance_type, entry["DesiredInstanceCount"])
        records.change(name, EndpointStatus="Updating")
    deployment.scale(name, wanted)
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
    tags.untag(record["EndpointArn"])
    records.announce({**record, "EndpointStatus": "Deleting"})
    deployment.withdraw(name)


def _retained(request: dict[str, Any], config: Record, fleet: Fleet) -> Record:
    """The configuration with what the endpoint's variants have now, where that is to be kept.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpoint.html
    """
    if not request.get("RetainAllVariantProperties"):
        return config
    excluded = {
        each["VariantPropertyType"] for each in request.get("ExcludeRetainedVariantProperties", [])
    }
    variants = [dict(each) for each in config["ProductionVariants"]]
    for variant in variants:
        before = fleet.variants.get(variant["VariantName"])
        if before and "DesiredInstanceCount" not in excluded:
            variant["InitialInstanceCount"] = before.count
        if before and "DesiredWeight" not in excluded:
            variant["InitialVariantWeight"] = before.weight
    kept = {**config, "ProductionVariants": variants}
    if "DataCaptureConfig" not in excluded and "DataCaptureConfig" in fleet.config:
        kept["DataCaptureConfig"] = fleet.config["DataCaptureConfig"]
    return kept


def _check_update(name: str, config: Record) -> None:
    before = {v.name: v.instance_type for v in deployment.fleets[name].variants.values()}
    after = {each["VariantName"]: each["InstanceType"] for each in config["ProductionVariants"]}
    for check in update_checks:
        check(name, before, after)


def _plan(wanted: dict[str, Any] | None, config: Record) -> Plan:
    counts = {
        variant["VariantName"]: variant.get("InitialInstanceCount", 1)
        for variant in config["ProductionVariants"]
    }
    plan = guardrails.plan(wanted, counts)
    shifting.check_alarms(plan.alarms)
    return plan


def _kept(wanted: dict[str, Any] | None) -> Record:
    return {"LastDeploymentConfig": wanted} if wanted else {}


def _check_same_variants(name: str, config: Record) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html"""
    before = set(deployment.fleets[name].variants)
    after = {variant["VariantName"] for variant in config["ProductionVariants"]}
    if before != after:
        raise validation(
            "A deployment with guardrails needs the variant names that the endpoint has: "
            f"{', '.join(sorted(before))}, not {', '.join(sorted(after))}."
        )


def _check_quotas(name: str, config: Record) -> None:
    for variant in [each for member in MEMBERS for each in config.get(member, [])]:
        _check_quota(name, variant["InstanceType"], variant.get("InitialInstanceCount", 1))


def _check_quota(name: str, instance_type: str, count: int) -> None:
    used = [
        (variant.instance_type, variant.count)
        for other, fleet in list(deployment.fleets.items())
        for variant in fleet.every
        if other != name
    ]
    quotas.check_usage("endpoint", (instance_type, count), used)


def _changeable(name: str) -> Record:
    record = find(name)
    if record["EndpointStatus"] == "Failed":
        raise validation(f'Cannot update endpoint "{record["EndpointArn"]}" which is Failed.')
    if record["EndpointStatus"] != "InService" or name not in deployment.fleets:
        raise validation(f'Cannot update in-progress endpoint "{record["EndpointArn"]}".')
    return record
