"""How often the monitors of predictions cry wolf, and how often they see the wolf.

Truth, answers and attributions are drawn from one law for the baseline and live alike, so that
without a planted drift there is none. Beside our rule, AWS's: of model quality and bias any worse
value is a violation, of attributions an nDCG under 0.9.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks import shares
from benchmarks.rows import Row
from benchmarks.shares import Rules

HELD_OUT, EXPLAINED = 2_000, 200  # rows of a new model's baseline, as the loop has them
STARS, MIX = np.arange(1, 6), (0.1, 0.06, 0.09, 0.16, 0.59)
RIGHT = 0.65  # of the answers
BIAS = {
    "label": "star_rating",
    "label_values_or_threshold": [4, 5],
    "facet": [{"name_or_index": "verified_purchase"}],
}
WEIGHTS = np.array([1.0, 0.7, 0.5, 0.3, 0.2, 0.1])  # of a linear model, for one label
Random = np.random.Generator


def answered(count: int, random: Random) -> pa.Table:
    """Labelled records: the truth, what the model said, a facet."""
    truth = random.choice(STARS, count, p=MIX)
    said = np.where(random.random(count) < RIGHT, truth, random.choice(STARS, count, p=MIX))
    bought = random.choice(["Y", "N"], count, p=[0.85, 0.15])
    return pa.table(
        {
            "ground_truth": pa.array(truth).cast(pa.string()),
            "label": pa.array(said).cast(pa.string()),
            "verified_purchase": bought,
        }
    )


def label_noise(live: pa.Table, random: Random) -> pa.Table:
    """Two fifths of the true labels are drawn at random."""
    truth = live["ground_truth"].to_numpy(zero_copy_only=False)
    drawn = random.choice(STARS, len(truth)).astype(str)
    noisy = pa.array(np.where(random.random(len(truth)) < 0.4, drawn, truth))
    return live.set_column(0, "ground_truth", noisy)


def worse_off(live: pa.Table, random: Random) -> pa.Table:
    """Half of one group's answers are the worst."""
    said, bought = (live[name].to_numpy(zero_copy_only=False) for name in live.column_names[1:])
    struck = (bought == "N") & (random.random(len(said)) < 0.5)
    return live.set_column(1, "label", pa.array(np.where(struck, "1", said)))


def broken_sender(live: np.ndarray, random: Random) -> np.ndarray:
    """The feature that decides most is always the same."""
    return live * np.array([0.0, *np.ones(live.shape[1] - 1)])


def metrics(answers: pa.Table) -> dict[str, Any]:
    """Model quality's statistics, as far as they are judged."""
    from checks import model_metrics

    truth, said = (
        answers[name].to_numpy(zero_copy_only=False) for name in ("ground_truth", "label")
    )
    outcome = model_metrics.classified(model_metrics.MULTICLASS, truth, said)
    return {"count": len(truth), "metrics": model_metrics.described(outcome)}


def quality(known: dict[str, Any], live: dict[str, Any]) -> Rules:
    from checks import model_constraints, model_metrics

    problem, fewer = model_metrics.MULTICLASS, known["count"] / live["count"]
    before, now = known["metrics"], live["metrics"]
    ours, theirs = (model_constraints.suggest(problem, before, test=test) for test in (True, False))
    found = (model_constraints.find(problem, now, each, before, fewer) for each in (ours, theirs))
    return rang(found)


def groups(answers: pa.Table) -> dict[str, Any]:
    import bias

    return bias.analysis(answers, BIAS, "label")


def equality(known: dict[str, Any], live: dict[str, Any]) -> Rules:
    import bias
    from checks import bias_constraints

    return rang(
        bias_constraints.find(live, bias.suggest(known, test=test)) for test in (True, False)
    )


def values(attributed: np.ndarray) -> np.ndarray:
    return attributed


def ranking(known: np.ndarray, live: np.ndarray) -> Rules:
    from checks import attributions, significance

    before, now = ({"l": dict(enumerate(side.mean(axis=0).tolist()))} for side in (known, live))
    ours = {"significance_constraints": significance.rule()}
    return rang(
        attributions.find(now, before, rule, len(live), {"l": known}) for rule in (ours, {})
    )


def rang(found: Iterable[tuple[Sequence[Any], Any]]) -> Rules:
    """Of violations by our rule, and by AWS's."""
    ours, theirs = (bool(violations) for violations, _ in found)
    return ours, theirs


def explained(count: int, random: Random) -> np.ndarray:
    """[record, feature]: absolute attributions of a linear model, of the records that are asked."""
    return np.abs(random.standard_t(5, (min(count, EXPLAINED), len(WEIGHTS)))) * WEIGHTS


@dataclass(frozen=True)
class Monitor:
    draw: Callable[[int, Random], Any]
    baseline: int  # how many are drawn for it
    measure: Callable[[Any], Any]
    judge: Callable[[Any, Any], Rules]
    drift: str
    plant: Callable[[Any, Random], Any]


MONITORS = {
    "model quality": Monitor(answered, HELD_OUT, metrics, quality, "label noise", label_noise),
    "bias": Monitor(answered, HELD_OUT, groups, equality, "one group worse off", worse_off),
    "attribution": Monitor(
        explained, EXPLAINED, values, ranking, "a feature broken at its sender", broken_sender
    ),
}


def false_alarms(sizes: tuple[int, ...], runs: int) -> Iterator[Row]:
    for name in MONITORS:
        for size in sizes:
            quiet = functools.partial(rings, name, size, False)
            yield shares.false_alarms(name, size, quiet, runs)


def power(size: int, runs: int) -> Iterator[Row]:
    for name, monitor in MONITORS.items():
        planted = functools.partial(rings, name, size, True)
        yield shares.power(name, size, monitor.drift, planted, runs)


def rings(name: str, size: int, planted: bool, runs: int, seed: int) -> list[Rules]:
    """What each of the runs was, against one baseline."""
    monitor, random = MONITORS[name], np.random.default_rng([seed, size])
    known = monitor.measure(monitor.draw(monitor.baseline, random))
    drawn = (monitor.draw(size, random) for _ in range(runs))
    lives = (monitor.plant(each, random) if planted else each for each in drawn)
    return [monitor.judge(known, monitor.measure(each)) for each in lives]
