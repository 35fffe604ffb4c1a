"""Parallel states and Map iterations with a history: ministack runs their states without events.

The first branch that fails ends the state and stops the others.
https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html
"""

from __future__ import annotations

import concurrent.futures
import contextvars
import copy
import json
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.stepfunctions import history, progress, scope

SFN = history.SFN
WITH_EXECUTION = ("Task", "Parallel", "Map")
RESCHEDULED = ("Task", "Wait", "Parallel", "Map")  # redriven without entering them again


def install() -> None:
    """Run branches and iterations here."""
    adapter.replace(SFN, "_run_sub_machine", lambda _: run_states)
    adapter.replace(SFN, "_run_parallel_branches", lambda _: run_parallel)


def run_states(
    states: dict[str, Any],
    name: str | None,
    given: Any,
    execution: dict[str, Any],
    ctx: Any,
    resumed: bool = False,
) -> Any:
    """Walk the states of a branch or an iteration; returns its output.

    `resumed`: the first state was entered before, in an attempt that is redriven.
    """
    sfn = adapter.part(SFN)
    value = copy.deepcopy(given)
    while name:
        scope.check()
        if name not in states:
            raise sfn._ExecutionError("States.Runtime", f"State '{name}' not found")
        state = states[name]
        ctx["State"] = {"Name": name, "EnteredTime": sfn.now_iso(), "RetryCount": 0}
        progress.entered(execution, name, value)
        if not (resumed and state["Type"] in RESCHEDULED):
            _state_event(execution, state["Type"], "Entered", name, "input", value)
        resumed = False
        value, following = _run_state(state, value, execution, ctx)
        _state_event(execution, state["Type"], "Exited", name, "output", value)
        name = following
    progress.ended(execution, value)
    return value


def _run_state(state: Any, value: Any, execution: Any, ctx: Any) -> tuple[Any, str | None]:
    sfn = adapter.part(SFN)
    kind = state["Type"]
    if kind == "Succeed":
        chosen = sfn._apply_input_path(state, value, ctx)
        return sfn._apply_output_path(state, chosen, ctx), None
    if kind == "Fail":
        raise sfn._ExecutionError(*sfn._fail_state_error(state, value, ctx))
    execute = getattr(sfn, f"_execute_{kind.lower()}", None)
    if execute is None:
        raise sfn._ExecutionError("States.Runtime", f"Unknown state type: {kind}")
    arguments = (state, value, execution, ctx) if kind in WITH_EXECUTION else (state, value, ctx)
    output, following = execute(*arguments)
    return output, following


def _state_event(
    execution: Any, kind: str, moment: str, name: str, member: str, value: Any
) -> None:
    details = {"name": name, member: json.dumps(value)}
    history.add(execution, f"{kind}State{moment}", {f"state{moment}EventDetails": details})


def run_parallel(state: Any, raw: Any, execution: Any, ctx: Any) -> tuple[Any, str | None]:
    """Run all branches at once; returns the state's output and the next state."""
    sfn = adapter.part(SFN)
    given = sfn._apply_parameters(state, sfn._apply_input_path(state, raw, ctx), ctx)
    history.add(execution, "ParallelStateStarted")
    name = ctx["State"]["Name"]
    progress.forget(execution, name)
    try:
        results = _run_branches(name, state["Branches"], given, execution, ctx)
    except sfn._ExecutionError:
        history.add(execution, "ParallelStateFailed")
        raise
    history.add(execution, "ParallelStateSucceeded")
    progress.forget(execution, name)
    output = sfn._apply_result_path(state, raw, sfn._apply_result_selector(state, results))
    return sfn._apply_output_path(state, output, ctx), sfn._next_or_end(state)


def _run_branches(
    name: str, branches: list[Any], given: Any, execution: Any, ctx: Any
) -> list[Any]:
    outer = scope.current.get()
    inner = outer.inner() if outer else None

    def run(at: int, branch: Any) -> Any:
        scope.current.set(inner)
        progress.enter_branch(name, at)
        earlier = progress.earlier()
        if earlier and "output" in earlier:
            progress.ended(execution, earlier["output"])
            return earlier["output"]
        start = earlier or {"state": branch["StartAt"], "input": given}
        # Variables and the execution are shared; which state we are in is the branch's own.
        return run_states(
            branch["States"], start["state"], start["input"], execution, dict(ctx),
            resumed=earlier is not None,
        )  # fmt: skip

    pool = concurrent.futures.ThreadPoolExecutor(len(branches), thread_name_prefix="branch")
    running = [
        pool.submit(contextvars.copy_context().run, run, at, branch)
        for at, branch in enumerate(branches)
    ]
    pool.shutdown(wait=False)
    finished, _ = concurrent.futures.wait(running, return_when="FIRST_EXCEPTION")
    failures = [task.exception() for task in running if task in finished and task.exception()]
    if not failures:
        return [task.result() for task in running]
    if inner:
        inner.cancel()
    failure = failures[0]
    assert failure is not None
    if isinstance(failure, (adapter.part(SFN)._ExecutionError, scope.Cancelled)):
        raise failure
    raise adapter.part(SFN)._ExecutionError("States.BranchFailed", str(failure)) from failure
