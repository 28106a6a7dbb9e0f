"""Many one-row caches of one shape in one tensor, so that a pass on a GPU reaches all of them by index.

On a CPU a pass attends cache by cache; on a GPU that would be a kernel a row and layer. Rows of a slab are taken and
given back; their memory is never moved.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

ROWS: Final = 64
LEAST_ROWS: Final = 4
SLAB_BYTES: Final = 2**30
"""Of keys and values: a slab of a large model has fewer rows, as the first stream asks for all of it."""

Place = tuple[int, int, int, int]
"""Of one cache in a pass: its row of the slab, its first token in the pass, its first slot, its count of tokens."""

Record = Callable[[Callable[[], Tensor]], Callable[[], Tensor]]
"""Work on tensors that stay where they are -> the same, played again (`soundflow.decide.recorded`)."""


@dataclass(eq=False)
class Slab:
    """keys and values [L,R,Hkv,C,Dh], and the rows that nobody has."""

    keys: Tensor
    values: Tensor
    free: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.free = list(range(self.rows))

    @property
    def rows(self) -> int:
        return self.keys.shape[1]

    @property
    def empty(self) -> bool:
        return len(self.free) == self.rows

    def give(self, row: int) -> None:
        self.free.append(row)


class Slabs:
    """Slabs of one device, by shape. A slab without a taken row is let go where another has room.

    record: how passes over them are recorded, None where they are not. recorded: those that were, newest last; they
    know where the slabs lie, and go when one of these does.
    """

    def __init__(self, record: Record | None = None) -> None:
        self._slabs: dict[tuple[object, ...], list[Slab]] = {}
        self.record, self.recorded = record, OrderedDict[tuple[object, ...], Any]()

    def take(self, shape: tuple[int, int, int, int], dtype: torch.dtype, device: torch.device) -> tuple[Slab, int]:
        """A row of a slab for (layers, kv heads, slots, head width)."""
        layers, heads, slots, width = shape
        same = self._slabs.setdefault((shape, dtype, device), [])
        free = [slab for slab in same if slab.free]
        if not free:
            with torch.inference_mode(mode=False):  # finite from the start: what is masked is read, too
                full = (layers, rows_of(shape, dtype), heads, slots, width)
                keys, values = (torch.zeros(full, dtype=dtype, device=device) for _ in range(2))
            same.append(Slab(keys, values))
            free = same[-1:]
        for empty in [slab for slab in free[1:] if slab.empty]:
            same.remove(empty)
            self.recorded.clear()
        return free[0], free[0].free.pop()


def rows_of(shape: tuple[int, int, int, int], dtype: torch.dtype) -> int:
    """How many caches of (layers, kv heads, slots, head width) a slab holds."""
    return min(ROWS, max(LEAST_ROWS, SLAB_BYTES // (2 * math.prod(shape) * dtype.itemsize)))


class Shape(NamedTuple):
    """Of a group: how many tokens, caches, tokens of one cache at most, and slots that attention reads."""

    tokens: int
    rows: int
    most: int
    end: int

    @staticmethod
    def of(places: Sequence[Place]) -> Shape:
        counts = [p[3] for p in places]
        return Shape(sum(counts), len(places), max(counts), max(p[2] + p[3] for p in places))


class Group(NamedTuple):
    """The rows of one slab in one pass, n tokens in B rows of at most P tokens each.

    tokens [n]: their places among the tokens of the pass. rows [B]; row_of, slot_of [n]: where their keys and values
    go. padded [B,P]: places of each row's tokens, the first token of the pass behind its end. kept [n]: their places in
    padded. limits [B,P]: the last slot that each may look at.
    """

    tokens: Tensor
    rows: Tensor
    row_of: Tensor
    slot_of: Tensor
    padded: Tensor
    kept: Tensor
    limits: Tensor

    @staticmethod
    def of(places: Sequence[Place], shape: Shape) -> Group:
        """On the host. Where `shape` is larger than `places`, the first token is there several times, and rows that
        nobody reads look at one slot.
        """
        tokens, row_of, slot_of, kept = (list[int]() for _ in range(4))
        padded, limits = (torch.zeros(shape.rows, shape.most, dtype=torch.int64) for _ in range(2))
        for b, (row, first, slot, count) in enumerate(places):
            tokens += range(first, first + count)
            row_of += [row] * count
            slot_of += range(slot, slot + count)
            kept += range(b * shape.most, b * shape.most + count)
            padded[b, :count] = torch.arange(first, first + count)
            limits[b, :count] = torch.arange(slot, slot + count)
        rows = [row for row, _, _, _ in places]

        def full(x: list[int], length: int) -> Tensor:
            return torch.tensor(x + x[:1] * (length - len(x)), dtype=torch.int64)

        at = [full(x, shape.tokens) for x in (tokens, row_of, slot_of, kept)]
        return Group(at[0], full(rows, shape.rows), at[1], at[2], padded, at[3], limits)

    def to(self, device: torch.device) -> Group:
        return Group(*(x.to(device, copy=True) for x in self))

    def fill(self, other: Group) -> None:
        """Take over the numbers of another one of this shape, of any device."""
        for mine, theirs in zip(self, other, strict=True):
            mine.copy_(theirs)

    def mask(self, end: int, groups: int, dtype: torch.dtype) -> Tensor:
        """[B,1,G*P,end] additive. `groups`: heads a kv head."""
        seen = torch.arange(end, device=self.limits.device) <= self.limits[:, :, None]
        mask = torch.zeros(seen.shape, dtype=dtype, device=seen.device).masked_fill_(~seen, float("-inf"))
        return mask[:, None].repeat(1, 1, groups, 1)


def attend(slab: Slab, group: Group, mask: Tensor, layer: int, q: Tensor, k: Tensor, v: Tensor, out: Tensor) -> None:
    """Write k and v [T,Hkv,Dh] of these rows' tokens, attend with q [T,H,Dh], put the result into out [T,H*Dh]."""
    keys, values = slab.keys[layer], slab.values[layer]
    keys[group.row_of, :, group.slot_of] = k[group.tokens]
    values[group.row_of, :, group.slot_of] = v[group.tokens]
    end = mask.shape[-1]
    (b, p), (heads, dim), kv_heads = group.padded.shape, q.shape[1:], k.shape[1]
    queries = q[group.padded].view(b, p, kv_heads, heads // kv_heads, dim).permute(0, 2, 3, 1, 4)
    found = F.scaled_dot_product_attention(
        queries.reshape(b, kv_heads, -1, dim),
        keys[:, :, :end].index_select(0, group.rows),
        values[:, :, :end].index_select(0, group.rows),
        attn_mask=mask,
    )
    flat = found.view(b, kv_heads, heads // kv_heads, p, dim).permute(0, 3, 1, 2, 4).reshape(b * p, heads * dim)
    out[group.tokens] = flat[group.kept]
