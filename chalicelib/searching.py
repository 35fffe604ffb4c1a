"""The settings of the search for hyper-parameters, as SageMaker takes them.

https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-define-ranges.html
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from chalicelib.section import Section

Value = str | int | float | bool


class Range(Section):
    """What one hyper-parameter may be: a number within bounds, or one of some values."""

    name: Annotated[str, Field(min_length=1, max_length=256)]
    type: Literal["continuous", "integer", "categorical"]
    min: float | None = None
    max: float | None = None
    scale: Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"] = "Auto"
    values: Annotated[tuple[Value, ...], Field(max_length=30)] = ()

    @model_validator(mode="after")
    def _is_whole(self) -> Range:
        if self.type == "categorical":
            if not self.values or self.min is not None or self.max is not None:
                raise ValueError("a categorical range has values, and no min and max")
        elif self.min is None or self.max is None or self.values:
            raise ValueError(f"a range of type {self.type} has min and max, and no values")
        elif self.min > self.max:
            raise ValueError("min is greater than max")
        elif self.type == "integer" and not (self.min.is_integer() and self.max.is_integer()):
            raise ValueError("min and max of an integer range are whole numbers")
        elif self.scale == "Logarithmic" and self.min <= 0:
            raise ValueError("a logarithmic scale needs values greater than 0")
        elif self.scale == "ReverseLogarithmic" and (
            self.type == "integer" or self.min < 0 or self.max >= 1
        ):
            raise ValueError("a reverse logarithmic scale needs continuous values, 0 <= x < 1")
        return self


class Tuning(Section):
    """`max_jobs` training jobs, each with other hyper-parameters; with 0 there is one, as set."""

    max_jobs: Annotated[int, Field(ge=0, le=100)] = 0
    max_parallel: Annotated[int, Field(ge=1, le=10)] = 2
    strategy: Literal["Bayesian", "Random", "Grid"] = "Bayesian"
    early_stopping: bool = False
    warm_start: Literal["none", "IdenticalDataAndAlgorithm", "TransferLearning"] = "none"
    parents: Annotated[int, Field(ge=1, le=5)] = 1
    ranges: Annotated[tuple[Range, ...], Field(max_length=30)] = ()

    @model_validator(mode="after")
    def _can_search(self) -> Tuning:
        if not self.max_jobs:
            return self
        names = [each.name for each in self.ranges]
        if not names:
            raise ValueError("ranges must say what is searched")
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"ranges has {twice[0]} twice")
        if self.max_parallel > self.max_jobs:
            raise ValueError("max_parallel is greater than max_jobs")
        if self.strategy == "Grid":
            if others := [each.name for each in self.ranges if each.type != "categorical"]:
                raise ValueError(f"a grid takes categorical ranges only, not {others[0]}")
            count = math.prod(len(each.values) for each in self.ranges)
            if self.max_jobs != count:
                raise ValueError(f"max_jobs of this grid is {count}, one for each combination")
        return self
