"""A request's body as JSON, or the reason why not."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from chalicelib.errors import ApiError

# Well below what Lambda and InvokeEndpoint take (6 MB):
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
MAX_BYTES = 2_000_000
MAX_ITEMS = 1000
# Of a model that is not linear: it answers each record again for every word or column.
MAX_EXPLAINED = 10


def decode(raw: bytes) -> dict[str, Any]:
    """The JSON object of a body; 413 when too large, 400 when it is no JSON object."""
    _limit(raw)
    return _object(raw, "the body")


def lines(raw: bytes) -> list[dict[str, Any] | ApiError]:
    """The JSON object of each line that is not empty, or why it is none. https://jsonlines.org"""
    _limit(raw)
    found = [line for line in raw.split(b"\n") if line.strip()]
    if not found:
        raise ApiError(400, "not_json", "the body is empty; a JSON object on each line is needed")
    if len(found) > MAX_ITEMS:
        raise ApiError(413, "too_many", f"the body has {len(found)} lines; at most {MAX_ITEMS}")
    return [_line(line, f"line {place}") for place, line in enumerate(found, 1)]


def _line(raw: bytes, what: str) -> dict[str, Any] | ApiError:
    try:
        return _object(raw, what)
    except ApiError as error:
        return error


def _limit(raw: bytes) -> None:
    if len(raw) > MAX_BYTES:
        raise ApiError(
            413, "too_large", f"the body has {len(raw)} bytes; at most {MAX_BYTES} are taken"
        )


def _object(raw: bytes, what: str) -> dict[str, Any]:
    if not raw.strip():
        raise ApiError(400, "not_json", f"{what} is empty; a JSON object is needed")
    try:
        content = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise ApiError(400, "not_json", f"{what} is not UTF-8: {error.reason}") from error
    except RecursionError as error:
        raise ApiError(400, "not_json", f"{what} is nested too deep") from error
    except ValueError as error:
        raise ApiError(400, "not_json", f"{what} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ApiError(400, "not_an_object", f"{what} must be a JSON object")
    if b"\\u" in raw and not _is_text(content):
        raise ApiError(400, "not_json", f"{what} has half of a surrogate pair, which is no letter")
    return content


def items(content: dict[str, Any], name: str) -> tuple[list[Any], bool]:
    """The list under `name`, or the object itself as its one entry; (entries, is a list)."""
    if name not in content:
        return [content], False
    if others := sorted(set(content) - {name}):
        raise ApiError(
            400, "unknown_field", f"{others[0]} does not belong beside {name}", others[0]
        )
    found = content[name]
    if not isinstance(found, list) or not found:
        raise ApiError(400, "invalid_field", f"{name} must be a list with entries", name)
    if len(found) > MAX_ITEMS:
        raise ApiError(
            413, "too_many", f"{name} has {len(found)} entries; at most {MAX_ITEMS}", name
        )
    return found, True


def _is_text(content: Any) -> bool:
    """Whether it can be written: JSON can name half a letter, which no service takes.

    https://www.rfc-editor.org/rfc/rfc8259#section-8.2
    """
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")
