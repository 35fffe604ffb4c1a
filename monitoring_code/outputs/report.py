"""The report's files, and the job's status as SageMaker reads it.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-contract-outputs.html
https://docs.aws.amazon.com/sagemaker/latest/dg/byoc-metadata.html
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inputs import preprocessing
from inputs.contract import ANALYZE, Job
from inputs.jsonlines import Rejects

MESSAGE_BYTES = 1024  # of the exit message that SageMaker keeps


def write(folder: Path, name: str, content: Any) -> None:
    """JSON that every reader takes: NaN and infinities as the words that AWS writes."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        text = json.dumps(content, allow_nan=False)
    except ValueError:
        text = json.dumps(_plain(content))
    (folder / name).write_text(text + "\n", encoding="utf-8")


def count(folder: Path, rows: int) -> None:
    """How many records were judged, where Clarify's documents do not say."""
    write(folder, "statistics.json", {"version": 0.0, "dataset": {"item_count": rows}})


def message(base: Path, words: str, rejects: Rejects | None = None) -> None:
    """The exit message: what DescribeProcessingJob returns as ExitMessage; what was not read."""
    words += f" Not read: {rejects}." if rejects and rejects.counts else ""
    path = base / "output" / "message"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(words.encode()[:MESSAGE_BYTES].decode(errors="ignore").encode())
    print(words)


def completed(base: Path, violations: int, rejects: Rejects) -> None:
    """Completed or CompletedWithViolations, in the words of AWS's own container."""
    if violations:
        words = f"CompletedWithViolations: Job completed successfully with {violations} violations."
    else:
        words = "Completed: Job completed successfully with no violations."
    message(base, words, rejects)


@contextmanager
def running(job: Job) -> Iterator[None]:
    """A job's work: failed, and why, where it ends with an error; at its end the user's script.

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-pre-and-post-processing.html
    """
    try:
        job.check()
        yield
        if job.mode == ANALYZE and job.postprocessor is not None:
            preprocessing.handler(job.postprocessor, "postprocess_handler")()
    except Exception as error:
        message(job.base, f"Failed: {type(error).__name__}: {error}")
        raise


def _plain(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _plain(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_plain(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return "NaN" if math.isnan(content) else ("Infinity" if content > 0 else "-Infinity")
    return content
