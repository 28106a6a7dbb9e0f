"""The tower over a stream: chunks that are read by themselves, as the paper does it, or with some of their past.

*Audio Interaction Model* (arXiv 2606.05121) reads every 400 ms chunk alone: 40 mel frames, 10 tokens, no attention
across chunks (`left_chunks` 0). With `left_chunks` L the newest L chunks are read again with it, at the positions of
one longer block, and only the newest chunk's tokens come out; the published tower was trained on blocks of 2 s, so
that up to 4 fit. Either way a token sees its own chunk whole and nothing behind it.

Whisper raises what is quiet to 80 dB below the loudest value of the clip. Here that is the loudest of the newest
`memory_chunks` chunks with this one: the clip as far as it was heard, and no longer than the model was trained on (60
chunks, 24 s).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from soundflow.errors import AudioFormatError, ConfigError
from soundflow.perceive.encoder import Encoded, EncoderSpec
from soundflow.perceive.mel import HOP_SAMPLES, whisper_scale
from soundflow.perceive.omni import mel
from soundflow.perceive.omni.tower import FRAMES_A_TOKEN, Tower

TOKEN_SAMPLES: Final = FRAMES_A_TOKEN * HOP_SAMPLES
CHUNK_SAMPLES: Final = 6_400
MEMORY_CHUNKS: Final = 60
_KEYS: Final = ("tail", "past", "peaks", "heard")


@dataclass(slots=True)
class TowerState:
    """On the tower's device, but for `heard`. `tail` [B, 240]: the newest samples. `past` [B, L * T, mels]: log-mel of
    the newest L chunks, not normalised. `peaks` [B, memory_chunks - 1]: their loudest values, -inf before the stream.
    `heard` [B] int64: how many chunks of `past` are there, at most L.
    """

    tail: Tensor
    past: Tensor
    peaks: Tensor
    heard: Tensor

    def reset(self, rows: Sequence[int]) -> None:
        """Make these rows equal to fresh ones; the others do not change."""
        at = list(rows)
        self.tail[at], self.past[at], self.peaks[at], self.heard[at] = 0.0, 0.0, -torch.inf, 0

    def snapshot(self, row: int) -> dict[str, Any]:
        """Tensors on the host that later steps do not change."""
        return {key: getattr(self, key)[row].clone().cpu() for key in _KEYS}

    def restore(self, row: int, saved: dict[str, Any]) -> None:
        """Become what `snapshot` was taken of. ConfigError where it is of another encoder."""
        for key in _KEYS:
            own = getattr(self, key)[row]
            if key not in saved or saved[key].shape != own.shape:
                got = list(saved[key].shape) if key in saved else "nothing"
                raise ConfigError(f"omni tower: {key} {list(own.shape)} was expected in a saved state, got {got}")
        for key in _KEYS:
            getattr(self, key)[row] = saved[key].to(getattr(self, key).device)


class OmniEncoder:
    """`StreamEncoder` of the tower: 40 ms a token, all of a chunk's tokens with the chunk."""

    def __init__(
        self, tower: Tower, chunk_samples: int = CHUNK_SAMPLES, left_chunks: int = 0, memory_chunks: int = MEMORY_CHUNKS
    ) -> None:
        """ConfigError where a chunk is no whole number of tokens, or more is read at once than a block of the tower."""
        if chunk_samples <= 0 or chunk_samples % TOKEN_SAMPLES:
            raise ConfigError(f"omni tower: chunks of a multiple of {TOKEN_SAMPLES} samples, got {chunk_samples}")
        if left_chunks < 0 or memory_chunks < 1:
            raise ConfigError(
                f"omni tower: left_chunks of 0 or more and memory_chunks of 1 or more were expected, got {left_chunks}"
                f" and {memory_chunks}"
            )
        self._tower, self._chunk, self._left, self._memory = tower, chunk_samples, left_chunks, memory_chunks
        self._frames = chunk_samples // HOP_SAMPLES
        block = 2 * tower.config.half_block
        if (left_chunks + 1) * self._frames > block:
            raise ConfigError(
                f"omni tower: at most {block} mel frames are read at once, {left_chunks} + 1 chunks have"
                f" {(left_chunks + 1) * self._frames}"
            )
        self._mel = mel.LogMel(tower.config.mels, self.device)

    @property
    def device(self) -> torch.device:
        return self._tower.proj.weight.device

    @property
    def chunk_samples(self) -> int:
        return self._chunk

    @property
    def tokens(self) -> int:
        """Of a chunk."""
        return self._chunk // TOKEN_SAMPLES

    @property
    def spec(self) -> EncoderSpec:
        own = self._chunk - TOKEN_SAMPLES
        return EncoderSpec(
            name="qwen2.5-omni",
            kind="windowed",
            width=self._tower.config.out,
            hop_samples=TOKEN_SAMPLES,
            field_samples=TOKEN_SAMPLES,
            look_ahead_samples=own,
            left_samples=own + max(self._left, self._memory - 1) * self._chunk + mel.LEFT_SAMPLES,
        )

    def init_state(self, batch: int) -> TowerState:
        """Before the first sample."""
        on, mels = self.device, self._tower.config.mels
        with torch.inference_mode(mode=False):
            return TowerState(
                tail=torch.zeros(batch, mel.LEFT_SAMPLES, device=on),
                past=torch.zeros(batch, self._left * self._frames, mels, device=on),
                peaks=torch.full((batch, self._memory - 1), -torch.inf, device=on),
                heard=torch.zeros(batch, dtype=torch.int64),
            )

    def step_rows(self, samples: Tensor, states: Sequence[TowerState]) -> Tensor:
        """One chunk [B, chunk_samples] of B streams with one-row states, in one pass -> [B, tokens, out] float32."""
        joined = TowerState(*(torch.cat([getattr(s, key) for s in states]) for key in _KEYS))
        frames = self.step(samples, joined).frames
        for row, state in enumerate(states):
            for key in _KEYS:
                getattr(state, key)[0] = getattr(joined, key)[row]
        return frames

    @torch.inference_mode()
    def step(self, samples: Tensor, state: TowerState, active: Tensor | None = None) -> Encoded:
        """Hear one chunk: as `StreamEncoder.step`. Frames are [B, tokens, out] float32."""
        batch = len(state.heard)
        if samples.shape != (batch, self._chunk):
            raise AudioFormatError(f"omni tower: [{batch}, {self._chunk}] samples, got {list(samples.shape)}")
        rows = torch.arange(batch) if active is None else active.nonzero()[:, 0].cpu()
        if not torch.isfinite(samples[rows]).all():
            raise AudioFormatError("omni tower: finite samples were expected, got NaN or infinity")
        counts = torch.zeros(batch, dtype=torch.int64)
        counts[rows] = self.tokens
        out = torch.zeros(batch, self.tokens, self._tower.config.out, device=self.device)
        if not len(rows):
            return Encoded(out, counts)
        at = rows.to(self.device)
        heard = state.heard[rows]
        whole, peaks = self._take(samples[rows], state, at)
        state.heard[rows] = (heard + 1).clamp(max=self._left)
        for count in sorted(set(heard.tolist())):
            same = (heard == count).nonzero()[:, 0].to(self.device)
            window = whole[same][:, -(count + 1) * self._frames :]
            tokens = self._tower(whisper_scale(window, peaks[same]))
            out[at[same]] = tokens[:, -self.tokens :].float()
        return Encoded(out, counts)

    @torch.inference_mode()
    def skim(self, samples: Tensor, state: TowerState) -> None:
        """Hear one chunk [B, chunk_samples] of every row of which no tokens are wanted; the tower is not run."""
        self._take(samples, state, torch.arange(len(state.heard), device=self.device))
        state.heard += state.heard < self._left

    def _take(self, samples: Tensor, state: TowerState, at: Tensor) -> tuple[Tensor, Tensor]:
        """Put a chunk [b, N] of these rows into their state -> its log-mel behind that of the rows' past [b, T, mels],
        and the loudest value [b].
        """
        audio = torch.cat([state.tail[at], samples.to(state.tail)], dim=1)
        fresh = self._mel(audio)
        peaks = torch.cat([state.peaks[at], fresh.amax(dim=(1, 2))[:, None]], dim=1)
        whole = torch.cat([state.past[at], fresh], dim=1)
        state.tail[at] = audio[:, -mel.LEFT_SAMPLES :]
        state.past[at] = whole[:, self._frames :]
        state.peaks[at] = peaks[:, 1:]
        return whole, peaks.amax(dim=1)
