"""A Hugging Face encoder (BERT, DistilBERT, MiniLM), fine-tuned on the text columns with PyTorch.

Its weights come from the channel `pretrained`, never from a hub. On an instance of several GPUs,
torchrun starts a process for each.
https://docs.aws.amazon.com/sagemaker/latest/dg/distributed-training.html
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

# Hugging Face's libraries read these when they are imported.
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}

HEAD_RATE = "the new layer's learning rate, as a multiple"
LAYER_DECAY = "each layer's learning rate, as a multiple of the one's above"
SAMPLING = "balanced: as many rows of each label as the rarest has; those of the others take turns"


def arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("transformer")
    channel = os.environ.get("SM_CHANNEL_PRETRAINED")
    group.add_argument("--pretrained", type=Path, default=channel, help="folder of the encoder")
    code = os.environ.get("SM_CHANNEL_INFERENCE")
    group.add_argument("--inference", type=Path, default=code, help="folder of inference.tar.gz")
    group.add_argument("--fine_tuning", "--fine-tuning", choices=("full", "frozen"), default="full")
    group.add_argument("--epochs", type=int, default=4)
    group.add_argument("--patience", type=int, default=2, help="epochs without gain before the end")
    group.add_argument("--batch_size", "--batch-size", type=int, default=32, help="over all GPUs")
    group.add_argument("--max_length", "--max-length", type=int, default=128, help="tokens read")
    group.add_argument("--head_rate", "--head-rate", type=float, default=10.0, help=HEAD_RATE)
    group.add_argument("--layer_decay", "--layer-decay", type=float, default=0.9, help=LAYER_DECAY)
    group.add_argument("--warmup", type=float, default=0.1, help="share of the steps")
    group.add_argument("--weight_decay", "--weight-decay", type=float, default=0.01)
    group.add_argument("--dropout", type=float, default=0.1)
    group.add_argument("--label_smoothing", "--label-smoothing", type=float, default=0.0)
    group.add_argument("--sampling", choices=("all", "balanced"), default="all", help=SAMPLING)
    precisions = ("auto", "fp32", "bf16", "fp16")
    group.add_argument("--precision", choices=precisions, default="auto")
    group.add_argument("--export", choices=("none", "onnx", "onnx-int8"), default="none")


def run(options: argparse.Namespace) -> None:
    """Fine-tune here, or in a process for each GPU."""
    os.environ.update(OFFLINE)
    gpus = int(os.environ.get("SM_NUM_GPUS", "0"))
    if gpus > 1 and "WORLD_SIZE" not in os.environ:
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command = [*launcher, f"--nproc_per_node={gpus}", *sys.argv]
        sys.exit(subprocess.run(command).returncode)
    import fine_tuning
    import processes
    import saved_transformer
    import transformer_network

    transformer_network.check(options.pretrained)
    mine = processes.join()
    try:
        fitted = fine_tuning.fit(options, mine)
        if mine.first:
            saved_transformer.save(fitted, options)
    finally:
        processes.leave()
