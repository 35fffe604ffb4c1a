"""An encoder of two layers with chance weights, as the channel `pretrained` brings one."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertModel

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def write(folder: Path, kind: str, words: list[str]) -> Path:
    vocabulary = {word: place for place, word in enumerate([*SPECIAL, *words])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    encoder(kind, len(vocabulary)).save_pretrained(folder)
    return folder


def encoder(kind: str, words: int) -> BertModel | DistilBertModel:
    if kind == "bert":
        return BertModel(
            BertConfig(
                vocab_size=words,
                hidden_size=32,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=64,
                max_position_embeddings=32,
            )
        )
    return DistilBertModel(
        DistilBertConfig(
            vocab_size=words, dim=32, n_layers=2, n_heads=2, hidden_dim=64,
            max_position_embeddings=32,
        )
    )  # fmt: skip
