"""Do the declared checks fit the dataset: columns there, types that can be measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chalicelib.quality import predicates
from chalicelib.quality.kinds import KINDS, NUMERIC

if TYPE_CHECKING:
    from chalicelib.quality.declared import Bias, Check, Literals, Quality
    from chalicelib.schema import Column, Dataset

PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
}


def problems(quality: Quality, dataset: Dataset, label: str | None = None) -> list[str]:
    """What of the section does not fit the dataset, each named by its key."""
    columns = {column.name: column for column in dataset.columns}
    of_checks = [
        f"quality.checks[{index}].{told}"
        for index, check in enumerate(quality.checks)
        for told in _of_check(check, columns)
    ]
    of_bias = [
        f"quality.bias[{index}].{told}"
        for index, bias in enumerate(quality.bias)
        for told in _of_bias(bias, columns, columns.get(label or ""))
    ]
    return of_checks + of_bias


def _of_bias(bias: Bias, columns: dict[str, Column], label: Column | None) -> Iterator[str]:
    for key in ("facet", "group"):
        if (name := getattr(bias, key)) and name not in columns:
            yield f"{key}: {name} is not a column of the dataset"
    if facet := columns.get(bias.facet):
        yield from _wrong_values("values", bias.values, facet)
        if bias.above is not None and facet.type not in NUMERIC:
            yield f"above: {facet.name} is {facet.type}, not a number"
    if label is None:
        yield "facet: the dataset has no label to compare the facets by"
        return
    yield from _wrong_values("positive_values", bias.positive_values, label)
    if bias.positive_above is not None and label.type not in NUMERIC:
        yield f"positive_above: {label.name} is {label.type}, not a number"


def _of_check(check: Check, columns: dict[str, Column]) -> Iterator[str]:
    key = "column" if check.column else "columns"
    used = [(key, name) for name in check.reads]
    for part in ("predicate", "where"):
        if condition := getattr(check, part):
            used += [(part, name) for name in sorted(predicates.columns(condition))]
    if strange := [(where, name) for where, name in used if name not in columns]:
        yield from (f"{where}: {name} is not a column of the dataset" for where, name in strange)
        return
    read = [columns[name] for name in check.reads]
    yield from (f"{key}: {told}" for told in _wrong_types(check, read))
    if check.values and read:
        yield from _wrong_values("values", check.values, read[0])


def _wrong_types(check: Check, read: list[Column]) -> Iterator[str]:
    kind = KINDS[check.check]
    for column in read:
        if column.type not in kind.types:
            wanted = " or ".join(sorted(kind.types))
            yield f"{column.name} is {column.type}; {check.check} needs {wanted}"
    if kind.comparable and len({_comparable(column.type) for column in read}) > 1:
        yield " and ".join(f"{c.name} ({c.type})" for c in read) + " cannot be compared"


def _comparable(kind: str) -> str:
    return "number" if kind == "integer" else kind


def _wrong_values(key: str, values: Literals, column: Column) -> Iterator[str]:
    fitting = PYTHON_TYPES.get(column.type, ())
    for value in values:
        if not isinstance(value, fitting):
            yield f"{key}: {value!r} does not fit {column.name}, which is {column.type}"
