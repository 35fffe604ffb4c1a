"""Column types as Glue's classifiers tell them from values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

_INTEGER = re.compile(r"[+-]?\d{1,19}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_BIGGEST = 2**63


def of_text(value: str) -> str | None:
    """The type of one text value; None where it is empty and so tells nothing."""
    text = value.strip()
    if not text:
        return None
    if _INTEGER.fullmatch(text):
        return "bigint" if -_BIGGEST <= int(text) < _BIGGEST else "double"
    if _NUMBER.fullmatch(text):
        return "double"
    return "boolean" if text.lower() in ("true", "false") else "string"


def of_column(values: Iterable[str]) -> str:
    """The type that holds all values of a text column; `string` where all are empty."""
    found: str | None = None
    for value in values:
        kind = of_text(value)
        if kind is None:
            continue
        found = kind if found is None else merge(found, kind)
        if found == "string":
            break
    return found or "string"


def of_json(value: Any) -> str | None:
    """The Hive type of a JSON value; None where it is null."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "int" if -(2**31) <= value < 2**31 else of_text(str(value)) or "string"
    if isinstance(value, float):
        return "double"
    if isinstance(value, list):
        kinds = [kind for kind in map(of_json, value) if kind]
        return f"array<{merge_all(kinds) if kinds else 'string'}>"
    if isinstance(value, dict):
        fields = ",".join(f"{name}:{of_json(item) or 'string'}" for name, item in value.items())
        return f"struct<{fields}>" if fields else "string"
    return "string"


def of_arrow(kind: Any) -> str:
    """The Hive type of a Parquet column."""
    import pyarrow as pa

    checks = [
        (pa.types.is_boolean, "boolean"), (pa.types.is_int8, "tinyint"),
        (pa.types.is_int16, "smallint"), (pa.types.is_uint8, "smallint"),
        (pa.types.is_int32, "int"), (pa.types.is_uint16, "int"),
        (pa.types.is_integer, "bigint"), (pa.types.is_float32, "float"),
        (pa.types.is_floating, "double"), (pa.types.is_date, "date"),
        (pa.types.is_timestamp, "timestamp"), (pa.types.is_binary, "binary"),
        (pa.types.is_large_binary, "binary"),
    ]  # fmt: skip
    for check, hive in checks:
        if check(kind):
            return hive
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_map(kind):
        return f"map<{of_arrow(kind.key_type)},{of_arrow(kind.item_type)}>"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"array<{of_arrow(kind.value_type)}>"
    if pa.types.is_struct(kind):
        return "struct<" + ",".join(f"{f.name.lower()}:{of_arrow(f.type)}" for f in kind) + ">"
    if pa.types.is_dictionary(kind):
        return of_arrow(kind.value_type)
    return "string"


_WIDER = ("tinyint", "smallint", "int", "bigint", "float", "double")


def merge(one: str, other: str) -> str:
    """The type that holds values of both."""
    if one == other:
        return one
    if one in _WIDER and other in _WIDER:
        return _WIDER[max(_WIDER.index(one), _WIDER.index(other))]
    structs = [kind.startswith("struct<") for kind in (one, other)]
    if all(structs):
        return _merge_structs(one, other)
    if one.startswith("array<") and other.startswith("array<"):
        return f"array<{merge(one[6:-1], other[6:-1])}>"
    return "string"


def merge_all(kinds: Sequence[str]) -> str:
    found = kinds[0]
    for kind in kinds[1:]:
        found = merge(found, kind)
    return found


def _merge_structs(one: str, other: str) -> str:
    from localcloud.glue.hive_types import split_top

    fields: dict[str, str] = {}
    for text in (one, other):
        for part in split_top(text[7:-1]):
            name, kind = part.split(":", 1)
            fields[name] = merge(fields[name], kind) if name in fields else kind
    return "struct<" + ",".join(f"{name}:{kind}" for name, kind in fields.items()) + ">"


def custom(values: Sequence[str], allowed: Sequence[str]) -> str:
    """The first type that fits, of those that a custom CSV classifier allows.

    https://docs.aws.amazon.com/glue/latest/dg/custom-classifier.html
    """
    kinds = {of_text(value) for value in values if value.strip()}
    texts = [value.strip() for value in values if value.strip()]
    fits = {
        "boolean": kinds <= {"boolean"},
        "short": kinds <= {"bigint"} and all(abs(int(t)) < 2**15 for t in texts),
        "int": kinds <= {"bigint"} and all(abs(int(t)) < 2**31 for t in texts),
        "long": kinds <= {"bigint"},
        "float": kinds <= {"bigint", "double"},
        "double": kinds <= {"bigint", "double"},
        "date": all(map(_is_date, texts)),
    }
    names = {"short": "smallint", "long": "bigint"}
    for kind in fits:
        if texts and fits[kind] and kind in [name.lower() for name in allowed]:
            return names.get(kind, kind)
    return "string"


def _is_date(text: str) -> bool:
    try:
        return bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) and date.fromisoformat(text))
    except ValueError:
        return False
