"""What perception is put together of, and the encoders of the larger tiers as such parts.

nano brings its own (`soundflow.perceive.perceiver.Parts`); any `StreamEncoder` is one by `SoundOf` or `SpeechOf`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from soundflow.errors import ConfigError
from soundflow.perceive.encoder import Encoded, StreamEncoder
from soundflow.perceive.sound import SoundFrames
from soundflow.perceive.vad import VoiceActivity
from soundflow.types import AudioChunk, FloatArray, Vad, Words


class SenseState(Protocol):
    """Of one stream."""

    def snapshot(self) -> dict[str, Any]: ...

    def restore(self, snapshot: Mapping[str, Any]) -> None: ...


class SoundSense(Protocol):
    """Scores of named sounds, and embeddings."""

    chunk_samples: int

    def init_state(self) -> Any: ...

    def step_rows(self, samples: Sequence[FloatArray], states: Sequence[Any]) -> list[SoundFrames]: ...

    def skim(self, samples: FloatArray, state: Any) -> None: ...

    def to_int8(self) -> None: ...

    def to_device(self, device: torch.device) -> None: ...


class SpeechSense(Protocol):
    """Frames [F, width] of each chunk; [0, width] of one in which nobody speaks."""

    @property
    def width(self) -> int: ...

    def init_state(self) -> Any: ...

    def step_rows(
        self, samples: Sequence[FloatArray], speaking: Sequence[bool], states: Sequence[Any], pool: Executor | None
    ) -> list[FloatArray]: ...


class WordsSense(Protocol):
    """The words channel; `bias` makes of likely phrases what `init_state` takes."""

    def bias(self, phrases: Sequence[str]) -> Any: ...

    def init_state(self, bias: Any = None) -> Any: ...

    def step(self, chunk: AudioChunk, vad: Vad, state: Any, speech_score: float = 1.0) -> Words: ...

    def flush(self, state: Any) -> Words: ...


@dataclass(frozen=True, slots=True)
class Senses:
    """The parts; `labels` name the scores of `sound`."""

    vad: VoiceActivity
    sound: SoundSense
    speech: SpeechSense
    words: WordsSense
    labels: tuple[str, ...]


@dataclass(slots=True)
class OneRow:
    """The state of one stream in an encoder that knows batches."""

    rows: Any

    def snapshot(self) -> dict[str, Any]:
        saved: dict[str, Any] = self.rows.snapshot(0)
        return saved

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        self.rows.restore(0, dict(snapshot))


class _Of:
    """Steps of many streams of one encoder in one batch."""

    def __init__(self, encoder: StreamEncoder) -> None:
        self.encoder = encoder

    def init_state(self) -> OneRow:
        return OneRow(self.encoder.init_state(1))

    def encode(self, samples: Sequence[FloatArray], states: Sequence[OneRow]) -> Encoded:
        """The next chunk of each stream; a batch is put together of the streams' states, which are bounded."""
        heard = torch.from_numpy(np.stack(samples).astype(np.float32, copy=False))
        if len(states) == 1:
            return self.encoder.step(heard, states[0].rows)
        batch = self.encoder.init_state(len(states))
        for row, state in enumerate(states):
            batch.restore(row, state.rows.snapshot(0))
        found = self.encoder.step(heard, batch)
        for row, state in enumerate(states):
            state.rows.restore(0, batch.snapshot(row))
        return found

    def to_int8(self) -> None:
        raise ConfigError(f"eight_bit: encoders of nano only have int8 forms, {self.encoder.spec.name} has none")


class SoundOf(_Of):
    """Sounds by an encoder that names them. ConfigError for one without labels."""

    def __init__(self, encoder: StreamEncoder) -> None:
        super().__init__(encoder)
        if not encoder.spec.labels:
            raise ConfigError(f"sound: an encoder that names sounds was expected, {encoder.spec.name} has no labels")
        self.chunk_samples = encoder.chunk_samples

    def step_rows(self, samples: Sequence[FloatArray], states: Sequence[OneRow]) -> list[SoundFrames]:
        """A chunk in which no frame ends, as at a stream's start, has one of zeros."""
        found = self.encode(samples, states)
        assert found.scores is not None
        frames, scores = (x.float().cpu().numpy() for x in (found.frames, found.scores))
        out = []
        for row, count in enumerate(found.counts.tolist()):
            n = max(1, count)
            shapes = (n, scores.shape[-1]), (n, frames.shape[-1])
            s, e = (np.zeros(shape, np.float32) for shape in shapes)
            s[:count], e[:count] = scores[row, :count], frames[row, :count]
            out.append(SoundFrames(s, e, np.zeros(n, np.float32)))
        return out

    def skim(self, samples: FloatArray, state: OneRow) -> None:
        self.encode([samples], [state])

    def to_device(self, device: torch.device) -> None:
        move(self.encoder, device)


class SpeechOf(_Of):
    """Speech frames by any encoder. It hears all the time, as its state has to, and is read while somebody speaks."""

    @property
    def width(self) -> int:
        return self.encoder.spec.width

    def step_rows(
        self, samples: Sequence[FloatArray], speaking: Sequence[bool], states: Sequence[OneRow], pool: Executor | None
    ) -> list[FloatArray]:
        found = self.encode(samples, states)
        frames = found.frames.float().cpu().numpy()
        counts = [n if speaks else 0 for n, speaks in zip(found.counts.tolist(), speaking, strict=True)]
        return [frames[row, :n] for row, n in enumerate(counts)]


class NoWords:
    """The words channel of a tier without a recogniser."""

    def bias(self, phrases: Sequence[str]) -> None:
        return None

    def init_state(self, bias: Any = None) -> _Nothing:
        return _Nothing()

    def step(self, chunk: AudioChunk, vad: Vad, state: _Nothing, speech_score: float = 1.0) -> Words:
        return Words()

    def flush(self, state: _Nothing) -> Words:
        return Words()


@dataclass(slots=True)
class _Nothing:
    bias: Any = None
    catching_up: int = 0

    def snapshot(self) -> dict[str, Any]:
        return {}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """There is nothing to go back to."""


def move(encoder: StreamEncoder, device: torch.device) -> None:
    """Encode there from now on. ConfigError for an encoder that cannot."""
    to = getattr(encoder, "to_device", None)
    if to is None:
        raise ConfigError(f"device {device}: {encoder.spec.name} runs on the CPU only")
    to(device)
