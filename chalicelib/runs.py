"""Start a run, and end it: the one way in for every trigger (data, drift, manual).

One DynamoDB transaction takes the pipeline's lease, notes the cause, writes the run and claims its
files; then the execution starts under the run's name, which Step Functions takes once only.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib import arrivals, clients, clock, records
from chalicelib.environment import Environment

LEASE = "#lease"
CAUSE = "#cause#"
DATASET = "#dataset"
ACTIVE = ("starting", "running")
FACTS = ("reason", "cause", "arrivals", "accept_quality")  # the execution's input


@dataclass(frozen=True)
class RunStarted:
    run_id: str


@dataclass(frozen=True)
class NotStarted:
    why: str


def new_id(now: dt.datetime) -> str:
    """Sorts by time; also the execution's name and the first part of every job's."""
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def start(
    reason: str,
    cause: str,
    cause_id: str,
    arrival_ids: Sequence[str] = (),
    facts: Mapping[str, Any] | None = None,
) -> RunStarted | NotStarted:
    """Start a run. The same cause starts one; while a run is active no other starts.

    `facts` are kept on the run; its steps are told those of FACTS.
    """
    now = clock.now()
    run_id = new_id(now)
    run = {
        "reason": reason,
        "cause": cause,
        "status": "starting",
        "started_at": clock.text(now),
        "arrivals": list(arrival_ids),
        **(facts or {}),
    }
    from chalicelib import settings

    dataset = settings.load().dataset.name
    taken = _commit(
        [
            _put(LEASE, {"run": run_id, "since": run["started_at"]}),
            _put(f"{CAUSE}{cause_id}", {"run": run_id}),
            _put(run_id, run),
            *[arrivals.claim(dataset, each, run_id) for each in arrival_ids],
        ]
    )
    if not taken:
        return _why_not(cause_id)
    _execute(run_id, run)
    return RunStarted(run_id)


def active() -> str | None:
    """The run that has the lease."""
    lease = records.get(LEASE)
    return str(lease["run"]) if lease else None


def get(run_id: str) -> records.Record | None:
    return records.get(run_id)


def record(run_id: str, **facts: Any) -> None:
    """Write facts on a run; those that are None are left out."""
    known = {name: value for name, value in facts.items() if value is not None}
    if known:
        records.change(run_id, known)


def begin(run_id: str) -> None:
    """The machine has begun; a run that has ended meanwhile may not go on."""
    if not _commit([_change(run_id, {"status": "running"})]):
        raise RunEndedError(f"run {run_id} has ended already")


class RunEndedError(Exception):
    """A step came for a run that was closed."""


def succeed(run_id: str, *, outcome: str) -> bool:
    """Close a run that did its work; False where it was closed before."""
    from chalicelib import settings

    run = records.get(run_id) or {}
    ids = run.get("arrivals", [])
    dataset = settings.load().dataset.name
    ended = {"status": "succeeded", "outcome": outcome, "ended_at": clock.text(clock.now())}
    changes = [_change(run_id, ended), _unlock(run_id), *arrivals.settle(dataset, ids, run_id)]
    if ids:
        changes.append(_learned(run_id))
    return _close(changes)


def fail(
    run_id: str, error: str, *, error_state: str | None = None, error_detail: str | None = None
) -> bool:
    """Close a run that failed and tell people once; False where it was closed before."""
    from chalicelib import settings

    configured = settings.load()
    run = records.get(run_id)
    if run is None or run["status"] not in ACTIVE:
        return _tell(run_id, run)
    ended = {
        "status": "failed",
        "ended_at": clock.text(clock.now()),
        "error": error,
        "error_state": error_state,
        "error_detail": error_detail,
    }
    released = arrivals.release(
        configured.dataset.name,
        run.get("arrivals", []),
        run_id,
        1 if refused_for_quality(run) else configured.intake.max_attempts,
    )
    known = {name: value for name, value in ended.items() if value}
    closed = _close([_change(run_id, known), _unlock(run_id), *released])
    _tell(run_id, records.get(run_id))
    return closed


def refused_for_quality(run: Mapping[str, Any]) -> bool:
    """A broken check stopped the run: trying the same files again would break it again."""
    return (run.get("quality") or {}).get("passed") is False


def mend(patience: dt.timedelta) -> str:
    """What a crash left of the active run: start it, or close it as its execution ended."""
    lease = records.get(LEASE)
    if lease is None:
        return "none is active"
    run_id = str(lease["run"])
    run = records.get(run_id) or {}
    if clock.now() - clock.parse(run["started_at"]) < patience:
        return f"{run_id} is young"
    client = clients.client("stepfunctions")
    try:
        found = client.describe_execution(executionArn=execution_arn(run_id))
    except client.exceptions.ExecutionDoesNotExist:
        _execute(run_id, run)
        return f"{run_id} was started again"
    if found["status"] == "RUNNING":
        return f"{run_id} is running"
    fail(run_id, f"the execution ended as {found['status']}: {found.get('cause', 'no cause')}")
    return f"{run_id} was closed"


def curated() -> list[str]:
    """Runs whose converted rows are the dataset, oldest first."""
    found = records.get(DATASET) or {}
    return [str(run_id) for run_id in found.get("runs", [])]


def execution_arn(run_id: str) -> str:
    machine = Environment.from_env().retrain_machine_arn
    return f"{machine.replace(':stateMachine:', ':execution:')}:{run_id}"


def _execute(run_id: str, run: dict[str, Any]) -> None:
    client = clients.client("stepfunctions")
    content = {name: run[name] for name in FACTS if name in run}
    try:
        client.start_execution(
            stateMachineArn=Environment.from_env().retrain_machine_arn,
            name=run_id,
            input=json.dumps({"run_id": run_id, **content}),
        )
    except client.exceptions.ExecutionAlreadyExists:
        return  # started by the one who asked before
    record(run_id, execution_arn=execution_arn(run_id))


def _why_not(cause_id: str) -> RunStarted | NotStarted:
    if earlier := records.get(f"{CAUSE}{cause_id}"):
        return RunStarted(str(earlier["run"]))
    if lease := records.get(LEASE):
        return NotStarted(f"run {lease['run']} is active")
    return NotStarted("another start claimed the same files")


def _tell(run_id: str, run: records.Record | None) -> bool:
    """Notify of a failed run unless it was done: the mark comes after the message."""
    from chalicelib import notify

    if run is None or run["status"] != "failed" or run.get("notified"):
        return False
    facts = {name: run[name] for name in ("reason", "cause", "error_state") if run.get(name)}
    words = "\n\n".join(str(run[key]) for key in ("error", "error_detail") if run.get(key))
    notify.notify("run_failed", f"Run {run_id} failed", words[:100_000], run_id=run_id, **facts)
    record(run_id, notified=True)
    return False


def _close(changes: list[dict[str, Any]]) -> bool:
    from chalicelib import coalesce

    closed = _commit(changes)
    if closed:
        coalesce.wake()  # files may wait behind this run
    return closed


def _commit(items: list[dict[str, Any]]) -> bool:
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


def _put(key: str, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "Put": {
            "TableName": Environment.from_env().runs_table,
            "Item": {**records.item(values), **records.key(key)},
            "ConditionExpression": "attribute_not_exists(run_id)",
        }
    }


def _change(run_id: str, values: dict[str, Any]) -> dict[str, Any]:
    """Set attributes of a run that is active."""
    names = {f"#n{i}": name for i, name in enumerate(values)}
    marked = {f":v{i}": value for i, value in enumerate(values.values())}
    marked |= {":starting": "starting", ":running": "running"}
    pairs = ", ".join(f"#n{i} = :v{i}" for i in range(len(names)))
    return {
        "Update": {
            "TableName": Environment.from_env().runs_table,
            "Key": records.key(run_id),
            "UpdateExpression": f"SET {pairs}",
            "ConditionExpression": "#status IN (:starting, :running)",
            "ExpressionAttributeNames": {**names, "#status": "status"},
            "ExpressionAttributeValues": records.item(marked),
        }
    }


def _unlock(run_id: str) -> dict[str, Any]:
    return {
        "Delete": {
            "TableName": Environment.from_env().runs_table,
            "Key": records.key(LEASE),
            "ConditionExpression": "attribute_not_exists(run_id) OR #run = :run",
            "ExpressionAttributeNames": {"#run": "run"},
            "ExpressionAttributeValues": records.item({":run": run_id}),
        }
    }


def _learned(run_id: str) -> dict[str, Any]:
    """The run's rows are part of the dataset from now on."""
    return {
        "Update": {
            "TableName": Environment.from_env().runs_table,
            "Key": records.key(DATASET),
            "UpdateExpression": "SET #runs = list_append(if_not_exists(#runs, :none), :run)",
            "ExpressionAttributeNames": {"#runs": "runs"},
            "ExpressionAttributeValues": records.item({":none": [], ":run": [run_id]}),
        }
    }
