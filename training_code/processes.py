"""The processes of one training: alone, or those that torchrun has started, one for each GPU."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist


@dataclass(frozen=True)
class Processes:
    """This process among them. Rank 0 measures, prints and writes."""

    rank: int
    world: int
    device: torch.device

    @property
    def first(self) -> bool:
        return self.rank == 0

    def agree(self, value: bool) -> bool:
        """What rank 0 says."""
        if self.world == 1:
            return value
        told = torch.tensor([int(value)], device=self.device)
        dist.broadcast(told, src=0)
        return bool(told.item())


def join() -> Processes:
    """NCCL between GPUs, gloo between CPUs. https://docs.pytorch.org/docs/stable/elastic/run.html"""
    rank, world = (int(os.environ.get(name, d)) for name, d in (("RANK", "0"), ("WORLD_SIZE", "1")))
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    if world > 1:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return Processes(rank, world, device)


def leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()
