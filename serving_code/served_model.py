"""A model.tar.gz made ready to answer: a linear model by its scorer, a transformer by ONNX Runtime.

Only the files that answer are unpacked, and only until the model is in memory.
"""

from __future__ import annotations

import json
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import lean_linear
import linear_scorer
from records import Records, rows_of

Predict = Callable[[Records], list[dict[str, Any]]]
FILES = {
    "metadata.json",
    *("linear.json", "linear.f32"),
    *("model.json", "model.onnx", "tokenizer.json"),
}


class NotServableError(Exception):
    """The model is neither linear nor a transformer in ONNX."""


def load(archive: IO[bytes]) -> Predict:
    """What answers the records of a request."""
    with tempfile.TemporaryDirectory() as folder:
        _unpack(archive, Path(folder))
        if (Path(folder) / "model.onnx").is_file():
            return _transformer(folder)
        scorer = linear_scorer.load(folder)
        if scorer is None:
            raise NotServableError("the archive holds neither linear.json nor model.onnx")
        return _linear(scorer, json.loads((Path(folder) / "metadata.json").read_text("utf-8")))


def _unpack(archive: IO[bytes], folder: Path) -> None:
    with tarfile.open(fileobj=archive, mode="r|gz") as stream:
        for member in stream:
            name = member.name.removeprefix("./")
            content = stream.extractfile(member) if name in FILES else None
            if content is not None:
                with (folder / name).open("wb") as file:
                    shutil.copyfileobj(content, file)


def _linear(scorer: linear_scorer.LinearScorer, metadata: dict[str, Any]) -> Predict:
    return lambda records: [
        lean_linear.answer(scorer, row, records.explain) for row in rows_of(records, metadata)
    ]


def _transformer(folder: str) -> Predict:
    """By the code of the endpoint."""
    import inference

    model = inference.model_fn(folder)
    return lambda records: inference.predict_fn(records, model)
