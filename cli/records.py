"""What the pipeline wrote down: runs, models, drift and notifications, read from its tables.

The tables' layout: one partition a pipeline; a run's sort key is its id, every other record's
starts with `#` (`#champion`, `#batch#<time>-<id>`, `#dataset#<name>`, `#drift#<time>`,
`#notification#<time>`).
"""

from __future__ import annotations

from typing import Any

from boto3.dynamodb.conditions import Key

from cli import project, target
from cli.errors import Problem


def pipeline() -> str:
    return str(project.pipeline()["pipeline"]["name"])


def _table(stack: str) -> Any:
    return target.table(stack, "RunsTable")


def _query(stack: str, condition: Any, limit: int | None) -> list[dict[str, Any]]:
    """Newest first."""
    query: dict[str, Any] = {
        "KeyConditionExpression": Key("pipeline").eq(pipeline()) & condition,
        "ScanIndexForward": False,
    }
    items: list[dict[str, Any]] = []
    table = _table(stack)
    while True:
        page = table.query(**query, **({"Limit": limit - len(items)} if limit else {}))
        items += page["Items"]
        if "LastEvaluatedKey" not in page or (limit and len(items) >= limit):
            return items
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def runs(stack: str, limit: int | None = 20) -> list[dict[str, Any]]:
    """Runs, newest first."""
    return _query(stack, Key("run_id").gte("0"), limit)


def run(stack: str, run_id: str) -> dict[str, Any]:
    """One run by its id, by the beginning of it, or the newest by `latest`."""
    if run_id == "latest":
        found = runs(stack, 1)
    else:
        found = _query(stack, Key("run_id").begins_with(run_id), 2)
    if not found or run_id.startswith("#"):
        raise Problem(f"there is no run {run_id}", "The runs there are: driftloop runs")
    if len(found) > 1:
        raise Problem(f"more than one run begins with {run_id}", "Give more of its id.")
    return found[0]


def drift(stack: str, limit: int | None = 20) -> list[dict[str, Any]]:
    """What each monitor run found, newest first."""
    return _query(stack, Key("run_id").begins_with("#drift#"), limit)


def look(stack: str, time: str) -> dict[str, Any]:
    """One monitor run by its time, by the beginning of it, or the newest by `latest`."""
    if time == "latest":
        found = drift(stack, 1)
    else:
        found = _query(stack, Key("run_id").begins_with(f"#drift#{time}"), 2)
    if not found:
        raise Problem(f"there is no look of {time}", "The looks there are: driftloop drift")
    if len(found) > 1:
        raise Problem(f"more than one look begins with {time}", "Give more of its time.")
    return found[0]


def monitor_notes(stack: str) -> dict[str, dict[str, Any]]:
    """Of each kind of monitor that ever skipped, why it last did: {"looked_at", "note"}."""
    prefix = "#monitor#"
    found = _query(stack, Key("run_id").begins_with(prefix), None)
    return {item["run_id"].removeprefix(prefix): item for item in found if "note" in item}


def incident(stack: str, since: str) -> dict[str, Any] | None:
    """Drift from the first look that saw it to the first that did not."""
    found = _query(stack, Key("run_id").eq(f"#incident#{since}"), 1)
    return found[0] if found else None


def notifications(stack: str, limit: int | None = 20) -> list[dict[str, Any]]:
    """What people were told, newest first."""
    return _query(stack, Key("run_id").begins_with("#notification#"), limit)


def batches(stack: str, limit: int | None = 20) -> list[dict[str, Any]]:
    """What became of files under batch/in/, newest first."""
    return _query(stack, Key("run_id").begins_with("#batch#"), limit)


def learned(stack: str, dataset: str) -> str | None:
    """The last run that brought rows to a dataset; None before the first."""
    key = {"pipeline": pipeline(), "run_id": f"#dataset#{dataset}"}
    item = _table(stack).get_item(Key=key, ConsistentRead=True).get("Item") or {}
    return str(item["last"]) if "last" in item else None


def champion(stack: str) -> dict[str, Any] | None:
    """The model in service, or None before the first."""
    key = {"pipeline": pipeline(), "run_id": "#champion"}
    item: dict[str, Any] | None = _table(stack).get_item(Key=key, ConsistentRead=True).get("Item")
    return item


def experiment(stack: str) -> dict[str, Any] | None:
    """The version beside the champion, as its shadow or in an A/B test; None where none is."""
    key = {"pipeline": pipeline(), "run_id": "#experiment"}
    item: dict[str, Any] | None = _table(stack).get_item(Key=key, ConsistentRead=True).get("Item")
    return item
