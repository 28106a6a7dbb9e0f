"""Many one-row caches of one shape in one tensor, so that a pass on a GPU reaches all of them by index.

On a CPU a pass attends cache by cache; on a GPU that would be a kernel a row and layer. Rows of a slab are taken and
given back; their memory is never moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

ROWS: Final = 64


@dataclass(eq=False)
class Slab:
    """keys and values [L,ROWS,Hkv,C,Dh], and the rows that nobody has."""

    keys: Tensor
    values: Tensor
    free: list[int] = field(default_factory=lambda: list(range(ROWS)))

    def give(self, row: int) -> None:
        self.free.append(row)


class Slabs:
    """Slabs of one device, by shape. A slab without a taken row is let go where another has room."""

    def __init__(self) -> None:
        self._slabs: dict[tuple[object, ...], list[Slab]] = {}

    def take(self, shape: tuple[int, int, int, int], dtype: torch.dtype, device: torch.device) -> tuple[Slab, int]:
        """A row of a slab for (layers, kv heads, slots, head width)."""
        layers, heads, slots, width = shape
        same = self._slabs.setdefault((shape, dtype, device), [])
        free = [slab for slab in same if slab.free]
        if not free:
            with torch.inference_mode(mode=False):  # finite from the start: what is masked is read, too
                full = (layers, ROWS, heads, slots, width)
                keys, values = (torch.zeros(full, dtype=dtype, device=device) for _ in range(2))
            same.append(Slab(keys, values))
            free = same[-1:]
        for empty in [slab for slab in free[1:] if len(slab.free) == ROWS]:
            same.remove(empty)
        return free[0], free[0].free.pop()


@dataclass(frozen=True)
class Group:
    """The rows of one slab in one pass of T tokens, n of them in these B rows of at most P tokens each.

    tokens [n]: their places among the T. rows [B]; row_of, slot_of [n]: where their keys and values go. padded [B,P]:
    places of each row's tokens, the first token of the pass behind its end. kept [n]: their places in padded. mask
    [B,1,G*P,m] additive.
    """

    slab: Slab
    tokens: Tensor
    rows: Tensor
    row_of: Tensor
    slot_of: Tensor
    padded: Tensor
    kept: Tensor
    mask: Tensor

    @staticmethod
    def of(
        slab: Slab, places: Sequence[tuple[int, int, int, int]], groups: int, dtype: torch.dtype, device: torch.device
    ) -> Group:
        """`places` of each cache: row, first token in the pass, first slot, count. `groups`: heads a kv head."""
        most, end = max(p[3] for p in places), max(p[2] + p[3] for p in places)
        tokens, row_of, slot_of, kept = (list[int]() for _ in range(4))
        padded = torch.zeros(len(places), most, dtype=torch.int64)
        seen = torch.zeros(len(places), most, end, dtype=torch.bool)
        seen[:, :, 0] = True  # a token that is only padding looks at something
        for b, (row, first, slot, count) in enumerate(places):
            tokens += range(first, first + count)
            row_of += [row] * count
            slot_of += range(slot, slot + count)
            kept += range(b * most, b * most + count)
            padded[b, :count] = torch.arange(first, first + count)
            seen[b, :count] = torch.arange(end) <= torch.arange(slot, slot + count)[:, None]
        mask = torch.zeros(seen.shape, dtype=dtype).masked_fill_(~seen, float("-inf"))
        rows = [row for row, _, _, _ in places]
        mask = mask[:, None].repeat(1, 1, groups, 1).to(device)
        at = [torch.tensor(x, dtype=torch.int64).to(device) for x in (tokens, rows, row_of, slot_of, kept)]
        return Group(slab, at[0], at[1], at[2], at[3], padded.to(device), at[4], mask)

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor, out: Tensor) -> None:
        """Write k and v [T,Hkv,Dh] of these rows' tokens, attend with q [T,H,Dh], put the result into out [T,H*Dh]."""
        keys, values = self.slab.keys[layer], self.slab.values[layer]
        keys[self.row_of, :, self.slot_of] = k[self.tokens]
        values[self.row_of, :, self.slot_of] = v[self.tokens]
        end = self.mask.shape[-1]
        (b, p), (heads, dim), kv_heads = self.padded.shape, q.shape[1:], k.shape[1]
        queries = q[self.padded].view(b, p, kv_heads, heads // kv_heads, dim).permute(0, 2, 3, 1, 4)
        found = F.scaled_dot_product_attention(
            queries.reshape(b, kv_heads, -1, dim),
            keys[:, :, :end].index_select(0, self.rows),
            values[:, :, :end].index_select(0, self.rows),
            attn_mask=self.mask,
        )
        flat = found.view(b, kv_heads, heads // kv_heads, p, dim).permute(0, 3, 1, 2, 4).reshape(b * p, heads * dim)
        out[self.tokens] = flat[self.kept]
