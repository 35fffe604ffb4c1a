"""The rows of a channel, and their labels."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from failures import DataError


def read(folder: Path) -> pd.DataFrame:
    """Every Parquet file of a channel."""
    files = sorted(folder.rglob("*.parquet"))
    if not files:
        raise DataError(f"the channel {folder.name} has no Parquet file")
    return pd.concat([pd.read_parquet(path) for path in files], ignore_index=True)


def labels(rows: pd.DataFrame, options: argparse.Namespace) -> np.ndarray:
    """Classes are texts, as the API answers them."""
    if options.problem == "regression":
        return rows[options.label].to_numpy(dtype=float)
    return rows[options.label].astype(str).to_numpy(dtype=object)
