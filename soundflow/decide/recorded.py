"""Passes over slabs that are recorded once a shape and played again.

On a GPU a pass over few tokens is some hundreds of kernels of microseconds each, and launching them one by one from
Python takes longer than they run. A CUDA graph launches all of them at once (docs.pytorch.org/docs/stable/notes/cuda,
"CUDA Graphs"), for tensors that stay where they are and have one shape. Shapes are therefore rounded up: a pass plays
the smallest recording that it fits in. A pass over many tokens is bound by its arithmetic and is not recorded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import torch
from torch import Tensor

from soundflow.decide.slab import Group, Place, Record, Shape, Slab, Slabs

MOST_TOKENS: Final = 256
MOST_RECORDED: Final = 64
TOKENS: Final = (8, 16, 32, 64, 128, MOST_TOKENS)
MOST_OF_ROW: Final = (1, 4, 16, 64, MOST_TOKENS)

Layers = Callable[[Tensor, Tensor, Sequence[tuple[Slab, Group, int]]], Tensor]
"""x [T,D], positions [T], (slab, its rows, slots that are read) -> [T,D]."""

log = logging.getLogger(__name__)


def cuda() -> Record:
    """Records CUDA graphs. They share their memory: what a pass gave is to be used before the next one is played."""
    pool = torch.cuda.graph_pool_handle()

    def record(work: Callable[[], Tensor]) -> Callable[[], Tensor]:
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):  # libraries choose their kernels and workspaces before they are recorded
            for _ in range(2):
                work()
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        # Other threads encode on this GPU meanwhile; only this one must do nothing that cannot be recorded.
        with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
            out = work()

        def play() -> Tensor:
            graph.replay()
            return out

        return play

    return record


class _Pass:
    """What a recording reads, on the device."""

    def __init__(self, x: Tensor, at: Tensor, groups: Sequence[Group], device: torch.device) -> None:
        self.x, self.at = (t.to(device, copy=True) for t in (x, at))
        self.groups = [g.to(device) for g in groups]
        self.play: Callable[[], Tensor]

    def fill(self, x: Tensor, at: Tensor, groups: Sequence[Group]) -> None:
        self.x.copy_(x)
        self.at.copy_(at)
        for mine, theirs in zip(self.groups, groups, strict=True):
            mine.fill(theirs)


def run(
    slabs: Slabs, x: Tensor, at: Tensor, places: dict[Slab, list[Place]], device: torch.device, layers: Layers
) -> Tensor | None:
    """Play the pass, record it first where there is none of its shape.

    Args:
        x, at: [T,D] and positions [T], of the host.
        layers: the work. It may read what it is given, slabs and weights, and write slabs.

    Returns:
        [T,D]; None where it is not recorded: too many tokens, or this device has refused to.
    """
    if slabs.record is None or len(x) > MOST_TOKENS:
        return None
    shapes = {slab: _rounded(Shape.of(p), slab.keys.shape[3]) for slab, p in places.items()}
    longer = _up(len(x), TOKENS) - len(x)
    x_full, at_full = (torch.cat([t, t[:1].repeat(longer, *[1] * (t.dim() - 1))]) for t in (x, at))
    groups = [Group.of(p, shapes[slab]) for slab, p in places.items()]
    key = (len(x_full), *((id(slab), shape) for slab, shape in shapes.items()))
    kept: _Pass | None = slabs.recorded.pop(key, None)
    if kept is None:
        kept = _Pass(x_full, at_full, groups, device)
        reads = [(slab, g, shape.end) for (slab, shape), g in zip(shapes.items(), kept.groups, strict=True)]
        try:
            kept.play = slabs.record(partial(layers, kept.x, kept.at, reads))
        except RuntimeError as error:
            log.warning("passes are not recorded on this device, each kernel is launched by itself: %s", error)
            slabs.record = None
            slabs.recorded.clear()
            return None
    else:
        kept.fill(x_full, at_full, groups)
    while len(slabs.recorded) >= MOST_RECORDED:
        slabs.recorded.popitem(last=False)
    slabs.recorded[key] = kept
    return kept.play()[: len(x)].clone()


def _rounded(shape: Shape, slots: int) -> Shape:
    """Rows in powers of two, slots in halves of what there is."""
    half = -(-slots // 2)
    return Shape(
        _up(shape.tokens, TOKENS),
        1 << (shape.rows - 1).bit_length(),
        _up(shape.most, MOST_OF_ROW),
        half if shape.end <= half else slots,
    )


def _up(n: int, steps: Sequence[int]) -> int:
    return next(s for s in steps if s >= n)
