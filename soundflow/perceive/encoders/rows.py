"""State of an encoder: fixed tensors a row, and how many samples each row has heard.

All that a row carries lies in tensors whose shapes the encoder states before the first sample, so that nothing can grow
with the stream, and a fresh row is zeros and zero samples heard.
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
    """One tensor of a row."""

    shape: tuple[int, ...]
    dtype: torch.dtype = torch.float32


class RowState:
    """tensors: name -> [B, ...], on the encoder's device. heard: [B] int64 on the CPU, samples at 16 kHz."""

    def __init__(self, owner: str, batch: int, slots: Mapping[str, Slot], device: torch.device) -> None:
        if batch < 1:
            raise ConfigError(f"{owner}: batch expected above 0, got {batch}")
        self.owner = owner
        self.heard = torch.zeros(batch, dtype=torch.int64)
        self.tensors = {
            name: torch.zeros((batch, *slot.shape), dtype=slot.dtype, device=device) for name, slot in slots.items()
        }

    @property
    def batch(self) -> int:
        return len(self.heard)

    def reset(self, rows: Sequence[int]) -> None:
        """Make these rows equal to fresh ones; the others do not change."""
        chosen = [self._row(row) for row in rows]
        self.heard[chosen] = 0
        for tensor in self.tensors.values():
            tensor[chosen] = 0

    def snapshot(self, row: int) -> dict[str, Any]:
        """`encoder`, `heard` and the row's tensors, copied."""
        row = self._row(row)
        kept = {name: tensor[row].clone() for name, tensor in self.tensors.items()}
        return {"encoder": self.owner, "heard": int(self.heard[row]), "tensors": kept}

    def restore(self, row: int, saved: dict[str, Any]) -> None:
        """Become what `snapshot` was taken of.

        Raises:
            ConfigError: it is no snapshot, or one of another encoder; the row is then as before.
        """
        row = self._row(row)
        tensors = saved.get("tensors")
        if saved.get("encoder") != self.owner or not isinstance(tensors, dict) or "heard" not in saved:
            raise ConfigError(f"snapshot: expected one of {self.owner}, got {saved.get('encoder', 'no encoder')}")
        for name, mine in self.tensors.items():
            came = tensors.get(name)
            if not isinstance(came, Tensor) or came.shape != mine.shape[1:]:
                got = tuple(came.shape) if isinstance(came, Tensor) else came
                raise ConfigError(f"snapshot of {self.owner}: {name} expected {tuple(mine.shape[1:])}, got {got}")
        for name, mine in self.tensors.items():
            mine[row] = tensors[name].to(mine)
        self.heard[row] = int(saved["heard"])

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


class OfModule:
    """Weights in a class of transformers, `module`; where they lie and in which numbers."""

    module: Any

    @property
    def dtype(self) -> torch.dtype:
        dtype: torch.dtype = self.module.dtype
        return dtype

    @property
    def device(self) -> torch.device:
        device: torch.device = self.module.device
        return device
