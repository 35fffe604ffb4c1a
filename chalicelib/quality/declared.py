"""The `[quality]` section of pipeline.toml: checks, and whether they fit the dataset."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from chalicelib.quality import predicates
from chalicelib.quality.kinds import KEYS, KINDS
from chalicelib.quality.patterns import PRESETS
from chalicelib.section import ColumnName, Section, Share

if TYPE_CHECKING:
    from chalicelib.schema import Column, Dataset

Literals = tuple[str | int | float, ...]
PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
}


class Reference(Section):
    """The column of another table that a foreign key points at."""

    table: Annotated[str, Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)?$")]
    column: ColumnName


class Check(Section):
    """One declared check: a metric of the new rows and the bounds it must keep."""

    check: str
    column: str | None = None
    columns: tuple[str, ...] = ()
    values: Literals = ()
    value: str | int | float | None = None
    predicate: str | None = None
    pattern: str | None = None
    quantile: Annotated[float, Field(gt=0, lt=1)] | None = None
    type: Literal["integral", "fractional", "numeric", "boolean", "string"] | None = None
    references: Reference | None = None
    where: str | None = None
    level: Literal["error", "warning"] = "error"
    at_least: float | None = None
    at_most: float | None = None
    hint: str = ""

    @field_validator("check")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in KINDS:
            raise ValueError(f"there is no check {name!r}; there are: {', '.join(sorted(KINDS))}")
        return name

    @field_validator("predicate", "where")
    @classmethod
    def _reads_as_sql(cls, condition: str) -> str:
        predicates.columns(condition)
        return condition

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(PRESETS.get(pattern, pattern))
        except re.error as error:
            raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
        return pattern

    @model_validator(mode="before")
    @classmethod
    def _bounds_of_its_kind(cls, given: Any) -> Any:
        """`complete` and its like say their bound by their name."""
        kind = KINDS.get(str(given.get("check"))) if isinstance(given, dict) else None
        if kind and kind.at_least is not None and not {"at_least", "at_most"} & given.keys():
            return {**given, "at_least": kind.at_least}
        return given

    @model_validator(mode="after")
    def _is_whole(self) -> Check:
        kind = KINDS[self.check]
        for key in KEYS:
            if getattr(self, key) in (None, ()) and key in kind.needs:
                raise ValueError(f"{self.check} needs {key}")
            if getattr(self, key) not in (None, ()) and key not in (*kind.needs, *kind.takes):
                raise ValueError(f"{self.check} takes no {key}")
        if "columns" in kind.takes and bool(self.column) == bool(self.columns):
            raise ValueError(f"{self.check} needs either column or columns")
        if kind.pair and len(self.columns) != 2:
            raise ValueError(f"{self.check} needs two columns")
        if self.at_least is None and self.at_most is None:
            raise ValueError(f"{self.check} needs at_least or at_most")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least:g} is above at_most {self.at_most:g}")
        return self

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns it measures."""
        return (self.column,) if self.column else self.columns

    @property
    def metric(self) -> str:
        """What is measured, whatever the bounds: the name of its history."""
        parts = [*self.reads, *[str(each) for each in self.values]]
        parts += [str(getattr(self, key)) for key in ("value", "predicate", "pattern", "quantile",
                  "type") if getattr(self, key) is not None]  # fmt: skip
        if self.references:
            parts.append(f"{self.references.table}.{self.references.column}")
        named = f"{self.check}({', '.join(parts)})" if parts else self.check
        return f"{named} where {self.where}" if self.where else named


class Quality(Section):
    checks: tuple[Check, ...] = ()
    max_rejects: Share = 0.05


def problems(quality: Quality, dataset: Dataset) -> list[str]:
    """What of the section does not fit the dataset, each named by its key."""
    columns = {column.name: column for column in dataset.columns}
    return [
        f"quality.checks[{index}].{told}"
        for index, check in enumerate(quality.checks)
        for told in _problems(check, columns)
    ]


def _problems(check: Check, columns: dict[str, Column]) -> Iterator[str]:
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
        yield from _wrong_values(check.values, read[0])


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


def _wrong_values(values: Literals, column: Column) -> Iterator[str]:
    fitting = PYTHON_TYPES.get(column.type, ())
    for value in values:
        if not isinstance(value, fitting):
            yield f"values: {value!r} does not fit {column.name}, which is {column.type}"
