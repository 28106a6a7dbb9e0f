"""Bounded key/value cache: a fixed prefix (the attention sinks) and the newest tokens behind it.

Xiao et al. 2023 (arXiv 2309.17453) keep the first tokens as attention sinks. Here the sinks are the whole prompt
prefix. When a
row is full its oldest tokens behind the prefix leave as a block, the rest moves down, and its keys are rotated back
by as many positions, so that a position is always a slot index and RoPE never leaves [0, capacity).

A one-row cache asks for all its memory and touches what it writes: a reply that says little takes little. What is gone
goes back to the system (`serving.heap` maps such blocks apart); kept for the next reply, each block would grow to the
longest one that it ever held.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Final, cast

import torch
from torch import Tensor

from soundflow.decide.slab import Slab, Slabs
from soundflow.errors import CapacityError


def rope_tables(positions: int, head_dim: int, theta: float) -> tuple[Tensor, Tensor]:
    """cos and sin [positions, head_dim] in float32 (Su et al. 2021, arXiv 2104.09864), halves layout."""
    return tables(positions, theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim))


def tables(positions: int, inverse: Tensor) -> tuple[Tensor, Tensor]:
    """`rope_tables` of any frequencies, [Dh/2] float64 radians a position."""
    angles = torch.arange(positions, dtype=torch.float64)[:, None] * inverse
    angles = torch.cat([angles, angles], dim=-1)
    return angles.cos().float(), angles.sin().float()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Apply RoPE to x [..., P, Dh] with cos and sin broadcast against it."""
    a, b = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-b, a], dim=-1) * sin


CPU: Final = torch.device("cpu")


class CacheState:
    """Keys and values of every layer, [L][B, Hkv, C+1, Dh]; slot C is a bin for padded tokens.

    `lengths` [B] counts the valid slots of each row, `prefix` [B] the slots that are never evicted.
    """

    def __init__(
        self,
        layers: int,
        batch: int,
        heads: int,
        capacity: int,
        head_dim: int,
        dtype: torch.dtype,
        reserved: int = 0,
        device: torch.device = CPU,
        slabs: Slabs | None = None,
        limit: int | None = None,
    ) -> None:
        """
        Args:
            reserved: slots to take of a slab where they are more than `capacity`, so that rows fit each other.
            device: of keys and values; the bookkeeping stays on the host.
            slabs: give a cache of one row its memory; `place` is then its slab and row.
            limit: positions that the model knows, which no fork may pass.
        """
        self.capacity, self.place = capacity, cast(tuple[Slab, int] | None, None)
        self._slabs, self._limit = slabs, limit
        if slabs is not None and batch == 1:
            slots = max(capacity, reserved) + 1
            slab, row = self.place = slabs.take((layers, heads, slots, head_dim), dtype, device)
            self.keys, self.values = (half[:, row : row + 1, :, : capacity + 1] for half in (slab.keys, slab.values))
            weakref.finalize(self, slab.give, row).atexit = False
        else:
            shape = (layers, batch, heads, capacity + 1, head_dim)
            self.keys, self.values = _fresh(shape, dtype, device), _fresh(shape, dtype, device)
        self.lengths = torch.zeros(batch, dtype=torch.int64)
        self.prefix = torch.zeros(batch, dtype=torch.int64)

    @property
    def batch(self) -> int:
        return len(self.lengths)

    def check(self, count: int) -> None:
        """CapacityError where `count` more tokens do not fit the first row."""
        free = self.capacity - int(self.lengths[0])
        if count > free:
            raise CapacityError(f"at most {free} more tokens were expected, got {count}")

    def reset(self, rows: list[int]) -> None:
        """Empty these rows; the others do not change."""
        self.lengths[rows] = 0
        self.prefix[rows] = 0

    def evict(self, row: int, count: int, cos: Tensor, sin: Tensor, still: Sequence[int] = ()) -> None:
        """Drop the `count` oldest tokens behind the prefix of `row`.

        Args:
            cos, sin: rope tables [positions, Dh] float32.
            still: layers whose keys hold no position; they move and are not turned.
        """
        start, length = int(self.prefix[row]), int(self.lengths[row])
        if not 0 < count <= length - start:
            raise CapacityError(f"between 1 and {length - start} tokens can be evicted from row {row}, got {count}")
        keys, values = self.keys[:, row], self.values[:, row]
        moved = keys[:, :, start + count : length].float()
        turned = rotate(moved, cos[count], -sin[count])
        if still:
            turned[list(still)] = moved[list(still)]
        keys[:, :, start : length - count] = turned.to(keys.dtype)
        values[:, :, start : length - count] = values[:, :, start + count : length].clone()
        self.lengths[row] -= count

    def fork(self, row: int, extra: int) -> CacheState:
        """An independent one-row copy with room for `extra` more tokens. CapacityError past the model's positions."""
        layers, _, heads, _, head_dim = self.keys.shape
        length = int(self.lengths[row])
        if self._limit is not None and length + extra > self._limit:
            raise CapacityError(
                f"a fork of at most {self._limit} positions was expected, got {length} and room for {extra} more"
            )
        copy = CacheState(
            layers, 1, heads, length + extra, head_dim, self.keys.dtype, self.capacity + extra, self.keys.device,
            self._slabs, self._limit,
        )  # fmt: skip
        copy.keys[:, 0, :, :length] = self.keys[:, row, :, :length]
        copy.values[:, 0, :, :length] = self.values[:, row, :, :length]
        copy.lengths[0] = length
        copy.prefix[0] = self.prefix[row]
        return copy

    def snapshot(self, row: int) -> dict[str, Tensor]:
        """What `restore` needs to put this row back, here or in another state of the same model and capacity."""
        length = int(self.lengths[row])
        return {
            "keys": self.keys[:, row, :, :length].clone(),
            "values": self.values[:, row, :, :length].clone(),
            "prefix": self.prefix[row].clone(),
        }

    def restore(self, row: int, saved: dict[str, Tensor]) -> None:
        """Raises CapacityError when the saved row does not fit."""
        length = saved["keys"].shape[2]
        if length > self.capacity:
            raise CapacityError(f"a row of at most {self.capacity} tokens was expected, got {length}")
        self.keys[:, row, :, :length] = saved["keys"]
        self.values[:, row, :, :length] = saved["values"]
        self.lengths[row] = length
        self.prefix[row] = saved["prefix"]


def _fresh(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Of one row nothing is read before it is written, so that pages nobody writes stay untouched; of many, slots
    behind a row's end are read and masked, which wants finite numbers.
    """
    make = torch.empty if shape[1] == 1 else torch.zeros
    with torch.inference_mode(mode=False):
        return make(shape, dtype=dtype, device=device)
