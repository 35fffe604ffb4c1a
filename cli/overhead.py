"""How much of a run's time was spent outside its jobs and queries: the orchestration's overhead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cli import target
from cli.history import Execution

QUERIES = ("converted", "rejected", "checked")
Interval = tuple[float, float]


def outside_work(run_id: str, execution: Execution, began: float, ended: float) -> float:
    """Seconds of [began, ended] that no job or query of the run covers."""
    within = [
        (max(start, began), min(end, ended))
        for start, end in [*_jobs(run_id), *_queries(execution)]
        if end > began and start < ended
    ]
    return (ended - began) - covered(within)


def covered(intervals: Iterable[Interval]) -> float:
    """The length of a union of intervals."""
    total, reach = 0.0, float("-inf")
    for start, end in sorted(intervals):
        total += max(0.0, end - max(start, reach))
        reach = max(reach, end)
    return total


def _jobs(run_id: str) -> list[Interval]:
    client = target.client("sagemaker")
    found = []
    for name in ("prepare", "evaluate", "baseline"):
        job = client.describe_processing_job(ProcessingJobName=f"{run_id}-{name}")
        found.append((job["CreationTime"], job["ProcessingEndTime"]))
    job = client.describe_training_job(TrainingJobName=f"{run_id}-train")
    found.append((job["CreationTime"], job["TrainingEndTime"]))
    return [(start.timestamp(), end.timestamp()) for start, end in found]


def _queries(execution: Execution) -> list[Interval]:
    """Times of the queries, from the last state's data: in milliseconds since 1970."""
    data: dict[str, Any] = {}
    for state in execution.states:
        if isinstance(state.output, dict):
            data |= {name: state.output[name] for name in QUERIES if name in state.output}
    times = [entry["QueryExecution"]["Status"] for entry in data.values()]
    return [(t["SubmissionDateTime"] / 1000, t["CompletionDateTime"] / 1000) for t in times]
