"""Several workers on one run (torchrun, gloo): batches are shared out, gradients averaged. One process needs
nothing of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist

T = TypeVar("T")


class Workers:
    """Reads torchrun's environment. Two one-thread workers on two cores beat one worker with two threads."""

    def __init__(self) -> None:
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        if self.count > 1 and not dist.is_initialized():
            dist.init_process_group("gloo", timeout=timedelta(minutes=20))

    @property
    def first(self) -> bool:
        return self.rank == 0

    def share(self, batches: Sequence[T]) -> Sequence[T]:
        """This worker's batches; every worker gets as many."""
        even = len(batches) // self.count * self.count
        return batches[self.rank : even : self.count]

    def agree(self, flag: bool) -> bool:
        """True on every worker where it is true on any."""
        if self.count == 1:
            return flag
        value = torch.tensor(float(flag))
        dist.all_reduce(value, dist.ReduceOp.MAX)
        return bool(value)

    def average(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Mean gradient over the workers, in one message."""
        if self.count == 1:
            return
        held = [p for p in parameters]
        grads = [p.grad if p.grad is not None else torch.zeros_like(p) for p in held]
        flat = torch.cat([g.reshape(-1) for g in grads])
        dist.all_reduce(flat)
        flat /= self.count
        at = 0
        for p, g in zip(held, grads, strict=True):
            p.grad = flat[at : at + g.numel()].view_as(p).clone()
            at += g.numel()

    def wait(self) -> None:
        if self.count > 1:
            dist.barrier()
