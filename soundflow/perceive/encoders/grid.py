"""Frames on a stream's own grid: which come out with a chunk, and of which audio. Shared by all speech encoders here.

Frame f begins at sample `f * hop` of the stream and comes out with the chunk that holds the last sample it needs.
Chunks need not be a multiple of the hop: what is left of one is kept for the next. Rows of a batch may be of different
ages; those that need the same shapes run together, and a row that is idle is not touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from soundflow.errors import ConfigError
from soundflow.perceive.encoder import Encoded, EncoderSpec
from soundflow.perceive.rows import RowState, Slot, checked


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


class WindowModel(Protocol):
    """Looks at a window at once. A window begins `before_samples` ahead of its first frame: at the stream's beginning
    that is the mirrored beginning."""

    name: str
    width: int
    hop_samples: int
    field_samples: int
    before_samples: int
    max_frames: int | None

    @property
    def dtype(self) -> torch.dtype: ...

    @property
    def device(self) -> torch.device: ...

    def encode(self, audio: Tensor) -> Tensor:
        """[R, n] -> [R, (n - before - field) // hop + 1, D]."""


class Windowed:
    """A `StreamEncoder` that looks at the newest `left_frames` again with each chunk's new frames."""

    def __init__(self, model: WindowModel, chunk_samples: int, left_frames: int) -> None:
        if chunk_samples < 1:
            raise ConfigError(f"{model.name}: chunk_samples expected above 0, got {chunk_samples}")
        most = -(-chunk_samples // model.hop_samples)
        if model.max_frames is not None and left_frames + most > model.max_frames:
            raise ConfigError(
                f"{model.name}: left context and chunk expected at most {model.max_frames} frames of "
                f"{model.hop_samples} samples, got {left_frames} + {most}"
            )
        self._model, self._chunk, self._left = model, chunk_samples, left_frames
        self._tail = left_frames * model.hop_samples + model.field_samples + model.before_samples
        self._owner = f"{model.name} {chunk_samples}/{left_frames} {model.dtype}"
        self._spec = EncoderSpec(
            name=model.name,
            kind="windowed",
            width=model.width,
            hop_samples=model.hop_samples,
            field_samples=model.field_samples,
            look_ahead_samples=0,
            left_samples=(left_frames + most - 1) * model.hop_samples + model.before_samples,
        )

    @property
    def spec(self) -> EncoderSpec:
        return self._spec

    @property
    def chunk_samples(self) -> int:
        return self._chunk

    def init_state(self, batch: int) -> RowState:
        """Before the first sample; holds the newest audio of each row."""
        return RowState(self._owner, batch, {"audio": Slot((self._tail,))}, self._model.device)

    @torch.no_grad()
    def step(self, samples: Tensor, state: RowState, active: Tensor | None = None) -> Encoded:
        """Hear one chunk; see `StreamEncoder`. A window begins `left_frames` before the chunk's first new frame (or
        with the stream) and ends with the chunk."""
        rows = checked(samples, active, self._chunk, state, self._owner)
        held = state.tensors["audio"][rows]
        audio = torch.cat([held, samples[rows].to(held)], dim=1)
        hop, before = self._model.hop_samples, self._model.before_samples
        together: dict[tuple[int, int, int, bool], list[int]] = {}
        for at, row in enumerate(rows):
            now = int(state.heard[row]) + self._chunk
            done, total = self._frames(now - self._chunk), self._frames(now)
            start = max(0, done - self._left)
            if total > done:
                together.setdefault((total - done, done - start, now - start * hop, start == 0), []).append(at)
        parts = []
        for (count, skipped, length, whole), members in together.items():
            some = audio[members]
            if not whole or not before:
                window = some[:, audio.shape[1] - length - before :]
            else:
                window = mirrored(some[:, audio.shape[1] - length :], before)
            frames = self._model.encode(window)[:, skipped : skipped + count]
            parts.append(([rows[at] for at in members], frames))
        state.put(rows, {"audio": audio[:, audio.shape[1] - self._tail :]})
        state.heard[rows] += self._chunk
        return gathered(parts, state.batch, self._model.width, self._model.dtype, self._model.device)

    def _frames(self, heard: int) -> int:
        return max(0, (heard - self._model.field_samples) // self._model.hop_samples + 1)


class StreamModel(Protocol):
    """Hears a stream unit by unit and carries what it needs in tensors of fixed shapes (`slots`).

    Unit u gives `unit_frames` frames and needs samples [u * unit - before, (u + 1) * unit + lag); ahead of the stream
    they are zeros or the mirrored beginning. Its first `late_frames` frames are of before the stream: a look-ahead.
    """

    name: str
    width: int
    unit_samples: int
    unit_frames: int
    before_samples: int
    lag_samples: int
    late_frames: int
    left_samples: int
    edge: Literal["zero", "mirror"]
    slots: dict[str, Slot]

    @property
    def dtype(self) -> torch.dtype: ...

    @property
    def device(self) -> torch.device: ...

    def advance(self, audio: Tensor, first: Tensor, held: dict[str, Tensor]) -> Tensor:
        """Hear n whole units.

        Args:
            audio: [R, before + n * unit + lag] float32.
            first: [R] int64, index of the first of these units in its stream.
            held: the rows' tensors; entries are replaced by the new ones, never written to.

        Returns:
            [R, n * unit_frames, D]
        """


class Streaming:
    """A `StreamEncoder` whose context is carried: each unit of audio is computed once."""

    def __init__(self, model: StreamModel, chunk_samples: int) -> None:
        if chunk_samples < 1:
            raise ConfigError(f"{model.name}: chunk_samples expected above 0, got {chunk_samples}")
        hop = model.unit_samples // model.unit_frames
        self._model, self._chunk = model, chunk_samples
        self._tail = model.before_samples + model.unit_samples + model.lag_samples
        self._owner = f"{model.name} {chunk_samples}/{model.left_samples} {model.dtype}"
        self._spec = EncoderSpec(
            name=model.name,
            kind="streaming",
            width=model.width,
            hop_samples=hop,
            field_samples=hop + model.lag_samples,
            look_ahead_samples=(model.unit_frames - 1 + model.late_frames) * hop,
            left_samples=model.left_samples,
        )

    @property
    def spec(self) -> EncoderSpec:
        return self._spec

    @property
    def chunk_samples(self) -> int:
        return self._chunk

    def init_state(self, batch: int) -> RowState:
        """Before the first sample; holds the audio of the unit that is not whole, and the model's tensors."""
        return RowState(self._owner, batch, {"audio": Slot((self._tail,)), **self._model.slots}, self._model.device)

    @torch.no_grad()
    def step(self, samples: Tensor, state: RowState, active: Tensor | None = None) -> Encoded:
        """Hear one chunk; see `StreamEncoder`. All units that became whole are computed, once."""
        rows = checked(samples, active, self._chunk, state, self._owner)
        model = self._model
        held = state.tensors["audio"][rows]
        audio = torch.cat([held, samples[rows].to(held)], dim=1)
        together: dict[tuple[int, int, int, bool], list[int]] = {}
        firsts = [self._units(int(state.heard[row])) for row in rows]
        for at, row in enumerate(rows):
            now = int(state.heard[row]) + self._chunk
            units = self._units(now) - firsts[at]
            begin = firsts[at] * model.unit_samples - model.before_samples - (now - audio.shape[1])
            withheld = min(max(0, model.late_frames - firsts[at] * model.unit_frames), units * model.unit_frames)
            if units:
                together.setdefault((units, withheld, begin, firsts[at] == 0), []).append(at)
        parts, carried = [], []
        for (units, withheld, begin, fresh), members in together.items():
            end = begin + model.before_samples + units * model.unit_samples + model.lag_samples
            heard = audio[members][:, begin:end]
            if fresh and model.edge == "mirror":
                heard = mirrored(heard[:, model.before_samples :], model.before_samples)
            chosen = [rows[at] for at in members]
            tensors = state.take(chosen)
            first = torch.tensor([firsts[at] for at in members], device=model.device)
            frames = model.advance(heard, first, tensors)
            tensors.pop("audio")
            carried.append((chosen, tensors))
            parts.append((chosen, frames[:, withheld:]))
        for chosen, tensors in carried:
            state.put(chosen, tensors)
        state.put(rows, {"audio": audio[:, audio.shape[1] - self._tail :]})
        state.heard[rows] += self._chunk
        return gathered(parts, state.batch, model.width, model.dtype, model.device)

    def _units(self, heard: int) -> int:
        return max(0, (heard - self._model.lag_samples) // self._model.unit_samples)


def mirrored(audio: Tensor, before: int) -> Tensor:
    """[R, n] from a stream's beginning on -> [R, before + n], mirrored about sample 0 as a centred STFT does it."""
    return torch.cat([audio[:, 1 : before + 1].flip(1), audio], dim=1)


def gathered(
    parts: Sequence[tuple[Sequence[int], Tensor]], batch: int, width: int, dtype: torch.dtype, device: torch.device
) -> Encoded:
    """`Encoded` of (rows, [R, F, D]) parts; `counts` on the CPU, where they were counted."""
    counts = torch.zeros(batch, dtype=torch.int64)
    for rows, frames in parts:
        counts[list(rows)] = frames.shape[1]
    out = torch.zeros(batch, int(counts.max()), width, dtype=dtype, device=device)
    for rows, frames in parts:
        out[list(rows), : frames.shape[1]] = frames
    return Encoded(out, counts)
