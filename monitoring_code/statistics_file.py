"""statistics.json as Model Monitor writes it.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-statistics.html
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import sketch
from records import Columns

BUCKETS = 100  # of a categorical distribution


def describe(columns: Columns, skip: list[str]) -> dict[str, Any]:
    """Every column's statistics; free text (`skip`) without its values."""
    count = max((len(values) for values in columns.values()), default=0)
    features = [feature(name, values, name in skip) for name, values in columns.items()]
    return {"version": 0.0, "dataset": {"item_count": count}, "features": features}


def feature(name: str, values: list[Any], free_text: bool) -> dict[str, Any]:
    present = [value for value in values if value is not None and value != ""]
    common = {"num_present": len(present), "num_missing": len(values) - len(present)}
    kind = inferred_type(present)
    if kind in ("Integral", "Fractional"):
        numbers = [float(value) for value in present]
        return {
            "name": name,
            "inferred_type": kind,
            "numerical_statistics": {"common": common, **sketch.numerical(numbers)},
        }
    counts = Counter(str(value) for value in present)
    strings: dict[str, Any] = {"common": common, "distinct_count": float(len(counts))}
    if not free_text:
        listed = counts.most_common(BUCKETS)
        buckets = [{"value": value, "count": number} for value, number in listed]
        strings["distribution"] = {"categorical": {"buckets": buckets}}
    return {"name": name, "inferred_type": kind, "string_statistics": strings}


def inferred_type(present: list[Any]) -> str:
    """The type that most values have."""
    if not present:
        return "Unknown"
    kinds = Counter(_type(value) for value in present)
    if kinds.keys() == {"Integral", "Fractional"}:
        return "Fractional"
    return kinds.most_common(1)[0][0] if kinds["String"] * 2 < len(present) else "String"


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "String"
    if isinstance(value, int):
        return "Integral"
    return "Fractional" if isinstance(value, float) else "String"
