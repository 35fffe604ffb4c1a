"""When a training job is not worth its time: the median rule.

https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-early-stopping.html
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median


def hopeless(
    values: Sequence[float], earlier: Sequence[Sequence[float]], *, maximise: bool
) -> bool:
    """Whether the last of a job's objective values, one an epoch, is worse than the median of the
    running averages that earlier jobs had at the same epoch. Without any there is no telling."""
    epoch = len(values)
    averages = [fmean(each[:epoch]) for each in earlier if len(each) >= epoch > 0]
    if not averages:
        return False
    usual = median(averages)
    return values[-1] < usual if maximise else values[-1] > usual
