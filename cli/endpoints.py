"""Every endpoint of the account: its instances, its traffic, and what it costs.

Prices are those of AWS's price list, asked for when they are shown; where it cannot be asked (the
local cloud has none) the cost is told in instance-hours.
https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/price-changes.html
"""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from cli import target

PRICE_LIST_REGION = "us-east-1"  # the API answers for every region, but lives in few
UNKNOWN = "unknown"  # an instance type that nothing tells any more
VARIANTS = ("ProductionVariants", "ShadowProductionVariants")


@dataclass(frozen=True)
class Price:
    """US dollars for an hour of one instance, as published on that day."""

    dollars: float
    published: str


def every(days: int, now: dt.datetime | None = None) -> list[dict[str, Any]]:
    """Each endpoint with its use in the last days, or since it was made; the dearest first."""
    now = now or dt.datetime.now(dt.UTC)
    sagemaker = target.client("sagemaker")
    pages = sagemaker.get_paginator("list_endpoints").paginate()
    names = [each["EndpointName"] for page in pages for each in page["Endpoints"]]
    found = [_one(name, now, dt.timedelta(days=days)) for name in names]
    return sorted(found, key=lambda each: each["instance_hours"], reverse=True)


def _one(name: str, now: dt.datetime, window: dt.timedelta) -> dict[str, Any]:
    sagemaker = target.client("sagemaker")
    endpoint = sagemaker.describe_endpoint(EndpointName=name)
    counts = _instances(endpoint)
    since = max(endpoint["CreationTime"], now - window)
    hours = (now - since).total_seconds() / 3600
    variants = [each["VariantName"] for each in endpoint.get("ProductionVariants", [])]
    invocations = sum(_invocations(name, variant, since, now) for variant in variants)
    region = sagemaker.meta.region_name
    prices = {kind: price(kind, region) if kind != UNKNOWN else None for kind in counts}
    return {
        "endpoint": name,
        "status": endpoint["EndpointStatus"],
        "created_at": endpoint["CreationTime"],
        "instances": counts,
        "invocations": int(invocations),
        "unused": not invocations,
        **cost(counts, hours, prices),
    }


def cost(
    instances: Mapping[str, int], hours: float, prices: Mapping[str, Price | None]
) -> dict[str, Any]:
    """Of so many hours at the present size: instance-hours, and dollars where all prices are known.

    `monthly_cost`: of 730 hours, AWS's month. `published`: the day of the oldest price.
    """
    total = sum(instances.values())
    told: dict[str, Any] = {"instance_hours": round(total * hours, 2)}
    known = [(count, found) for kind, count in instances.items() if (found := prices.get(kind))]
    if not known or len(known) < len(instances):
        return {**told, "cost": None, "monthly_cost": None, "published": None}
    hourly = sum(count * each.dollars for count, each in known)
    return {
        **told,
        "cost": round(hourly * hours, 2),
        "monthly_cost": round(hourly * 730, 2),
        "published": min(each.published for _, each in known),
    }


@functools.cache
def price(instance_type: str, region: str) -> Price | None:
    """An hour of an instance of real-time inference; None where the price list is not to be had.

    https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_GetProducts.html
    """
    wanted = {"instanceType": f"{instance_type}-Hosting", "regionCode": region}
    filters = [{"Type": "TERM_MATCH", "Field": key, "Value": wanted[key]} for key in wanted]
    try:
        client = boto3.client("pricing", region_name=PRICE_LIST_REGION)
        listed = client.get_products(ServiceCode="AmazonSageMaker", Filters=filters)["PriceList"]
    except (ClientError, BotoCoreError):
        return None
    return next((found for each in listed if (found := of_product(json.loads(each)))), None)


def of_product(product: Mapping[str, Any]) -> Price | None:
    """The on-demand price of an hour, of an entry of the price list."""
    for term in product.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            dollars = float(dimension["pricePerUnit"].get("USD", 0))
            if dollars:
                return Price(dollars, str(product.get("publicationDate", ""))[:10])
    return None


def _instances(endpoint: Mapping[str, Any]) -> dict[str, int]:
    """How many of each type, shadows included; of UNKNOWN type where the configuration was deleted.

    A serverless variant has none. "You may lose visibility into the instance type":
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteEndpointConfig.html
    """
    client = target.client("sagemaker")
    try:
        config = client.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":
            raise
        config = {}
    return instances(endpoint, config)


def instances(endpoint: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, int]:
    """Pure: of DescribeEndpoint's answer and its configuration's, empty where that is gone."""
    types = {v["VariantName"]: v.get("InstanceType") for m in VARIANTS for v in config.get(m, [])}
    counts: dict[str, int] = {}
    for variant in [each for member in VARIANTS for each in endpoint.get(member, [])]:
        if "CurrentInstanceCount" in variant:
            kind = types.get(variant["VariantName"]) or UNKNOWN
            counts[kind] = counts.get(kind, 0) + int(variant["CurrentInstanceCount"])
    return counts


def _invocations(endpoint: str, variant: str, since: dt.datetime, now: dt.datetime) -> float:
    dimensions = {"EndpointName": endpoint, "VariantName": variant}
    found = target.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=since.replace(second=0, microsecond=0),
        EndTime=now + dt.timedelta(minutes=1),
        Period=86_400,
        Statistics=["Sum"],
    )
    return sum(float(point["Sum"]) for point in found["Datapoints"])
