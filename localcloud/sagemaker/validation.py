"""Requests checked against botocore's own model of the service.

Messages have the form SageMaker's front end gives them:
"1 validation error detected: Value 'x' at 'name' failed to satisfy constraint: ...".
"""

from __future__ import annotations

import functools
import re
from typing import Any

import regex
from botocore.model import OperationModel, Shape

from localcloud.sagemaker.errors import ApiError, validation
from localcloud.service_models import service_model

_NUMBERS = {"integer": int, "long": int, "float": (int, float), "double": (int, float)}
_PYTHON_TYPES: dict[str, Any] = {
    **_NUMBERS,
    "boolean": bool,
    "string": str,
    "blob": bytes,
    "timestamp": (int, float),
    "structure": dict,
    "map": dict,
    "list": list,
}
_TOKEN = re.compile(r"\[(?:\\.|[^\]\\])*\]|\\.|\.")  # of a pattern: a class, an escape, a dot
_ASCII = {r"\d": "0-9", r"\w": "a-zA-Z0-9_"}
_NO_LINE_TERMINATOR = r"[^\n\r\x85\u2028\u2029]"
_WORDS = {"structure": "an object", "map": "an object", "list": "a list", "string": "a string"}


def known_operation(name: str) -> OperationModel | None:
    """The model of an operation, or None where SageMaker has none of that name."""
    model = service_model("sagemaker")
    return model.operation_model(name) if name in model.operation_names else None


def members_in_headers(operation: str, service: str) -> dict[str, str]:
    """The members of a request that travel as headers, and the names of those."""
    shape: Any = service_model(service).operation_model(operation).input_shape
    return {
        name: member.serialization["name"]
        for name, member in shape.members.items()
        if member.serialization.get("location") == "header"
    }


def check(operation: str, request: Any, service: str = "sagemaker") -> dict[str, Any]:
    """The request without its nulls, or ValidationException / SerializationException."""
    shape = service_model(service).operation_model(operation).input_shape
    cleaned: dict[str, Any] = _without_nulls(request)
    if shape is None:
        return cleaned
    problems: list[str] = []
    _check(cleaned, shape, "", problems)
    if problems:
        count = len(problems)
        plural = "s" if count > 1 else ""
        raise validation(f"{count} validation error{plural} detected: " + "; ".join(problems))
    return cleaned


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_without_nulls(v) for v in value]
    return value


def _check(value: Any, shape: Any, path: str, problems: list[str]) -> None:
    _check_type(value, shape, path)
    if shape.type_name == "structure":
        _check_structure(value, shape, path, problems)
    elif shape.type_name == "list":
        _check_size(len(value), "length", value, shape, path, problems)
        for index, item in enumerate(value, start=1):
            _check(item, shape.member, _join(path, f"{index}.member"), problems)
    elif shape.type_name == "map":
        _check_size(len(value), "length", value, shape, path, problems)
        for key, item in value.items():
            _check(key, shape.key, _join(path, "key"), problems)
            _check(item, shape.value, _join(path, f"{key}.member"), problems)
    elif shape.type_name == "string":
        _check_string(value, shape, path, problems)
    elif shape.type_name == "blob":
        _check_size(len(value), "length", None, shape, path, problems)
    elif shape.type_name in _NUMBERS:
        _check_size(value, "value", value, shape, path, problems)


def _check_type(value: Any, shape: Shape, path: str) -> None:
    kind = shape.type_name
    wanted = _PYTHON_TYPES.get(kind)
    wrong = wanted is not None and not isinstance(value, wanted)
    if wrong or (kind != "boolean" and isinstance(value, bool)):
        where = f" at '{path}'" if path else ""
        expected = _WORDS.get(kind, f"a value of type {kind}")
        raise ApiError(
            "SerializationException",
            f"{_told(value)}{where} can not be converted to {expected}",
        )


def _check_structure(value: dict[str, Any], shape: Any, path: str, problems: list[str]) -> None:
    for name in shape.required_members:
        if name not in value:
            problems.append(
                f"Value null at '{_join(path, name)}' failed to satisfy constraint: "
                "Member must not be null"
            )
    for name, item in value.items():
        member = shape.members.get(name)
        if member is None:
            known = ", ".join(shape.members)
            problems.append(
                f"Unknown member '{_join(path, name)}': {shape.name} has the members {known}"
            )
        else:
            _check(item, member, _join(path, name), problems)
    if getattr(shape, "is_tagged_union", False) and len(value) != 1:
        names = ", ".join(shape.members)
        problems.append(f"Value at '{path}' must have exactly one of the members {names}")


def _check_string(value: str, shape: Shape, path: str, problems: list[str]) -> None:
    _check_size(len(value), "length", value, shape, path, problems)
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        _fail(value, path, f"Member must satisfy enum value set: [{', '.join(enum)}]", problems)
    pattern = shape.metadata.get("pattern")
    if pattern and not compiled(pattern).fullmatch(value):
        _fail(value, path, f"Member must satisfy regular expression pattern: {pattern}", problems)


def _check_size(
    size: float, what: str, value: Any, shape: Shape, path: str, problems: list[str]
) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        _fail(value, path, f"Member must have {what} greater than or equal to {low}", problems)
    if high is not None and size > high:
        _fail(value, path, f"Member must have {what} less than or equal to {high}", problems)


def _fail(value: Any, path: str, constraint: str, problems: list[str]) -> None:
    problems.append(
        f"Value '{_told(value)}' at '{path}' failed to satisfy constraint: {constraint}"
    )


def _told(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 200 else text[:200] + "..."


def _join(path: str, name: str) -> str:
    name = name[:1].lower() + name[1:]
    return f"{path}.{name}" if path else name


@functools.cache
def compiled(pattern: str) -> Any:
    """The model's patterns are Java's: `\\p{L}` needs `regex`; a repeated anchor is one anchor,
    a character beyond U+FFFF is two, `.` is no line terminator, `\\d` and `\\w` are ASCII.

    https://docs.oracle.com/javase/8/docs/api/java/util/regex/Pattern.html
    """
    pattern = re.sub(r"\$\{\d+,\d+\}", "$", pattern)
    pattern = pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
    return regex.compile(_TOKEN.sub(_in_python, pattern))


def _in_python(token: re.Match[str]) -> str:
    words = token[0]
    if words.startswith("["):
        return re.sub(r"\\.", lambda one: _ASCII.get(one[0], one[0]), words)
    if words in _ASCII:
        return f"[{_ASCII[words]}]"
    return _NO_LINE_TERMINATOR if words == "." else words
