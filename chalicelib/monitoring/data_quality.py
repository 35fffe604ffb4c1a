"""Do the inputs of live traffic look like those that the model learned from?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chalicelib.monitoring import material
from chalicelib.monitoring.kind import Kind

DISTANCE = re.compile(
    r"distance: ([0-9.eE+-]+) exceeds threshold: ([0-9.eE+-]+?)(?:[^0-9eE+.-]|\.?$)"
)
NAMES = ("feature_name", "constraint_check_type", "description")


def violation(found: Mapping[str, Any]) -> dict[str, Any]:
    """With the numbers of its description as numbers."""
    numbers = DISTANCE.search(str(found["description"]))
    far = {"distance": float(numbers[1]), "threshold": float(numbers[2])} if numbers else {}
    return {**{name: found[name] for name in NAMES}, **far}


KIND = Kind(
    name="data-quality",
    program="data_quality.py",
    metrics="data-metrics",
    gather=material.traffic_by_day,
    unfit=lambda settings: "",
    violation=violation,
    needs=("history",),
)
