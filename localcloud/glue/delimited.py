"""Glue's CSV classifier: delimiter, header, quoting and types from the head of a file.

https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html#classifier-builtin-rules-csv
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from localcloud.glue import inference
from localcloud.glue.catalog import Column

DELIMITERS = (",", "|", "\t", ";", "\x01")
SAMPLE_LINES = 1000
_LONGEST_HEADER = 150
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,255}")


@dataclass(frozen=True)
class Delimited:
    """What the classifier tells of one file."""

    delimiter: str
    header: bool
    quoted: bool
    columns: tuple[Column, ...]
    quote: str = '"'
    serde: str | None = None  # where a custom classifier names one


def split(line: str, delimiter: str, quote: str = '"') -> tuple[list[str], bool]:
    """The values of a line, and whether any was quoted. A lone quote mark is data."""
    if not quote or quote not in line:
        return line.split(delimiter), False
    values, at, quoted = [], 0, False
    while at <= len(line):
        if line.startswith(quote, at) and (found := _closed(line, at, delimiter, quote)):
            values.append(line[at + 1 : found].replace(quote * 2, quote))
            at, quoted = found + 1 + len(delimiter), True
            if at > len(line):
                break
            continue
        end = line.find(delimiter, at)
        end = len(line) if end < 0 else end
        values.append(line[at:end])
        at = end + len(delimiter)
    return values, quoted


def _closed(line: str, at: int, delimiter: str, quote: str) -> int:
    """Where the quoted value that begins here ends; 0 where it does not."""
    end = at + 1
    while (end := line.find(quote, end)) > 0:
        if line.startswith(quote, end + 1):
            end += 2
        elif end + 1 == len(line) or line.startswith(delimiter, end + 1):
            return end
        else:
            return 0
    return 0


def classify(lines: list[str], custom: dict[str, Any] | None = None) -> Delimited | None:
    """The file as delimited text, or None where it is not: two columns and two rows at least."""
    lines = [line for line in lines[:SAMPLE_LINES] if line]
    custom = custom or {}
    if len(lines) < 2 and not custom:
        return None
    quote = custom.get("QuoteSymbol") or '"'
    delimiter = custom.get("Delimiter") or _delimiter(lines, quote)
    if delimiter is None or not lines:
        return None
    parsed = [split(line, delimiter, quote) for line in lines]
    rows = [values for values, _ in parsed]
    least = 1 if custom.get("AllowSingleColumn") else 2
    width = Counter(map(len, rows)).most_common(1)[0][0]
    width = max(width, len(rows[0]) if _header_like(rows[0]) else 0)
    if width < least:
        return None
    return _described(rows, width, delimiter, quote, any(q for _, q in parsed), custom)


def _described(
    rows: list[list[str]],
    width: int,
    delimiter: str,
    quote: str,
    quoted: bool,
    custom: dict[str, Any],
) -> Delimited:
    header = _has_header(rows, width, custom.get("ContainsHeader", "UNKNOWN"))
    data = rows[1:] if header else rows
    names = custom.get("Header") or (rows[0] if header else [])
    allowed = custom.get("CustomDatatypes") if custom.get("CustomDatatypeConfigured") else None
    columns = []
    for at in range(width):
        values = [row[at] for row in data if at < len(row)]
        kind = inference.custom(values, allowed) if allowed else inference.of_column(values)
        name = names[at].strip().lower() if at < len(names) else ""
        columns.append(Column(name or f"col{at}", kind))
    serde = custom.get("Serde")
    return Delimited(
        delimiter, header, quoted, _distinct(columns), quote, None if serde == "None" else serde
    )


def _delimiter(lines: list[str], quote: str) -> str | None:
    """The delimiter by which most lines have as many values as the first, and the most values."""
    best, chosen = (0.0, 0), None
    for delimiter in DELIMITERS:
        widths = [len(split(line, delimiter, quote)[0]) for line in lines]
        if widths[0] < 2:
            continue
        share = sum(width == widths[0] for width in widths) / len(widths)
        if share >= 0.5 and (round(share, 1), widths[0]) > best:
            best, chosen = (round(share, 1), widths[0]), delimiter
    return chosen


def _header_like(row: list[str]) -> bool:
    """Every value is text, short, and a name that a column may have; the last may be empty."""
    values = row[:-1] if len(row) > 1 and not row[-1].strip() else row
    return (
        all(inference.of_text(value) == "string" for value in values)
        and all(len(value) < _LONGEST_HEADER for value in row[:-1])
        and all(_NAME.fullmatch(value.strip()) for value in values)
        and len({value.strip().lower() for value in values}) == len(values)
    )


def _has_header(rows: list[list[str]], width: int, told: str) -> bool:
    """Told, or like a header and unlike the rows below: one of those parses as not text."""
    if told in ("PRESENT", "ABSENT"):
        return told == "PRESENT"
    if not _header_like(rows[0]):
        return False
    return any(
        inference.of_text(value) not in (None, "string")
        for row in rows[1:]
        for value in row[:width]
    )


def _distinct(columns: list[Column]) -> tuple[Column, ...]:
    """Two columns cannot share a name: the later one gets a number."""
    seen: Counter[str] = Counter()
    named = []
    for column in columns:
        seen[column.name] += 1
        number = seen[column.name]
        named.append(Column(f"{column.name}_{number}" if number > 1 else column.name, column.type))
    return tuple(named)
