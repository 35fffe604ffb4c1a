"""In what share of many seeded runs a rule rings, ours and Model Monitor's, on all cores."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from benchmarks.rows import Bar, Row
from cli import project

sys.path.insert(0, str(project.root() / "monitoring_code"))

BASELINES = 10  # live draws are spread over as many
Rules = tuple[bool, bool]  # did ours ring, did Model Monitor's
Rings = Callable[[int, int], list[Rules]]


def false_alarms(monitor: str, size: int, rings: Rings, runs: int) -> Row:
    """Share of runs with any violation though nothing drifted."""
    ours, theirs = shares(rings, runs)
    return Row(f"{monitor}: false alarms at {size} rows", ours, "of runs", Bar("at most", 0.01),
               "AWS's default rule", theirs)  # fmt: skip


def power(monitor: str, size: int, drift: str, rings: Rings, runs: int) -> Row:
    """Share of runs with a violation where a drift was planted."""
    ours, theirs = shares(rings, runs)
    return Row(f"{monitor}: power at {size} rows: {drift}", ours, "of runs", Bar("at least", 0.95),
               "AWS's default rule", theirs)  # fmt: skip


def shares(rings: Rings, runs: int) -> tuple[float, float]:
    """`rings`: (runs, seed of the baseline) -> what each run of these was."""
    work = functools.partial(rings, -(-runs // BASELINES))
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        found = [pair for group in pool.map(work, range(BASELINES)) for pair in group]
    ours, theirs = np.mean(found[:runs], axis=0)
    return float(ours), float(theirs)
