"""How often the data-quality monitor cries wolf, and how often it sees the wolf.

Baseline and live requests are drawn from one pool of generated reviews, so that by construction
there is no drift; then a drift is planted in the live ones. A request carries no label: of another
mix of stars there is to see what it does to texts and headlines. Both rules judge the same
statistics: ours and Model Monitor's default (Robust L-infinity over 0.1, completeness as the
baseline has it).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks import shares
from benchmarks.rows import Row
from benchmarks.shares import Rules
from cli import reviews

POOL, BASELINE = 60_000, 10_000
TEXT = "review_body"
STARS = "star_rating"  # the label, which rows are drawn by and no monitor of requests sees
INTEGERS = (STARS, "helpful_votes", "total_votes")
COLUMNS = (*INTEGERS, "product_category", "vine", "verified_purchase", "review_headline", TEXT)
MISSING = 0.02  # of the votes, in the baseline and live alike
Plant = Callable[[pa.Table, np.random.Generator], pa.Table]


def false_alarms(sizes: tuple[int, ...], runs: int) -> Iterator[Row]:
    for size in sizes:
        quiet = functools.partial(_rings, _quiet, size)
        yield shares.false_alarms("data quality", size, quiet, runs)


def power(size: int, runs: int) -> Iterator[Row]:
    for name, plant in PLANTS.items():
        yield shares.power("data quality", size, name, functools.partial(_rings, plant, size), runs)


@dataclass(frozen=True)
class Baseline:
    """What a baseline job leaves behind, and the pool's rows that it was not made of."""

    statistics: dict[str, Any]
    ours: dict[str, Any]
    theirs: dict[str, Any]
    vocabulary: dict[str, list[str]]
    reference: pa.Table
    rest: pa.Table


def baseline(rows: pa.Table, seed: int) -> Baseline:
    from checks import constraints
    from profiles import dataset

    order = np.random.default_rng(seed).permutation(rows.num_rows)
    chosen, rest = rows.take(order[:BASELINE]), rows.take(order[BASELINE:])
    chosen = chosen.drop_columns([STARS])
    vocabulary = dataset.learn([chosen], [TEXT])
    described = dataset.gathered([chosen], vocabulary, baseline=True)
    statistics = described.statistics()
    ours, theirs = (
        constraints.suggest(statistics, 0.1, rule)
        for rule in (constraints.SIGNIFICANCE, constraints.ROBUST)
    )
    return Baseline(statistics, ours, theirs, vocabulary, described.sample, rest)


def rings(known: Baseline, live: pa.Table) -> Rules:
    """Whether live rows are a violation, by our rule and by Model Monitor's."""
    from checks import text, violations
    from profiles import dataset

    described = dataset.gathered([live.drop_columns([STARS])], known.vocabulary, baseline=False)
    statistics = described.statistics()
    texts = list(text.compare([TEXT], known.reference, described.sample, 0.1))
    ours, _ = violations.find(statistics, known.statistics, known.ours, texts)
    theirs, _ = violations.find(statistics, known.statistics, known.theirs)
    return bool(ours), bool(theirs)


def _rings(plant: Plant, size: int, runs: int, seed: int) -> list[Rules]:
    known = baseline(pool(), seed)
    random = np.random.default_rng([seed, size])
    draws = (random.choice(known.rest.num_rows, size, replace=False) for _ in range(runs))
    return [rings(known, plant(known.rest.take(draw), random)) for draw in draws]


@functools.cache
def pool(count: int = POOL, *, drifted: bool = False) -> pa.Table:
    """Generated reviews as typed columns, some of the votes missing."""
    found = list(reviews.rows(count, seed=3, drifted=drifted))
    lost = np.random.default_rng(3).random(count) < MISSING
    columns = {
        name: pa.array([int(row[name]) if name in INTEGERS else row[name] for row in found])
        for name in COLUMNS
    }
    votes = columns["helpful_votes"].to_numpy(zero_copy_only=False)
    return pa.table({**columns, "helpful_votes": pa.array(votes, mask=lost)})


def _quiet(live: pa.Table, random: np.random.Generator) -> pa.Table:
    return live


def _star_mix(live: pa.Table, random: np.random.Generator) -> pa.Table:
    """A quarter of the stars are ones, as of the appliances among public reviews."""
    return _resampled(live, STARS, {1: 0.25, 2: 0.09, 3: 0.08, 4: 0.13, 5: 0.45}, random)


def _category_mix(live: pa.Table, random: np.random.Generator) -> pa.Table:
    shares = {"Beauty": 0.45, "Baby": 0.2, "Kitchen": 0.2, "Digital_Software": 0.15}
    return _resampled(live, "product_category", shares, random)


def _text_domain(live: pa.Table, random: np.random.Generator) -> pa.Table:
    """Texts about other goods; every other column stays."""
    strange = pool(5_000, drifted=True)[TEXT]
    return _with(live, TEXT, strange.take(random.choice(len(strange), live.num_rows)))


def _missing_field(live: pa.Table, random: np.random.Generator) -> pa.Table:
    lost = random.random(live.num_rows) < 0.05
    values = live["review_headline"].to_numpy(zero_copy_only=False)
    return _with(live, "review_headline", pa.array(values, mask=lost))


def _type_change(live: pa.Table, random: np.random.Generator) -> pa.Table:
    """A fifth of the counts come as words."""
    texts = live["total_votes"].cast(pa.string()).to_numpy(zero_copy_only=False)
    changed = random.random(live.num_rows) < 0.2
    return _with(live, "total_votes", pa.array(np.where(changed, texts + " votes", texts)))


PLANTS: dict[str, Plant] = {
    "star mix": _star_mix,
    "category mix": _category_mix,
    "text domain": _text_domain,
    "missing field": _missing_field,
    "type change": _type_change,
}


def _with(live: pa.Table, name: str, values: Any) -> pa.Table:
    return live.set_column(live.column_names.index(name), name, values)


def _resampled(
    live: pa.Table, name: str, wanted: dict[Any, float], random: np.random.Generator
) -> pa.Table:
    """Rows drawn again so that a column's values have these shares."""
    values = live[name].to_pylist()
    counts = {value: values.count(value) for value in wanted}
    weights = np.array([wanted[value] / counts[value] for value in values])
    return live.take(random.choice(len(values), len(values), p=weights / weights.sum()))
