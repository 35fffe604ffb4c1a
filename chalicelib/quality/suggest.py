"""Checks that the data keeps today, suggested as TOML with why: the start of a `[quality]` section.

The rules are those of Deequ's suggestion (suggestions/rules/ in https://github.com/awslabs/deequ),
and two looks of the check query are all they need: how each column is filled and spread, then the
values of those with few, the keys, and the pairs in order.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any

from chalicelib.quality.declared import Check
from chalicelib.quality.kinds import NULL_BIN, NUMERIC
from chalicelib.quality.patterns import PRESETS

if TYPE_CHECKING:
    from chalicelib.schema import Column

FEW = 50  # different values of a category
REPEATED = 10  # rows for each value of a category, at the least
COVERED = 0.9  # of the rows, by the frequent values
NEARLY = 0.95  # unique, or of a pattern
CONFIDENCE = 1.96  # standard errors that a share may fall
MOST_PAIRS = 30
Values = Mapping[str, float | None]


@dataclass(frozen=True)
class Suggestion:
    """A check as pipeline.toml takes it, and why."""

    check: Mapping[str, Any]
    why: str


def first_look(columns: Sequence[Column]) -> list[Check]:
    """How full, how many values, how far: what says which second looks are worth it."""
    return [_check(**each) for column in columns for each in _spread(column)]


def second_look(columns: Sequence[Column], values: Values) -> tuple[list[Check], list[str]]:
    """Checks of keys and pairs to measure, and the columns with few values to count."""
    rows = values["size"] or 0
    keys = [
        _check(check="uniqueness", column=column.name, at_least=0)
        for column in columns
        if _distinct(column, values) >= NEARLY * 0.9 * rows > 0
    ]
    numeric = [column.name for column in columns if column.type in NUMERIC]
    pairs = [
        _check(check="less_than_or_equal", columns=pair, at_least=0)
        for pair in permutations(numeric, 2)
        if _below(pair, values)
    ]
    few = [
        column.name
        for column in columns
        if column.type in ("string", "integer")
        and 0 < _distinct(column, values) <= min(FEW, rows / REPEATED)
    ]
    return [*keys, *pairs[:MOST_PAIRS]], few


def suggest(
    columns: Sequence[Column],
    label: str | None,
    values: Values,
    histograms: Mapping[str, Mapping[str, int]],
) -> list[Suggestion]:
    """What the data keeps, from both looks' values by metric."""
    rows = int(values["size"] or 0)
    if not rows:
        return []
    found = [
        Suggestion(
            {"check": "size", "anomaly": {"strategy": "relative_change", "at_least": 0.1}},
            f"{rows:,} rows now; a much smaller batch is often a broken export",
        )
    ]
    for column in columns:
        found += _full(column, values, rows)
        found += _key(column, values)
        found += _category(column, histograms.get(column.name), rows)
        found += _number(column, values) if column.type in NUMERIC else []
        found += _text(column, values) if column.type == "string" else []
    if label:
        found.append(
            Suggestion(
                {"check": "count_distinct", "column": label, "at_least": 2},
                "one value of the label alone cannot train a model",
            )
        )
    return [*found, *_pairs(columns, values)]


def toml(suggestions: Sequence[Suggestion], measured: str) -> str:
    """A `[quality]` section to paste; `measured` says of what."""
    lines = [f"# Suggested from {measured}. Keep what has to hold, drop what only happened to.", ""]
    lines += ["[quality]", "checks = ["]
    for each in suggestions:
        pairs = ", ".join(f"{key} = {_literal(value)}" for key, value in each.check.items())
        lines += [f"    # {each.why}", f"    {{ {pairs} }},"]
    return "\n".join([*lines, "]", ""])


def _check(**keys: Any) -> Check:
    return Check.model_validate(keys)


def _spread(column: Column) -> Iterator[dict[str, Any]]:
    def of(check: str, **keys: Any) -> dict[str, Any]:
        return {"check": check, "column": column.name, "at_least": 0, **keys}

    yield of("completeness")
    yield of("approx_count_distinct")
    if column.type in NUMERIC:
        yield from (of(check) for check in ("min", "max", "mean"))
    if column.type == "string":
        yield from (of("data_type", type=each) for each in ("integral", "numeric"))
        yield from (of("pattern", pattern=preset) for preset in PRESETS)


def _distinct(column: Column, values: Values) -> float:
    return values.get(f"approx_count_distinct({column.name})") or 0


def _below(pair: tuple[str, str], values: Values) -> bool:
    """Worth a look: the first column ends nowhere above the second."""
    ends = [values.get(f"{end}({name})") for end in ("min", "max") for name in pair]
    if any(each is None for each in ends):
        return False
    low_one, low_two, high_one, high_two = (float(each or 0) for each in ends)
    return low_one <= low_two and high_one <= high_two


def _full(column: Column, values: Values, rows: int) -> Iterator[Suggestion]:
    share = values.get(f"completeness({column.name})") or 0
    if share == 1:
        yield Suggestion({"check": "complete", "column": column.name}, "no value is missing")
    elif share > 0.2:
        yield Suggestion(
            {"check": "completeness", "column": column.name, "at_least": _lower(share, rows),
             "level": "warning"},
            f"{share:.2%} of the values are there; less would be more than chance",
        )  # fmt: skip


def _key(column: Column, values: Values) -> Iterator[Suggestion]:
    share = values.get(f"uniqueness({column.name})") or 0
    check = {"check": "uniqueness", "column": column.name}
    if share == 1:
        yield Suggestion({**check, "at_least": 1}, "every value occurs once, as of a key")
    elif share >= NEARLY:
        yield Suggestion(
            {**check, "at_least": _floor(share), "level": "warning"},
            f"{share:.2%} of the values occur once",
        )


def _category(column: Column, bins: Mapping[str, int] | None, rows: int) -> Iterator[Suggestion]:
    if not bins:
        return
    counts = {value: count for value, count in bins.items() if value != NULL_BIN}
    frequent = sorted(counts, key=lambda value: -counts[value])
    check = {"check": "membership", "column": column.name}
    least = max(2, rows // 1000)
    kept = [value for value in frequent if counts[value] >= least]
    share = sum(counts[value] for value in kept) / max(1, sum(counts.values()))
    if len(kept) == len(frequent):
        values = _typed(column, frequent)
        words = "the only value" if len(values) == 1 else f"{len(values)} values, each often"
        yield Suggestion({**check, "values": values}, words)
    elif kept and share >= COVERED:
        yield Suggestion(
            {**check, "values": _typed(column, kept), "at_least": _lower(share, rows),
             "level": "warning"},
            f"{len(kept)} values make up {share:.2%}; {len(frequent) - len(kept)} more are rare",
        )  # fmt: skip


def _number(column: Column, values: Values) -> Iterator[Suggestion]:
    least, mean = values.get(f"min({column.name})"), values.get(f"mean({column.name})")
    if least is None or mean is None:
        return
    if least >= 0:
        sign = "positive" if least > 0 else "non_negative"
        yield Suggestion({"check": sign, "column": column.name}, f"the least is {least:g}")
    yield Suggestion(
        {"check": "mean", "column": column.name, "anomaly": {"strategy": "batch_normal"},
         "level": "warning"},
        f"the mean is {mean:.4g} now; told when it leaves three standard deviations of its history",
    )  # fmt: skip


def _text(column: Column, values: Values) -> Iterator[Suggestion]:
    for kind in ("integral", "numeric"):
        if values.get(f"data_type({column.name}, {kind})") == 1:
            yield Suggestion(
                {"check": "data_type", "column": column.name, "type": kind},
                f"text, but every value is {kind}",
            )
            return
    for preset in PRESETS:
        share = values.get(f"pattern({column.name}, {preset})") or 0
        if share >= NEARLY:
            yield Suggestion(
                {"check": "pattern", "column": column.name, "pattern": preset,
                 "at_least": _floor(share)},
                f"{share:.2%} of the rows have an {preset} here",
            )  # fmt: skip


def _pairs(columns: Sequence[Column], values: Values) -> Iterator[Suggestion]:
    numeric = [column.name for column in columns if column.type in NUMERIC]
    for one, two in permutations(numeric, 2):
        if values.get(f"less_than_or_equal({one}, {two})") == 1:
            yield Suggestion(
                {"check": "less_than_or_equal", "columns": [one, two]},
                f"{one} is never above {two}",
            )


def _lower(share: float, rows: int) -> float:
    """The lower end of the share's confidence interval, Deequ's RetainCompletenessRule."""
    return _floor(share - CONFIDENCE * math.sqrt(share * (1 - share) / rows))


def _floor(share: float) -> float:
    return max(0.0, math.floor(share * 100) / 100)


def _typed(column: Column, values: Sequence[str]) -> list[str | int]:
    if column.type == "integer":
        return sorted(int(each) for each in values)
    return sorted(values)


def _literal(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_literal(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_literal(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)
