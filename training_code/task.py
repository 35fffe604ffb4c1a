"""What a transformer learns, and how well it does it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from failures import DataError
from torch import nn
from transformer_data import Encoded

MEASURED_AT_ONCE = 64


@dataclass(frozen=True)
class Task:
    """What is learned: labels as texts, in order; none for a regression."""

    problem: str
    labels: list[str]
    mean: float = 0.0
    scale: float = 1.0

    @property
    def metric(self) -> str:
        return "rmse" if self.problem == "regression" else "accuracy"

    def best(self, values: list[float]) -> int:
        """The place of the first of the best values."""
        pick = min if self.problem == "regression" else max
        return values.index(pick(values))

    def known(self, values: np.ndarray) -> np.ndarray:
        """Numbers as they are; labels by their place, an unseen one by -1."""
        if self.problem == "regression":
            return values.astype(np.float32)
        places = {label: place for place, label in enumerate(self.labels)}
        return np.array([places.get(value, -1) for value in values], dtype=np.int64)


def of(problem: str, known: np.ndarray) -> Task:
    """From the training split's labels."""
    if problem == "regression":
        return Task(problem, [], float(known.mean()), float(known.std()) or 1.0)
    found = sorted(set(known))
    if len(found) < 2:
        raise DataError("the training split has one label only")
    return Task(problem, found)


@torch.no_grad()
def ask(
    network: nn.Module, rows: Encoded, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Answers (n, outputs) and what is known (n,), in one order."""
    network.eval()
    told, known = [], []
    for places in rows.in_order(MEASURED_AT_ONCE):
        ids, mask, values = rows.batch(places)
        told.append(network(ids.to(device), mask.to(device)).float().cpu())
        known.append(values)
    return torch.cat(told), torch.cat(known)


def score(answers: torch.Tensor, known: torch.Tensor, task: Task) -> dict[str, float]:
    if task.problem == "regression":
        return {"rmse": float(((answers.squeeze(-1) - known) ** 2).mean().sqrt())}
    return {"accuracy": float((answers.argmax(-1) == known).float().mean())}
