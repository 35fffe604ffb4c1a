"""All that an evaluation found of one model, as its card tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Findings:
    """`classes`, `confusion` and `calibration` are empty for a regression."""

    label: str
    rows: int
    reads: list[str]
    metrics: dict[str, dict[str, float]]
    slices: list[dict[str, Any]]
    explanations: dict[str, Any]
    model: dict[str, Any]  # its metadata.json
    prepared: dict[str, Any]  # prepare.json
    comparison: dict[str, dict[str, Any]] = field(default_factory=dict)
    not_compared: str = ""  # why the model in service was not
    bias: dict[str, Any] = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)
    confusion: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    calibration: list[dict[str, Any]] = field(default_factory=list)
    most_common: float = 0.0  # share of the most common label
