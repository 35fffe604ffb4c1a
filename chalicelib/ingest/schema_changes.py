"""How the files of a run differ from those before: columns added, removed or retyped.

Names and types are what intake saw in each file, so that a bad file is no longer there once it is
gone: the catalog's table over all files that ever came would keep its types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from chalicelib.reading import column_types

if TYPE_CHECKING:
    from chalicelib.schema import Dataset

# What a declared type may be read from; of the others any text may hold the values.
READABLE = {
    "integer": {"bigint", "int", "smallint", "tinyint"},
    "number": {"double", "float", "decimal", "bigint", "int", "smallint", "tinyint"},
    "boolean": {"boolean"},
}
Columns = Mapping[str, str]


class SchemaStopError(Exception):
    """The files changed, and the dataset's schema_change is `stop`."""


@dataclass(frozen=True)
class Change:
    """One column that is not as before; `before` and `now` are types, empty where there is none."""

    kind: Literal["added", "removed", "retyped"]
    column: str
    before: str = ""
    now: str = ""

    @property
    def words(self) -> str:
        if self.kind == "retyped":
            return f"column {self.column}: {self.before} before, {self.now} now"
        return f"column {self.kind}: {self.column}"

    @property
    def document(self) -> dict[str, str]:
        return asdict(self)


def declared(dataset: Dataset) -> dict[str, str]:
    """The columns before the first run: those of pipeline.toml."""
    return {column.name: column.type for column in dataset.columns}


def seen(arrivals: Sequence[Mapping[str, Any]], before: Columns) -> dict[str, str]:
    """Every column that a file of the run has, with its type; one without values has the type it
    had `before`."""
    told = column_types.merged(arrival["types"] for arrival in arrivals)
    names = dict.fromkeys(str(name) for arrival in arrivals for name in arrival["columns"])
    return {name: told.get(name) or before.get(name, "string") for name in names}


def compare(
    dataset: Dataset, before: Columns, now: Columns, arrivals: Sequence[Mapping[str, Any]]
) -> list[Change]:
    """Changes in the order of the columns. A column that one file lacks is removed."""
    names = [set(map(str, arrival["columns"])) for arrival in arrivals]
    changes = [Change("added", name, "", now[name]) for name in now if name not in before]
    for name, kind in before.items():
        if not all(name in each for each in names):
            changes.append(Change("removed", name, kind))
        elif _retyped(dataset, name, kind, now[name]):
            changes.append(Change("retyped", name, kind, now[name]))
    return changes


def _retyped(dataset: Dataset, name: str, before: str, now: str) -> bool:
    """A declared type judges by what it can be read from; text and dates may look like anything."""
    column = next((each for each in dataset.columns if each.name == name), None)
    if column is None:
        return before != now
    readable = READABLE.get(column.type)
    return before != now and readable is not None and now not in readable
