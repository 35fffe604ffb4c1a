"""A file's column names held against the dataset's."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.reading.refusals import RefusedError

if TYPE_CHECKING:
    from chalicelib.schema import Dataset

DELIMITERS = ("\t", ",", ";", "|")


@dataclass(frozen=True)
class Header:
    """The columns of a file, in its order, and where each of the dataset's lies (or None)."""

    names: tuple[str, ...]
    places: tuple[int | None, ...]
    extra: tuple[int, ...]

    @property
    def in_order(self) -> bool:
        """The file has the dataset's columns first, in the dataset's order."""
        return self.places == tuple(range(len(self.places)))

    @property
    def extras(self) -> list[str]:
        return [self.names[at] for at in self.extra]


def of_line(name: str, line: str, dataset: Dataset) -> Header:
    """From the first line of delimited text."""
    if "\r" in line:
        raise RefusedError(
            "wrong_header",
            f"{name}: its lines end with a carriage return alone. Wanted: a line feed, after a "
            "carriage return or without one. Save it so.",
        )
    found = split(line, dataset.delimiter, dataset.quote)
    wanted = [column.name for column in dataset.columns]
    if not set(found) & set(wanted):
        raise _no_header(name, line, dataset)
    return of_names(name, found, dataset)


def of_names(name: str, found: Sequence[str], dataset: Dataset) -> Header:
    """A required column must be there; others may lack; more are let be."""
    if twice := sorted({each for each in found if found.count(each) > 1 and each}):
        raise RefusedError("repeated_column", f"{name} has the column {', '.join(twice)} twice.")
    missing = [column.name for column in dataset.columns if column.name not in found]
    required = [each for each in missing if dataset.column(each).required]
    if required:
        wanted = ", ".join(column.name for column in dataset.columns)
        raise RefusedError(
            "missing_column",
            f"{name} lacks {', '.join(required)}. Wanted: {wanted}. "
            f"Found: {', '.join(found)[:300]}.",
        )
    places = tuple(
        found.index(column.name) if column.name in found else None for column in dataset.columns
    )
    extra = tuple(at for at in range(len(found)) if at not in places)
    return Header(tuple(each or f"column_{at}" for at, each in enumerate(found, 1)), places, extra)


def notes(header: Header, dataset: Dataset) -> list[str]:
    """What is unlike the dataset, and accepted all the same."""
    told = []
    if header.extra:
        told.append(f"extra columns, not read: {', '.join(header.extras)}")
    lacking = zip(dataset.columns, header.places, strict=True)
    if missing := [column.name for column, place in lacking if place is None]:
        told.append(f"optional columns that are not in the file: {', '.join(missing)}")
    present = [place for place in header.places if place is not None]
    if present != sorted(present):
        told.append("the columns come in another order: read by name")
    return told


def split(line: str, delimiter: str, quote: str) -> list[str]:
    if quote:
        names = next(csv.reader([line], delimiter=delimiter, quotechar=quote), [])
    else:
        names = line.split(delimiter)
    return [each.strip().lower() for each in names]


def _no_header(name: str, line: str, dataset: Dataset) -> RefusedError:
    wanted = [column.name for column in dataset.columns]
    told = _word(dataset.delimiter)
    for other in DELIMITERS:
        if len(set(split(line, other, dataset.quote)) & set(wanted)) >= 2:
            return RefusedError(
                "wrong_delimiter",
                f"{name} is separated by {_word(other)}; the dataset {dataset.name} by {told} "
                "(delimiter in pipeline.toml). Write it so, or change the setting.",
            )
    return RefusedError(
        "wrong_header",
        f"{name}: line 1 is not the header. Wanted: {len(wanted)} columns separated by {told}, "
        f"beginning with {', '.join(wanted[:3])}; found: {line[:200]!r}.",
    )


def _word(delimiter: str) -> str:
    return {"\t": "tab"}.get(delimiter, repr(delimiter))
