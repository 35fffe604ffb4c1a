"""Numbers that tell how texts change: length, number of words, share of unknown words."""

from __future__ import annotations

import re
from collections import Counter

from records import Columns

WORD = re.compile(r"[^\W\d_]{2,}")
KNOWN = 10_000  # words of the baseline that count as known


def vocabulary(columns: Columns, text: list[str]) -> dict[str, list[str]]:
    """The most frequent words of each text column, those of one record only left out."""
    found = {}
    for name in text:
        counts: Counter[str] = Counter()
        for value in columns.get(name, []):
            counts.update(set(WORD.findall(str(value or "").lower())))
        found[name] = [word for word, n in counts.most_common(KNOWN) if n > 1]
    return found


def add(columns: Columns, text: list[str], known: dict[str, list[str]]) -> Columns:
    """The columns, and for each text `<text>_length`, `<text>_words` and `<text>_oov`."""
    more: Columns = {}
    for name in text:
        if name not in columns:
            continue
        words = set(known.get(name, []))
        values = columns[name]
        found = [WORD.findall(str(value).lower()) if value else None for value in values]
        more[f"{name}_length"] = [len(str(value)) if value else None for value in values]
        more[f"{name}_words"] = [None if each is None else len(each) for each in found]
        more[f"{name}_oov"] = [_unknown(each, words) for each in found]
    return {**columns, **more}


def _unknown(found: list[str] | None, known: set[str]) -> float | None:
    if not found:
        return None
    return sum(word not in known for word in found) / len(found)
