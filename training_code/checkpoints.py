"""One checkpoint, written anew after every epoch: what training needs to go on from there.

SageMaker copies /opt/ml/checkpoints to S3 while the job runs, and back before it starts again, so
that an interruption costs at most the epoch under way. It is named for its training, since those
of a search share a folder in S3.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-checkpoints.html
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch


def folder() -> Path:
    return Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")) / "checkpoints"


def fingerprint(*parts: Any) -> str:
    """Of what a training is made of: a checkpoint of another one is not gone on from."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def write(where: Path, of: str, state: dict[str, Any]) -> None:
    """Whole or not at all: it replaces the one before in one step."""
    where.mkdir(parents=True, exist_ok=True)
    # Hidden and outside the name that is read; on the same disk, or the step would be a copy.
    finished = _path(where, of)
    unfinished = finished.with_name(f".{finished.name}")
    torch.save(state, unfinished)
    os.replace(unfinished, finished)


def read(where: Path, of: str) -> dict[str, Any] | None:
    """The checkpoint of the training with this fingerprint; None where there is none."""
    path = _path(where, of)
    if not path.is_file():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def _path(where: Path, of: str) -> Path:
    return where / f"{of}.pt"
