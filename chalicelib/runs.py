"""Start a run, and end it: the one way in for every trigger (data, drift, manual).

One DynamoDB transaction takes the pipeline's lease, notes the cause and writes the run. Whoever
has the lease claims the run's files one by one, then starts the execution under the run's name,
which Step Functions takes once only. At the end one transaction closes the run; then its files are
settled, what a failed run curated being removed before, and the lease goes last. A crash anywhere
leaves the lease: the sweep goes on there.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib import clients, clock, records, transactions
from chalicelib.environment import Environment
from chalicelib.errors import ApiError
from chalicelib.ingest import arrivals

CAUSE = "#cause#"
# The execution's input; a thousand arrivals would weigh on every state.
FACTS = ("reason", "cause", "dataset", "accept_quality", "no_cache")


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
    dataset: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> RunStarted | NotStarted:
    """Start a run. The same cause starts one; while a run is active no other starts.

    `dataset`: whose files they are; the one that the model learns from where it is not said.
    `facts` are kept on the run; its steps are told those of FACTS.
    """
    from chalicelib import settings

    now = clock.now()
    run_id = new_id(now)
    run = {
        "reason": reason,
        "cause": cause,
        "status": "starting",
        "started_at": clock.text(now),
        "dataset": dataset or settings.load().dataset.name,
        "arrivals": list(arrival_ids),
        **(facts or {}),
    }
    taken = transactions.commit(
        [
            transactions.put_new(transactions.LEASE, {"run": run_id, "since": run["started_at"]}),
            transactions.put_new(f"{CAUSE}{cause_id}", {"run": run_id}),
            transactions.put_new(run_id, run),
        ]
    )
    if not taken:
        return _why_not(cause_id)
    return _launch(run_id, run)


def active() -> str | None:
    """The run that has the lease."""
    lease = records.get(transactions.LEASE)
    return str(lease["run"]) if lease else None


def started_by(cause_id: str) -> str | None:
    """The run that a cause started."""
    earlier = records.get(f"{CAUSE}{cause_id}")
    return str(earlier["run"]) if earlier else None


def get(run_id: str) -> records.Record | None:
    return records.get(run_id)


def record(run_id: str, **facts: Any) -> None:
    """Write facts on a run; those that are None are left out."""
    known = {name: value for name, value in facts.items() if value is not None}
    if known:
        records.change(run_id, known)


def files(run_id: str) -> list[str]:
    """The ids of the arrivals that a run took."""
    return [str(each) for each in (records.get(run_id) or {}).get("arrivals", [])]


def begin(run_id: str) -> None:
    """The machine has begun; a run that has ended meanwhile may not go on."""
    begun = {"status": "running", "begun_at": clock.text(clock.now())}
    if not transactions.commit([transactions.change_active(run_id, begun)]):
        raise RunEndedError(f"run {run_id} has ended already")


def deploy(run_id: str) -> None:
    """The run puts its model into service from now on, and cannot be stopped any more."""
    change = {"status": "deploying"}
    going_on = ("running", "deploying")  # a step may be tried again
    if not transactions.commit([transactions.change_while(run_id, change, going_on)]):
        raise RunEndedError(f"run {run_id} was stopped or has ended before its model could serve")


class RunEndedError(Exception):
    """A step came for a run that was closed."""


def succeed(run_id: str, *, outcome: str) -> bool:
    """Close a run that did its work; False where it was closed before."""
    run = records.get(run_id) or {}
    ended = {"status": "succeeded", "outcome": outcome, "ended_at": clock.text(clock.now())}
    changes = [transactions.change_active(run_id, ended)]
    if run.get("arrivals"):
        changes.append(transactions.add_to_dataset(run_id, run))
    return _close(run_id, changes)


def fail(
    run_id: str,
    error: str,
    *,
    error_state: str | None = None,
    error_detail: str | None = None,
    damaged: str | None = None,
) -> bool:
    """Close a run that failed and tell people once; False where it was closed before.

    `damaged`: the arrival that is to blame, which goes to quarantine.
    """
    run = records.get(run_id)
    if run is None or run["status"] not in transactions.ACTIVE:
        _settle(run_id)
        return _tell(run_id, run)
    stopped = run.get("stopped")
    ended = {
        "status": "failed",
        "ended_at": clock.text(clock.now()),
        "error": _stopped(stopped) if stopped else error,
        "error_state": error_state,
        "error_detail": error_detail,
        "damaged": damaged,
    }
    known = {name: value for name, value in ended.items() if value}
    closed = _close(run_id, [transactions.change_active(run_id, known)])
    _tell(run_id, records.get(run_id))
    return closed


def stop(run_id: str, by: str, why: str) -> None:
    """End an active run because a person says so.

    ApiError: 404, 409 it is not active, or deploying, since no operation ends an UpdateEndpoint.
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateEndpoint.html
    """
    stopped = {"by": by, "why": why, "at": clock.text(clock.now())}
    change = {"status": "stopping", "stopped": stopped}
    if not transactions.commit([transactions.change_while(run_id, change, transactions.STOPPABLE)]):
        if (run := records.get(run_id)) is None:
            raise ApiError(404, "no_such_run", f"there is no run {run_id}")
        if run["status"] == "deploying":
            raise ApiError(
                409,
                "deploying",
                f"version {run.get('model_version')} of run {run_id} is about to serve, which "
                "SageMaker does not call off; `driftloop rollback` leaves it again",
            )
        raise ApiError(409, "not_active", f"run {run_id} is {run['status']}")
    client = clients.client("stepfunctions")
    try:
        client.stop_execution(
            executionArn=execution_arn(run_id), error="Stopped", cause=_stopped(stopped)
        )
    except client.exceptions.ExecutionDoesNotExist:  # it was about to start
        fail(run_id, _stopped(stopped))


def _stopped(stopped: Mapping[str, Any]) -> str:
    why = f": {stopped['why']}" if stopped["why"] else ""
    return f"stopped by {stopped['by']}{why}"


def refused_for_quality(run: Mapping[str, Any]) -> bool:
    """A broken check stopped the run: trying the same files again would break it again."""
    return (run.get("quality") or {}).get("passed") is False


def mend(patience: dt.timedelta) -> str:
    """What a crash left of the active run: start it, close it as its execution ended, settle it."""
    lease = records.get(transactions.LEASE)
    if lease is None:
        return "none is active"
    run_id = str(lease["run"])
    run = records.get(run_id) or {}
    if clock.now() - clock.parse(run.get("ended_at") or run["started_at"]) < patience:
        return f"{run_id} is young"
    if run["status"] not in transactions.ACTIVE:
        _settle(run_id)
        _tell(run_id, run)
        return f"{run_id} was settled"
    client = clients.client("stepfunctions")
    try:
        found = client.describe_execution(executionArn=execution_arn(run_id))
    except client.exceptions.ExecutionDoesNotExist:
        _launch(run_id, run)
        return f"{run_id} was started again"
    if found["status"] == "RUNNING":
        return f"{run_id} is running"
    fail(run_id, f"the execution ended as {found['status']}: {found.get('cause', 'no cause')}")
    return f"{run_id} was closed"


def learned(dataset: str) -> records.Record:
    """What runs that went well made of a dataset: the `last` of them, and `columns` that it saw."""
    return {"last": None, "columns": {}, **(records.get(f"{transactions.DATASET}{dataset}") or {})}


def execution_arn(run_id: str) -> str:
    machine = Environment.from_env().retrain_machine_arn
    return f"{machine.replace(':stateMachine:', ':execution:')}:{run_id}"


def _launch(run_id: str, run: records.Record) -> RunStarted | NotStarted:
    """Claim the run's files and start its execution; every part may be done again."""
    dataset, wanted = str(run["dataset"]), [str(each) for each in run.get("arrivals", [])]
    mine = [
        each
        for each in wanted
        if arrivals.claim(dataset, each, run_id) or _is_claimed(dataset, each, run_id)
    ]
    if mine != wanted:  # an earlier run took some meanwhile
        record(run_id, arrivals=mine)
    if wanted and not mine:
        succeed(run_id, outcome="nothing_new")
        return NotStarted("another run took the same files")
    _execute(run_id, {**run, "arrivals": mine})
    return RunStarted(run_id)


def _is_claimed(dataset: str, arrival_id: str, run_id: str) -> bool:
    found = arrivals.get(dataset, arrival_id) or {}
    return (found.get("status"), found.get("run_id")) == (arrivals.CLAIMED, run_id)


def _execute(run_id: str, run: records.Record) -> None:
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
    if earlier := started_by(cause_id):
        return RunStarted(earlier)
    if lease := records.get(transactions.LEASE):
        return NotStarted(f"run {lease['run']} is active")
    return NotStarted("the run that was active has just ended")


def _tell(run_id: str, run: records.Record | None) -> bool:
    """Notify of a failed run unless it was done: the mark comes after the message."""
    from chalicelib import notify

    if run is None or run["status"] != "failed" or run.get("notified"):
        return False
    facts = {name: run[name] for name in ("reason", "cause", "error_state") if run.get(name)}
    words = "\n\n".join(str(run[key]) for key in ("error", "error_detail") if run.get(key))
    kind, became = (
        ("run_stopped", "was stopped") if run.get("stopped") else ("run_failed", "failed")
    )
    notify.notify(kind, f"Run {run_id} {became}", words[:100_000], run_id=run_id, **facts)
    record(run_id, notified=True)
    return False


def _close(run_id: str, changes: list[dict[str, Any]]) -> bool:
    closed = transactions.commit(changes)
    _settle(run_id)
    return closed


def _settle(run_id: str) -> None:
    """Bring the files of a run that has ended to where they belong; then the lease goes."""
    from chalicelib import settings
    from chalicelib.ingest import coalesce, damaged, leftovers

    lease, run = records.get(transactions.LEASE), records.get(run_id)
    if (
        run is None
        or run["status"] in transactions.ACTIVE
        or lease is None
        or lease["run"] != run_id
    ):
        return
    dataset, ids = str(run["dataset"]), [str(each) for each in run.get("arrivals", [])]
    if run["status"] == "succeeded":
        arrivals.settle(dataset, ids, run_id)
    else:
        for_a_person = refused_for_quality(run) or run.get("stopped")
        attempts = 1 if for_a_person else settings.load().intake.max_attempts
        if ids and run.get("begun_at"):
            leftovers.remove(Environment.from_env(), dataset, run_id)
        culprit = str(run.get("damaged"))
        if culprit in ids:
            damaged.put_aside(dataset, culprit, run_id, str(run["error"]))
        arrivals.release(dataset, ids, run_id, attempts, counts=culprit not in ids)
    transactions.commit([transactions.unlock(run_id)])
    coalesce.wake(0)  # files may wait behind this run
