"""What starts and ends a run, as parts of DynamoDB transactions on the runs table.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

from __future__ import annotations

from typing import Any

from chalicelib import clients, records
from chalicelib.environment import Environment

LEASE = "#lease"
DATASET = "#dataset#"
# `waiting` for a person's approval; `stopping` because a person said so. SageMaker ends what is
# `deploying` by itself, so that is not stopped.
STOPPABLE = ("starting", "running", "waiting")
ACTIVE = (*STOPPABLE, "stopping", "deploying")


def commit(items: list[dict[str, Any]]) -> bool:
    """All of it or nothing; False where a condition did not hold."""
    client = clients.client("dynamodb")
    try:
        client.transact_write_items(TransactItems=items)
    except client.exceptions.TransactionCanceledException as error:
        codes = {reason["Code"] for reason in error.response["CancellationReasons"]}
        if "ConditionalCheckFailed" not in codes:
            raise
        return False
    return True


def put_new(key: str, values: dict[str, Any]) -> dict[str, Any]:
    """Write a record that is not there yet."""
    return {
        "Put": {
            "TableName": Environment.from_env().runs_table,
            "Item": {**records.item(values), **records.key(key)},
            "ConditionExpression": "attribute_not_exists(run_id)",
        }
    }


def change_active(run_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """Set attributes of a run that is active."""
    return change_while(run_id, values, ACTIVE)


def change_while(key: str, values: dict[str, Any], statuses: tuple[str, ...]) -> dict[str, Any]:
    """Set attributes of a record while its status is one of these."""
    names = {f"#n{i}": name for i, name in enumerate(values)}
    marked = {f":v{i}": value for i, value in enumerate(values.values())}
    allowed = {f":s{i}": status for i, status in enumerate(statuses)}
    pairs = ", ".join(f"#n{i} = :v{i}" for i in range(len(names)))
    return {
        "Update": {
            "TableName": Environment.from_env().runs_table,
            "Key": records.key(key),
            "UpdateExpression": f"SET {pairs}",
            "ConditionExpression": f"#status IN ({', '.join(allowed)})",
            "ExpressionAttributeNames": {**names, "#status": "status"},
            "ExpressionAttributeValues": records.item(marked | allowed),
        }
    }


def unlock(run_id: str) -> dict[str, Any]:
    """Give up the lease, if the run has it."""
    return {
        "Delete": {
            "TableName": Environment.from_env().runs_table,
            "Key": records.key(LEASE),
            "ConditionExpression": "#run = :run",
            "ExpressionAttributeNames": {"#run": "run"},
            "ExpressionAttributeValues": records.item({":run": run_id}),
        }
    }


def add_to_dataset(run_id: str, run: records.Record) -> dict[str, Any]:
    """The run's rows are part of its dataset from now on: its version names those before it."""
    values = {":run": run_id, ":columns": run.get("columns", {})}
    return {
        "Update": {
            "TableName": Environment.from_env().runs_table,
            "Key": records.key(f"{DATASET}{run['dataset']}"),
            "UpdateExpression": "SET #last = :run, #columns = :columns",
            "ExpressionAttributeNames": {"#last": "last", "#columns": "columns"},
            "ExpressionAttributeValues": records.item(values),
        }
    }
