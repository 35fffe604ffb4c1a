"""The `[quality]` section of pipeline.toml."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from chalicelib.quality import predicates
from chalicelib.quality.kinds import KEYS, KINDS
from chalicelib.quality.patterns import PRESETS
from chalicelib.section import ColumnName, Section, Share

Literals = tuple[str | int | float, ...]


class Reference(Section):
    """The column of another table that a foreign key points at."""

    table: Annotated[str, Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)?$")]
    column: ColumnName


class Anomaly(Section):
    """How far a metric may go from its history. The parameters are those of Deequ's strategies.

    `at_least` and `at_most` bound a change: the new value as a multiple of the old one, or the
    difference. Deviations bound the normal strategies: so many standard deviations off the mean.
    """

    strategy: Literal[
        "relative_change", "absolute_change", "batch_normal", "online_normal", "seasonal"
    ]
    at_least: float | None = None
    at_most: float | None = None
    order: Annotated[int, Field(ge=1)] = 1
    lower_deviations: Annotated[float, Field(ge=0)] | None = 3.0
    upper_deviations: Annotated[float, Field(ge=0)] | None = 3.0
    ignore_start: Share = 0.1
    period: Annotated[int, Field(ge=2, le=60)] | None = None
    min_history: Annotated[int, Field(ge=1, le=100)] = 3

    @model_validator(mode="after")
    def _is_whole(self) -> Anomaly:
        changes = self.strategy.endswith("_change")
        if changes != (self.at_least is not None or self.at_most is not None):
            raise ValueError(
                f"{self.strategy} {'needs' if changes else 'takes no'} at_least or at_most"
            )
        if self.lower_deviations is None and self.upper_deviations is None:
            raise ValueError("one of lower_deviations and upper_deviations is needed")
        if (self.strategy == "seasonal") != (self.period is not None):
            raise ValueError(f"{self.strategy} {'takes no' if self.period else 'needs a'} period")
        return self


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
    anomaly: Anomaly | None = None
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
        bounds = {"at_least", "at_most", "anomaly"}
        if kind and kind.at_least is not None and not bounds & given.keys():
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
        if self.at_least is None and self.at_most is None and self.anomaly is None:
            raise ValueError(f"{self.check} needs at_least, at_most or anomaly")
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


class Bias(Section):
    """Two facets of the data compared: those with `values`, or `above` a number, and the rest.

    `positive_values` or `positive_above` say which labels are the wished-for outcome; `group` is
    the column within whose values CDDL compares. `limits` bound a metric's distance from zero.
    """

    facet: ColumnName
    values: Literals = ()
    above: float | None = None
    positive_values: Literals = ()
    positive_above: float | None = None
    group: ColumnName | None = None
    limits: dict[Literal["CI", "DPL", "KL", "JS", "LP", "TVD", "KS", "CDDL"], float] = Field(
        default_factory=dict
    )
    level: Literal["error", "warning"] = "warning"
    hint: str = ""

    @model_validator(mode="after")
    def _is_whole(self) -> Bias:
        if bool(self.values) == (self.above is not None):
            raise ValueError("bias needs either values or above")
        if bool(self.positive_values) == (self.positive_above is not None):
            raise ValueError("bias needs either positive_values or positive_above")
        if "CDDL" in self.limits and not self.group:
            raise ValueError("a limit of CDDL needs group")
        return self

    @property
    def subject(self) -> str:
        """The facet in words."""
        if self.above is not None:
            return f"{self.facet} above {self.above:g}"
        return f"{self.facet} = {' or '.join(str(each) for each in self.values)}"


class Quality(Section):
    checks: tuple[Check, ...] = ()
    bias: tuple[Bias, ...] = ()
    max_rejects: Share = 0.05
