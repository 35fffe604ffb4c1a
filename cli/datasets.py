"""Dataset versions, read back: each is the dataset.json of a run that went well."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cli import arrivals, records, target
from cli.errors import Problem

Version = dict[str, Any]


def versions(stack: str, dataset: str | None, limit: int) -> list[Version]:
    """A dataset's versions, newest first."""
    name = dataset or arrivals.datasets()[0]
    known = _known(stack, name)
    return [_read(stack, each) for each in reversed(known[-limit:])]


def version(stack: str, dataset: str | None, wanted: str) -> Version:
    """One version by its id, by the beginning of it, or the newest by `latest`."""
    name = dataset or arrivals.datasets()[0]
    known = _known(stack, name)
    found = known[-1:] if wanted == "latest" else [v for v in known if v.startswith(wanted)]
    if not found:
        raise Problem(f"{name} has no version {wanted}", "See: driftloop dataset versions")
    if len(found) > 1:
        raise Problem(f"more than one version begins with {wanted}", "Give more of it.")
    return _read(stack, found[0])


def diff(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """What the second version has that the first has not, and the other way round."""
    before, after = dict(one["schema"]), dict(other["schema"])
    runs = list(one["runs"]), list(other["runs"])
    return {
        "from": one["version"],
        "to": other["version"],
        "rows": other["total_rows"] - one["total_rows"],
        "files": other["files"] - one["files"],
        "runs_added": [run for run in runs[1] if run not in runs[0]],
        "runs_removed": [run for run in runs[0] if run not in runs[1]],
        "columns_added": [name for name in after if name not in before],
        "columns_removed": [name for name in before if name not in after],
        "columns_retyped": {
            name: [before[name], after[name]]
            for name in before
            if name in after and before[name] != after[name]
        },
        "schema_changed": one["schema_hash"] != other["schema_hash"],
    }


def _known(stack: str, dataset: str) -> list[str]:
    """Every version's id, oldest first: the newest names those before it."""
    last = records.learned(stack, dataset)
    return [str(each) for each in _read(stack, last)["runs"]] if last else []


def _read(stack: str, run_id: str) -> Version:
    answer = target.client("s3").get_object(
        Bucket=target.outputs(stack)["DataBucket"], Key=f"runs/{run_id}/dataset.json"
    )
    found: Version = json.loads(answer["Body"].read())
    return found
