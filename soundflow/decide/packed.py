"""One pass of the decoder over tokens of many streams, each behind its own one-row cache.

All tokens stand in one sequence for the matrix products, which are what a pass costs; attention runs row by row over
the valid slots of each cache, so that no row pays for the length of another and rows join or leave at any pass
(Yu et al. 2022, Orca, "selective batching"). On a GPU a kernel a row would cost more than padding: there all caches of
a slab are read by index.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from soundflow.decide import recorded, scripted
from soundflow.decide.backbones.decoder import Block, Decoder
from soundflow.decide.kv_cache import CacheState
from soundflow.decide.slab import Group, Place, Shape, Slab, attend
from soundflow.int8 import Int8Linear


@torch.inference_mode()
def forward(llama: Decoder, rows: Sequence[Tensor], caches: Sequence[CacheState]) -> list[Tensor]:
    """Append each row's tokens to its cache.

    Args:
        rows: [P_b,D] input embeddings, at least one each, of one device.
        caches: one-row caches, none of them twice; updated in place.

    Returns:
        [P_b,D] final normalised hidden states of each row, on the model's device.

    Raises:
        CapacityError: a row does not fit its cache; none has changed.
    """
    counts = [len(r) for r in rows]
    starts = [int(c.lengths[0]) for c in caches]
    for cache, count in zip(caches, counts, strict=True):
        cache.check(count)
    x = torch.cat(list(rows))
    at = torch.cat([torch.arange(s, s + n) for s, n in zip(starts, counts, strict=True)])
    if llama.slabs is None:
        hidden = _layers(llama, x.to(llama.device), at.to(llama.device), _RowByRow(llama, caches, starts, counts))
    else:
        hidden = _by_index(llama, x, at, _places(caches, starts, counts))
    for cache, count in zip(caches, counts, strict=True):
        cache.lengths += count
    return list(torch.split(hidden, counts))


def _layers(llama: Decoder, x: Tensor, at: Tensor, attention: _RowByRow | _ByIndex) -> Tensor:
    """x [T,D] and positions [T] -> [T,D], final norm and all."""
    cos, sin = llama.cos[at].to(x.dtype)[:, None], llama.sin[at].to(x.dtype)[:, None]
    for layer, block in enumerate(llama.blocks):
        assert isinstance(block, Block)
        x = _block(block, x, layer, attention, cos, sin)
    return F.rms_norm(x, (llama.config.width,), llama.norm, llama.config.eps)


def _places(caches: Sequence[CacheState], starts: Sequence[int], counts: Sequence[int]) -> dict[Slab, list[Place]]:
    found: dict[Slab, list[Place]] = {}
    first = 0
    for cache, start, count in zip(caches, starts, counts, strict=True):
        assert cache.place is not None
        slab, row = cache.place
        found.setdefault(slab, []).append((row, first, start, count))
        first += count
    return found


def _by_index(llama: Decoder, x: Tensor, at: Tensor, places: dict[Slab, list[Place]]) -> Tensor:
    def layers(x: Tensor, at: Tensor, reads: Sequence[tuple[Slab, Group, int]]) -> Tensor:
        return _layers(llama, x, at, _ByIndex(llama, reads))

    assert llama.slabs is not None
    if (played := recorded.run(llama.slabs, x, at, places, llama.device, layers)) is not None:
        return played
    shapes = {slab: Shape.of(p) for slab, p in places.items()}
    reads = [(slab, Group.of(p, shapes[slab]).to(llama.device), shapes[slab].end) for slab, p in places.items()]
    return layers(x.to(llama.device), at.to(llama.device), reads)


class _Row:
    """Views of one cache, by layer, made once a pass: where new keys and values go, and all that attention reads."""

    __slots__ = ("mask", "new_keys", "new_values", "seen_keys", "seen_values")

    def __init__(self, cache: CacheState, start: int, count: int, groups: int, dtype: torch.dtype) -> None:
        end = start + count
        self.new_keys = cache.keys[:, 0, :, start:end].unbind(0)
        self.new_values = cache.values[:, 0, :, start:end].unbind(0)
        self.seen_keys = cache.keys[:, :, :, :end].unbind(0)
        self.seen_values = cache.values[:, :, :, :end].unbind(0)
        self.mask = _mask(start, count, groups, dtype)


class _RowByRow:
    """Attention over each cache by itself."""

    def __init__(
        self, llama: Decoder, caches: Sequence[CacheState], starts: Sequence[int], counts: Sequence[int]
    ) -> None:
        groups, dtype = llama.config.heads // llama.config.kv_heads, llama.norm.dtype
        rows = [_Row(c, s, n, groups, dtype) for c, s, n in zip(caches, starts, counts, strict=True)]
        names = ("new_keys", "new_values", "seen_keys", "seen_values")
        self._layers = [[[getattr(r, name)[k] for r in rows] for name in names] for k in range(llama.config.layers)]
        self._masks, self._counts = [r.mask for r in rows], list(counts)

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Append k and v [T,Hkv,Dh] to the caches and attend with q [T,H,Dh] -> [T,H*Dh]."""
        found: Tensor = scripted.attend(q, k, v, self._counts, *self._layers[layer], self._masks)
        return found


class _ByIndex:
    """Attention over all caches of a slab at once, padded to the longest."""

    def __init__(self, llama: Decoder, reads: Sequence[tuple[Slab, Group, int]]) -> None:
        groups = llama.config.heads // llama.config.kv_heads
        self._reads = [(slab, group, group.mask(end, groups, llama.norm.dtype)) for slab, group, end in reads]

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """As of `_RowByRow`."""
        out = q.new_zeros(len(q), q.shape[1] * q.shape[2])  # a recorded pass has tokens of nobody behind its end
        for slab, group, mask in self._reads:
            attend(slab, group, mask, layer, q, k, v, out)
        return out


def _block(block: Block, x: Tensor, layer: int, attention: _RowByRow | _ByIndex, cos: Tensor, sin: Tensor) -> Tensor:
    c = block.c
    if block.plain and isinstance(block.qkv, Int8Linear):
        from soundflow.decide import scripted_int8

        matrices = (block.out.packed, block.gate_up.packed, block.down.packed)
        q, k, v = scripted_int8.before(
            x, block.norm1, c.eps, block.qkv.packed, cos, sin, c.heads, c.kv_heads, c.head_dim
        )
        made: Tensor = scripted_int8.after(x, attention(layer, q, k, v), block.norm2, c.eps, *matrices)
        return made
    q, k, v = block.heads(x, cos, sin)
    return block.rest(x, attention(layer, q, k, v))


def _mask(start: int, count: int, groups: int, dtype: torch.dtype) -> Tensor | None:
    """[G*P, start+P] additive, causal within the new tokens; None where there is one."""
    if count == 1:
        return None
    seen = torch.arange(start + count) <= torch.arange(start, start + count)[:, None]
    return torch.zeros(count, start + count, dtype=dtype).masked_fill_(~seen, float("-inf")).repeat(groups, 1)
