"""Live records that people have labelled: captured requests joined with the ground truth.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-merge.html
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

TIME = "_inference_time"  # ISO 8601


def read(capture: Path, truth: Path, label: str, inputs: list[str]) -> pd.DataFrame:
    """Rows of the inputs, the label and TIME; empty where nothing is labelled."""
    labels = dict(_labels(truth))
    rows = [
        {**{name: record.get(name) for name in inputs}, label: labels[identifier], TIME: moment}
        for identifier, moment, record in (_records(capture) if labels else ())
        if identifier in labels
    ]
    return pd.DataFrame(rows, columns=[*inputs, label, TIME], dtype=object)


def _labels(folder: Path) -> Iterator[tuple[str, Any]]:
    """(inference id, label); the newest file's word stands."""
    for line in _lines(folder):
        metadata = line["eventMetadata"]
        identifier = metadata.get("inferenceId") or metadata["eventId"]
        yield identifier, line["groundTruthData"]["data"]


def _records(folder: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(inference id, time, record): the call's id, with the record's place if it had several."""
    for line in _lines(folder):
        metadata, part = line["eventMetadata"], line["captureData"].get("endpointInput")
        call = metadata.get("inferenceId") or metadata["eventId"]
        if not part:
            continue
        data = part["data"]
        if part["encoding"] == "BASE64":
            data = base64.b64decode(data).decode("utf-8", "replace")
        records = json.loads(data)["records"]
        for index, record in enumerate(records):
            identifier = call if len(records) == 1 else f"{call}/{index}"
            yield identifier, metadata["inferenceTime"], record


def _lines(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.rglob("*.jsonl")):
        with path.open(encoding="utf-8") as file:
            yield from (json.loads(line) for line in file if line.strip())
