"""A file's rows as the transform's JSON lines: {"row", "record", "other"}.

`record` is what the model gets, checked as POST /predictions checks it; `other` are the file's
other columns, which come out again beside the answer. A row that cannot be predicted is told in
the rejects, a JSON object a line: {"row", "message"}.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from chalicelib.api.inputs import Inputs
from chalicelib.errors import ApiError
from chalicelib.reading.rows import DELIMITER, LINE_END, Sink

if TYPE_CHECKING:
    from chalicelib.schema import Column
    from chalicelib.settings import Settings

ROW, RECORD, OTHER = "row", "record", "other"
# As Trino casts them: https://trino.io/docs/current/language/types.html#boolean
BOOLEANS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


class LineWriter:
    """Takes rows as reading.rows tells them; writes lines and rejects."""

    def __init__(self, lines: Sink, rejects: Sink, settings: Settings) -> None:
        self.rows = self.rejected = 0
        self.first = ""  # why the first reject is one
        self._lines, self._rejects = lines, rejects
        self._inputs = Inputs(settings)
        self._types = {column.name: column for column in settings.dataset.columns}

    def header(self, names: Iterable[str], /) -> None:
        self._columns = [(name, _value(self._types.get(name))) for name in names]

    def block(self, rows: list[bytes], /) -> None:
        for row in rows:
            self.rows += 1
            fault, *values = row.split(DELIMITER)
            try:
                line = {ROW: self.rows, **self._parts(fault, values)}
            except (ApiError, ValueError) as error:
                self.rejected += 1
                self.first = self.first or str(error)
                _write(self._rejects, {ROW: self.rows, "message": str(error)})
            else:
                _write(self._lines, line)

    def _parts(self, fault: bytes, values: list[bytes]) -> dict[str, Any]:
        if fault:
            raise ValueError(fault.decode())
        record: dict[str, Any] = {}
        other: dict[str, Any] = {}
        for (name, value), raw in zip(self._columns, values, strict=True):
            if text := raw.replace(LINE_END, b"\n").decode():
                if name in self._inputs.names:
                    record[name] = value(name, text)
                else:
                    other[name] = text
        return {RECORD: self._inputs.read(record), OTHER: other}


def _write(sink: Sink, document: dict[str, Any]) -> None:
    sink.write(json.dumps(document, ensure_ascii=False).encode() + b"\n")


def _value(column: Column | None) -> Callable[[str, str], Any]:
    """A column's text as the API takes it; ValueError says what it is not."""
    if column is None:
        return lambda name, text: text
    formats = column.formats
    reads: dict[str, Callable[[str], Any]] = {
        "string": str,
        "integer": int,
        "number": _number,
        "boolean": _boolean,
        "date": lambda text: _date(text, formats),
    }
    read = reads[column.type]

    def value(name: str, text: str) -> Any:
        try:
            return read(text)
        except ValueError:
            raise ValueError(f"{name} is {text[:80]!r}, which is no {column.type}") from None

    return value


def _number(text: str) -> float:
    found = float(text)
    if not math.isfinite(found):
        raise ValueError(text)
    return found


def _boolean(text: str) -> bool:
    try:
        return BOOLEANS[text.lower()]
    except KeyError:
        raise ValueError(text) from None


def _date(text: str, formats: tuple[str, ...]) -> str:
    for each in formats:
        try:
            return dt.datetime.strptime(text, each).date().isoformat()
        except ValueError:
            continue
    raise ValueError(text)
