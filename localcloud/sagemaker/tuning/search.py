"""Which hyper-parameters to try next: at random, by what was learned, or every combination.

`Bayesian` is optuna's tree-structured Parzen estimator. AWS does not say which surrogate it uses.
https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-how-it-works.html
https://optuna.readthedocs.io/en/stable/reference/samplers/generated/optuna.samplers.TPESampler.html
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Protocol

from localcloud.sagemaker.tuning.ranges import Range

Values = dict[str, str]
MOST_BY_CHANCE = 10  # trials of a Bayesian search before it learns; a third of a small budget


class Search(Protocol):
    """`ask` gives the next values with a token, `tell` what came of them."""

    def ask(self) -> tuple[Any, Values] | None: ...

    def tell(self, token: Any, objective: float | None) -> None: ...

    def know(self, values: Values, objective: float) -> None: ...


def of(
    strategy: str, ranges: Sequence[Range], *, maximise: bool, budget: int, seed: int | None
) -> Search:
    """The search of a strategy for so many trials."""
    if strategy == "Grid":
        return Grid(ranges)
    return Sampled(strategy, ranges, maximise=maximise, budget=budget, seed=seed)


class Grid:
    """Every combination of categorical values, once."""

    def __init__(self, ranges: Sequence[Range]) -> None:
        names = [each.name for each in ranges]
        combined = itertools.product(*(each.values for each in ranges))
        self._left = iter([dict(zip(names, values, strict=True)) for values in combined])

    def ask(self) -> tuple[Any, Values] | None:
        values = next(self._left, None)
        return None if values is None else (None, values)

    def tell(self, token: Any, objective: float | None) -> None:
        """Nothing is learned from."""

    def know(self, values: Values, objective: float) -> None:
        """Nothing is learned from."""


class Sampled:
    """Random or Bayesian, by optuna; trials under way count as bad ones until they are told."""

    def __init__(
        self,
        strategy: str,
        ranges: Sequence[Range],
        *,
        maximise: bool,
        budget: int,
        seed: int | None,
    ) -> None:
        import optuna  # 40 MB of memory, which a cloud that tunes nothing does without

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._optuna, self._ranges = optuna, ranges
        self._distributions = {each.name: self._distribution(each) for each in ranges}
        sampler = (
            optuna.samplers.RandomSampler(seed=seed)
            if strategy == "Random"
            else optuna.samplers.TPESampler(
                seed=seed,
                constant_liar=True,
                n_startup_trials=min(MOST_BY_CHANCE, max(2, budget // 3)),
            )
        )
        self._study = optuna.create_study(
            sampler=sampler, direction="maximize" if maximise else "minimize"
        )

    def ask(self) -> tuple[Any, Values] | None:
        trial = self._study.ask(self._distributions)
        return trial, {each.name: _told(each, trial.params[each.name]) for each in self._ranges}

    def tell(self, token: Any, objective: float | None) -> None:
        state = self._optuna.trial.TrialState
        if objective is None:
            self._study.tell(token, state=state.FAIL)
        else:
            self._study.tell(token, objective)

    def know(self, values: Values, objective: float) -> None:
        """A trial of another tuning job; one that lies outside the ranges teaches nothing."""
        try:
            known = {each.name: _searched(each, values[each.name]) for each in self._ranges}
        except (KeyError, ValueError):
            return
        trial = self._optuna.trial.create_trial(
            params=known, distributions=self._distributions, value=objective
        )
        self._study.add_trial(trial)

    def _distribution(self, given: Range) -> Any:
        kinds = self._optuna.distributions
        if given.kind == "Categorical":
            return kinds.CategoricalDistribution(given.values)
        if given.kind == "Integer":
            log = given.scale == "Logarithmic"
            return kinds.IntDistribution(int(given.low), int(given.high), log=log)
        if given.scale == "ReverseLogarithmic":
            return kinds.FloatDistribution(1 - given.high, 1 - given.low, log=True)
        return kinds.FloatDistribution(given.low, given.high, log=given.scale == "Logarithmic")


def _told(given: Range, searched: Any) -> str:
    """A searched value as the training job gets it: a reverse scale is searched from 1 down."""
    if given.scale == "ReverseLogarithmic":
        return str(min(given.high, max(given.low, 1 - searched)))
    return str(searched)


def _searched(given: Range, text: str) -> Any:
    value = given.number(text)
    if given.scale == "ReverseLogarithmic":
        return min(1 - given.low, max(1 - given.high, 1 - value))
    return value
