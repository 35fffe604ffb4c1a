"""Live progress of a run: a line for each state that did work, the log's end when one failed."""

from __future__ import annotations

import time
from typing import Any

from rich.markup import escape

from cli import logs, records, show
from cli.errors import Problem
from cli.history import REUSED, RUNNING, Execution, State

# States that only steer; their time is in the run's record all the same.
QUIET = {"Choice", "Wait", "Pass", "Succeed", "Fail"}
ENDED = ("succeeded", "failed")
WAITING = "waiting"
KEEP_BEST = "KeepBest"  # the state after a search
A_LOOK = 0.5  # seconds: what takes longer does work


def run(stack: str, run_id: str, timeout: float = 7200) -> tuple[dict[str, Any], Execution]:
    """Show a run until it has ended; returns its record and its execution."""
    deadline = time.monotonic() + timeout
    record = records.run(stack, run_id)
    while not record.get("execution_arn"):
        _wait(deadline, f"run {run_id} to start")
        record = records.run(stack, run_id)
    show.console.print(
        f"[bold]run {run_id}[/bold]  {escape(record['reason'])}: {escape(record['cause'])}"
    )
    execution = Execution(record["execution_arn"])
    machine(execution, deadline)
    record = records.run(stack, run_id)
    while record["status"] not in (*ENDED, WAITING):
        _wait(deadline, f"run {run_id} to be closed")
        record = records.run(stack, run_id)
    conclude(stack, record)
    return record, execution


def machine(execution: Execution, deadline: float) -> None:
    """Show an execution's states until it has ended."""
    lines = Lines()
    with show.console.status("") as spinner:
        while True:
            for what, state in execution.news():
                if what == "left" and state.name == KEEP_BEST and state.output:
                    lines.best(state.output["keep_best"])
                elif what == "left" and state.kind not in QUIET:
                    lines.add(state)
                elif what == "left" and state.reused_from:
                    lines.reused(state)
            if execution.status != RUNNING or execution.waits_for_a_person:
                lines.close()
                return
            at_work = [s.name for s in execution.states if s.left is None and s.kind not in QUIET]
            spinner.update(f"[cyan]{', '.join(at_work)}[/cyan]")
            _wait(deadline, "the state machine to end")


def conclude(stack: str, record: dict[str, Any]) -> None:
    """The last lines on a run: the outcome, or the failure with its log."""
    if record["status"] == "failed":
        show.console.print(f"  [red]failed[/red]  {escape(record.get('error', ''))}")
        for line in logs.of_failure(stack, record):
            show.console.print(f"    [dim]{escape(line)}[/dim]")
    elif record.get("outcome") == "deployed":
        show.console.print(f"  [green]in service[/green]  model version {record['model_version']}")
    elif record["status"] == WAITING:
        version = record["model_version"]
        show.console.print(
            f"  [yellow]version {version} waits for approval[/yellow]  driftloop approve {version}"
        )
    elif record.get("outcome") == "rejected":
        show.console.print(f"  [yellow]rejected[/yellow]  {escape(_words(record['approval']))}")
    else:
        show.console.print("  [yellow]the champion stays[/yellow]  the gate kept the new model out")


def _words(decision: dict[str, Any]) -> str:
    return f"by {decision['by']}: {decision['reason']}"


class Lines:
    """A line for each state; a state that looks again and again gets one line for all its looks."""

    def __init__(self) -> None:
        self._looks: list[State] = []

    def add(self, state: State) -> None:
        if self._looks and self._looks[-1].name != state.name:
            self.close()
        self._looks.append(state)
        if state.seconds > A_LOOK:
            self.close()

    def reused(self, state: State) -> None:
        """A job that an earlier run has done."""
        self.close()
        job = state.name.removesuffix(REUSED)
        show.console.print(
            f"  [green]✓[/green] {job:<22} reused from run {escape(state.reused_from or '')}"
        )

    def best(self, found: dict[str, Any]) -> None:
        """What a search for hyper-parameters has found."""
        self.close()
        values = ", ".join(f"{k} = {show.short(v)}" for k, v in found["parameters"].items())
        show.console.print(
            f"    best of {found['of']}: {escape(values)}: "
            f"{escape(found['metric'])} {found['objective']:.4g}"
        )

    def close(self) -> None:
        """Print what is held back, from the first look's start to the last one's end."""
        if not self._looks:
            return
        first, last = self._looks[0], self._looks[-1]
        spent = ((last.left or last.entered) - first.entered).total_seconds()
        times = f" ×{len(self._looks)}" if len(self._looks) > 1 else ""
        show.console.print(f"  [green]✓[/green] {first.name + times:<22} {show.seconds(spent):>12}")
        self._looks = []


def _wait(deadline: float, what: str) -> None:
    if time.monotonic() > deadline:
        raise Problem(f"gave up waiting for {what}", "Look at: driftloop runs")
    time.sleep(0.3)
