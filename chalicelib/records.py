"""What the loop remembers beside its runs: champion, drift, notifications, in the runs table."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from chalicelib import clients
from chalicelib.environment import Environment

CHAMPION = "#champion"
EXPERIMENT = "#experiment"  # the version beside the champion: its shadow, or in an A/B test
DRIFT = "#drift#"
NOTIFICATION = "#notification#"
BATCH = "#batch#"
Record = dict[str, Any]


def get(name: str) -> Record | None:
    """The record, read consistently; None when there is none."""
    found = clients.client("dynamodb").get_item(
        TableName=Environment.from_env().runs_table, Key=key(name), ConsistentRead=True
    )
    return plain(found["Item"]) if "Item" in found else None


def put(name: str, values: Mapping[str, Any]) -> None:
    """Write a record in place of the one before."""
    clients.client("dynamodb").put_item(
        TableName=Environment.from_env().runs_table, Item={**item(values), **key(name)}
    )


def change(name: str, values: Mapping[str, Any]) -> None:
    """Set some of a record's attributes."""
    names = {f"#n{index}": name for index, name in enumerate(values)}
    marked = {f":v{index}": value for index, value in enumerate(values.values())}
    pairs = ", ".join(f"#n{index} = :v{index}" for index in range(len(names)))
    clients.client("dynamodb").update_item(
        TableName=Environment.from_env().runs_table,
        Key=key(name),
        UpdateExpression=f"SET {pairs}",
        ExpressionAttributeNames=names,
        ExpressionAttributeValues=item(marked),
    )


def remove(name: str) -> None:
    clients.client("dynamodb").delete_item(
        TableName=Environment.from_env().runs_table, Key=key(name)
    )


def lease(name: str, job: str, until: str, now: str) -> bool:
    """Take a record for a job unless another job has it and its time is not over."""
    client = clients.client("dynamodb")
    values = {":job": job, ":until": until, ":now": now}
    try:
        client.update_item(
            TableName=Environment.from_env().runs_table,
            Key=key(name),
            UpdateExpression="SET #job = :job, #until = :until",
            ConditionExpression="attribute_not_exists(#job) OR #job = :job OR #until <= :now",
            ExpressionAttributeNames={"#job": "job", "#until": "until"},
            ExpressionAttributeValues=item(values),
        )
    except client.exceptions.ConditionalCheckFailedException:
        return False
    return True


def release(name: str, values: Mapping[str, Any] | None = None) -> None:
    """Give a leased record back, with what was learned."""
    kept = {k: v for k, v in (get(name) or {}).items() if k not in ("job", "until")}
    put(name, {**kept, **(values or {})})


def newest(prefix: str, limit: int) -> list[Record]:
    """Records whose key begins with a prefix, newest first."""
    return _query("begins_with(run_id, :k)", prefix, limit)


def newest_runs(limit: int) -> list[Record]:
    """Runs, newest first: their ids begin with a digit, other records' keys with #."""
    return _query("run_id >= :k", "0", limit)


def _query(condition: str, key: str, limit: int) -> list[Record]:
    values = {":p": {"S": _pipeline()}, ":k": {"S": key}}
    found: list[Record] = []
    pages = (
        clients.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=Environment.from_env().runs_table,
            KeyConditionExpression=f"pipeline = :p AND {condition}",
            ExpressionAttributeValues=values,
            ScanIndexForward=False,
            ConsistentRead=True,
            PaginationConfig={"MaxItems": limit},
        )
    )
    for page in pages:
        found += [plain(entry) for entry in page["Items"]]
    return found


def item(values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values as DynamoDB's typed ones."""
    from boto3.dynamodb.types import TypeSerializer

    serializer = TypeSerializer()
    return {name: serializer.serialize(_exact(value)) for name, value in values.items()}


def plain(entry: Mapping[str, Any]) -> Record:
    """DynamoDB's typed values as JSON's."""
    from boto3.dynamodb.types import TypeDeserializer

    deserializer = TypeDeserializer()
    return {name: _number(deserializer.deserialize(value)) for name, value in entry.items()}


def _exact(value: Any) -> Any:
    """DynamoDB takes no floats: decimals with the same digits."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {str(key): _exact(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(entry) for entry in value]
    return value


def _number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {key: _number(entry) for key, entry in value.items()}
    if isinstance(value, list | set):
        return [_number(entry) for entry in value]
    return value


def key(sort: str) -> dict[str, Any]:
    return {"pipeline": {"S": _pipeline()}, "run_id": {"S": sort}}


def _pipeline() -> str:
    from chalicelib import settings

    return settings.load().pipeline.name
