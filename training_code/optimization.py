"""How the network learns: its learning rates, their course, the loss, the precision.

Devlin et al., "BERT", 2019 (AdamW, warm-up, linear decay); Sun et al., "How to Fine-Tune BERT for
Text Classification?", 2019 (a lower learning rate in lower layers).
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from torch import nn
from transformer_network import Network

LEARNING_RATE = 1e-4


def optimizer(network: Network, options: argparse.Namespace) -> torch.optim.AdamW:
    """Lower layers learn slower, the new one faster; biases and norms do not decay."""
    base = options.learning_rate or LEARNING_RATE
    layers = network.encoder.config.num_hidden_layers
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        factor = options.head_rate
        if name.startswith("encoder."):
            factor = options.layer_decay ** (layers - depth(name))
        decay = options.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((base * factor, decay), []).append(parameter)
    return torch.optim.AdamW(
        [{"params": p, "lr": lr, "weight_decay": decay} for (lr, decay), p in groups.items()]
    )


def depth(name: str) -> int:
    """Of a parameter of the encoder: 0 for the embeddings, then its layer, counted from 1."""
    parts = name.split(".")
    return next((int(part) + 1 for part in parts if part.isdigit()), 0)


def rate(step: int, steps: int, warmup: float) -> float:
    """The share of the learning rate: up in the warm-up, then down to nothing."""
    first = max(1, round(steps * warmup))
    if step < first:
        return (step + 1) / first
    return max(0.0, (steps - step) / max(1, steps - first))


def precision(asked: str, device: torch.device) -> torch.dtype:
    """auto: bf16 where the GPU has it, fp16 on an older one, fp32 on a CPU."""
    if asked != "auto":
        return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[asked]
    if device.type != "cuda":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


class SquaredError(nn.Module):
    """Of (n, 1) answers, in the label's own deviations."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, answers: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        return (((answers.squeeze(-1) - known) / self.scale) ** 2).mean()


def cross_entropy(known: np.ndarray, options: argparse.Namespace) -> nn.Module:
    """Rare labels weigh more where the settings say so, and the sampling does not see to it."""
    weights = None
    if options.class_weight == "balanced" and options.sampling == "all":
        counts = np.bincount(known)
        weights = torch.tensor(len(known) / (len(counts) * counts), dtype=torch.float32)
    return nn.CrossEntropyLoss(weights, label_smoothing=options.label_smoothing)
