"""How a conversion is spread: over INSERTs, since each writes a hundred partitions at most, and
within a partition over files of about the same size.

https://docs.aws.amazon.com/athena/latest/ug/ctas-insert-into.html
https://docs.aws.amazon.com/athena/latest/ug/performance-tuning-data-optimization-techniques.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_PARTITIONS = 100  # of an INSERT
MOST_VALUES = 10_000  # of partition_by in a run: each hundred of them reads every row again
MOST_FILES = 256  # of a partition
TARGET_BYTES = 128 * 1024 * 1024  # of a Parquet file
PACKED = 0.35  # Parquet with zstd for each byte of text, as reviews measure


class TooManyPartitionsError(Exception):
    """The rows would make more partitions than anybody reads with profit."""


@dataclass(frozen=True)
class Part:
    """The rows of one INSERT.

    `bounds`: the first and the last value of `partition_by`, both included; None is every row.
    `files`: of each value whose rows need more than one.
    """

    bounds: tuple[str, str] | None = None
    files: Mapping[str, int] = field(default_factory=dict)


def text_bytes(arrival: Mapping[str, Any]) -> float:
    """The rows of a file as text; Parquet is packed already."""
    found = int(arrival["text_bytes"])
    return found / PACKED if arrival["format"] == "parquet" else found


def files(text_bytes: float) -> int:
    """How many files come near the target."""
    return min(MOST_FILES, max(1, round(text_bytes * PACKED / TARGET_BYTES)))


def is_wide(text_bytes: float, last: int) -> bool:
    """Whether to measure the rows' partitions first: one may need several files, or the `last` run
    made more than an INSERT may write."""
    return files(text_bytes) > 1 or last > MOST_PARTITIONS


def parts(column: str, rows: Mapping[str, int], text_bytes: float) -> list[Part]:
    """The INSERTs for `rows` of each value of `partition_by`, of so much text in all.

    The values are in the order of their code points, which is Athena's. TooManyPartitionsError
    where they are more than MOST_VALUES.
    """
    if len(rows) > MOST_VALUES:
        raise TooManyPartitionsError(
            f"partition_by is {column}, which has more than {MOST_VALUES:,} values in the files of "
            "this run. Partition by a column with few values, or by none."
        )
    total, ordered = sum(rows.values()), sorted(rows)
    several = {each: n for each in ordered if (n := files(text_bytes * rows[each] / total)) > 1}
    groups = [ordered[n : n + MOST_PARTITIONS] for n in range(0, len(ordered), MOST_PARTITIONS)]
    if len(groups) <= 1:
        return [Part(files=several)]
    return [
        Part((group[0], group[-1]), {each: several[each] for each in group if each in several})
        for group in groups
    ]
