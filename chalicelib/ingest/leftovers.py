"""The rows of a run that ended badly leave the curated table.

Athena registers a run's partitions as it converts, long before the run's end is known. Rows that
were refused would be counted by every query and pass for keys that others may point at; rows that
a later run converts again would be there twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib import runs
from chalicelib.ingest import dataset as data
from chalicelib.ingest import tables

if TYPE_CHECKING:
    from chalicelib.environment import Environment


def remove(environment: Environment, dataset: str, run_id: str) -> None:
    """What a run curated; may be done again. The files go last: they tell that something is left.

    The bucket keeps their versions for a while (the template's lifecycle rules).
    """
    tables.drop(dataset, run_id, environment)
    data.empty(environment, data.run_prefix(dataset, run_id))


def remove_failed(environment: Environment, dataset: str, last: data.Document | None) -> list[str]:
    """What failed runs left all the same: a query that was not stopped in time wrote after its
    run's end, which Step Functions sees to at its best effort only. Returns those runs.

    `last`: the dataset's version, which names those that went well.
    https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-sync
    """
    learned = set(last["runs"]) if last else set()
    strange = [each for each in data.runs_with_files(environment, dataset) if each not in learned]
    failed = [each for each in strange if (runs.get(each) or {}).get("status") == "failed"]
    for run_id in failed:
        remove(environment, dataset, run_id)
    return failed
