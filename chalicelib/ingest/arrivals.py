"""The arrivals table: every accepted file from pending to done, every drop, every refusal.

A dataset is a partition; an accepted file's sort key is its id, other entries' begin with a word.
Files that no run has claimed have `waiting_since`, the sort key of the sparse index PENDING, so
that finding them costs what waits and not what ever came. A global index follows its table a
moment later, so it only names them: each is read from the table, consistently, before anybody
acts, and claimed on the condition that it still waits. What the index does not name yet is found
by the next look, a sweep at the latest.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-indexes-general-sparse-indexes.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib import clients, records
from chalicelib.environment import Environment

PENDING, CLAIMED, DONE, HELD = "pending", "claimed", "done", "held"
QUARANTINE = "quarantine#"
DROP = "drop#"
HANDED = "handed#"
BATCH = 100  # BatchGetItem takes no more
WAITS = ", waiting_since = arrived_at"
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


def note(dataset: str, arrival_id: str, values: Mapping[str, Any]) -> None:
    """Write an entry, whatever it said before."""
    clients.client("dynamodb").put_item(
        TableName=Environment.from_env().arrivals_table,
        Item=records.item({**values, "dataset": dataset, "arrival_id": arrival_id}),
    )


def get(dataset: str, arrival_id: str) -> Arrival | None:
    found = clients.client("dynamodb").get_item(
        TableName=Environment.from_env().arrivals_table,
        Key=key(dataset, arrival_id),
        ConsistentRead=True,
    )
    return records.plain(found["Item"]) if "Item" in found else None


def every(dataset: str, ids: Sequence[str]) -> list[Arrival]:
    """The arrivals of these ids, in their order."""
    client, table = clients.client("dynamodb"), Environment.from_env().arrivals_table
    found: dict[str, Arrival] = {}
    for first in range(0, len(ids), BATCH):
        wanted = {"Keys": [key(dataset, each) for each in ids[first : first + BATCH]]}
        asked = {table: {**wanted, "ConsistentRead": True}}
        while asked:
            answer = client.batch_get_item(RequestItems=asked)
            arrivals = map(records.plain, answer["Responses"].get(table, []))
            found |= {str(each["arrival_id"]): each for each in arrivals}
            asked = answer.get("UnprocessedKeys")
    return [found[each] for each in ids if each in found]


def pending(dataset: str) -> Iterator[Arrival]:
    """Files that no run has claimed, the oldest first; no more is read than is taken."""
    pages = (
        clients.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=Environment.from_env().arrivals_table,
            IndexName=PENDING,
            KeyConditionExpression="dataset = :d",
            ExpressionAttributeValues={":d": {"S": dataset}},
            PaginationConfig={"PageSize": BATCH},
        )
    )
    for page in pages:
        named = every(dataset, [str(entry["arrival_id"]["S"]) for entry in page["Items"]])
        yield from (arrival for arrival in named if arrival["status"] == PENDING)


def claim(dataset: str, arrival_id: str, run_id: str) -> bool:
    """Pending becomes claimed; only the run that has the lease asks."""
    return _change(
        dataset,
        arrival_id,
        "SET #s = :new, run_id = :run REMOVE waiting_since",
        {":new": CLAIMED, ":run": run_id, ":old": PENDING},
        "#s = :old",
    )


def settle(dataset: str, ids: Sequence[str], run_id: str) -> None:
    """What a run claimed is done: it ended well."""
    values = {":new": DONE, ":run": run_id, ":old": CLAIMED}
    for each in ids:
        _change(dataset, each, "SET #s = :new", values, "#s = :old AND run_id = :run")


def release(
    dataset: str, ids: Sequence[str], run_id: str, max_attempts: int, *, counts: bool = True
) -> None:
    """What a run claimed is pending again, or held for a person: it ended badly.

    `counts`: the attempt counts against the files, none of which was found to be to blame.
    """
    for found in every(dataset, ids):
        attempts = int(found.get("attempts", 0)) + counts
        held = attempts >= max_attempts
        status, waits = (HELD, "") if held else (PENDING, WAITS)
        _change(
            dataset,
            str(found["arrival_id"]),
            f"SET #s = :new, attempts = :n{waits}",
            {":new": status, ":run": run_id, ":n": attempts, ":old": CLAIMED},
            "#s = :old AND run_id = :run",
        )


def readmit(dataset: str, arrival_id: str, run_id: str) -> bool:
    """A file that a failed run left for a person waits for a run again."""
    values = {":new": PENDING, ":old": HELD, ":run": run_id}
    condition = "#s = :old AND run_id = :run"
    return _change(dataset, arrival_id, f"SET #s = :new{WAITS}", values, condition)


def remove(dataset: str, arrival_id: str, run_id: str) -> None:
    """What a run claimed is no arrival any more."""
    client = clients.client("dynamodb")
    with contextlib.suppress(client.exceptions.ConditionalCheckFailedException):
        client.delete_item(
            TableName=Environment.from_env().arrivals_table,
            Key=key(dataset, arrival_id),
            ConditionExpression="#s = :old AND run_id = :run",
            ExpressionAttributeNames={"#s": "status"},
            ExpressionAttributeValues=records.item({":old": CLAIMED, ":run": run_id}),
        )


def key(dataset: str, arrival_id: str) -> dict[str, Any]:
    return {"dataset": {"S": dataset}, "arrival_id": {"S": arrival_id}}


def _change(
    dataset: str, arrival_id: str, change: str, values: Mapping[str, Any], condition: str
) -> bool:
    """Change an arrival if it is as the condition says; says whether it was."""
    client = clients.client("dynamodb")
    try:
        client.update_item(
            TableName=Environment.from_env().arrivals_table,
            Key=key(dataset, arrival_id),
            UpdateExpression=change,
            ConditionExpression=condition,
            ExpressionAttributeNames={"#s": "status"},
            ExpressionAttributeValues=records.item(values),
        )
    except client.exceptions.ConditionalCheckFailedException:
        return False
    return True
