"""Values given as words, as the dataset's columns say what they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cli import project

BOOLEANS = {"true": True, "false": False}
READ: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "number": float,
    "boolean": lambda words: BOOLEANS[words.lower()],
}


def value(column: str, words: str) -> Any:
    """What no number or boolean can be read from stays as it is: the API says what is wrong."""
    columns = project.pipeline()["dataset"]["columns"]
    kind = next((each["type"] for each in columns if each["name"] == column), "string")
    try:
        return READ.get(kind, str)(words)
    except (ValueError, KeyError):
        return words


def label(words: str) -> Any:
    """A true label."""
    return value(str(project.pipeline()["dataset"]["label"]), words)
