"""`[dataset]` and `[[datasets]]` of pipeline.toml: what the files of a dataset hold."""

from __future__ import annotations

import codecs
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from chalicelib.section import ColumnName, Section

DatasetName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,38}$")]
# Columns that we add: to the rows as text, to rejected rows, to folders.
RESERVED = {"row_number", "row_fault", "reject_column", "reject_value", "reject_reason",
            "arrival", "run"}  # fmt: skip


class Column(Section):
    """A required column is in every file and empty in no row."""

    name: ColumnName
    type: Literal["string", "integer", "number", "boolean", "date"]
    required: bool = False
    values: tuple[str | int | float, ...] = ()
    formats: Annotated[tuple[str, ...], Field(min_length=1)] = ("%Y-%m-%d",)


class Dataset(Section):
    """One kind of rows. The files may be csv, tsv, json lines or Parquet, plain, gzip or zstd."""

    name: DatasetName
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    quote: Annotated[str, Field(max_length=1)] = '"'
    encoding: str = "utf-8"
    max_mb: Annotated[int, Field(gt=0, le=5000)] = 2048
    max_ratio: Annotated[int, Field(gt=1)] = 200
    schema_change: Literal["allow", "warn", "stop"] = "warn"
    partition_by: str | None = None
    sort_by: tuple[str, ...] = ()
    columns: Annotated[tuple[Column, ...], Field(min_length=2)]

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    @field_validator("encoding")
    @classmethod
    def _encoding_is_known(cls, name: str) -> str:
        try:
            "".encode(name)  # LookupError also where it is no encoding of text
            return codecs.lookup(name).name
        except LookupError:
            raise ValueError(f"{name!r} is not an encoding of text that Python knows") from None

    @model_validator(mode="after")
    def _columns_are_known(self) -> Dataset:
        names = [column.name for column in self.columns]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"columns has {', '.join(twice)} twice")
        if taken := sorted(RESERVED & set(names)):
            raise ValueError(f"columns has {', '.join(taken)}, which the loop adds itself")
        if strange := sorted(set(self.sort_by) - set(names)):
            raise ValueError(f"sort_by names {', '.join(strange)}, which is not a column")
        if self.partition_by is not None:
            self._partition_is_fit(names)
        return self

    def _partition_is_fit(self, names: list[str]) -> None:
        if self.partition_by not in names:
            raise ValueError(f"partition_by is {self.partition_by!r}, which is not a column")
        partition = self.column(self.partition_by)
        if partition.type != "string" or not partition.required:
            raise ValueError(
                f"the column {partition.name} of partition_by must be a required string"
            )


class TrainingDataset(Dataset):
    """The dataset that the model learns from."""

    label: str

    @model_validator(mode="after")
    def _label_is_a_column(self) -> TrainingDataset:
        if self.label not in [column.name for column in self.columns]:
            raise ValueError(f"label is {self.label!r}, which is not a column")
        return self
