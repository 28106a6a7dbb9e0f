"""Speech frames of the open stream: Moonshine's encoder over a bounded window, only while somebody speaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from soundflow.errors import AudioFormatError, ConfigError
from soundflow.perceive.moonshine import FIELD_SAMPLES, FRAME_WIDTH, HOP_SAMPLES
from soundflow.types import FloatArray

LEFT_SAMPLES = 50 * HOP_SAMPLES


class Encoder(Protocol):
    """Anything that turns a window [n] into frames [(n - 895) // 384 + 1, 288]."""

    def encode(self, samples: FloatArray) -> FloatArray: ...


@dataclass(slots=True)
class SpeechState:
    """`tail` [n] holds the last samples heard; `heard` counts all of them, `frames` the frames that are behind us."""

    tail: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    heard: int = 0
    frames: int = 0

    def snapshot(self) -> dict[str, Any]:
        """Plain values that `restore` takes."""
        return {"tail": self.tail.copy(), "heard": self.heard, "frames": self.frames}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Become the state that `snapshot` was taken of."""
        self.tail = snapshot["tail"].copy()
        self.heard = snapshot["heard"]
        self.frames = snapshot["frames"]


class SpeechEncoder:
    """Frame f of the stream sees samples [384 f, 384 f + 895) directly and its window by attention.

    The window of a chunk begins `left_samples` before the field of its first new frame (or at the stream's start) and
    ends with the chunk: no look-ahead. Frames lie on the stream's own grid, so that their count never drifts: a chunk
    gives the frames whose field ends in it, whatever was silent before.
    """

    def __init__(self, encoder: Encoder, chunk_samples: int, left_samples: int = LEFT_SAMPLES) -> None:
        if chunk_samples <= 0:
            raise ConfigError(f"speech encoder: chunk_samples expected above 0, got {chunk_samples}")
        if left_samples < 0 or left_samples % HOP_SAMPLES:
            raise ConfigError(f"speech encoder: left_samples expected a multiple of {HOP_SAMPLES}, got {left_samples}")
        self._encoder = encoder
        self._chunk = chunk_samples
        self._left = left_samples

    width = FRAME_WIDTH

    def init_state(self) -> SpeechState:
        """The state before the first sample."""
        return SpeechState()

    def step_rows(
        self,
        samples: Sequence[FloatArray],
        speaking: Sequence[bool],
        states: Sequence[SpeechState],
        pool: Executor | None = None,
    ) -> list[FloatArray]:
        """`step` of many streams, those of `pool` at once."""
        return list((pool.map if pool and len(samples) > 1 else map)(self.step, samples, speaking, states))

    def step(self, samples: FloatArray, speaking: bool, state: SpeechState) -> FloatArray:
        """Hear one chunk.

        Args:
            samples: [N], N = chunk_samples.
            speaking: whether the frames are wanted; where not, nothing is computed.
            state: updated in place.

        Returns:
            [F, 288] frames whose field ends in this chunk; [0, 288] while nobody speaks.
        """
        if samples.shape != (self._chunk,):
            raise AudioFormatError(f"speech encoder: expected [{self._chunk}] samples, got {samples.shape}")
        audio = np.concatenate([state.tail, samples]).astype(np.float32)
        state.heard += self._chunk
        first = state.heard - len(audio)
        done = max(0, (state.heard - FIELD_SAMPLES) // HOP_SAMPLES + 1)
        frames: FloatArray = np.zeros((0, FRAME_WIDTH), np.float32)
        if speaking and done > state.frames:
            start = max(0, state.frames * HOP_SAMPLES - self._left)
            frames = self._encoder.encode(audio[start - first :])[state.frames - start // HOP_SAMPLES :]
        state.frames = done
        state.tail = audio[max(0, done * HOP_SAMPLES - self._left - first) :].copy()
        return frames
