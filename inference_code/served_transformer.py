"""A fine-tuned transformer as it is served: texts in, probabilities or numbers out.

By ONNX Runtime where the model was exported, else by PyTorch. Its files are described in
training_code/saved_transformer.py. It has scikit-learn's methods, so that inference.py asks it as
it asks any model.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

BATCH = 32  # rows at once, of about the same length: little of a batch is padding
Run = Callable[[np.ndarray, np.ndarray], np.ndarray]


def here(model_dir: str) -> bool:
    return (Path(model_dir) / "model.json").is_file()


def load(model_dir: str) -> Transformer:
    """With as many threads as OMP_NUM_THREADS says; without it, one a processor."""
    from tokenizers import Tokenizer

    folder = Path(model_dir)
    model = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    threads = int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1))
    run = _onnx(folder, threads) if (folder / "model.onnx").is_file() else _torch(folder, threads)
    kind = Regressor if model["problem"] == "regression" else Classifier
    return kind(model, Tokenizer.from_file(str(folder / "tokenizer.json")), run)


class Transformer:
    """Rows are (n, text columns) of str."""

    def __init__(self, model: dict[str, Any], tokenizer: Any, run: Run) -> None:
        self.separator = model["separator"]
        self._tokenizer, self._run = tokenizer, run

    def answers(self, rows: np.ndarray) -> np.ndarray:
        """(n, labels) probabilities, or (n, 1) numbers."""
        texts = [self.separator.join(part for part in row if part) for row in rows]
        lengths = [len(text) for text in texts]
        order = np.argsort(lengths, kind="stable")
        parts = [order[first : first + BATCH] for first in range(0, len(order), BATCH)]
        told = np.concatenate([self._batch([texts[place] for place in part]) for part in parts])
        return told[np.argsort(order)]

    def _batch(self, texts: list[str]) -> np.ndarray:
        """The tokenizer cuts, and pads to the longest."""
        encoded = self._tokenizer.encode_batch(texts)
        ids = np.array([each.ids for each in encoded], dtype=np.int64)
        mask = np.array([each.attention_mask for each in encoded], dtype=np.int64)
        return self._run(ids, mask)

    def words(self, text: str) -> list[tuple[int, int]]:
        """The words of a text that the model reads: their first and their last character."""
        encoded = self._tokenizer.encode(text)
        spans: dict[int, tuple[int, int]] = {}
        for word, (first, last) in zip(encoded.word_ids, encoded.offsets, strict=True):
            if word is not None:
                spans[word] = (spans.get(word, (first, last))[0], last)
        return list(spans.values())


class Classifier(Transformer):
    def __init__(self, model: dict[str, Any], tokenizer: Any, run: Run) -> None:
        super().__init__(model, tokenizer, run)
        self.classes_ = model["labels"]

    def predict_proba(self, rows: np.ndarray) -> np.ndarray:
        return self.answers(rows)


class Regressor(Transformer):
    def predict(self, rows: np.ndarray) -> np.ndarray:
        return self.answers(rows)[:, 0]


def _onnx(folder: Path, threads: int) -> Run:
    """By the installed runtime, else by the one that came with the model."""
    sys.path.append(str(folder / "code" / "packages"))
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)

    def run(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        return session.run(["answers"], {"input_ids": ids, "attention_mask": mask})[0]

    return run


def _torch(folder: Path, threads: int) -> Run:
    """On the GPU where there is one. The encoder, the mean of its vectors, the linear layer."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModel, logging

    logging.set_verbosity_error()
    torch.set_num_threads(threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    encoder = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    encoder.to(device).eval()
    head = load_file(folder / "head.safetensors", device=str(device))
    regression = json.loads((folder / "model.json").read_text())["problem"] == "regression"

    def run(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        there = torch.from_numpy(mask).to(device)
        with torch.inference_mode():
            hidden = encoder(torch.from_numpy(ids).to(device), there).last_hidden_state
            weights = there.unsqueeze(-1).float()
            mean = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)
            told = mean @ head["head.weight"].T + head["head.bias"]
            told = told * head["scale"] + head["mean"] if regression else told.softmax(-1)
        return told.cpu().numpy()

    return run
