"""Exponential mean of the trained weights; evaluation and best/ use it (Polyak and Juditsky 1992)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Ema:
    """mean <- decay mean + (1 - decay) weight after every step; young means forget faster, min(decay, (1+n)/(10+n))."""

    def __init__(self, parameters: Mapping[str, nn.Parameter], decay: float) -> None:
        self.parameters, self.decay, self.updates = dict(parameters), decay, 0
        self.mean = {k: p.detach().clone() for k, p in parameters.items()} if decay else {}

    @torch.no_grad()
    def update(self) -> None:
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, mean in self.mean.items():
            mean.lerp_(self.parameters[name].detach(), 1 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The mean stands in for the weights inside of the `with`."""
        held = {name: self.parameters[name].detach().clone() for name in self.mean}
        self._put(self.mean)
        try:
            yield
        finally:
            self._put(held)

    def state(self) -> dict[str, object]:
        return {"mean": self.mean, "updates": self.updates}

    def restore(self, state: Mapping[str, object]) -> None:
        mean, updates = state["mean"], state["updates"]
        assert isinstance(mean, dict)
        assert isinstance(updates, int)
        self.mean = {k: v.to(self.parameters[k].device) for k, v in mean.items()}
        self.updates = updates

    @torch.no_grad()
    def _put(self, tensors: Mapping[str, Tensor]) -> None:
        for name, tensor in tensors.items():
            self.parameters[name].copy_(tensor)
