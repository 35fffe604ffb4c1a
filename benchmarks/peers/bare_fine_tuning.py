"""The peer in throughput: the loop of a tutorial on the same rows. Prints rows a second."""

from __future__ import annotations

import sys
import time

import pandas as pd
import torch
from torch.utils.data import DataLoader
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
)

BATCH, LENGTH = 32, 64


def main(folder: str) -> None:
    rows = pd.read_parquet("train")
    text = rows[["review_body", "review_headline"]].agg("\n".join, axis=1)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    encoded = tokenizer(list(text), truncation=True, max_length=LENGTH)["input_ids"]
    known = rows["star_rating"].astype(int) - 1
    pairs = [{"input_ids": i, "labels": k} for i, k in zip(encoded, known, strict=True)]
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=5).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    began = time.monotonic()
    for batch in DataLoader(
        pairs, BATCH, shuffle=True, collate_fn=DataCollatorWithPadding(tokenizer)
    ):
        model(**batch).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    print(len(pairs) / (time.monotonic() - began))


if __name__ == "__main__":
    main(sys.argv[1])
