"""A fine-tuned network as ONNX, its weights in eight bits where the answers stay as good.

https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import task
import torch
from failures import DataError
from task import MEASURED_AT_ONCE, Task
from transformer_data import Encoded
from transformer_network import Answers

OPSET = 17
MODEL = "model.onnx"
PACKAGES = ("onnx==1.18.0", "onnxruntime==1.32.0")
POINT = 0.01  # of accuracy, or as a share of the error, that eight bits may cost
CHECKED_ROWS = 2000
INPUTS = ("input_ids", "attention_mask")


def needed(module: str) -> Any:
    """A module of onnxruntime, installed where it is not: AWS's training image lacks it."""
    if importlib.util.find_spec("onnx") is None or importlib.util.find_spec("onnxruntime") is None:
        command = [sys.executable, "-m", "pip", "install", "--quiet", *PACKAGES]
        if subprocess.run(command).returncode:
            raise DataError(f"the export needs {' and '.join(PACKAGES)}, which cannot be installed")
    return importlib.import_module(module)


def export(
    answers: Answers, learned: Task, rows: Encoded, options: argparse.Namespace, folder: Path
) -> dict[str, Any]:
    """Write model.onnx; tells its size, its scores on some rows, and how it is quantised.

    Eight bits that lose more than a point are not kept: the model is then served in float.
    """
    path = folder / MODEL
    write(answers, path)
    checked = rows.part(np.arange(min(len(rows), CHECKED_ROWS)))
    plain = score(path, checked, learned)
    told: dict[str, Any] = {"quantization": "none", "rows": len(checked), "float": plain}
    if options.export == "onnx-int8":
        small = quantise(path)
        told["int8"] = score(small, checked, learned)
        if lost(plain, told["int8"], learned.metric) > POINT:
            small.unlink()
            before, after = (each[learned.metric] for each in (plain, told["int8"]))
            print(
                f"int8 is not kept: {learned.metric} {after:.4g} in place of {before:.4g} on "
                f"{len(checked)} rows"
            )
        else:
            small.replace(path)
            told["quantization"] = "int8"
    told["bytes"] = path.stat().st_size
    kind = "float" if told["quantization"] == "none" else told["quantization"]
    print(f"exported {MODEL}, {told['bytes'] / 1e6:.0f} MB, {kind}", flush=True)
    return told


def write(answers: Answers, path: Path) -> None:
    """The network's graph, for any number of rows and tokens.

    By the exporter that traces: the newer one needs a package that AWS's images lack.
    """
    ids = torch.ones((2, 8), dtype=torch.int64)
    axes = {name: {0: "rows", 1: "tokens"} for name in INPUTS} | {"answers": {0: "rows"}}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            answers.eval(),
            (ids, torch.ones_like(ids)),
            str(path),
            input_names=list(INPUTS),
            output_names=["answers"],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )


def quantise(path: Path) -> Path:
    """A copy with the matrices' weights as int8, each output channel in its own scale."""
    quantization = needed("onnxruntime.quantization")
    small = path.with_name("int8.onnx")
    logging.disable(logging.WARNING)  # it advises on images
    try:
        quantization.quantize_dynamic(
            path, small, weight_type=quantization.QuantType.QInt8, per_channel=True
        )
    finally:
        logging.disable(logging.NOTSET)
    return small


def score(path: Path, rows: Encoded, learned: Task) -> dict[str, float]:
    """Of the exported model, run as it is served."""
    session = needed("onnxruntime").InferenceSession(str(path))
    told, known = [], []
    for places in rows.in_order(MEASURED_AT_ONCE):
        ids, mask, values = rows.batch(places)
        given = dict(zip(INPUTS, (ids.numpy(), mask.numpy()), strict=True))
        told.append(torch.from_numpy(session.run(None, given)[0]))
        known.append(values)
    return task.score(torch.cat(told), torch.cat(known), learned)


def lost(before: dict[str, float], after: dict[str, float], metric: str) -> float:
    """Points of accuracy, or the share by which the error grew."""
    if metric == "accuracy":
        return before[metric] - after[metric]
    return after[metric] / max(before[metric], 1e-9) - 1
