"""Drop files, as people do with any S3 tool: an upload under incoming/<dataset>/."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boto3.dynamodb.conditions import Key

from cli import project, records, target
from cli.errors import Problem

LOOK_EVERY = 0.25


@dataclass(frozen=True)
class Fate:
    """What intake made of a dropped file."""

    name: str
    status: str  # accepted | duplicate | quarantined
    words: str = ""

    @property
    def line(self) -> str:
        """For people; a reason names its file itself."""
        if self.status == "quarantined":
            return f"{self.status}: {self.words}"
        return f"{self.name}: {self.status}, {self.words}"


def dataset() -> str:
    return str(project.pipeline()["dataset"]["name"])


def upload(stack: str, paths: Iterable[Path], into: str | None = None) -> dict[str, str]:
    """Put each file into the data bucket; returns keys with their versions."""
    bucket, put = target.outputs(stack)["DataBucket"], {}
    for path in paths:
        if not path.is_file():
            raise Problem(f"{path} is not a file")
        key = f"incoming/{into or dataset()}/{path.name}"
        with path.open("rb") as body:
            answer = target.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
        put[key] = str(answer.get("VersionId", ""))
    return put


def fates(stack: str, put: dict[str, str], into: str | None, timeout: float) -> list[Fate]:
    """What became of each upload, in the order of arrival; waits until intake has spoken."""
    deadline, known = time.monotonic() + timeout, dict[str, Fate]()
    while len(known) < len(put):
        if time.monotonic() > deadline:
            missing = ", ".join(sorted(put.keys() - known.keys()))
            raise Problem(
                f"nothing was heard of {missing}", "See: driftloop logs --function intake"
            )
        for item in _arrivals(stack, into or dataset()):
            key = str(item.get("source_key"))
            if key in put and key not in known and _is_this(item, put[key]):
                known[key] = _fate(key, item)
        time.sleep(LOOK_EVERY)
    return list(known.values())


def run_of(stack: str, before: set[str], timeout: float) -> str | None:
    """The id of a run that began after; None when none did."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        for run in records.runs(stack, 5):
            if run["run_id"] not in before:
                return str(run["run_id"])
        time.sleep(LOOK_EVERY)
    return None


def _is_this(item: dict[str, Any], version: str) -> bool:
    """A record without a version tells of a key only: it is this drop if it is recent."""
    recorded = item.get("version_id")
    return recorded in (None, version)


def _fate(key: str, item: dict[str, Any]) -> Fate:
    name = key.rsplit("/", 1)[-1]
    if "reason" in item:
        return Fate(name, "quarantined", str(item["message"]))
    if "of" in item:
        return Fate(name, "duplicate", f"the same content arrived before, as {item['of']}")
    return Fate(name, "accepted", f"{item['rows']} rows")


def _arrivals(stack: str, name: str) -> list[dict[str, Any]]:
    table = target.table(stack, "ArrivalsTable")
    query: dict[str, Any] = {"KeyConditionExpression": Key("dataset").eq(name)}
    found: list[dict[str, Any]] = []
    while True:
        page = table.query(ConsistentRead=True, **query)
        found += page["Items"]
        if "LastEvaluatedKey" not in page:
            return found
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
