"""A whole dataset's profile, what its texts measure, and a sample of its rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from inputs import payloads

from profiles import text
from profiles.column import Profile
from profiles.text import Vocabulary, Words

SAMPLE = 2000  # rows that tests of text and pages of examples look at


class Dataset:
    """Gathers batches of rows, a profile a column; a column may be absent from a batch."""

    def __init__(self, free_text: Sequence[str] = ()) -> None:
        self.rows = 0
        self.profiles: dict[str, Profile] = {}
        self._free_text = free_text

    def add(self, table: pa.Table) -> None:
        for name in table.column_names:
            if name not in self.profiles:
                profile = Profile(name, free_text=name in self._free_text)
                profile.absent(self.rows)
                self.profiles[name] = profile
        for name, profile in self.profiles.items():
            if name in table.column_names:
                profile.add(table[name])
            else:
                profile.absent(table.num_rows)
        self.rows += table.num_rows


@dataclass(frozen=True)
class Described:
    """A dataset's own columns, its texts' measures, and sample rows."""

    own: Dataset
    measured: Dataset
    sample: pa.Table

    @property
    def rows(self) -> int:
        return self.own.rows

    def statistics(self) -> dict[str, Any]:
        """statistics.json; a text's measures name it in `derived_from`."""
        features = [profile.described() for profile in self.own.profiles.values()]
        texts = self.own.profiles
        for profile in self.measured.profiles.values():
            source = next(name for name in texts if profile.name.startswith(f"{name}_"))
            features.append({**profile.described(), "derived_from": source})
        return {"version": 0.0, "dataset": {"item_count": self.rows}, "features": features}


class Sample:
    """A simple random sample of a stream of rows, each row with the same chance."""

    def __init__(self, size: int, seed: int = 0) -> None:
        self.size = size
        self.seen = 0
        self.rows: pa.Table | None = None
        self._keys = np.empty(0)
        self._random = np.random.default_rng(seed)

    def add(self, table: pa.Table) -> None:
        self.seen += table.num_rows
        keys = self._random.random(table.num_rows)
        chosen = np.argsort(keys, kind="stable")[: self.size]
        parts = [table.take(pa.array(chosen))]
        keys = keys[chosen]
        if self.rows is not None:
            parts.insert(0, self.rows)
            keys = np.concatenate([self._keys, keys])
        best = np.argsort(keys, kind="stable")[: self.size]
        self.rows = payloads.together(parts).take(pa.array(best))
        self._keys = keys[best]


def learn(batches: Iterable[pa.Table], text: Sequence[str]) -> dict[str, list[str]]:
    """The words of every second row: the other rows show how many words live texts will lack."""
    words = Words(text)
    for batch in batches:
        words.add(batch.take(pa.array(np.arange(0, batch.num_rows, 2))))
    return words.vocabulary


def gathered(batches: Iterable[pa.Table], known: Vocabulary, *, baseline: bool) -> Described:
    """The profile of all batches, what their texts measure, and a sample of their rows."""
    own, measured = Dataset(free_text=list(known)), Dataset()
    sample = Sample(SAMPLE)
    for batch in batches:
        own.add(batch)
        sample.add(batch)
        # The vocabulary was learned on the baseline's even rows: those would look too familiar.
        fresh = batch.take(pa.array(np.arange(1, batch.num_rows, 2))) if baseline else batch
        if known:
            measured.add(text.features(fresh, known))
    return Described(own, measured, sample.rows if sample.rows is not None else pa.table({}))
