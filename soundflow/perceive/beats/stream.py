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
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from soundflow.errors import AudioFormatError, ConfigError
from soundflow.perceive.beats.config import MEL_BINS
from soundflow.perceive.beats.fbank import HOP_SAMPLES, WINDOW_SAMPLES, frames_of, load_kaldi
from soundflow.perceive.beats.model import Beats
from soundflow.perceive.encoder import Encoded, EncoderSpec

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


class BeatsState:
    """Of B streams: samples heard, samples behind the last filterbank window, and the log-mel of the window.

    Bounded: `rest` [B, 399] and `mel` [B, M, 128] float32, newest last, zeros where nothing was heard.
    """

    def __init__(self, batch: int, mel_frames: int, settings: tuple[int, ...], device: torch.device) -> None:
        self.heard = [0] * batch
        self.settings = settings
        self.rest = torch.zeros(batch, _REST, device=device)
        self.mel = torch.zeros(batch, mel_frames, MEL_BINS, device=device)

    def reset(self, rows: Sequence[int]) -> None:
        """Make these rows equal to fresh ones; the others do not change."""
        for row in rows:
            self.heard[row] = 0
            self.rest[row] = 0.0
            self.mel[row] = 0.0

    def snapshot(self, row: int) -> dict[str, Any]:
        """Plain values and tensors that later steps do not change."""
        return {
            "settings": list(self.settings),
            "heard": self.heard[row],
            "rest": self.rest[row].clone(),
            "mel": self.mel[row].clone(),
        }

    def restore(self, row: int, saved: dict[str, Any]) -> None:
        """Become what `snapshot` was taken of. ConfigError where it is of another encoder."""
        for name, own in (("rest", self.rest[row]), ("mel", self.mel[row])):
            held = saved.get(name)
            if not isinstance(held, Tensor) or held.shape != own.shape:
                got = list(held.shape) if isinstance(held, Tensor) else type(held).__name__
                raise ConfigError(f"beats: snapshot: {name} {list(own.shape)} was expected, got {got}")
        if tuple(saved.get("settings", ())) != self.settings:
            raise ConfigError(
                f"beats: snapshot: chunk, window and look-ahead {self.settings} were expected, "
                f"got {saved.get('settings')}"
            )
        heard = saved.get("heard")
        if not isinstance(heard, int) or heard < 0 or heard % self.settings[0]:
            raise ConfigError(
                f"beats: snapshot: heard: whole chunks of {self.settings[0]} were expected, got {heard!r}"
            )
        self.heard[row] = heard
        self.rest[row] = saved["rest"].to(self.rest)
        self.mel[row] = saved["mel"].to(self.mel)


class BeatsEncoder:
    """A `soundflow.perceive.encoder.StreamEncoder` of one model. Frames and scores are float32 on its device."""

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
                f"beats: a chunk of 1 to {(left + 1) * hop} samples (left_ms {window.left_ms}) was expected, "
                f"got {chunk_samples}"
            )
        self._patch = model.config.input_patch_size
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

    def init_state(self, batch: int) -> BeatsState:
        """Before the first sample."""
        settings = (self._chunk, self._window, self._held_back)
        return BeatsState(batch, (self._window + 1) * self._patch - 1, settings, self.model.device)

    @torch.no_grad()
    def step(self, samples: Tensor, state: BeatsState, active: Tensor | None = None) -> Encoded:
        """See `StreamEncoder.step`. `counts` lie on the host; rows without a new frame are not encoded."""
        rows = self._rows(samples, state, active)
        before = {row: self._given(state.heard[row]) for row in rows}
        self._hear(samples, state, rows)
        new = {row: self._given(state.heard[row]) - before[row] for row in rows}
        rows = [row for row in rows if new[row]]
        longest = max((new[row] for row in rows), default=0)
        batch, device = len(state.heard), self.model.device
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

    def _rows(self, samples: Tensor, state: BeatsState, active: Tensor | None) -> list[int]:
        """The rows to hear; AudioFormatError where `samples` or `active` do not fit."""
        batch = len(state.heard)
        if samples.shape != (batch, self._chunk) or not samples.is_floating_point():
            raise AudioFormatError(
                f"beats: expected float samples [{batch}, {self._chunk}], got {samples.dtype} {list(samples.shape)}"
            )
        if active is not None and (active.shape != (batch,) or active.dtype != torch.bool):
            raise AudioFormatError(f"beats: expected active [{batch}] bool, got {active.dtype} {list(active.shape)}")
        rows = [row for row, on in enumerate([True] * batch if active is None else active.tolist()) if on]
        finite = torch.isfinite(samples[rows]).all(1).tolist()
        if not all(finite):
            raise AudioFormatError(
                f"beats: expected finite samples, got NaN or infinity in row {rows[finite.index(False)]}"
            )
        return rows

    def _given(self, heard: int) -> int:
        """Frames that a stream has given out after so many samples."""
        return max(0, frames_of(heard) // self._patch - self._held_back)

    def _hear(self, samples: Tensor, state: BeatsState, rows: Sequence[int]) -> None:
        """Take a chunk of these rows into the log-mel; rows that carry equally many samples in one call."""
        groups: dict[int, list[int]] = {}
        for row in rows:
            heard = state.heard[row]
            groups.setdefault(heard - frames_of(heard) * HOP_SAMPLES, []).append(row)
        for carried, members in groups.items():
            chunk = samples[members].to(state.rest)
            line = torch.cat([state.rest[members, _REST - carried :], chunk], 1)
            new = frames_of(line.shape[1])
            if new:
                state.mel[members] = torch.cat([state.mel[members], self.model.mel(line)], 1)[:, new:]
            left = line[:, new * HOP_SAMPLES :]
            state.rest[members] = F.pad(left, (_REST - left.shape[1], 0))
        for row in rows:
            state.heard[row] += self._chunk

    def _encode(self, state: BeatsState, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Frames [R, S, D] float32 of the windows of these rows, newest last, and which are of the stream [R, S]."""
        mels = [frames_of(state.heard[row]) for row in rows]
        steps = [min(self._window, mel // self._patch) for mel in mels]
        longest = max(steps)
        windows = []
        for row, mel in zip(rows, mels, strict=True):
            end = state.mel.shape[1] - mel % self._patch
            windows.append(state.mel[row, end - longest * self._patch : end])
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
