"""Drop files, as people do with any S3 tool: an upload under incoming/<dataset>/."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli import arrivals, project, records, target
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
    name = into or dataset()
    folder = name if name in arrivals.datasets() else arrivals.UNKNOWN
    while len(known) < len(put):
        if time.monotonic() > deadline:
            missing = ", ".join(sorted(put.keys() - known.keys()))
            raise Problem(
                f"nothing was heard of {missing}", "See: driftloop logs --function intake"
            )
        for item in arrivals.entries(stack, folder, arrivals.DROP):
            key = str(item["source_key"])
            if put.get(key) == item["version_id"] and key not in known:
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


def _fate(key: str, item: dict[str, Any]) -> Fate:
    name, became = key.rsplit("/", 1)[-1], str(item["became"])
    words = {
        "accepted": f"{item.get('rows')} rows",
        "duplicate": f"the same content arrived before, as {item.get('arrival_id')}",
        "quarantined": str(item.get("message")),
    }
    return Fate(name, became, words[became])
