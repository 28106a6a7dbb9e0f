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
from typing import Final

import torch
from torch import Tensor

from soundflow.errors import ConfigError
from soundflow.perceive.encoder import Encoded, EncoderSpec
from soundflow.perceive.mel import HOP_SAMPLES, whisper_scale
from soundflow.perceive.omni import mel
from soundflow.perceive.omni.tower import FRAMES_A_TOKEN, Tower
from soundflow.perceive.rows import RowState, Slot, checked

TOKEN_SAMPLES: Final = FRAMES_A_TOKEN * HOP_SAMPLES
CHUNK_SAMPLES: Final = 6_400
MEMORY_CHUNKS: Final = 60


class OmniEncoder:
    """`StreamEncoder` of the tower: 40 ms a token, all of a chunk's tokens with the chunk.

    A row of its state: `tail` [240], the newest samples; `past` [L * T, mels], log-mel of the newest L chunks, not
    normalised; `peaks` [memory_chunks - 1], their loudest values, -inf before the stream.
    """

    def __init__(
        self, tower: Tower, chunk_samples: int = CHUNK_SAMPLES, left_chunks: int = 0, memory_chunks: int = MEMORY_CHUNKS
    ) -> None:
        """ConfigError where a chunk is no whole number of tokens, or more is read at once than a block of the tower."""
        if chunk_samples <= 0 or chunk_samples % TOKEN_SAMPLES:
            raise ConfigError(
                f"omni tower: chunk_samples: a multiple of {TOKEN_SAMPLES} was expected, got {chunk_samples}"
            )
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
        mels = tower.config.mels
        self._owner = f"omni tower {chunk_samples}/{left_chunks}+{memory_chunks} of {mels} mels"
        self._slots = {
            "tail": Slot((mel.LEFT_SAMPLES,)),
            "past": Slot((left_chunks * self._frames, mels)),
            "peaks": Slot((memory_chunks - 1,), fill=-torch.inf),
        }
        self._mel = mel.LogMel(mels, self.device)

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

    def init_state(self, batch: int) -> RowState:
        """Before the first sample."""
        return RowState(self._owner, batch, self._slots, self.device)

    def step_rows(self, samples: Tensor, states: Sequence[RowState]) -> Tensor:
        """One chunk [B, chunk_samples] of B streams with one-row states, in one pass -> [B, tokens, out] float32."""
        joined = RowState.joined(states)
        frames = self.step(samples, joined).frames
        joined.part(states)
        return frames

    @torch.inference_mode()
    def step(self, samples: Tensor, state: RowState, active: Tensor | None = None) -> Encoded:
        """Hear one chunk: as `StreamEncoder.step`. Frames are [B, tokens, out] float32."""
        rows = checked(samples, active, self._chunk, state, self._owner)
        counts = torch.zeros(state.batch, dtype=torch.int64)
        counts[rows] = self.tokens
        out = torch.zeros(state.batch, self.tokens, self._tower.config.out, device=self.device)
        if not rows:
            return Encoded(out, counts)
        heard = (state.heard[rows] // self._chunk).clamp(max=self._left)
        whole, peaks = self._take(samples[rows], state, rows)
        at = torch.tensor(rows, device=self.device)
        for count in sorted(set(heard.tolist())):
            same = (heard == count).nonzero()[:, 0].to(self.device)
            window = whole[same][:, -(count + 1) * self._frames :]
            tokens = self._tower(whisper_scale(window, peaks[same]))
            out[at[same]] = tokens[:, -self.tokens :].float()
        return Encoded(out, counts)

    @torch.inference_mode()
    def skim(self, samples: Tensor, state: RowState) -> None:
        """Hear one chunk [B, chunk_samples] of every row of which no tokens are wanted; the tower is not run. Errors as
        of `step`."""
        self._take(samples, state, checked(samples, None, self._chunk, state, self._owner))

    def _take(self, samples: Tensor, state: RowState, rows: list[int]) -> tuple[Tensor, Tensor]:
        """Put a chunk [R, N] of these rows into their state -> its log-mel behind that of the rows' past [R, T, mels],
        and the loudest value [R].
        """
        held = state.take(rows)
        audio = torch.cat([held["tail"], samples.to(held["tail"])], dim=1)
        fresh = self._mel(audio)
        peaks = torch.cat([held["peaks"], fresh.amax(dim=(1, 2))[:, None]], dim=1)
        whole = torch.cat([held["past"], fresh], dim=1)
        tail = audio[:, -mel.LEFT_SAMPLES :]
        state.put(rows, {"tail": tail, "past": whole[:, self._frames :], "peaks": peaks[:, 1:]})
        state.heard[rows] += self._chunk
        return whole, peaks.amax(dim=1)
