"""Numbers and categories that tell how texts change, a batch of texts at a time.

Of a text column `t`: `t_length` (characters), `t_words`, `t_oov` (share of words that the
baseline's vocabulary lacks), `t_non_ascii` (bytes a character beyond one), `t_language`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

NO_LETTERS = r"[^\pL]+"
SHORTEST = 2  # letters of a word
SENTENCE = 4  # blanks in the mean text of a column that is text
KNOWN = 10_000  # words of the baseline that count as known
PRUNED = 200_000  # words counted at a time
STOP_WORDS = {
    "en": "the and is it this for was with that have are not you",
    "de": "und der das ist nicht ich mit ein für sie auf auch",
    "fr": "les des est une pas pour dans vous nous très avec",
    "es": "los las por muy pero este como el lo más",
    "it": "che non per sono molto della questo anche di il",
    "pt": "não uma muito você isso mas também são ao",
    "nl": "het een niet van ik voor zijn maar ook",
}
# Looked for where a text has no such word and is mostly beyond ASCII.
SCRIPTS = ("Cyrillic", "Greek", "Arabic", "Hebrew", "Devanagari", "Thai", "Hangul", "Han")
FOREIGN = 0.3  # bytes a character beyond one
OTHER = "other"

Vocabulary = Mapping[str, Sequence[str]]


class Words:
    """Counts the words of each text column; `vocabulary` holds the frequent ones."""

    def __init__(self, text: Sequence[str]) -> None:
        self._counts: dict[str, Counter[str]] = {name: Counter() for name in text}

    def add(self, table: pa.Table) -> None:
        for name, counts in self._counts.items():
            if name in table.column_names:
                found = split(_texts(table[name]))[0].value_counts()
                words, numbers = found.field("values"), found.field("counts")
                for word, number in zip(words.to_pylist(), numbers.to_pylist(), strict=True):
                    counts[word] += number
                if len(counts) > PRUNED:
                    self._counts[name] = Counter(dict(counts.most_common(PRUNED // 2)))

    @property
    def vocabulary(self) -> dict[str, list[str]]:
        """Words that occur more than once, the most frequent first."""
        return {
            name: [word for word, n in counts.most_common(KNOWN) if n > 1]
            for name, counts in self._counts.items()
        }


def detect(table: pa.Table) -> list[str]:
    """Columns whose values are sentences rather than codes or names."""
    found = []
    for name in table.column_names:
        if pa.types.is_string(table[name].type):
            counts = pc.count_substring(_texts(table[name]), " ")
            if (pc.mean(counts).as_py() or 0) >= SENTENCE:
                found.append(name)
    return found


def features(table: pa.Table, known: Vocabulary) -> pa.Table:
    """What is measured of every text column of a vocabulary; null where there is no text."""
    columns: dict[str, pa.Array] = {}
    for name, words in known.items():
        if name in table.column_names:
            measured = _measure(_texts(table[name]), pa.array(words, pa.string()))
            columns |= {f"{name}_{what}": values for what, values in measured.items()}
    return pa.table(columns)


def moved(
    baseline: pa.ChunkedArray, live: pa.ChunkedArray, count: int
) -> tuple[list[str], list[str]]:
    """The words that are more frequent now, and those that are less, the most telling first."""
    sides = [_frequencies(_texts(column)) for column in (baseline, live)]
    words = sorted({*sides[0], *sides[1]})
    shares = np.array([[side.get(word, 0.0) for word in words] for side in sides])
    # A word's share of the difference of the two samples, as in the Jensen-Shannon divergence.
    middle = shares.mean(axis=0)
    parts = np.where(shares > 0, shares * np.log2(np.maximum(shares, 1e-12) / middle), 0.0)
    telling = parts.sum(axis=0) * np.sign(shares[1] - shares[0])
    order = np.argsort(telling, kind="stable")
    came = [words[i] for i in order[::-1][:count] if telling[i] > 0]
    return came, [words[i] for i in order[:count] if telling[i] < 0]


def _frequencies(texts: pa.Array) -> dict[str, float]:
    counted = split(texts)[0].value_counts()
    words, counts = counted.field("values").to_pylist(), counted.field("counts").to_numpy()
    return dict(zip(words, (counts / max(1, counts.sum())).tolist(), strict=True))


def split(texts: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Words in lower case, and the number of the text that each is from."""
    listed = pc.split_pattern_regex(pc.utf8_lower(texts), NO_LETTERS)
    words, parents = listed.flatten(), pc.list_parent_indices(listed)
    long = pc.greater_equal(pc.utf8_length(words), SHORTEST)
    return words.filter(long), parents.filter(long).to_numpy()


def _texts(column: pa.ChunkedArray) -> pa.Array:
    """Text, null where it is empty."""
    texts = column.cast(pa.string()).combine_chunks()
    return pc.if_else(pc.equal(texts, ""), None, texts)


def _measure(texts: pa.Array, known: pa.Array) -> dict[str, pa.Array]:
    words, parents = split(texts)
    counts = np.bincount(parents, minlength=len(texts))
    there = texts.is_valid().to_numpy(zero_copy_only=False)
    unknown = pc.invert(pc.is_in(words, value_set=known)).to_numpy(zero_copy_only=False)
    unknowns = np.bincount(parents, unknown, minlength=len(texts))
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = unknowns / counts
        lengths = pc.fill_null(pc.utf8_length(texts), 0).to_numpy()
        beyond = pc.fill_null(pc.binary_length(texts), 0).to_numpy() / lengths - 1
    return {
        "length": pa.array(lengths, mask=~there),
        "words": pa.array(counts, mask=~there),
        "oov": pa.array(rate, mask=counts == 0),
        "non_ascii": pa.array(beyond, mask=~there),
        "language": pa.array(_language(texts, words, parents, beyond), pa.string(), mask=~there),
    }


def _language(
    texts: pa.Array, words: pa.Array, parents: np.ndarray, beyond: np.ndarray
) -> np.ndarray:
    """By the most stop words; where there are none, by script."""
    listed = [(word, n) for n, line in enumerate(STOP_WORDS.values()) for word in line.split()]
    stops, owners = [word for word, _ in listed], np.array([n for _, n in listed])
    where = pc.index_in(words, value_set=pa.array(stops))
    hit = where.is_valid().to_numpy(zero_copy_only=False)
    languages = owners[pc.drop_null(where).to_numpy()]
    width = len(STOP_WORDS)
    cells = parents[hit] * width + languages
    votes = np.bincount(cells, minlength=len(texts) * width).reshape(len(texts), width)
    names = np.array([*STOP_WORDS, OTHER], dtype=object)
    found = names[np.where(votes.any(axis=1), votes.argmax(axis=1), width)]
    foreign = np.flatnonzero((found == OTHER) & (beyond > FOREIGN))
    if len(foreign):
        found[foreign] = _scripts(texts.take(pa.array(foreign)))
    return found


def _scripts(texts: pa.Array) -> np.ndarray:
    counts = np.array(
        [pc.count_substring_regex(texts, rf"\p{{{script}}}").to_numpy() for script in SCRIPTS]
    )
    names = np.array([*(script.lower() for script in SCRIPTS), OTHER], dtype=object)
    found: np.ndarray = names[np.where(counts.any(axis=0), counts.argmax(axis=0), len(SCRIPTS))]
    return found
