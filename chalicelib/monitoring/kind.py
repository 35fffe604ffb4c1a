"""One kind of look: what it judges, by which job, and how it reads what the job found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from chalicelib.monitoring.material import Asked, Material

if TYPE_CHECKING:
    from chalicelib.settings import Settings

# What a job reads beside captured traffic and the baseline.
Need = Literal["labels", "config", "model", "history"]
Violation = dict[str, Any]


def _no_variables(settings: Settings) -> dict[str, str]:
    return {}


@dataclass(frozen=True)
class Kind:
    """`unfit` says why a pipeline cannot be judged so, "" where it can."""

    name: str  # in records, prefixes, job names and the alarm's metric
    program: str  # in monitoring_code/
    metrics: str  # their namespace, below aws/sagemaker/Endpoints/
    gather: Callable[[Asked], Material]
    unfit: Callable[[Settings], str]
    violation: Callable[[Mapping[str, Any]], Violation]
    needs: tuple[Need, ...] = ()
    variables: Callable[[Settings], Mapping[str, str]] = _no_variables
