"""A file's first rows, measured without a cloud: for suggestions before anything is deployed."""

from __future__ import annotations

import itertools
import re
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from chalicelib.quality.kinds import NULL_BIN
from chalicelib.quality.patterns import DATA_TYPES, PRESETS
from chalicelib.reading import inspection, rows

if TYPE_CHECKING:
    from chalicelib.quality.declared import Check
    from chalicelib.schema import Column, Dataset

MOST_ROWS = 200_000
PIECE = 1 << 20
Table = Mapping[str, Sequence[Any]]
Metric = Callable[["Check", Table], float]


def read(path: Path, dataset: Dataset) -> Table:
    """The first rows by column: None where a value is missing or does not cast.

    RefusedError where intake would refuse the file.
    """
    with path.open("rb") as file, tempfile.TemporaryFile() as sink:
        pieces = iter(lambda: file.read(PIECE), b"")
        found = inspection.inspect(path.name, path.stat().st_size, pieces, dataset, sink)
        if not found.is_text:
            raise ValueError(f"{path.name} is Parquet, which this library does not read")
        sink.seek(0)
        columns = _of_text(sink, found.parts)
    return {
        column.name: list(map(_cast(column), columns[column.name]))
        for column in dataset.columns
        if column.name in columns
    }


def values(checks: Iterable[Check], table: Table) -> dict[str, float | None]:
    """What `query.statement` would measure of these rows."""
    found: dict[str, float | None] = {"size": float(len(next(iter(table.values()), ())))}
    for check in checks:
        if all(name in table for name in check.reads):
            found[check.metric] = METRICS[check.check](check, table)
    return found


def histogram(column: Sequence[Any]) -> dict[str, int]:
    return dict(Counter(NULL_BIN if value is None else str(value) for value in column))


def _of_text(sink: IO[bytes], parts: Sequence[int]) -> dict[str, Sequence[str]]:
    """Columns of the rows as intake wrote them."""
    lines = (line for size in parts for line in _lines(sink.read(size)))
    names = next(lines)
    found = itertools.islice((line for line in lines if line != names), MOST_ROWS)
    return dict(zip(names, zip(*found, strict=True), strict=True))


def _lines(packed: bytes) -> Iterator[list[str]]:
    end = rows.LINE_END.decode()
    for line in zlib.decompress(packed, 31).decode().removesuffix("\n").split("\n"):
        yield [each.replace(end, "\n") for each in line.split(rows.DELIMITER.decode())]


def _cast(column: Column) -> Callable[[str], Any]:
    number: Callable[[str], Any] = {"integer": int, "number": float}.get(column.type, str)

    def cast(value: str) -> Any:
        try:
            return number(value) if value else None
        except ValueError:
            return None

    return cast


def _present(check: Check, table: Table) -> list[Any]:
    return [value for value in table[check.reads[0]] if value is not None]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _matching(pattern: str, found: Iterable[str]) -> int:
    search = re.compile(pattern).search
    return sum(search(value) is not None for value in found)


def _completeness(check: Check, table: Table) -> float:
    return _share(len(_present(check, table)), len(table[check.reads[0]]))


def _pattern(check: Check, table: Table) -> float:
    matching = _matching(PRESETS[str(check.pattern)], _present(check, table))
    return _share(matching, len(table[check.reads[0]]))


def _data_type(check: Check, table: Table) -> float:
    present = _present(check, table)
    return _share(_matching(DATA_TYPES[str(check.type)], present), len(present))


def _uniqueness(check: Check, table: Table) -> float:
    counts = Counter(_present(check, table))
    return _share(sum(count == 1 for count in counts.values()), counts.total())


def _in_order(check: Check, table: Table) -> float:
    pairs = list(zip(*(table[name] for name in check.columns), strict=True))
    kept = sum(one is not None and two is not None and one <= two for one, two in pairs)
    return _share(kept, len(pairs))


METRICS: dict[str, Metric] = {
    "completeness": _completeness,
    "approx_count_distinct": lambda check, table: len(set(_present(check, table))),
    "min": lambda check, table: min(_present(check, table), default=0),
    "max": lambda check, table: max(_present(check, table), default=0),
    "mean": lambda check, table: _share(sum(found := _present(check, table)), len(found)),
    "data_type": _data_type,
    "pattern": _pattern,
    "uniqueness": _uniqueness,
    "less_than_or_equal": _in_order,
}
