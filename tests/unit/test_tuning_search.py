"""What a tuning job tries next, which ranges it takes, and when it stops a training job early."""

from __future__ import annotations

import math
from typing import Any

import pytest

from localcloud.sagemaker.errors import ApiError
from localcloud.sagemaker.tuning import ranges, search
from localcloud.sagemaker.tuning.early_stopping import hopeless
from localcloud.sagemaker.tuning.ranges import Range


def numbers(low: str, high: str, scale: str = "Auto", name: str = "x") -> dict[str, str]:
    return {"Name": name, "MinValue": low, "MaxValue": high, "ScalingType": scale}


def words(*values: str, name: str = "w") -> dict[str, Any]:
    return {"Name": name, "Values": list(values)}


@pytest.mark.parametrize(
    ("given", "scale"),
    [
        (numbers("0.1", "1"), "Linear"),
        (numbers("0.01", "1"), "Logarithmic"),
        (numbers("0", "1000"), "Linear"),
        (numbers("0.1", "1", "Logarithmic"), "Logarithmic"),
        (numbers("0.9", "0.999", "ReverseLogarithmic"), "ReverseLogarithmic"),
        (numbers("0.01", "1", "Linear"), "Linear"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value.values()),
)
def test_the_scale_of_a_range(given: dict[str, str], scale: str) -> None:
    (found,) = ranges.read({"ContinuousParameterRanges": [given]})
    assert found.scale == scale


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({}, "At least one hyperparameter range"),
        ({"ContinuousParameterRanges": [numbers("2", "1")]}, "greater than its MaxValue"),
        ({"ContinuousParameterRanges": [numbers("low", "1")]}, "'low' is not a number"),
        ({"IntegerParameterRanges": [numbers("1.5", "2")]}, "'1.5' is not an integer"),
        ({"ContinuousParameterRanges": [numbers("0", "1", "Logarithmic")]}, "greater than 0"),
        ({"ContinuousParameterRanges": [numbers("0", "1", "ReverseLogarithmic")]}, "values < 1"),
        ({"IntegerParameterRanges": [numbers("0", "1", "ReverseLogarithmic")]}, "continuous"),
        ({"CategoricalParameterRanges": [words("a", "a")]}, "not distinct"),
        (
            {"ContinuousParameterRanges": [numbers("0", "1")],
             "CategoricalParameterRanges": [words("a", name="x")]},
            "x has more than one range",
        ),
        ({"CategoricalParameterRanges": [words("a", name=str(i)) for i in range(31)]}, "30"),
    ],
    ids=["none", "upside down", "no number", "no integer", "log of 0", "reverse to 1",
         "reverse integer", "twice a value", "twice a name", "too many"],
)  # fmt: skip
def test_ranges_that_are_refused(config: dict[str, Any], told: str) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-define-ranges.html"""
    with pytest.raises(ApiError) as refused:
        ranges.read(config)
    assert refused.value.code == "ValidationException"
    assert told in refused.value.message


SPACE = [
    Range("rate", "Continuous", 0.0001, 1.0, "Logarithmic"),
    Range("momentum", "Continuous", 0.5, 0.999, "ReverseLogarithmic"),
    Range("depth", "Integer", 2, 9),
    Range("kind", "Categorical", values=("a", "b")),
]


def tried(strategy: str, count: int, seed: int | None = 1, known: Any = ()) -> list[Any]:
    """The values of so many trials; the best rate is 0.01, the best kind b."""
    made = search.of(strategy, SPACE, maximise=False, budget=count, seed=seed)
    for values, objective in known:
        made.know(values, objective)
    found = []
    for _ in range(count):
        asked = made.ask()
        assert asked
        token, values = asked
        made.tell(token, loss(values))
        found.append(values)
    return found


def loss(values: dict[str, str]) -> float:
    far = abs(math.log10(float(values["rate"])) + 2)
    return far + (1.0 if values["kind"] == "a" else 0.0)


@pytest.mark.parametrize("strategy", ["Random", "Bayesian"])
def test_values_lie_in_their_ranges_and_are_texts(strategy: str) -> None:
    for values in tried(strategy, 30):
        assert all(isinstance(value, str) for value in values.values())
        assert 0.0001 <= float(values["rate"]) <= 1
        assert 0.5 <= float(values["momentum"]) <= 0.999
        assert 2 <= int(values["depth"]) <= 9
        assert values["kind"] in ("a", "b")


@pytest.mark.parametrize("strategy", ["Random", "Bayesian"])
def test_a_seed_gives_the_same_trials(strategy: str) -> None:
    assert tried(strategy, 8, seed=5) == tried(strategy, 8, seed=5)
    assert tried(strategy, 8, seed=5) != tried(strategy, 8, seed=6)


def test_a_bayesian_search_comes_nearer_than_chance() -> None:
    def later(strategy: str, seed: int) -> float:
        return sum(loss(values) for values in tried(strategy, 40, seed)[20:])

    seeds = range(5)
    assert sum(later("Bayesian", s) for s in seeds) < 0.6 * sum(later("Random", s) for s in seeds)


def test_what_others_have_tried_guides_the_first_trials() -> None:
    spread = [10 ** -(n / 10) for n in range(40)]
    common = {"momentum": "0.9", "depth": "3"}
    known = [
        (values, loss(values))
        for rate in spread
        for values in ({**common, "rate": str(rate), "kind": kind} for kind in ("a", "b"))
    ]
    outside = [({**common, "rate": "5.0", "kind": "b"}, -9.0), ({"rate": "0.5"}, -9.0)]
    warm = tried("Bayesian", 10, known=[*known, *outside])
    cold = tried("Random", 10)
    assert sum(map(loss, warm)) < 0.5 * sum(map(loss, cold))


def test_a_trial_that_failed_teaches_nothing_and_stops_nothing() -> None:
    made = search.of("Bayesian", SPACE, maximise=True, budget=4, seed=1)
    for _ in range(4):
        asked = made.ask()
        assert asked
        made.tell(asked[0], None)
    assert made.ask()


def test_a_grid_is_every_combination_once() -> None:
    space = [Range("a", "Categorical", values=("1", "2")), Range("b", "Categorical", values=("x",))]
    made = search.of("Grid", space, maximise=True, budget=2, seed=None)
    assert made.ask() == (None, {"a": "1", "b": "x"})
    made.tell(None, 0.5)
    assert made.ask() == (None, {"a": "2", "b": "x"})
    assert made.ask() is None


@pytest.mark.parametrize(
    ("values", "earlier", "maximise", "stops"),
    [
        ([], [[0.9]], True, False),
        ([0.1], [], True, False),
        ([0.1], [[]], True, False),
        ([0.1], [[0.5]], True, True),
        ([0.1], [[0.5]], False, False),
        ([0.9], [[0.5]], False, True),
        ([0.5], [[0.5]], True, False),
        ([0.4], [[0.3], [0.35], [0.9]], True, False),
        ([0.5, 0.5], [[0.2, 0.6]], True, False),
        ([0.5, 0.39], [[0.2, 0.6]], True, True),
        ([0.5, 0.1], [[0.9]], True, False),
        ([0.5, 0.45], [[0.2, 0.4, 0.99]], True, False),
    ],
    ids=["no value", "nobody before", "nobody with values", "worse", "better when less is more",
         "worse when less is more", "as good", "above the median", "above the running average",
         "below the running average", "no other so far", "later epochs do not count"],
)  # fmt: skip
def test_the_median_rule(
    values: list[float], earlier: list[list[float]], maximise: bool, stops: bool
) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-early-stopping.html"""
    assert hopeless(values, earlier, maximise=maximise) is stops
