"""The arrivals table, read: a partition a dataset; `drop#` and `quarantine#` entries beside files.

A drop's or a refusal's id is of its key and version; an accepted file's is of its content.
"""

from __future__ import annotations

from typing import Any

from boto3.dynamodb.conditions import Key

from cli import project, target

DROP = "drop#"
QUARANTINE = "quarantine#"
UNKNOWN = "unknown"  # where drops that name no dataset are


def datasets() -> list[str]:
    """Every dataset of pipeline.toml, the one that the model learns from first."""
    pipeline = project.pipeline()
    beside = [str(each["name"]) for each in pipeline.get("datasets", [])]
    return [str(pipeline["dataset"]["name"]), *beside]


def table(stack: str) -> Any:
    return target.table(stack, "ArrivalsTable")


def entries(stack: str, dataset: str, prefix: str) -> list[dict[str, Any]]:
    """A dataset's entries of one sort."""
    query: dict[str, Any] = {
        "KeyConditionExpression": Key("dataset").eq(dataset)
        & Key("arrival_id").begins_with(prefix),
        "ConsistentRead": True,
    }
    found: list[dict[str, Any]] = []
    while True:
        page = table(stack).query(**query)
        found += page["Items"]
        if "LastEvaluatedKey" not in page:
            return found
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
