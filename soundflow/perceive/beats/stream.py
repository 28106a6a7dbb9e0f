"""BEATs over streams: the newest seconds are encoded again with each chunk, the new frames of them are given out.

The grid. Time steps of patches follow each other every 160 ms from sample 0 of a stream; step s spans samples 2560 s to
2560 s + 2800 (16 windows of the filterbank) and exists as soon as they are heard. A frame is the mean of the 8 tokens
of its step. 400 ms are 2.5 steps, so that a chunk gives 2 or 3 frames; the rest is carried.

The window. At the end of each chunk the encoder sees the newest `left_ms` + `look_ahead_ms` + one step, or all there is
of a younger stream, with full attention, as published. The window's end is fixed by the number of chunks heard and by
nothing else. New frames are read from its end, but for `look_ahead_ms` that are held back and heard with what follows.
The filterbank is local to its 25 ms and is computed once; attention is not, so that a window costs the same each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from soundflow.errors import ConfigError
from soundflow.perceive.beats.config import MEL_BINS
from soundflow.perceive.beats.fbank import HOP_SAMPLES, WINDOW_SAMPLES, frames_of, load_kaldi
from soundflow.perceive.beats.model import Beats
from soundflow.perceive.encoder import Encoded, EncoderSpec
from soundflow.perceive.rows import RowState, Slot, checked

_REST = WINDOW_SAMPLES - 1
_SAMPLES_PER_MS = 16


@dataclass(frozen=True, slots=True)
class BeatsWindow:
    """What a frame is heard with; whole time steps (160 ms) each.

    left_ms: audio before its field. The weights were trained on clips of 10 s; a shorter window costs less.
    look_ahead_ms: how long it is held back. pool_ms: class probabilities are of the mean of the logits over so much
    audio up to and with the frame; None for all of the window that far, which at its end is the published pooling.
    """

    left_ms: int = 9_760
    look_ahead_ms: int = 0
    pool_ms: int | None = None


class BeatsEncoder:
    """A `soundflow.perceive.encoder.StreamEncoder` of one model. Frames and scores are float32 on its device.

    A row of its state: `rest` [399], samples behind the last filterbank window; `mel` [M, 128], the log-mel of the
    window; newest last.
    """

    def __init__(self, model: Beats, chunk_samples: int, window: BeatsWindow | None = None) -> None:
        """`chunk_samples` at 16 kHz.

        Raises:
            ConfigError: times are not whole steps, a chunk holds more steps than the window, or torchaudio is missing.
        """
        load_kaldi()
        window = window or BeatsWindow()
        self.model, self._chunk, hop = model, chunk_samples, model.hop_samples
        left = _steps("left_ms", window.left_ms, hop)
        self._held_back = _steps("look_ahead_ms", window.look_ahead_ms, hop)
        self._window = left + 1 + self._held_back
        self._pool = self._window if window.pool_ms is None else _steps("pool_ms", window.pool_ms, hop, least=1)
        if chunk_samples < 1 or -(-chunk_samples // hop) > left + 1:
            raise ConfigError(
                f"beats: chunk_samples: 1 to {(left + 1) * hop} (left_ms {window.left_ms}) were expected, "
                f"got {chunk_samples}"
            )
        self._patch = model.config.input_patch_size
        self._owner = f"beats {chunk_samples}/{self._window}+{self._held_back} of {self._patch}"
        self._slots = {"rest": Slot((_REST,)), "mel": Slot(((self._window + 1) * self._patch - 1, MEL_BINS))}
        self._spec = EncoderSpec(
            name="beats",
            kind="windowed",
            width=model.config.encoder_embed_dim,
            hop_samples=hop,
            field_samples=model.field_samples,
            look_ahead_samples=self._held_back * hop,
            left_samples=left * hop,
            labels=model.labels,
        )

    @property
    def spec(self) -> EncoderSpec:
        return self._spec

    @property
    def chunk_samples(self) -> int:
        return self._chunk

    def init_state(self, batch: int) -> RowState:
        """Before the first sample."""
        return RowState(self._owner, batch, self._slots, self.model.device)

    @torch.no_grad()
    def step(self, samples: Tensor, state: RowState, active: Tensor | None = None) -> Encoded:
        """See `StreamEncoder.step`. `counts` lie on the host; rows without a new frame are not encoded."""
        rows = checked(samples, active, self._chunk, state, self._owner)
        before = {row: self._given(int(state.heard[row])) for row in rows}
        self._hear(samples, state, rows)
        new = {row: self._given(int(state.heard[row])) - before[row] for row in rows}
        rows = [row for row in rows if new[row]]
        longest = max((new[row] for row in rows), default=0)
        batch, device = state.batch, self.model.device
        frames = torch.zeros(batch, longest, self._spec.width, device=device)
        scores = torch.zeros(batch, longest, len(self._spec.labels), device=device) if self._spec.labels else None
        counts = torch.zeros(batch, dtype=torch.int64)
        if rows:
            heard, valid = self._encode(state, rows)
            logits = self._pooled(self.model.logits(heard).float(), valid) if scores is not None else None
            end = heard.shape[1] - self._held_back
            for i, row in enumerate(rows):
                count = counts[row] = new[row]
                frames[row, :count] = heard[i, end - count : end]
                if scores is not None and logits is not None:
                    scores[row, :count] = self.model.probabilities(logits[i, end - count : end])
        return Encoded(frames, counts, scores)

    def _given(self, heard: int) -> int:
        """Frames that a stream has given out after so many samples."""
        return max(0, frames_of(heard) // self._patch - self._held_back)

    def _hear(self, samples: Tensor, state: RowState, rows: Sequence[int]) -> None:
        """Take a chunk of these rows into the log-mel; rows that carry equally many samples in one call."""
        rest, mel = state.tensors["rest"], state.tensors["mel"]
        groups: dict[int, list[int]] = {}
        for row in rows:
            heard = int(state.heard[row])
            groups.setdefault(heard - frames_of(heard) * HOP_SAMPLES, []).append(row)
        for carried, members in groups.items():
            line = torch.cat([rest[members, _REST - carried :], samples[members].to(rest)], 1)
            new = frames_of(line.shape[1])
            if new:
                mel[members] = torch.cat([mel[members], self.model.mel(line)], 1)[:, new:]
            left = line[:, new * HOP_SAMPLES :]
            rest[members] = F.pad(left, (_REST - left.shape[1], 0))
        state.heard[list(rows)] += self._chunk

    def _encode(self, state: RowState, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Frames [R, S, D] float32 of the windows of these rows, newest last, and which are of the stream [R, S]."""
        held = state.tensors["mel"]
        mels = [frames_of(int(state.heard[row])) for row in rows]
        steps = [min(self._window, mel // self._patch) for mel in mels]
        longest = max(steps)
        windows = []
        for row, mel in zip(rows, mels, strict=True):
            end = held.shape[1] - mel % self._patch
            windows.append(held[row, end - longest * self._patch : end])
        valid = torch.tensor([[at >= longest - count for at in range(longest)] for count in steps])
        valid = valid.to(self.model.device)
        tokens = self.model(torch.stack(windows), valid if len(set(steps)) > 1 else None)
        return self.model.frames(tokens).float(), valid

    def _pooled(self, logits: Tensor, valid: Tensor) -> Tensor:
        """The mean of logits [R, S, L] over the `pool` valid steps up to and with each, 0 where there is none."""
        total = (logits * valid[..., None]).cumsum(1)
        count = valid.cumsum(1)
        if self._pool < logits.shape[1]:
            total = total - F.pad(total, (0, 0, self._pool, 0))[:, : -self._pool]
            count = count - F.pad(count, (self._pool, 0))[:, : -self._pool]
        return total / count.clamp(min=1)[..., None]


def _steps(name: str, ms: int, hop: int, least: int = 0) -> int:
    """`ms` in time steps; ConfigError where they are not whole, or less than `least`."""
    steps, rest = divmod(ms * _SAMPLES_PER_MS, hop)
    if rest or steps < least:
        one = hop // _SAMPLES_PER_MS
        raise ConfigError(f"beats: {name}: a multiple of {one} ms and at least {least * one} was expected, got {ms}")
    return steps
