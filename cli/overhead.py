"""How much of a run's time was spent outside its jobs and queries: the orchestration's overhead.

The start of the endpoint's instances is part of it, and told beside it.
"""

from __future__ import annotations

from collections.abc import Iterable

from cli import target
from cli.history import Execution

# Processing jobs, by the state that runs them: how each one's name ends.
PROCESSING = {
    "Prepare": "prepare",
    "Evaluate": "evaluate",
    "Baseline": "baseline",
    "ModelBaselines": "model-baselines",
}
# Queries, by the state that runs them: where its output has the execution's id.
QUERIES = {
    "Convert": ("convert", "convert"),
    "MeasurePartitions": ("convert", "measure"),
    "ConvertPart": ("plan_part", "insert"),
    "Count": ("convert", "count"),
    "Rejects": ("reconcile", "rejects"),
    "Check": ("reconcile", "check"),
    "Offenders": ("judge", "offenders"),
}
Interval = tuple[float, float]


def outside_work(run_id: str, execution: Execution, began: float, ended: float) -> float:
    """Seconds of [began, ended] that no job or query of the run covers."""
    work = [*_jobs(run_id, execution), *_queries(execution)]
    within = [
        (max(start, began), min(end, ended)) for start, end in work if end > began and start < ended
    ]
    return (ended - began) - covered(within)


def endpoint_start(run_id: str, began: float) -> float:
    """Seconds from CreateEndpoint to InService; 0 where the endpoint was there before the run."""
    return sum(end - start for start, end in _starts(run_id, began))


def covered(intervals: Iterable[Interval]) -> float:
    """The length of a union of intervals."""
    total, reach = 0.0, float("-inf")
    for start, end in sorted(intervals):
        total += max(0.0, end - max(start, reach))
        reach = max(reach, end)
    return total


def _jobs(run_id: str, execution: Execution) -> list[Interval]:
    """Of the jobs that ran; another's outputs were reused."""
    client = target.client("sagemaker")
    ran = execution.durations()
    found = []
    for name, suffix in PROCESSING.items():
        if name in ran:
            job = client.describe_processing_job(ProcessingJobName=f"{run_id}-{suffix}")
            found.append((job["CreationTime"], job["ProcessingEndTime"]))
    if "Train" in ran:
        job = client.describe_training_job(TrainingJobName=f"{run_id}-train")
        found.append((job["CreationTime"], job["TrainingEndTime"]))
    if "Tune" in ran:
        job = client.describe_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=f"{run_id}-tune"
        )
        found.append((job["CreationTime"], job["HyperParameterTuningEndTime"]))
    return [(start.timestamp(), end.timestamp()) for start, end in found]


def _starts(run_id: str, began: float) -> list[Interval]:
    """The endpoint that this run created, from its creation to its last change: InService."""
    client = target.client("sagemaker")
    pages = client.get_paginator("list_endpoints").paginate()
    names = [entry["EndpointName"] for page in pages for entry in page["Endpoints"]]
    found = [client.describe_endpoint(EndpointName=name) for name in names]
    return [
        (created, entry["LastModifiedTime"].timestamp())
        for entry in found
        if entry["EndpointConfigName"].endswith(run_id)
        and (created := entry["CreationTime"].timestamp()) >= began
    ]


def _queries(execution: Execution) -> list[Interval]:
    """When each query was submitted and completed."""
    client = target.client("athena")
    found = []
    for state in execution.states:
        if state.name in QUERIES and state.output:
            step, query = QUERIES[state.name]
            told = client.get_query_execution(**state.output[step][query])["QueryExecution"]
            found.append(
                (told["Status"]["SubmissionDateTime"], told["Status"]["CompletionDateTime"])
            )
    return [(start.timestamp(), end.timestamp()) for start, end in found]
