"""What an endpoint costs: by the price list, or in instance-hours."""

from __future__ import annotations

from typing import Any

import pytest

from cli.endpoints import Price, cost, instances, of_product

M5 = Price(0.1, "2026-11-01")
G5 = Price(1.5, "2026-10-01")


@pytest.mark.parametrize(
    ("instances", "prices", "wanted"),
    [
        ({"ml.m5.large": 2}, {"ml.m5.large": M5}, (20.0, 2.0, 146.0, "2026-11-01")),
        (
            {"ml.m5.large": 1, "ml.g5.xlarge": 1},
            {"ml.m5.large": M5, "ml.g5.xlarge": G5},
            (20.0, 16.0, 1168.0, "2026-10-01"),
        ),
        (
            {"ml.m5.large": 1, "ml.g5.xlarge": 1},
            {"ml.m5.large": M5, "ml.g5.xlarge": None},
            (20.0, None, None, None),
        ),
        ({}, {}, (0.0, None, None, None)),
    ],
)
def test_the_cost_of_ten_hours(instances: Any, prices: Any, wanted: tuple[Any, ...]) -> None:
    found = cost(instances, 10, prices)
    names = ("instance_hours", "cost", "monthly_cost", "published")
    assert tuple(found[name] for name in names) == wanted


def test_a_price_is_read_from_the_price_list() -> None:
    """https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_GetProducts.html"""
    dimension = {"unit": "Hrs", "pricePerUnit": {"USD": "0.1150000000"}}
    terms = {"OnDemand": {"A.B": {"priceDimensions": {"A.B.C": dimension}}}}
    product = {"publicationDate": "2026-11-01T00:00:00Z", "terms": terms}
    assert of_product(product) == Price(0.115, "2026-11-01")
    assert of_product({"terms": {}}) is None


@pytest.mark.parametrize(
    ("variant", "configured", "wanted"),
    [
        ({"CurrentInstanceCount": 2}, [{"InstanceType": "ml.m5.large"}], {"ml.m5.large": 2}),
        ({"CurrentInstanceCount": 2}, [], {"unknown": 2}),  # its configuration was deleted
        (
            {"CurrentServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}},
            [{"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}],
            {},
        ),
    ],
    ids=["instances", "no configuration", "serverless"],
)
def test_the_instances_of_anybodys_endpoint(
    variant: dict[str, Any], configured: list[dict[str, Any]], wanted: dict[str, int]
) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariantSummary.html"""
    endpoint = {"ProductionVariants": [{"VariantName": "v", **variant}]}
    config = {"ProductionVariants": [{"VariantName": "v", **each} for each in configured]}
    assert instances(endpoint, config) == wanted
