"""One column's profile: what is there, of which types, how its numbers and its texts spread."""

from __future__ import annotations

import zlib
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from profiles.sketch import Sketch

INTEGRAL, FRACTIONAL, STRING, UNKNOWN = "Integral", "Fractional", "String", "Unknown"
# Numbers within text. https://github.com/awslabs/deequ: analyzers/catalyst/StatefulDataType
NUMBER = r"^[-+]? ?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$"
WHOLE = r"^[-+]? ?\d+$"
DISTINCT = 10_000  # a text with more values is no category: only its frequent ones are counted on
BUCKETS = 200  # of a categorical distribution
SMALLEST = 4096  # hashes that estimate how many values are distinct


class Profile:
    """Gathers a column's batches; `described` is its entry in statistics.json.

    https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-statistics.html
    """

    def __init__(self, name: str, *, free_text: bool = False) -> None:
        self.name, self.free_text = name, free_text
        self.present = self.missing = 0
        self.types: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self._pruned = free_text
        self._numbers = Numbers()
        self._fractions_stored = False
        self._hashes = np.empty(0, np.uint64)

    def add(self, column: pa.ChunkedArray) -> None:
        values = pc.drop_null(column.combine_chunks())
        if pa.types.is_floating(values.type):
            values = values.filter(pc.invert(pc.is_nan(values)))
            self._fractions_stored = True
        elif pa.types.is_string(values.type):
            values = values.filter(pc.not_equal(values, ""))
        self.missing += len(column) - len(values)
        self.present += len(values)
        if not len(values):
            return
        if pa.types.is_string(values.type):
            self._add_texts(values)
        else:
            self._add_numbers(values.to_numpy().astype(float, copy=False))

    def absent(self, rows: int) -> None:
        """A batch in which the column does not occur."""
        self.missing += rows

    def _add_numbers(self, numbers: np.ndarray) -> None:
        numbers = numbers[np.isfinite(numbers)]
        whole = int(np.count_nonzero(numbers == np.floor(numbers)))
        self.types[INTEGRAL] += whole
        self.types[FRACTIONAL] += len(numbers) - whole
        self._numbers.add(numbers)

    def _add_texts(self, values: pa.Array) -> None:
        if self.free_text:
            self.types[STRING] += len(values)
            self._remember(values.unique())
            return
        counted = values.value_counts()
        texts, counts = counted.field("values"), counted.field("counts").to_numpy()
        numeric = pc.match_substring_regex(texts, NUMBER).to_numpy(zero_copy_only=False)
        if numeric.any():
            chosen = texts.filter(pa.array(numeric))
            whole = pc.match_substring_regex(chosen, WHOLE).to_numpy(zero_copy_only=False)
            self.types[INTEGRAL] += int(counts[numeric][whole].sum())
            self.types[FRACTIONAL] += int(counts[numeric][~whole].sum())
            bare = pc.replace_substring(chosen, " ", "")
            self._numbers.add(
                np.repeat(bare.to_numpy(zero_copy_only=False).astype(float), counts[numeric])
            )
        self.types[STRING] += int(counts[~numeric].sum())
        self._remember(texts)
        self._count(texts, counts)

    def _count(self, texts: pa.Array, counts: np.ndarray) -> None:
        for text, count in zip(texts.to_pylist(), counts.tolist(), strict=True):
            self.counts[text] += count
        if len(self.counts) > DISTINCT:
            self.counts = Counter(dict(self.counts.most_common(DISTINCT // 2)))
            self._pruned = True

    def _remember(self, texts: pa.Array) -> None:
        found = hashed(texts.to_pylist())
        self._hashes = np.union1d(self._hashes, found)[:SMALLEST]

    @property
    def distinct(self) -> float:
        """How many texts differ: exact below 4096, above it by how dense the hashes lie."""
        if len(self._hashes) < SMALLEST:
            return float(len(self._hashes))
        return float(round((SMALLEST - 1) / (float(self._hashes[-1]) / 2.0**64)))

    @property
    def inferred_type(self) -> str:
        """The type of most values."""
        if not self.present:
            return UNKNOWN
        if self.types[STRING] * 2 >= self.present:
            return STRING
        fractions = self.types[FRACTIONAL] or self._fractions_stored
        return FRACTIONAL if fractions else INTEGRAL

    def described(self) -> dict[str, Any]:
        kind = self.inferred_type
        common = {"num_present": self.present, "num_missing": self.missing}
        feature: dict[str, Any] = {"name": self.name, "inferred_type": kind}
        if kind in (INTEGRAL, FRACTIONAL):
            feature["numerical_statistics"] = {"common": common, **self._numbers.described()}
        else:
            strings: dict[str, Any] = {"common": common, "distinct_count": self.distinct}
            if not self._pruned:
                listed = self.counts.most_common(BUCKETS)
                held = [{"value": value, "count": count} for value, count in listed]
                strings["distribution"] = {"categorical": {"buckets": held}}
            feature["string_statistics"] = strings
        # Beyond AWS's schema, which allows more: the shares that data_type_check is about.
        feature["type_counts"] = {name: self.types[name] for name in (INTEGRAL, FRACTIONAL, STRING)}
        return feature


def hashed(texts: list[str]) -> np.ndarray:
    """Numbers of 64 bits, spread evenly, the same in every process (CRC-32, then splitmix64)."""
    found = np.fromiter((zlib.crc32(text.encode()) for text in texts), np.uint64, len(texts))
    found += np.uint64(0x9E3779B97F4A7C15)
    found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = found ^ (found >> np.uint64(31))
    return mixed


class Numbers:
    """Moments (joined as Chan, Golub and LeVeque do), bounds and a sketch."""

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, 0.0, 0.0
        self.low, self.high = np.inf, -np.inf
        self.sketch = Sketch()

    def add(self, numbers: np.ndarray) -> None:
        if not len(numbers):
            return
        count, mean = len(numbers), float(numbers.mean())
        total, apart = self.count + count, mean - self.mean
        self.squares += float(((numbers - mean) ** 2).sum())
        self.squares += apart**2 * self.count * count / total
        self.mean += apart * count / total
        self.count = total
        self.low = min(self.low, float(numbers.min()))
        self.high = max(self.high, float(numbers.max()))
        self.sketch.add(numbers)

    def described(self) -> dict[str, Any]:
        return {
            "mean": self.mean,
            "sum": self.mean * self.count,
            "std_dev": float(np.sqrt(self.squares / self.count)),
            "min": self.low,
            "max": self.high,
            "distribution": {"kll": self.sketch.described(self.low, self.high)},
        }
