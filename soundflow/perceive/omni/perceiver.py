"""Perception with the tower: its tokens of each chunk, and nothing else.

The tower hears the samples as they come, without the level control that the nano tier's encoders have: it was trained
so. It names no sounds, recognises no words and knows no voice activity; then nobody can be interrupted, and the model's
decisions are all there is, as in *Audio Interaction Model* (arXiv 2606.05121).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch

from soundflow.perceive import perceiver
from soundflow.perceive.expected import ANYTHING, Expected
from soundflow.perceive.normalise import decibels
from soundflow.perceive.omni.encoder import OmniEncoder
from soundflow.perceive.own import OwnSounds
from soundflow.perceive.perceiver import apart
from soundflow.perceive.rows import RowState
from soundflow.types import AudioChunk, FloatArray, Perception, Sound, Vad, Words

NOTHING: Final = np.zeros(0, np.float32)


@dataclass(slots=True)
class OmniState:
    """Of one stream. `position`: the sample that its next chunk starts at."""

    tower: RowState
    position: int

    def snapshot(self) -> dict[str, Any]:
        return {"tower": self.tower.snapshot(0), "position": self.position}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """ConfigError where it is of another tower."""
        self.tower.restore(0, snapshot["tower"])
        self.position = snapshot["position"]


class OmniPerceiver:
    """As `soundflow.perceive.perceiver.Perceiver`; `Perception.speech` holds the tower's tokens, [audio * D]."""

    labels: Sequence[str] = ()
    headed: frozenset[str] = frozenset()

    def __init__(self, encoder: OmniEncoder) -> None:
        self._encoder = encoder
        self.own = OwnSounds()

    def init_state(self, expected: Expected = ANYTHING, start_sample: int = 0) -> OmniState:
        """As `Perceiver.init_state`; there is no recogniser to expect anything."""
        return OmniState(self._encoder.init_state(1), start_sample)

    def expect(self, state: OmniState, expected: Expected) -> None:
        """Nothing to do: no words are recognised."""

    def catch_up(self, state: OmniState, how: int) -> None:
        """Nothing to do: no words are recognised."""

    def check(self, chunk: AudioChunk, state: OmniState) -> None:
        """AudioFormatError where this cannot be the stream's next chunk."""
        perceiver.check(chunk, state.position, self._encoder.chunk_samples)

    def skim(self, chunk: AudioChunk, state: OmniState) -> None:
        """Hear a chunk while catching up of which no tokens are wanted; to what follows it is the past."""
        self.check(chunk, state)
        self._encoder.skim(torch.from_numpy(chunk.samples)[None], state.tower)
        state.position = chunk.end_sample

    def hear(
        self, chunks: Sequence[AudioChunk], states: Sequence[OmniState], pool: Executor | None = None
    ) -> list[FloatArray]:
        """As `Perceiver.hear`: the tower reads the chunks of all streams in one pass -> [audio, D] of each."""
        for chunk, state in zip(chunks, states, strict=True):
            self.check(chunk, state)
        samples = torch.from_numpy(np.stack([c.samples for c in chunks]))
        tokens = self._encoder.step_rows(samples, [s.tower for s in states]).cpu().numpy()
        for chunk, state in zip(chunks, states, strict=True):
            state.position = chunk.end_sample
        return list(tokens)

    def step(
        self, chunk: AudioChunk, state: OmniState, words: Words | None = None, frames: FloatArray | None = None
    ) -> Perception:
        """As `Perceiver.step`."""
        tokens = self.hear([chunk], [state])[0] if frames is None else frames
        level = decibels(float(np.sqrt(np.mean(np.square(chunk.samples)))))
        speech, quiet = tokens.reshape(-1), Vad((), False)
        return Perception(
            chunk.index, chunk.end_sample, NOTHING, NOTHING, speech, quiet, words or Words(), level_db=level
        )

    def step_rows(
        self, chunks: Sequence[AudioChunk], states: Sequence[OmniState], frames: Sequence[FloatArray]
    ) -> list[Perception | Exception]:
        """As `Perceiver.step_rows`."""
        return apart(self.step, chunks, states, frames)

    def ended(self, end_sample: int, state: OmniState) -> tuple[Sound, ...]:
        """None: no sounds are named."""
        return ()

    def flush(self, state: OmniState) -> Words:
        """None: no words are recognised."""
        return Words()
