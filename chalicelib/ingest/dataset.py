"""Dataset versions: the curated files of every run that went well, and of the one that trains.

A version bears its run's id. `dataset.json` says which arrivals came with it and what became of
their rows; `dataset.manifest` lists the files for the jobs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

from chalicelib import clients, clock, places, runs

if TYPE_CHECKING:
    from chalicelib.environment import Environment
    from chalicelib.schema import Dataset

# What a version says of each arrival, by the names of the arrivals table.
ARRIVAL = ("arrival_id", "source_key", "key", "etag", "raw_version_id", "sha256", "size", "rows")
Document = dict[str, Any]


class NoDataError(Exception):
    """There is nothing to train on."""


def run_prefix(dataset: str, run_id: str) -> str:
    return f"{_prefix(dataset)}run={run_id}/"


def runs_with_files(environment: Environment, dataset: str) -> list[str]:
    """The runs that have files among the curated ones, however they ended."""
    prefix = _prefix(dataset)
    pages = clients.client("s3").get_paginator("list_objects_v2")
    listed = pages.paginate(Bucket=environment.data_bucket, Prefix=prefix, Delimiter="/")
    folders = (each["Prefix"] for page in listed for each in page.get("CommonPrefixes", []))
    return [str(each).removeprefix(f"{prefix}run=").rstrip("/") for each in folders]


def write(
    run_id: str,
    new: Sequence[Mapping[str, Any]],
    rows: Mapping[str, int],
    dataset: Dataset,
    environment: Environment,
    conversion: str,
) -> Document:
    """Put dataset.json and the manifest of the files; returns the document.

    `new`: the arrivals that came with it. `rows`: what became of the new rows, as
    `reconcile.Counts.document`; empty without new ones.
    `conversion`: the statement that cast them, whatever the run.
    """
    before = _before(environment, dataset.name, run_id)
    chosen = [*(before["runs"] if before else []), *([run_id] if new else [])]
    files = _files(environment, dataset.name, set(chosen))
    if not files:
        raise NoDataError(
            f"no rows are curated yet: drop files under incoming/{dataset.name}/ first"
        )
    document = {
        "version": run_id,
        "digest": digest(before, conversion, new),
        "dataset": dataset.name,
        "created_at": clock.text(clock.now()),
        "before": before["version"] if before else None,
        "runs": chosen,
        "arrivals": [{name: arrival.get(name) for name in ARRIVAL} for arrival in new],
        "rows": dict(rows),
        "total_rows": (before["total_rows"] if before else 0) + int(rows.get("curated", 0)),
        "files": len(files),
        "partitions": len({each.rsplit("/", 1)[0] for each in files if _run(each) == run_id}),
        "schema": {column.name: column.type for column in dataset.columns},
        "schema_hash": schema_hash(dataset),
    }
    _put(environment, places.run(run_id, "dataset.json"), document)
    listed = [{"prefix": places.uri(environment, _prefix(dataset.name))}, *files]
    _put(environment, places.run(run_id, "dataset.manifest"), listed)
    return document


def digest(
    before: Mapping[str, Any] | None, conversion: str, new: Iterable[Mapping[str, Any]]
) -> str:
    """Equal for versions of the same rows, whichever runs they came with.

    Rows are told by the content of the files they came in, and how those were cast.
    """
    earlier = before.get("digest", before["version"]) if before else ""
    contents = sorted(str(arrival["sha256"]) for arrival in new)
    if not contents:
        return str(earlier)
    return hashlib.sha256(json.dumps([earlier, conversion, contents]).encode()).hexdigest()[:32]


def read(environment: Environment, run_id: str) -> Document:
    """The version of a run that went well."""
    found = clients.client("s3").get_object(
        Bucket=environment.data_bucket, Key=places.run(run_id, "dataset.json")
    )
    document: Document = json.loads(found["Body"].read())
    return document


def newest(environment: Environment, dataset: str) -> Document | None:
    """The dataset's version; None before the first. Its `runs` are all that went well."""
    last = runs.learned(dataset)["last"]
    return read(environment, str(last)) if last else None


def schema_hash(dataset: Dataset) -> str:
    """Changes when a column does."""
    columns = [column.model_dump(mode="json") for column in dataset.columns]
    return hashlib.sha256(json.dumps(columns, sort_keys=True).encode()).hexdigest()[:16]


def empty(environment: Environment, prefix: str) -> None:
    """Remove what an earlier attempt left under a prefix."""
    remove(environment, list(sizes(environment, prefix)))


def remove(environment: Environment, keys: Sequence[str]) -> None:
    client = clients.client("s3")
    for first in range(0, len(keys), 1000):
        answer = client.delete_objects(
            Bucket=environment.data_bucket,
            Delete={"Objects": [{"Key": key} for key in keys[first : first + 1000]], "Quiet": True},
        )
        if errors := answer.get("Errors"):
            raise RuntimeError(f"S3 kept {errors[0]['Key']}: {errors[0]['Message']}")


def _before(environment: Environment, dataset: str, run_id: str) -> Document | None:
    """The version before a run's own, which may be there already when a step is repeated."""
    last = newest(environment, dataset)
    if last is None or last["version"] != run_id:
        return last
    return read(environment, last["before"]) if last["before"] else None


def _prefix(dataset: str) -> str:
    return f"curated/{dataset}/"


def sizes(environment: Environment, prefix: str) -> dict[str, int]:
    """Keys under a prefix, and the bytes of each."""
    pages = clients.client("s3").get_paginator("list_objects_v2")
    listed = pages.paginate(Bucket=environment.data_bucket, Prefix=prefix)
    found: Iterable[dict[str, Any]] = (e for page in listed for e in page.get("Contents", []))
    return {str(entry["Key"]): int(entry["Size"]) for entry in found}


def _files(environment: Environment, dataset: str, chosen: Set[str]) -> list[str]:
    """The files of these runs that hold rows, from `run=` on.

    One listing, a thousand a request, whatever the number of runs; what lies there counts and not
    an earlier manifest, so that files which a person has merged or removed do no harm.
    """
    prefix = _prefix(dataset)
    found = sizes(environment, prefix)
    held = (key.removeprefix(prefix) for key, size in found.items() if size)
    return [each for each in held if _run(each) in chosen]


def _run(file: str) -> str:
    return file.split("/", 1)[0].removeprefix("run=")


def _put(environment: Environment, key: str, content: Any) -> None:
    clients.client("s3").put_object(
        Bucket=environment.data_bucket,
        Key=key,
        Body=json.dumps(content, indent=2).encode(),
        ContentType="application/json",
    )
