"""Logs as they are written: of a run's jobs until the run has ended, of a function until Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Iterator

from rich.markup import escape

from cli import logs, records, show
from cli.follow import ENDED, QUIET, WAITING
from cli.history import Execution

LOOK_SECONDS = 1.0
LATE_SECONDS = 3.0  # lines may come a little after what they tell of


def run(stack: str, run_id: str, step: str = "") -> None:
    """Print a run's states as they begin, its jobs' lines and metrics; ends with the run.

    `step` names one job, whose lines and metrics alone are printed.
    """
    whole = str(records.run(stack, run_id)["run_id"])
    lines, measured = logs.Tail(logs.JOB_GROUPS, f"{whole}-{step}"), Metrics()
    states: Execution | None = None
    while True:
        # The status is read first: what is read after the end is whole.
        record = records.run(stack, whole)
        over = record["status"] in (*ENDED, WAITING)
        if over:
            time.sleep(LATE_SECONDS)
        if record.get("execution_arn") and not step:
            states = states or Execution(str(record["execution_arn"]))
            for name in _entered(states):
                show.console.print(f"[bold cyan]{escape(name)}[/bold cyan]")
        for job, line in lines.news():
            show.log_line(job, line)
            measured.wrote(job)
        measured.tell(every=over)
        if over:
            return
        time.sleep(LOOK_SECONDS)


class Metrics:
    """What training jobs have measured, told when it changes."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, float]] = {}
        self._fresh: set[str] = set()

    def wrote(self, job: str) -> None:
        """A job that wrote a line may have measured something."""
        self._known.setdefault(job, {})
        self._fresh.add(job)

    def tell(self, *, every: bool) -> None:
        for job in [job for job in self._known if every or job in self._fresh]:
            if (now := logs.metrics(job)) != self._known[job]:
                self._known[job] = now
                told = "  ".join(f"{name} {value:.4g}" for name, value in now.items())
                show.console.print(f"[green]{escape(job)}[/green]  {escape(told)}")
        self._fresh.clear()


def group(name: str, minutes: int) -> None:
    """Print a log group's lines of the last minutes, and go on until somebody stops it."""
    lines = logs.Tail([name], since=int((time.time() - minutes * 60) * 1000))
    while True:
        for stream, line in lines.news():
            show.log_line(stream, line)
        time.sleep(LOOK_SECONDS)


def _entered(states: Execution) -> Iterator[str]:
    for what, state in states.news():
        if what == "entered" and state.kind not in QUIET:
            yield state.name
