"""What AWS's merger does: each captured line that has a label, with it, in a file of the same name.

Run as a job by itself. https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-merge.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def main() -> None:
    captured, labels, output = (
        Path(os.environ[name]) for name in ("dataset_source", "ground_truth_source", "output_path")
    )
    truth = {line["eventMetadata"]["eventId"]: line["groundTruthData"] for line in lines(labels)}
    for path in sorted(captured.rglob("*.jsonl")):
        merged = [
            {"eventVersion": "0", "groundTruthData": truth[named], **line}
            for line in lines(path)
            if (named := identifier(line)) in truth
        ]
        if merged:
            target = output / path.relative_to(captured)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text("".join(json.dumps(line) + "\n" for line in merged))


def identifier(line: dict[str, Any]) -> str:
    """inferenceId where the caller gave one, else eventId."""
    metadata = line["eventMetadata"]
    return str(metadata.get("inferenceId", metadata["eventId"]))


def lines(place: Path) -> Iterator[dict[str, Any]]:
    """Of a file, or of a folder's files in the order of their hours: the later label holds."""
    for path in sorted(place.rglob("*.jsonl")) if place.is_dir() else [place]:
        for line in path.read_text("utf-8").splitlines():
            if line.strip():
                yield json.loads(line)


if __name__ == "__main__":
    main()
