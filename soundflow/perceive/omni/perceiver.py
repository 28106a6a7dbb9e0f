"""Perception with the tower: its tokens of each chunk, and what another perceiver knows, where there is one.

The tower hears the samples as they come, without the level control that the nano tier's encoders have: it was trained
so. Alone it names no sounds, recognises no words and knows no voice activity; then nobody can be interrupted, and the
model's decisions are all there is, as in *Audio Interaction Model* (arXiv 2606.05121).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch

from soundflow.errors import ConfigError
from soundflow.perceive import perceiver
from soundflow.perceive.normalise import decibels
from soundflow.perceive.omni.encoder import OmniEncoder, TowerState
from soundflow.perceive.own import OwnSounds
from soundflow.perceive.perceiver import Frames, Perceiver, PerceiverState, apart
from soundflow.types import AudioChunk, FloatArray, Perception, Sound, Vad, Words

NOTHING: Final = np.zeros(0, np.float32)


@dataclass(slots=True)
class OmniState:
    """Of one stream. `position`: the sample that its next chunk starts at; `beside`: of the other perceiver."""

    tower: TowerState
    position: int
    beside: PerceiverState | None

    def snapshot(self) -> dict[str, Any]:
        beside = None if self.beside is None else self.beside.snapshot()
        return {"tower": self.tower.snapshot(0), "position": self.position, "beside": beside}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """ConfigError where it is of a perceiver with other parts."""
        if (snapshot["beside"] is None) != (self.beside is None):
            raise ConfigError("omni perceiver: a saved state of the same parts was expected")
        self.tower.restore(0, snapshot["tower"])
        self.position = snapshot["position"]
        if self.beside is not None:
            self.beside.restore(snapshot["beside"])


@dataclass(frozen=True, slots=True)
class OmniFrames:
    """What is heard of a chunk before words: `tokens` [audio, D] of the tower; `beside`: of the other perceiver."""

    tokens: FloatArray
    beside: Frames | None


class OmniPerceiver:
    """As `soundflow.perceive.perceiver.Perceiver`; `Perception.speech` holds the tower's tokens, [audio * D].

    `sound` is the other perceiver's: by it the session knows a sound again, at a threshold fitted to that embedding.
    """

    def __init__(self, encoder: OmniEncoder, beside: Perceiver | None = None) -> None:
        """`beside`: gives tags, sounds, words and voice activity, of chunks of the same length."""
        self._encoder, self._beside = encoder, beside
        self.labels: Sequence[str] = beside.labels if beside else ()
        self.own = beside.own if beside else OwnSounds()

    def init_state(self, phrases: Sequence[str] = (), start_sample: int = 0) -> OmniState:
        """As `Perceiver.init_state`."""
        beside = self._beside.init_state(phrases, start_sample) if self._beside else None
        return OmniState(self._encoder.init_state(1), start_sample, beside)

    def expect(self, state: OmniState, phrases: Sequence[str]) -> None:
        """As `Perceiver.expect`."""
        if self._beside and state.beside:
            self._beside.expect(state.beside, phrases)

    def catch_up(self, state: OmniState, how: int) -> None:
        """As `Perceiver.catch_up`."""
        if self._beside and state.beside:
            self._beside.catch_up(state.beside, how)

    def check(self, chunk: AudioChunk, state: OmniState) -> None:
        """AudioFormatError where this cannot be the stream's next chunk."""
        perceiver.check(chunk, state.position, self._encoder.chunk_samples)

    def skim(self, chunk: AudioChunk, state: OmniState) -> None:
        """Hear a chunk while catching up of which no tokens are wanted; to what follows it is the past."""
        self.check(chunk, state)
        self._encoder.skim(torch.from_numpy(chunk.samples)[None], state.tower)
        state.position = chunk.end_sample
        if self._beside and state.beside:
            self._beside.skim(chunk, state.beside)

    def hear(
        self, chunks: Sequence[AudioChunk], states: Sequence[OmniState], pool: Executor | None = None
    ) -> list[OmniFrames]:
        """As `Perceiver.hear`: the tower reads the chunks of all streams in one pass."""
        for chunk, state in zip(chunks, states, strict=True):
            self.check(chunk, state)
        samples = torch.from_numpy(np.stack([c.samples for c in chunks]))
        tokens = self._encoder.step_rows(samples, [s.tower for s in states]).cpu().numpy()
        for chunk, state in zip(chunks, states, strict=True):
            state.position = chunk.end_sample
        inner = [s.beside for s in states if s.beside is not None]
        beside = self._beside.hear(chunks, inner, pool) if self._beside else [None] * len(chunks)
        return [OmniFrames(t, b) for t, b in zip(tokens, beside, strict=True)]

    def step(
        self, chunk: AudioChunk, state: OmniState, words: Words | None = None, frames: OmniFrames | None = None
    ) -> Perception:
        """As `Perceiver.step`."""
        frames = frames or self.hear([chunk], [state])[0]
        tokens = frames.tokens.reshape(-1)
        if self._beside and state.beside:
            found = self._beside.step(chunk, state.beside, words, frames.beside)
            return replace(found, speech=tokens)
        level = decibels(float(np.sqrt(np.mean(np.square(chunk.samples)))))
        quiet = Vad((), False)
        return Perception(
            chunk.index, chunk.end_sample, NOTHING, NOTHING, tokens, quiet, words or Words(), level_db=level
        )

    def step_rows(
        self, chunks: Sequence[AudioChunk], states: Sequence[OmniState], frames: Sequence[OmniFrames]
    ) -> list[Perception | Exception]:
        """As `Perceiver.step_rows`."""
        return apart(self.step, chunks, states, frames)

    def ended(self, end_sample: int, state: OmniState) -> tuple[Sound, ...]:
        """Offsets of the sounds that still go on at the end of the stream."""
        return self._beside.ended(end_sample, state.beside) if self._beside and state.beside else ()

    def flush(self, state: OmniState) -> Words:
        """What the words channel still holds at the end of the stream."""
        return self._beside.flush(state.beside) if self._beside and state.beside else Words()
