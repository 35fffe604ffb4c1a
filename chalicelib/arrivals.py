"""The arrivals table: every accepted file, from pending to done, and every file refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib import clients, records
from chalicelib.environment import Environment

PENDING, CLAIMED, DONE, HELD = "pending", "claimed", "done", "held"
QUARANTINE = "quarantine#"
DUPLICATE = "duplicate#"
Arrival = dict[str, Any]


def add(dataset: str, arrival_id: str, values: Mapping[str, Any]) -> bool:
    """Write an entry unless its id is taken; says whether it was written."""
    client = clients.client("dynamodb")
    try:
        client.put_item(
            TableName=Environment.from_env().arrivals_table,
            Item=records.item({**values, "dataset": dataset, "arrival_id": arrival_id}),
            ConditionExpression="attribute_not_exists(arrival_id)",
        )
    except client.exceptions.ConditionalCheckFailedException:
        return False
    return True


def get(dataset: str, arrival_id: str) -> Arrival | None:
    found = clients.client("dynamodb").get_item(
        TableName=Environment.from_env().arrivals_table,
        Key=key(dataset, arrival_id),
        ConsistentRead=True,
    )
    return records.plain(found["Item"]) if "Item" in found else None


def pending(dataset: str) -> list[Arrival]:
    """Files that no run has claimed, the oldest first."""
    pages = (
        clients.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=Environment.from_env().arrivals_table,
            KeyConditionExpression="dataset = :d",
            FilterExpression="#s = :s",
            ExpressionAttributeNames={"#s": "status"},
            ExpressionAttributeValues={":d": {"S": dataset}, ":s": {"S": PENDING}},
            ConsistentRead=True,
        )
    )
    found = [records.plain(entry) for page in pages for entry in page["Items"]]
    return sorted(found, key=lambda arrival: str(arrival["arrived_at"]))


def claim(dataset: str, arrival_id: str, run_id: str) -> dict[str, Any]:
    """Part of the transaction that starts a run: pending becomes claimed."""
    return _update(
        dataset,
        arrival_id,
        "SET #s = :new, run_id = :run",
        {":new": CLAIMED, ":run": run_id, ":old": PENDING},
        "#s = :old",
    )


def settle(dataset: str, ids: Iterable[str], run_id: str) -> list[dict[str, Any]]:
    """Parts of the transaction that ends a run well: what it claimed is done."""
    values = {":new": DONE, ":run": run_id}
    return [_update(dataset, each, "SET #s = :new", values, "run_id = :run") for each in ids]


def release(
    dataset: str, ids: Iterable[str], run_id: str, max_attempts: int
) -> list[dict[str, Any]]:
    """Parts of the transaction that ends a run badly: pending again, or held for a person."""
    changes = []
    for arrival_id in ids:
        attempts = int((get(dataset, arrival_id) or {}).get("attempts", 0)) + 1
        status = HELD if attempts >= max_attempts else PENDING
        values = {":new": status, ":run": run_id, ":n": attempts}
        changes.append(
            _update(dataset, arrival_id, "SET #s = :new, attempts = :n", values, "run_id = :run")
        )
    return changes


def readmit(dataset: str, arrival_id: str, run_id: str) -> bool:
    """A file that a failed run left for a person waits for a run again."""
    client = clients.client("dynamodb")
    change = _update(
        dataset,
        arrival_id,
        "SET #s = :new",
        {":new": PENDING, ":old": HELD, ":run": run_id},
        "#s = :old AND run_id = :run",
    )
    try:
        client.update_item(**change["Update"])
    except client.exceptions.ConditionalCheckFailedException:
        return False
    return True


def key(dataset: str, arrival_id: str) -> dict[str, Any]:
    return {"dataset": {"S": dataset}, "arrival_id": {"S": arrival_id}}


def _update(
    dataset: str, arrival_id: str, change: str, values: Mapping[str, Any], condition: str
) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": Environment.from_env().arrivals_table,
            "Key": key(dataset, arrival_id),
            "UpdateExpression": change,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#s": "status"},
            "ExpressionAttributeValues": records.item(values),
        }
    }
