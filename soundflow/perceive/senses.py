"""What perception is put together of, and the encoders of the larger tiers as such parts.

nano brings its own (`soundflow.perceive.perceiver.Parts`); any `StreamEncoder` is one by `SoundOf` or `SpeechOf`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from soundflow.errors import ConfigError
from soundflow.perceive.encoder import Encoded, StreamEncoder
from soundflow.perceive.expected import ANYTHING, Expected
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
    """Frames [F, width] that come with each chunk; those of audio in which nobody spoke are left out."""

    @property
    def width(self) -> int: ...

    def init_state(self) -> Any: ...

    def step_rows(
        self, samples: Sequence[FloatArray], speaking: Sequence[bool], states: Sequence[Any], pool: Executor | None
    ) -> list[FloatArray]: ...


class WordsSense(Protocol):
    """The words channel."""

    def init_state(self, expected: Expected = ANYTHING) -> Any: ...

    def expect(self, state: Any, expected: Expected) -> None: ...

    def step(self, chunk: AudioChunk, vad: Vad, state: Any, speech_score: float = 1.0) -> Words: ...

    def flush(self, state: Any) -> Words: ...


@dataclass(frozen=True, slots=True)
class Senses:
    """The parts; `labels` name the scores of `sound`, `names` the classes that a branch of it names."""

    vad: VoiceActivity
    sound: SoundSense
    speech: SpeechSense
    words: WordsSense
    labels: tuple[str, ...]
    names: tuple[str, ...] = ()


@dataclass(slots=True)
class OneRow:
    """The state of one stream in an encoder that knows batches."""

    rows: Any

    def snapshot(self) -> dict[str, Any]:
        saved: dict[str, Any] = self.rows.snapshot(0)
        return saved

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        self.rows.restore(0, dict(snapshot))


@dataclass(slots=True)
class SpeechRow(OneRow):
    """With it, which of the frames to come are of speech.

    spoke: whether somebody spoke, of the newest chunks, this one last: as many as a frame may come late. heard: samples
    so far. frames: how many of them came so far.
    """

    spoke: deque[bool]
    heard: int = 0
    frames: int = 0

    def snapshot(self) -> dict[str, Any]:
        own = {"spoke": tuple(self.spoke), "heard": self.heard, "frames": self.frames}
        return {"encoder": OneRow.snapshot(self), **own}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        OneRow.restore(self, snapshot["encoder"])
        self.spoke = deque(snapshot["spoke"], self.spoke.maxlen)
        self.heard, self.frames = snapshot["heard"], snapshot["frames"]


class _Of:
    """Steps of many streams of one encoder in one batch."""

    def __init__(self, encoder: StreamEncoder) -> None:
        self.encoder = encoder

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

    def init_state(self) -> OneRow:
        return OneRow(self.encoder.init_state(1))

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
    """Speech frames by any encoder. It hears all the time, as its state has to; frames are read whose field ends in a
    chunk in which somebody spoke, and with a look-ahead they may come some chunks later.
    """

    @property
    def width(self) -> int:
        return self.encoder.spec.width

    def init_state(self) -> SpeechRow:
        chunks = 1 + -(-self.encoder.spec.look_ahead_samples // self.encoder.chunk_samples)
        return SpeechRow(self.encoder.init_state(1), deque([False] * chunks, chunks))

    def step_rows(
        self,
        samples: Sequence[FloatArray],
        speaking: Sequence[bool],
        states: Sequence[SpeechRow],
        pool: Executor | None,
    ) -> list[FloatArray]:
        found = self.encode(samples, states)
        frames = found.frames.float().cpu().numpy()
        rows = zip(frames, found.counts.tolist(), speaking, states, strict=True)
        return [heard[:n][self._of_speech(n, speaks, state)] for heard, n, speaks, state in rows]

    def _of_speech(self, count: int, speaks: bool, state: SpeechRow) -> NDArray[np.bool_]:
        """Which of a chunk's `count` frames [count] are of speech."""
        spec, size = self.encoder.spec, self.encoder.chunk_samples
        state.spoke.append(speaks)
        state.heard += size
        ends = (state.frames + np.arange(count)) * spec.hop_samples + spec.field_samples
        state.frames += count
        late = (state.heard - ends) // size
        return np.array(state.spoke)[-1 - late]


class NoWords:
    """The words channel of a tier without a recogniser."""

    def init_state(self, expected: Expected = ANYTHING) -> _Nothing:
        return _Nothing()

    def expect(self, state: _Nothing, expected: Expected) -> None:
        """Nothing to do."""

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
