"""Several workers on one run (torchrun's environment; gloo on a CPU, nccl on GPUs): batches are shared out, gradients
averaged. One process needs nothing of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from soundflow.errors import ConfigError

T = TypeVar("T")


def launch(count: int, arguments: Sequence[str]) -> int:
    """Run `soundflow ARGUMENTS` in `count` processes of torchrun's launcher; its exit status."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
    environment = {"OMP_NUM_THREADS": "1", **os.environ}
    return subprocess.run([*launcher, "-m", "soundflow.cli", *arguments], env=environment, check=False).returncode


def device(wanted: str) -> torch.device:
    """`auto`: this worker's GPU where there is one. ConfigError for a GPU that is not there."""
    if wanted == "cpu" or (wanted == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    rank = int(os.environ.get("LOCAL_RANK", "0"))
    if rank >= torch.cuda.device_count():
        raise ConfigError(f"device {wanted!r}: GPU {rank} was expected, this machine has {torch.cuda.device_count()}")
    return torch.device("cuda", rank)


class Workers:
    """Reads torchrun's environment. Two one-thread workers on two cores beat one worker with two threads."""

    def __init__(self, on: torch.device | None = None) -> None:
        self.device = on or torch.device("cpu")
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        if self.count > 1 and not dist.is_initialized():
            if self.device.type == "cuda":
                torch.cuda.set_device(self.device)
            dist.init_process_group("nccl" if self.device.type == "cuda" else "gloo", timeout=timedelta(minutes=20))

    @property
    def first(self) -> bool:
        return self.rank == 0

    def groups(self, stream: Iterable[T], size: int) -> Iterator[tuple[T, list[T]]]:
        """An endless stream in groups of `size` for every worker: (last of the whole group, this worker's share)."""
        held: list[T] = []
        for item in stream:
            held.append(item)
            if len(held) == size * self.count:
                yield held[-1], held[self.rank :: self.count]
                held = []

    def rows(self, count: int) -> range:
        """Which of `count` things this worker does."""
        return range(self.rank, count, self.count)

    def summed(self, value: Tensor) -> Tensor:
        """Sum over the workers; a tensor of any device comes back on its own."""
        if self.count == 1:
            return value
        moved = value.to(self.device)
        dist.all_reduce(moved)
        return moved.to(value.device)

    def from_first(self, number: float) -> float:
        """The first worker's number on every worker: clocks differ, decisions by the clock must not."""
        return float(self.summed(torch.tensor(number if self.first else 0.0, dtype=torch.float64)))

    def average(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Mean gradient over the workers, in one message."""
        if self.count == 1:
            return
        held = list(parameters)
        grads = [p.grad if p.grad is not None else torch.zeros_like(p) for p in held]
        flat = self.summed(torch.cat([g.reshape(-1) for g in grads])) / self.count
        at = 0
        for p, g in zip(held, grads, strict=True):
            p.grad = flat[at : at + g.numel()].view_as(p).clone()
            at += g.numel()

    def wait(self) -> None:
        if self.count > 1:
            dist.barrier()

    def close(self) -> None:
        """Leave the group, so that no worker ends while another still talks to it."""
        if self.count > 1 and dist.is_initialized():
            dist.barrier()
            dist.destroy_process_group()
