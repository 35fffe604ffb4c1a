"""Fine-tune the network: epochs, each measured and checkpointed; the best one is kept."""

from __future__ import annotations

import argparse
import copy
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import channels
import checkpoints
import columns
import numpy as np
import optimization
import task
import torch
import transformer_data
import transformer_network
from failures import DataError
from processes import Processes
from task import Task
from torch import nn
from transformer_data import Encoded, Sampler
from transformer_network import Network

AFTERWARDS = ("export",)  # options that change nothing of the training


@dataclass
class Fitted:
    """What a training gave: the best epoch's network and all epochs' scores."""

    network: Network
    task: Task
    read: columns.Columns
    train: Encoded
    validation: Encoded
    history: list[dict[str, Any]]


def fit(options: argparse.Namespace, group: Processes) -> Fitted:
    train, validation = (channels.read(each) for each in (options.train, options.validation))
    read = columns.of(train, options.text, options.features)
    if read.numeric or read.categorical or not read.text:
        raise DataError("the transformer reads texts alone: model.text, and no model.features")
    known = [channels.labels(rows, options) for rows in (train, validation)]
    learned = task.of(options.problem, known[0])
    sides = [
        _encoded(read.array(rows), learned.known(values), options)
        for rows, values in zip((train, validation), known, strict=True)
    ]
    if group.first:
        where = f"{group.world} {group.device.type} process{'es' * (group.world > 1)}"
        told = f"training transformer on {len(train)} rows in {where}"
        print(f"{told}, validating on {len(validation)}")
    return Training(options, group, learned, *sides).run(read)


def _encoded(texts: np.ndarray, known: np.ndarray, options: argparse.Namespace) -> Encoded:
    by = transformer_data.tokenizer(options.pretrained, options.max_length)
    dtype = torch.float32 if options.problem == "regression" else torch.int64
    return transformer_data.encode(
        transformer_data.joined(texts), known, by, by.token_to_id("[PAD]"), dtype
    )


class Training:
    """The epochs of one training, in one of its processes."""

    def __init__(
        self,
        options: argparse.Namespace,
        group: Processes,
        learned: Task,
        train: Encoded,
        validation: Encoded,
    ) -> None:
        torch.manual_seed(options.seed)
        self.options, self.group, self.task = options, group, learned
        self.train, self.validation = train, validation
        regression = learned.problem == "regression"
        labels = np.zeros(len(train), int) if regression else train.known.numpy()
        lengths = np.array([len(each) for each in train.ids])
        balanced = options.sampling == "balanced"
        self.sampler = Sampler(lengths, labels, options.batch_size, options.seed, balanced)
        outputs = 1 if regression else len(learned.labels)
        self.network = transformer_network.pretrained(options.pretrained, outputs, options.dropout)
        self.network.mean.fill_(learned.mean)
        self.network.scale.fill_(learned.scale)
        if options.fine_tuning == "frozen":
            self.network.encoder.requires_grad_(False)
        self.network.to(group.device)
        self.optimizer = optimization.optimizer(self.network, options)
        steps = max(1, self.sampler.steps * options.epochs)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: optimization.rate(step, steps, options.warmup)
        )
        self.dtype = optimization.precision(options.precision, group.device)
        self.scaler = torch.amp.GradScaler(group.device.type, enabled=self.dtype == torch.float16)
        self.loss = (
            optimization.SquaredError(learned.scale)
            if regression
            else optimization.cross_entropy(labels, options)
        ).to(group.device)
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, torch.Tensor] = {}
        self.fingerprint = checkpoints.fingerprint(
            {
                name: value
                for name, value in vars(options).items()
                if name not in AFTERWARDS and not isinstance(value, Path)
            },
            transformer_network.digest(options.pretrained),
            asdict(learned),
            [[side.ids, side.known.tolist()] for side in (train, validation)],
        )

    def run(self, read: columns.Columns) -> Fitted:
        self._resume()
        distributed = (
            nn.parallel.DistributedDataParallel(self.network)
            if self.group.world > 1
            else self.network
        )
        while not self.group.agree(self._done()):
            self._epoch(distributed)
        if self.group.first:
            self.network.load_state_dict(self.best)
        return Fitted(self.network, self.task, read, self.train, self.validation, self.history)

    def _done(self) -> bool:
        """All epochs have been, or the last few were no better than the best."""
        metric = self.task.metric
        values = [each["validation"][metric] for each in self.history]
        if len(values) >= self.options.epochs:
            return True
        return bool(values) and len(values) - 1 - self.task.best(values) >= self.options.patience

    def _epoch(self, distributed: nn.Module) -> None:
        """One pass; chance depends on the seed and the epoch alone, so that it can be repeated."""
        number, began = len(self.history), time.monotonic()
        torch.manual_seed(self.options.seed + 1_000 * number + self.group.rank)
        distributed.train()
        if self.options.fine_tuning == "frozen":
            self.network.encoder.eval()
        told: list[tuple[torch.Tensor, torch.Tensor]] = []
        for places in self.sampler.epoch(number):
            # Each process takes its part, and none of them nothing.
            part = np.resize(places, max(len(places), self.group.world))
            told.append(self._step(distributed, part[self.group.rank :: self.group.world]))
        seconds = time.monotonic() - began
        seen = task.score(
            torch.cat([a for a, _ in told]), torch.cat([b for _, b in told]), self.task
        )
        self.history.append({"epoch": number + 1, "train": seen, "validation": seen})
        if self.group.first:
            self._measure(seen, self.sampler.rows / seconds)

    def _step(
        self, distributed: nn.Module, places: np.ndarray
    ) -> tuple[torch.Tensor, torch.Tensor]:
        ids, mask, known = (each.to(self.group.device) for each in self.train.batch(places))
        with torch.autocast(
            self.group.device.type, self.dtype, enabled=self.dtype != torch.float32
        ):
            answers = distributed(ids, mask)
        value = self.loss(answers.float(), known)
        self.scaler.scale(value).backward()
        self.scaler.unscale_(self.optimizer)
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        self.schedule.step()
        return answers.detach().float().cpu(), known.cpu()

    def _measure(self, seen: dict[str, float], speed: float) -> None:
        """Score the epoch, keep it if it is the best, say it, write the checkpoint."""
        unseen = task.score(*task.ask(self.network, self.validation, self.group.device), self.task)
        self.history[-1]["validation"] = unseen
        values = [each["validation"][self.task.metric] for each in self.history]
        if self.task.best(values) == len(values) - 1:
            self.best = copy.deepcopy({k: v.cpu() for k, v in self.network.state_dict().items()})
        metric = self.task.metric
        print(
            f"epoch {len(self.history)} of {self.options.epochs}, {speed:.1f} rows/s: "
            f"train_{metric}={seen[metric]:.6g}; validation_{metric}={unseen[metric]:.6g};",
            flush=True,
        )
        checkpoints.write(checkpoints.folder(), self.fingerprint, self._state())

    def _state(self) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
            "history": self.history,
            "best": self.best,
        }

    def _resume(self) -> None:
        """Go on after the last whole epoch of the same training, where there is one."""
        state = checkpoints.read(checkpoints.folder(), self.fingerprint)
        if state is None:
            return
        for name in ("network", "optimizer", "schedule", "scaler"):
            getattr(self, name).load_state_dict(state[name])
        self.history, self.best = state["history"], state["best"]
        if self.group.first:
            print(f"going on after epoch {len(self.history)}", flush=True)
