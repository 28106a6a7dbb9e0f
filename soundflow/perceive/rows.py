"""State of an encoder: fixed tensors a row, and how many samples each row has heard.

All that a row carries lies in tensors whose shapes the encoder states before the first sample, so that nothing can grow
with the stream. A fresh row is what the encoder says (zeros, mostly) and zero samples heard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from soundflow.errors import AudioFormatError, ConfigError


@dataclass(frozen=True, slots=True)
class Slot:
    """One tensor of a row; `fill`: what a fresh one is full of."""

    shape: tuple[int, ...]
    dtype: torch.dtype = torch.float32
    fill: float = 0.0


class RowState:
    """tensors: name -> [B, ...], on the encoder's device. heard: [B] int64 on the CPU, samples at 16 kHz.

    owner: which encoder, with all that its state depends on; a state is of use to encoders of the same owner alone.
    """

    def __init__(self, owner: str, batch: int, slots: Mapping[str, Slot], device: torch.device) -> None:
        if batch < 1:
            raise ConfigError(f"{owner}: batch expected above 0, got {batch}")
        self.owner, self.slots, self.device = owner, slots, device
        with torch.inference_mode(mode=False):  # else it could be changed in inference mode only
            self.heard = torch.zeros(batch, dtype=torch.int64)
            self.tensors = {
                name: torch.full((batch, *slot.shape), slot.fill, dtype=slot.dtype, device=device)
                for name, slot in slots.items()
            }

    @property
    def batch(self) -> int:
        return len(self.heard)

    @property
    def row_bytes(self) -> int:
        """What one row holds, at any age."""
        return sum(tensor[0].numel() * tensor.element_size() for tensor in self.tensors.values())

    def reset(self, rows: Sequence[int]) -> None:
        """Make these rows equal to fresh ones; the others do not change."""
        chosen = [self._row(row) for row in rows]
        self.heard[chosen] = 0
        for name, tensor in self.tensors.items():
            tensor[chosen] = self.slots[name].fill

    def snapshot(self, row: int) -> dict[str, Any]:
        """`encoder`, `heard` and the row's tensors, copied."""
        row = self._row(row)
        kept = {name: tensor[row].clone() for name, tensor in self.tensors.items()}
        return {"encoder": self.owner, "heard": int(self.heard[row]), "tensors": kept}

    def restore(self, row: int, saved: Mapping[str, Any]) -> None:
        """Become what `snapshot` was taken of.

        Raises:
            ConfigError: it is no snapshot, or one of another encoder; the row is then as before.
        """
        row = self._row(row)
        tensors, heard = saved.get("tensors"), saved.get("heard")
        if saved.get("encoder") != self.owner or not isinstance(tensors, dict):
            raise ConfigError(f"snapshot: expected one of {self.owner}, got {saved.get('encoder', 'no encoder')}")
        if not isinstance(heard, int) or heard < 0:
            raise ConfigError(f"snapshot of {self.owner}: heard expected 0 samples or more, got {heard!r}")
        for name, mine in self.tensors.items():
            came = tensors.get(name)
            if not isinstance(came, Tensor) or came.shape != mine.shape[1:]:
                got = tuple(came.shape) if isinstance(came, Tensor) else came
                raise ConfigError(f"snapshot of {self.owner}: {name} expected {tuple(mine.shape[1:])}, got {got}")
        for name, mine in self.tensors.items():
            mine[row] = tensors[name].to(mine)
        self.heard[row] = heard

    def take(self, rows: Sequence[int]) -> dict[str, Tensor]:
        """The tensors of these rows [R, ...]: the state's own where it is all of them, else copies."""
        if list(rows) == list(range(self.batch)):
            return dict(self.tensors)
        return {name: tensor[list(rows)] for name, tensor in self.tensors.items()}

    def put(self, rows: Sequence[int], new: Mapping[str, Tensor]) -> None:
        """Write [R, ...] back over these rows; names that are missing stay as they are."""
        whole = list(rows) == list(range(self.batch))
        for name, tensor in new.items():
            if whole:
                self.tensors[name].copy_(tensor)
            else:
                self.tensors[name][list(rows)] = tensor

    @staticmethod
    def joined(states: Sequence[RowState]) -> RowState:
        """One state of the rows of several (one at least), copied once; `part` writes them back.

        Raises:
            ConfigError: they are not of one encoder.
        """
        first = states[0]
        if others := [state.owner for state in states if state.owner != first.owner]:
            raise ConfigError(f"{first.owner}: expected states of its own, got one of {others[0]}")
        whole = RowState(first.owner, sum(state.batch for state in states), {}, first.device)
        whole.slots = first.slots
        whole.heard = torch.cat([state.heard for state in states])
        whole.tensors = {name: torch.cat([state.tensors[name] for state in states]) for name in first.tensors}
        return whole

    def part(self, states: Sequence[RowState]) -> None:
        """Give the states that `joined` was made of their rows, as they are now."""
        begin = 0
        for state in states:
            end = begin + state.batch
            state.heard.copy_(self.heard[begin:end])
            for name, tensor in state.tensors.items():
                tensor.copy_(self.tensors[name][begin:end])
            begin = end

    def _row(self, row: int) -> int:
        if not 0 <= row < self.batch:
            raise ConfigError(f"{self.owner}: row expected in 0..{self.batch - 1}, got {row}")
        return row


def checked(samples: Tensor, active: Tensor | None, chunk_samples: int, state: RowState, owner: str) -> list[int]:
    """The active rows of a step whose input is good.

    Raises:
        AudioFormatError: not [B, chunk_samples] floats, or NaN or infinity in an active row.
        ConfigError: the state is another encoder's.
    """
    if state.owner != owner:
        raise ConfigError(f"{owner}: expected a state of its own, got one of {state.owner}")
    wanted = (state.batch, chunk_samples)
    if tuple(samples.shape) != wanted or not samples.is_floating_point():
        raise AudioFormatError(f"{owner}: expected {wanted} floats, got {tuple(samples.shape)} {samples.dtype}")
    if active is None:
        rows = list(range(state.batch))
    elif tuple(active.shape) != (state.batch,) or active.dtype != torch.bool:
        raise AudioFormatError(f"{owner}: active expected [{state.batch}] bool, got {active.shape} {active.dtype}")
    else:
        rows = [row for row, on in enumerate(active.tolist()) if on]
    finite = samples[rows].isfinite().all(dim=1).tolist()
    if bad := [row for row, fine in zip(rows, finite, strict=True) if not fine]:
        raise AudioFormatError(f"{owner}: expected finite samples, got NaN or infinity in rows {bad}")
    return rows
