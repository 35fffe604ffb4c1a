"""Executions that begin at once and end as on AWS: aborted ones stay aborted, late ones time out,
and one that a stopped cloud cut off is reported as failed, once, when the cloud is back.

https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import logging
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.stepfunctions import history, scope

SFN = history.SFN
CUT_OFF = "States.ServiceRestart"
START_PAUSE = 0.15

_scopes: dict[str, scope.Scope] = {}  # of executions that run, by ARN

log = logging.getLogger(__name__)


def install() -> None:
    """Give executions a scope, a time limit, and an end that is told."""
    adapter.replace(SFN, "time", prompt)
    adapter.replace(SFN, "_run_execution", _scoped)
    adapter.replace(SFN, "_fail_execution", _failed_once)
    adapter.replace(SFN, "_invoke_resource_with_timeout", lambda _: invoke_with_timeout)
    adapter.replace(SFN, "_apply_state_assign", _remembering)
    adapter.on_ready(tell_of_cut_off)


def prompt(module: Any) -> types.SimpleNamespace:
    """`time`, whose sleep leaves out the pause that ministack makes before a first state."""

    def sleep(seconds: float) -> None:
        if seconds != START_PAUSE:
            module.sleep(seconds)

    return types.SimpleNamespace(**{**vars(module), "sleep": sleep})


def _scoped(original: Callable[[str], None]) -> Callable[[str], None]:
    def run(arn: str) -> None:
        sfn = adapter.part(SFN)
        execution = sfn._executions.get(arn)
        if execution is None:
            return
        if machine := sfn._state_machines.get(execution["stateMachineArn"]):
            execution["definition"] = machine["definition"]  # a redrive uses the same one
        history.rejoin(len(execution["events"]))
        with scoped(execution):
            original(arn)

    return run


@contextlib.contextmanager
def scoped(execution: dict[str, Any]) -> Iterator[None]:
    """Work for an execution in this thread, under its time limit, until it is stopped."""
    arn = execution["executionArn"]
    mine = _scopes[arn] = scope.Scope(execution)
    scope.current.set(mine)
    timer = _time_limit(execution)
    try:
        yield
    except scope.Cancelled:
        log.info("%s stopped: %s", arn, execution["status"])
    finally:
        if timer:
            timer.cancel()
        if _scopes.get(arn) is mine:
            del _scopes[arn]
        if execution["status"] == "SUCCEEDED":
            for needed_by_redrives in ("definition", "progress", "variables"):
                execution.pop(needed_by_redrives, None)


def let_go(arn: str) -> None:
    """What still works for an execution that has ended shall not go on when it is redriven."""
    if old := _scopes.pop(arn, None):
        old.cancel()


def _failed_once(original: Callable[[Any, str, str], None]) -> Callable[[Any, str, str], None]:
    def fail(execution: dict[str, Any], error: str, cause: str) -> None:
        if execution["status"] == "RUNNING" and not scope.cancelled():
            original(execution, error, cause)

    return fail


def _remembering(original: Callable[..., None]) -> Callable[..., None]:
    """Keep an execution's variables with it: a redrive goes on with them."""

    def assign(state: Any, given: Any, ctx: Any, *more: Any, **named: Any) -> None:
        original(state, given, ctx, *more, **named)
        execution = adapter.part(SFN)._executions.get(ctx["Execution"]["Id"])
        if execution is not None and state.get("Assign"):
            execution["variables"] = ctx["variables"]

    return assign


def _time_limit(execution: dict[str, Any]) -> threading.Timer | None:
    """The state machine's TimeoutSeconds: the execution ends as TIMED_OUT."""
    try:
        seconds = json.loads(execution.get("definition", "{}")).get("TimeoutSeconds")
    except ValueError:
        return None
    if not seconds:
        return None
    context = contextvars.copy_context()
    timer = threading.Timer(seconds, lambda: context.run(_time_out, execution))
    timer.daemon = True
    timer.start()
    return timer


def _time_out(execution: dict[str, Any]) -> None:
    sfn = adapter.part(SFN)
    if scope.cancelled():
        return
    execution["status"] = "TIMED_OUT"
    execution["stopDate"] = sfn.now_iso()
    history.add(execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {}})
    sfn._emit_execution_status_event(execution)


def invoke_with_timeout(resource: str, given: Any, seconds: float) -> Any:
    """Run a task under its TimeoutSeconds; States.Timeout stops what it waits for."""
    sfn = adapter.part(SFN)
    outer = scope.current.get()
    inner = outer.inner() if outer else None
    box: dict[str, Any] = {}

    def run() -> None:
        scope.current.set(inner)
        try:
            box["result"] = sfn._invoke_resource(resource, given)
            box["last"] = history.fork()
        except BaseException as error:
            box["error"] = error

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        if inner:
            inner.cancel()
        cause = f"Task timed out after {seconds} seconds"
        raise sfn._ExecutionError("States.Timeout", cause)
    if "error" in box:
        raise box["error"]
    history.rejoin(box["last"])
    return box["result"]


def tell_of_cut_off() -> None:
    """Report executions cut off when the cloud went down; ministack fails them without a word."""
    sfn = adapter.part(SFN)
    for execution in list(sfn._executions.all_values()):
        if execution.get("error") != CUT_OFF or execution.get("told_of_cut_off"):
            continue
        execution["told_of_cut_off"] = True
        execution["output"] = None
        history.rejoin(len(execution["events"]))
        details = {"error": CUT_OFF, "cause": execution["cause"]}
        history.add(execution, "ExecutionFailed", {"executionFailedEventDetails": details})
        sfn._emit_execution_status_event(execution)
