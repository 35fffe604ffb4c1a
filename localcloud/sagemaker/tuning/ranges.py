"""Ranges of hyper-parameters: what they may be, on which scale they are searched.

https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-define-ranges.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from localcloud.sagemaker.errors import validation

MOST = 30  # hyper-parameters of a job
KINDS = ("Continuous", "Integer", "Categorical")
WIDE = 100  # times the lowest value, from which on Auto searches on a logarithmic scale


@dataclass(frozen=True)
class Range:
    """One hyper-parameter. Values are texts, as a request has them and a training job gets them."""

    name: str
    kind: str  # of KINDS
    low: float = 0.0
    high: float = 0.0
    scale: str = "Linear"  # Linear | Logarithmic | ReverseLogarithmic
    values: tuple[str, ...] = ()

    def number(self, text: str) -> Any:
        """A training job's value; ValueError where it is none of this range."""
        if self.kind == "Categorical":
            if text not in self.values:
                raise ValueError(text)
            return text
        value = int(text) if self.kind == "Integer" else float(text)
        if not self.low <= value <= self.high:
            raise ValueError(text)
        return value


def read(config: dict[str, Any]) -> list[Range]:
    """The ranges of a ParameterRanges; ValidationException for those that AWS refuses."""
    found = [
        _range(kind, each) for kind in KINDS for each in config.get(f"{kind}ParameterRanges", [])
    ]
    if config.get("AutoParameters"):
        raise validation("The local SageMaker does not serve ParameterRanges.AutoParameters.")
    names = [each.name for each in found]
    if not names:
        raise validation("At least one hyperparameter range is required in ParameterRanges.")
    if len(names) > MOST:
        raise validation(f"A tuning job can search over {MOST} hyperparameters at most.")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise validation(f"Hyperparameter {twice[0]} has more than one range.")
    return found


def _range(kind: str, given: dict[str, Any]) -> Range:
    name = given["Name"]
    if kind == "Categorical":
        if len(set(given["Values"])) < len(given["Values"]):
            raise validation(f"The values of hyperparameter {name} are not distinct.")
        return Range(name, kind, values=tuple(given["Values"]))
    low, high = (_bound(kind, name, given[member]) for member in ("MinValue", "MaxValue"))
    if low > high:
        raise validation(f"MinValue of hyperparameter {name} is greater than its MaxValue.")
    scale = given.get("ScalingType", "Auto")
    if scale == "Auto":
        scale = "Logarithmic" if low > 0 and high / low >= WIDE else "Linear"
    if scale == "Logarithmic" and low <= 0:
        raise validation(f"Logarithmic scaling of {name} needs values greater than 0.")
    if scale == "ReverseLogarithmic":
        if kind == "Integer":
            raise validation(f"ReverseLogarithmic scaling is for continuous ranges only: {name}.")
        if not 0 <= low <= high < 1:
            raise validation(f"ReverseLogarithmic scaling of {name} needs 0 <= values < 1.")
    return Range(name, kind, low, high, scale)


def _bound(kind: str, name: str, text: str) -> float:
    try:
        return int(text) if kind == "Integer" else float(text)
    except ValueError:
        word = "an integer" if kind == "Integer" else "a number"
        raise validation(f"'{text}' is not {word}: a bound of hyperparameter {name}.") from None
