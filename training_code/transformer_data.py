"""Texts as token ids, and batches of them: padded to their longest, the same ones for a seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

SEPARATOR = " | "  # between the text columns of a row
CHUNK = 20  # batches whose rows are sorted by length together: less padding, still by chance


def tokenizer(folder: Path, max_length: int) -> Tokenizer:
    """The channel's tokenizer, which cuts at max_length; batches are padded where they are made."""
    found = Tokenizer.from_file(str(folder / "tokenizer.json"))
    found.enable_truncation(max_length)
    found.no_padding()
    return found


def joined(rows: np.ndarray) -> list[str]:
    """(n, text columns) of str as one text each; empty columns leave no separator."""
    return [SEPARATOR.join(part for part in row if part) for row in rows]


@dataclass(frozen=True)
class Encoded:
    """Token ids of texts, and what is known of each: an index into the labels, or a number."""

    ids: list[list[int]]
    known: torch.Tensor  # (n,) int64 or float32
    pad: int = 0

    def __len__(self) -> int:
        return len(self.ids)

    def batch(self, places: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """ids and mask (n, longest) int64, and what is known (n,)."""
        rows = [self.ids[place] for place in places]
        longest = max(len(row) for row in rows)
        ids = torch.full((len(rows), longest), self.pad, dtype=torch.int64)
        mask = torch.zeros((len(rows), longest), dtype=torch.int64)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = torch.tensor(row)
            mask[place, : len(row)] = 1
        return ids, mask, self.known[torch.as_tensor(places)]

    def part(self, places: np.ndarray) -> Encoded:
        """Some of the rows."""
        return Encoded([self.ids[each] for each in places], self.known[places], self.pad)

    def in_order(self, size: int) -> Iterator[np.ndarray]:
        """Places of every row, alike ones in length together."""
        order = np.argsort([len(row) for row in self.ids], kind="stable")
        yield from (order[first : first + size] for first in range(0, len(order), size))


def encode(
    texts: list[str], known: np.ndarray, by: Tokenizer, pad: int, dtype: torch.dtype
) -> Encoded:
    ids = [each.ids for each in by.encode_batch(texts)]
    return Encoded(ids, torch.as_tensor(np.asarray(known), dtype=dtype), pad)


@dataclass(frozen=True)
class Sampler:
    """Which rows an epoch takes, and in which batches: a function of the seed and the epoch.

    `balanced`: as many rows of every label as the rarest has; the rows of the others take turns, so
    that some epochs see all of them at the cost of few. Otherwise every row, every epoch.
    """

    lengths: np.ndarray  # (n,) tokens
    labels: np.ndarray  # (n,) int
    size: int  # of a batch, over all processes
    seed: int
    balanced: bool

    @property
    def rows(self) -> int:
        """In one epoch."""
        counts = np.unique(self.labels, return_counts=True)[1]
        return int(counts.min() * len(counts)) if self.balanced else len(self.labels)

    @property
    def steps(self) -> int:
        return -(-self.rows // self.size)

    def epoch(self, number: int) -> list[np.ndarray]:
        """The batches of an epoch, counted from 0."""
        random = np.random.default_rng((self.seed, number))
        order = random.permutation(self._taken(number))
        chunk = self.size * CHUNK
        chunks = [order[first : first + chunk] for first in range(0, len(order), chunk)]
        sorted_ = np.concatenate([part[np.argsort(self.lengths[part])] for part in chunks])
        batches = [sorted_[i : i + self.size] for i in range(0, len(sorted_), self.size)]
        return [batches[place] for place in random.permutation(len(batches))]

    def _taken(self, number: int) -> np.ndarray:
        if not self.balanced:
            return np.arange(len(self.labels))
        values, counts = np.unique(self.labels, return_counts=True)
        few = int(counts.min())
        taken = []
        for value in values:
            there = np.flatnonzero(self.labels == value)
            dealt = np.random.default_rng((self.seed, int(value))).permutation(there)
            taken.append(dealt[np.arange(number * few, (number + 1) * few) % len(dealt)])
        return np.concatenate(taken)
