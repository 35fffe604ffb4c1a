"""Which texts are identical or nearly so: MinHash signatures of word shingles, banded.

Linear in the number of texts: each is compared with the first of its bucket only.
Broder, "On the resemblance and containment of documents", 1997; Leskovec, Rajaraman and
Ullman, "Mining of Massive Datasets", chapter 3.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

WORDS = re.compile(r"\w+")
SHINGLE = 3  # words
ROWS, BANDS = 4, 16  # 64 hashes: a pair alike to 0.8 shares a band with probability 0.9998
CHUNK = 1_000_000  # shingles hashed at once


def groups(texts: Sequence[str], threshold: float) -> np.ndarray:
    """A number for each text, (n,) int32; texts alike to the threshold have the same.

    The likeness is the estimated Jaccard index of the texts' three-word shingles, without case
    and punctuation. A threshold of 0 or less compares nothing but whole texts.
    """
    if not len(texts):
        return np.zeros(0, dtype=np.int32)
    shingles, starts = _shingles(texts)
    if threshold <= 0:
        _, found = np.unique(np.asarray(texts, dtype=object), return_inverse=True)
        return found.astype(np.int32)
    signatures = _signatures(shingles, starts)
    left, right = [], []
    for band in range(BANDS):
        rows = np.ascontiguousarray(signatures[:, band * ROWS : (band + 1) * ROWS])
        _, first, bucket = np.unique(_joined(rows), return_index=True, return_inverse=True)
        head = first[bucket.ravel()]
        alike = (signatures == signatures[head]).mean(axis=1) >= threshold
        pairs = np.flatnonzero(alike & (head != np.arange(len(head))))
        left.append(pairs)
        right.append(head[pairs])
    return components(len(texts), np.concatenate(left), np.concatenate(right))


def components(count: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The connected component of each of `count` things, (count,) int32, by pairs of them."""
    graph = coo_matrix((np.ones(len(left), dtype=np.int8), (left, right)), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def _shingles(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of all texts' shingles, one after another, and where each text's begin.

    A text of fewer words than a shingle has is one shingle.
    """
    known: dict[str, int] = {}
    hashes: list[int] = []
    sizes = np.zeros(len(texts), dtype=np.int64)
    for place, text in enumerate(texts):
        words = WORDS.findall(text.lower()) or [text]
        words += ["\n"] * (SHINGLE - len(words))
        sizes[place] = len(words)
        for word in words:
            if word not in known:
                known[word] = zlib.crc32(word.encode("utf-8", "surrogatepass"))
            hashes.append(known[word])
    words_of_all = np.array(hashes, dtype=np.uint64)
    ends = np.cumsum(sizes)
    kept = np.ones(len(words_of_all), dtype=bool)
    for back in range(1, SHINGLE):
        kept[ends - back] = False  # a shingle does not reach into the next text
    mixed = np.zeros(len(words_of_all), dtype=np.uint64)
    for step in range(SHINGLE):
        mixed = mix(mixed + np.roll(words_of_all, -step))
    counts = sizes - (SHINGLE - 1)
    return mixed[kept], np.concatenate([[0], np.cumsum(counts)[:-1]])


def _signatures(shingles: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The least hash of each text's shingles under each of 64 hash functions, (n, 64) uint32."""
    salts = mix(np.arange(1, ROWS * BANDS + 1, dtype=np.uint64))
    found = np.empty((len(starts), len(salts)), dtype=np.uint32)
    cuts = np.searchsorted(starts, np.arange(0, len(shingles) + CHUNK, CHUNK))
    for begin, end in pairwise(cuts):
        if begin == end:
            continue
        last = starts[end] if end < len(starts) else len(shingles)
        part = shingles[starts[begin] : last]
        places = starts[begin:end] - starts[begin]
        for column, salt in enumerate(salts):
            hashed = (mix(part ^ salt) >> np.uint64(32)).astype(np.uint32)
            found[begin:end, column] = np.minimum.reduceat(hashed, places)
    return found


def _joined(rows: np.ndarray) -> np.ndarray:
    """One number for each row of a band."""
    mixed = np.zeros(len(rows), dtype=np.uint64)
    for column in rows.T:
        mixed = mix(mixed + column)
    return mixed


def mix(values: np.ndarray) -> np.ndarray:
    """Steele's SplitMix64 finaliser: each bit of the input moves each of the output."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
