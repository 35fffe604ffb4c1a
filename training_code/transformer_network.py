"""The network: a pretrained encoder, the mean of its token vectors, one linear layer.

The mean over the tokens is what sentence encoders such as MiniLM were trained for; BERT and
DistilBERT take it as well as their first token. Reimers and Gurevych, "Sentence-BERT", 2019.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from failures import DataError
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel
from transformers.utils import logging

ENCODERS = ("bert", "distilbert")
NEEDED = ("config.json", "tokenizer.json", "model.safetensors")
HEAD = "head.safetensors"
logging.disable_progress_bar()
logging.set_verbosity_error()


class Network(nn.Module):
    """(n, tokens) ids and mask to (n, labels) logits, or for a regression to (n, 1) numbers.

    `mean` and `scale` are the regression's: it learns numbers of mean 0 and deviation 1.
    """

    def __init__(self, encoder: nn.Module, outputs: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(encoder.config.hidden_size, outputs)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask)[0]
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)
        return self.head(self.dropout(pooled)) * self.scale + self.mean


class Answers(nn.Module):
    """The network as it is served: (n, labels) probabilities, or (n, 1) predictions."""

    def __init__(self, network: Network, problem: str) -> None:
        super().__init__()
        self.network, self.problem = network, problem

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        told = self.network(input_ids, attention_mask)
        return told if self.problem == "regression" else told.softmax(-1)


def pretrained(folder: Path | None, outputs: int, dropout: float) -> Network:
    """An encoder of the channel `pretrained`, with a new head."""
    check(folder)
    return Network(_encoder(folder), outputs, dropout)


def check(folder: Path | None) -> None:
    """DataError that says what to put where."""
    lacking = [name for name in NEEDED if folder is None or not (folder / name).is_file()]
    if lacking:
        raise DataError(
            f"the channel pretrained lacks {', '.join(lacking)}: put an encoder of the kinds "
            f"{', '.join(ENCODERS)} in Hugging Face's format there by "
            "`driftloop pretrained upload DIR` (or `minilm`), and name it in training.pretrained"
        )
    assert folder is not None
    kind = AutoConfig.from_pretrained(folder, local_files_only=True).model_type
    if kind not in ENCODERS:
        raise DataError(f"the channel pretrained holds a {kind}; known are {', '.join(ENCODERS)}")


def digest(folder: Path) -> str:
    """Of the pretrained weights."""
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def save(network: Network, folder: Path) -> None:
    """The encoder in Hugging Face's format, and the head beside it."""
    network.encoder.config.save_pretrained(folder)
    weights = {name: value.contiguous() for name, value in network.encoder.state_dict().items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    head = {
        name: value
        for name, value in network.state_dict().items()
        if not name.startswith("encoder.")
    }
    save_file({name: value.contiguous() for name, value in head.items()}, folder / HEAD)


def _encoder(folder: Path | None) -> nn.Module:
    """Without BERT's pooler, which nothing here reads."""
    encoder = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    if hasattr(encoder, "pooler"):
        encoder.pooler = None
    return encoder
