"""What a fine-tuned transformer leaves in model.tar.gz, for inference.py and for Lambda.

tokenizer.json  cuts at max_length and pads to the longest of a batch: `Tokenizer.from_file` is all
model.json      {"version": 1, "problem", "labels", "inputs", "separator", "max_length",
                "quantization": "int8" | "none"}: a record's `inputs` that are not empty, joined by
                the separator, are the text; labels are those of the columns of the answers
model.onnx      where the hyperparameter export asks for it: int64 `input_ids` and `attention_mask`
                (n, tokens) to float32 `answers`: (n, labels) probabilities, or for a regression
                (n, 1) numbers
config.json model.safetensors head.safetensors   otherwise: the encoder as Hugging Face stores it
metadata.json   what the training tells of the model, as every model here does
code/           the inference code, where AWS's images look for it, and packages/: ONNX Runtime
"""

from __future__ import annotations

import argparse
import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx_export
import task
import tokenizers
import torch
import transformer_data
import transformer_network
import transformers
from fine_tuning import Fitted

VERSION = 1
SEEN_ROWS = 2000  # of the training split, measured at the end


def save(fitted: Fitted, options: argparse.Namespace) -> None:
    """Score the best epoch, say it, and write the files."""
    folder = options.model_dir
    folder.mkdir(parents=True, exist_ok=True)
    network = fitted.network.cpu().eval()
    told = _scores(fitted)
    by = transformer_data.tokenizer(options.pretrained, options.max_length)
    by.enable_padding(pad_id=fitted.train.pad)
    by.save(str(folder / "tokenizer.json"))
    exported: dict[str, Any] = {}
    if options.export == "none":
        transformer_network.save(network, folder)
    else:
        answers = transformer_network.Answers(network, options.problem)
        exported = onnx_export.export(answers, fitted.task, fitted.validation, options, folder)
    model = {
        "version": VERSION,
        "problem": options.problem,
        "labels": fitted.task.labels,
        "inputs": fitted.read.text,
        "separator": transformer_data.SEPARATOR,
        "max_length": options.max_length,
        "quantization": exported.get("quantization", "none"),
    }
    (folder / "model.json").write_text(json.dumps(model, indent=2))
    metadata = _metadata(fitted, options) | told | ({"onnx": exported} if exported else {})
    (folder / "metadata.json").write_text(json.dumps(metadata, indent=2))
    _add_code(options.inference, folder / "code", exported)


def _scores(fitted: Fitted) -> dict[str, Any]:
    """Of the network that is kept, on both splits."""
    train = fitted.train.part(np.arange(min(len(fitted.train), SEEN_ROWS)))
    device = torch.device("cpu")
    sides = {
        name: task.score(*task.ask(fitted.network, rows, device), fitted.task)
        for name, rows in (("train", train), ("validation", fitted.validation))
    }
    for name, value in sides["train"].items():
        print(f"train_{name}={value:.6g}; validation_{name}={sides['validation'][name]:.6g};")
    return {"scores": sides}


def _metadata(fitted: Fitted, options: argparse.Namespace) -> dict[str, Any]:
    return {
        "model": "transformer",
        "problem": options.problem,
        "label": options.label,
        "text": fitted.read.text,
        "numeric": [],
        "categorical": [],
        "inputs": options.inputs or fitted.read.all,
        "classes": fitted.task.labels,
        "training_rows": len(fitted.train),
        "learning_curve": fitted.history,
        "background": [],
        "versions": {
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "tokenizers": tokenizers.__version__,
        },
    }


def _add_code(channel: Path | None, folder: Path, exported: dict[str, Any]) -> None:
    """AWS's Hugging Face image serves model/code/inference.py.

    ONNX Runtime comes along: the images lack it, and a job without network cannot fetch it.
    https://github.com/aws/sagemaker-huggingface-inference-toolkit
    """
    if channel is None:
        return
    with tarfile.open(channel / "inference.tar.gz") as tar:
        tar.extractall(folder, filter="data")
    if exported:
        runtime = Path(onnx_export.needed("onnxruntime").__file__).parent
        there = folder / "packages" / "onnxruntime"
        shutil.copytree(runtime / "capi", there / "capi", ignore=shutil.ignore_patterns("*.pyc"))
        for path in filter(Path.is_file, runtime.iterdir()):  # its licence among them
            shutil.copy(path, there)
