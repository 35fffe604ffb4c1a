"""Exclude patterns: Unix-style globs against a key, relative to the include path.

https://docs.aws.amazon.com/glue/latest/dg/define-crawler.html#crawler-data-stores-exclude
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

_TOKEN = re.compile(r"\\(?P<escaped>.)|\[(?P<not>!?)(?P<set>[^\]]+)\]|\*\*|.", re.DOTALL)
_WORDS = {"**": ".*", "*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")"}


def excluded(path: str, patterns: Iterable[str]) -> bool:
    """Whether any pattern matches the whole path."""
    return any(_compiled(pattern).fullmatch(path) for pattern in patterns)


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(_translated(pattern), re.DOTALL)


def _translated(pattern: str) -> str:
    """The glob as a regular expression; groups cannot be nested."""
    words, in_group = [], False
    for token in _TOKEN.finditer(pattern):
        text = token[0]
        if token["escaped"]:
            words.append(re.escape(token["escaped"]))
        elif token["set"]:
            inside = token["set"].replace("\\", r"\\").replace("[", r"\[").replace("^", r"\^")
            words.append(f"[{'^/' if token['not'] else ''}{inside}]")
        elif text == "," and in_group:
            words.append("|")
        else:
            in_group = text == "{" or (in_group and text != "}")
            words.append(_WORDS.get(text, re.escape(text)))
    return "".join(words)
