"""A Parquet file's footer: how many rows, which columns of which types.

Athena reads the file itself; intake needs no more than the footer, which is Thrift's compact
protocol. https://parquet.apache.org/docs/file-format/metadata/
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chalicelib.reading.refusals import RefusedError

MAGIC = b"PAR1"
TAIL = 16 * 1024 * 1024  # a footer is smaller
# Thrift's types in a compact struct.
TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
# Physical types of the format, then what a converted type makes of them.
PHYSICAL = ("boolean", "int", "bigint", "timestamp", "float", "double", "string", "string")
UTF8, ENUM, DECIMAL, DATE, TIMESTAMP_MILLIS, TIMESTAMP_MICROS, UINT_32, JSON = (
    0, 4, 5, 6, 9, 10, 13, 19,
)  # fmt: skip
CONVERTED = {UTF8: "string", ENUM: "string", JSON: "string", DATE: "date", UINT_32: "bigint",
             TIMESTAMP_MILLIS: "timestamp", TIMESTAMP_MICROS: "timestamp"}  # fmt: skip
# Fields of the structs that we look at.
# https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
SCHEMA, ROWS = 2, 3
ELEMENT_TYPE, ELEMENT_REPETITION, ELEMENT_NAME, ELEMENT_CHILDREN, ELEMENT_CONVERTED = 1, 3, 4, 5, 6
ELEMENT_SCALE, ELEMENT_PRECISION, ELEMENT_LOGICAL = 7, 8, 10
LOGICAL = {1: "string", 4: "string", 6: "date", 8: "timestamp", 12: "string"}
REPEATED = 2


@dataclass(frozen=True)
class Footer:
    """Columns with Hive's types; `nested` for a list, a map or a struct."""

    rows: int
    columns: dict[str, str]


def footer(name: str, tail: bytes) -> Footer:
    """From the last bytes of a file."""
    length = int.from_bytes(tail[-8:-4], "little")
    if len(tail) < 12 or tail[-4:] != MAGIC:
        raise RefusedError(
            "truncated", f"{name} does not end as a Parquet file does. Drop it again, whole."
        )
    if length + 8 > len(tail):
        raise RefusedError("corrupt", f"{name}: its footer of {length} bytes is not there.")
    try:
        meta = _Compact(tail[-8 - length : -8]).struct()
        return Footer(int(meta[ROWS]), _columns(meta[SCHEMA]))
    except (LookupError, ValueError, TypeError) as error:
        raise RefusedError("corrupt", f"{name}: its footer cannot be read.") from error


def _columns(elements: list[dict[int, Any]]) -> dict[str, str]:
    """The top level: the first element is the root, children follow their parent."""
    columns: dict[str, str] = {}
    at = 1
    for _ in range(int(elements[0].get(ELEMENT_CHILDREN, 0))):
        element = elements[at]
        columns[element[ELEMENT_NAME].decode().lower()] = _type(element)
        at = _after(elements, at)
    return columns


def _after(elements: list[dict[int, Any]], at: int) -> int:
    children = int(elements[at].get(ELEMENT_CHILDREN, 0))
    at += 1
    for _ in range(children):
        at = _after(elements, at)
    return at


def _type(element: dict[int, Any]) -> str:
    if element.get(ELEMENT_CHILDREN) or element.get(ELEMENT_REPETITION) == REPEATED:
        return "nested"
    converted = element.get(ELEMENT_CONVERTED)
    logical = next(iter(element.get(ELEMENT_LOGICAL) or {}), None)
    if converted == DECIMAL or logical == 5:
        return f"decimal({element.get(ELEMENT_PRECISION, 10)},{element.get(ELEMENT_SCALE, 0)})"
    if converted in CONVERTED:
        return CONVERTED[converted]
    return LOGICAL.get(logical or 0, PHYSICAL[element[ELEMENT_TYPE]])


class _Compact:
    """Thrift's compact protocol: structs as {field id: value}."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def struct(self) -> dict[int, Any]:
        found: dict[int, Any] = {}
        field = 0
        while kind := (head := self._byte()) & 15:
            step = head >> 4
            field = field + step if step else self._signed()
            found[field] = kind == TRUE if kind in (TRUE, FALSE) else self._value(kind)
        return found

    def _value(self, kind: int) -> Any:
        if kind in (BYTE, TRUE, FALSE):
            return self._byte()
        if kind in (I16, I32, I64):
            return self._signed()
        if kind == DOUBLE:
            return self._take(8)
        if kind == BINARY:
            return self._take(self._unsigned())
        if kind in (LIST, SET):
            head = self._byte()
            count = head >> 4 if head >> 4 < 15 else self._unsigned()
            return [self._value(head & 15) for _ in range(count)]
        if kind == MAP:
            return self._map()
        if kind == STRUCT:
            return self.struct()
        raise ValueError(f"no type of the compact protocol: {kind}")

    def _map(self) -> dict[Any, Any]:
        count = self._unsigned()
        kinds = self._byte() if count else 0
        return {self._value(kinds >> 4): self._value(kinds & 15) for _ in range(count)}

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _take(self, count: int) -> bytes:
        if self._at + count > len(self._data):
            raise ValueError("the footer ends in a value")
        self._at += count
        return self._data[self._at - count : self._at]

    def _unsigned(self) -> int:
        number = shift = 0
        while True:
            byte = self._byte()
            number |= (byte & 127) << shift
            if byte < 128:
                return number
            shift += 7

    def _signed(self) -> int:
        number = self._unsigned()
        return (number >> 1) ^ -(number & 1)
