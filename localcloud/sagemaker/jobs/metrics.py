"""Values that a training job's regular expressions find in its log.

https://docs.aws.amazon.com/sagemaker/latest/dg/define-train-metrics.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from localcloud import ministack_adapter as cloud
from localcloud.sagemaker.errors import validation
from localcloud.sagemaker.jobs.lifecycle import Job
from localcloud.sagemaker.store import now

NAMESPACE = "/aws/sagemaker/TrainingJobs"
Definitions = list[dict[str, str]]
Hear = Callable[[str, float], None]


def check(defined: Definitions) -> None:
    """ValidationException for what is not a regular expression."""
    for each in defined:
        try:
            re.compile(each["Regex"])
        except re.error as error:
            raise validation(f"The regex of {each['Name']} is invalid: {error}") from None


class Metrics:
    """The last value of each metric goes to FinalMetricDataList, every value to CloudWatch and to
    `hear`, where somebody listens."""

    def __init__(self, job: Job, defined: Definitions, hear: Hear | None = None) -> None:
        self._job, self._hear = job, hear
        self._final: dict[str, dict[str, Any]] = {}
        self._patterns = [(each["Name"], re.compile(each["Regex"])) for each in defined]

    def read(self, line: str) -> None:
        """Take what one line of the log says."""
        for name, pattern in self._patterns:
            for found in pattern.finditer(line):
                value = _number(found)
                if value is not None:
                    self._take(name, value)

    def _take(self, name: str, value: float) -> None:
        self._final[name] = {"MetricName": name, "Value": value, "Timestamp": now()}
        self._job.update(FinalMetricDataList=list(self._final.values()))
        if self._hear:
            self._hear(name, value)
        cloud.put_metric(NAMESPACE, name, value, {"TrainingJobName": self._job.name})


def _number(found: re.Match[str]) -> float | None:
    """What the first group caught, where it is a finite number."""
    try:
        value = float(found[1])
    except (ValueError, TypeError, IndexError):
        return None
    return value if math.isfinite(value) else None
