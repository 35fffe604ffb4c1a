"""What a job tells of its failure."""

from __future__ import annotations

from pathlib import Path


class DataError(Exception):
    """The rows cannot be trained on; the words say why."""


def tell(base: Path, words: str) -> None:
    """Write down why the job failed, where SageMaker reads it.

    https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-output.html
    """
    folder = base / "output"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "failure").write_text(words)
