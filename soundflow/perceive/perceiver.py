"""The whole of perception for one stream: a chunk of PCM in, a `Perception` out. Weights here, state apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from soundflow.errors import AudioFormatError, WeightsError
from soundflow.perceive.among import Choosing
from soundflow.perceive.expected import ANYTHING, Expected
from soundflow.perceive.labels import SPEECH
from soundflow.perceive.moonshine import Moonshine
from soundflow.perceive.named import NamedSounds, Naming
from soundflow.perceive.normalise import LevelState, LevelTracker
from soundflow.perceive.own import OwnSounds, OwnState
from soundflow.perceive.rivals import Rivals
from soundflow.perceive.senses import Senses, SenseState
from soundflow.perceive.sound import SoundEncoder, SoundFrames, labels
from soundflow.perceive.speech import SpeechEncoder
from soundflow.perceive.tags import SoundEvents, SoundEventsConfig, SoundEventsState, TagCalibration
from soundflow.perceive.thresholds import Thresholds
from soundflow.perceive.vad import VadState, VoiceActivity
from soundflow.perceive.whole import NOTED, WholeConfig, WholeSounds, WholeState
from soundflow.perceive.words import WordsChannel, WordsConfig
from soundflow.types import AudioChunk, FloatArray, Perception, Sound, Vad, Words

SKIMMED_SPEECH = 0.5  # AudioSet's Speech probability of a chunk that was skimmed; at least the floor of words
OWN_EVENTS = SoundEventsConfig(on=0.5, off=0.25, never=frozenset())


@dataclass(frozen=True, slots=True)
class Parts:
    """Where the pretrained parts lie, and our alert branch of the sound encoder if there is one."""

    asr: Path
    vad: Path
    sound: Path
    branch: Path | None = None

    def open(self, chunk_samples: int, executor: Executor | None, thresholds: Thresholds) -> Senses:
        """Load them. WeightsError names a file that is missing or broken."""
        moonshine = Moonshine(self.asr)
        sound = SoundEncoder(self.sound, chunk_samples, branch=self.branch)
        return Senses(
            VoiceActivity(self.vad),
            sound,
            SpeechEncoder(moonshine, chunk_samples),
            WordsChannel(moonshine, WordsConfig(speech_floor=thresholds.speech_floor), executor),
            labels(self.sound),
            sound.names,
        )


@dataclass(slots=True)
class PerceiverState:
    """State of every part of one stream."""

    level: LevelState
    vad: VadState
    sound: SenseState
    speech: SenseState
    words: Any
    events: SoundEventsState
    own: OwnState
    own_events: SoundEventsState
    whole: WholeState
    noted: WholeState

    def snapshot(self) -> dict[str, Any]:
        return {name: getattr(self, name).snapshot() for name in self.__slots__}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        for name in self.__slots__:
            getattr(self, name).restore(snapshot[name])


@dataclass(frozen=True, slots=True)
class Frames:
    """What is heard of one chunk, before words: `tags` [L], `sound` [D_a], `speech` [D_s].

    `alert`: log-odds of the alert branch for its best window, 0 without a branch; `names` [N]: of the classes that it
    names, each in its best window. `own` [K]: of the taught sounds.
    """

    tags: FloatArray
    sound: FloatArray
    speech: FloatArray
    vad: Vad
    level_db: float
    alert: float
    own: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    names: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))


class Perceiver:
    """Sound tags and embedding, speech frames, voice activity and words of any number of streams, one state each."""

    def __init__(
        self,
        parts: Parts | Senses,
        chunk_samples: int,
        calibration: TagCalibration | None = None,
        executor: Executor | None = None,
        own: OwnSounds | None = None,
        named: NamedSounds | None = None,
    ) -> None:
        """`executor` decodes words of `Parts` beside the step; without one in it, with the same result.
        `calibration` None: scores as they are, thresholds of nano.

        WeightsError where a sound of `own` has the name of a label, or `calibration` or `named` are of other labels.
        """
        thresholds = calibration.thresholds if calibration else Thresholds()
        senses = parts.open(chunk_samples, executor, thresholds) if isinstance(parts, Parts) else parts
        self.labels = senses.labels
        self.calibration = calibration or TagCalibration.identity(len(self.labels))
        if len(self.calibration.a) != len(self.labels):
            raise WeightsError(f"tag calibration: {len(self.labels)} labels expected, got {len(self.calibration.a)}")
        self._level = LevelTracker(chunk_samples)
        self._vad, self._sound, self._speech, self._words = senses.vad, senses.sound, senses.speech, senses.words
        self._events = SoundEvents(self.labels, chunk_samples, self.calibration.events)
        self._skimmed = max(SKIMMED_SPEECH, thresholds.speech_floor)
        self.own = own or OwnSounds()
        if taken := sorted(set(self.own.names) & set(self.labels)):
            raise WeightsError(f"own sounds: a name that is no AudioSet label was expected, got {taken[0]!r}")
        self._naming = Naming(named, self.labels, senses.names) if named else None
        self.headed = named.labels if named else frozenset()
        choose = Choosing(named.among, named.classes, self.labels) if named and named.among else None
        self._whole = WholeSounds(self.labels, self.headed, chunk_samples, WholeConfig(), choose)
        self._noted = WholeSounds(self.labels, self.headed, chunk_samples, NOTED, choose)
        self._own_events = SoundEvents(self.own.names, chunk_samples, OWN_EVENTS)
        self._speech_tags = [i for i, name in enumerate(self.labels) if name in SPEECH]
        self._rivals = Rivals(self.labels)

    def to_int8(self) -> None:
        """Encode sounds in eight bits from now on."""
        self._sound.to_int8()

    def to_device(self, device: torch.device) -> None:
        """Encode sounds there from now on; voice activity and speech stay on the CPU (ONNX Runtime)."""
        self._sound.to_device(device)

    def init_state(self, expected: Expected = ANYTHING, start_sample: int = 0) -> PerceiverState:
        """The state before the first chunk, which starts at `start_sample`. `expected`: what is likely to be said."""
        return PerceiverState(
            self._level.init_state(),
            self._vad.init_state(start_sample),
            self._sound.init_state(),
            self._speech.init_state(),
            self._words.init_state(expected),
            self._events.init_state(),
            self.own.init_state(),
            self._own_events.init_state(),
            self._whole.init_state(),
            self._noted.init_state(),
        )

    def expect(self, state: PerceiverState, expected: Expected) -> None:
        """From the next recognition on, this is likely, and nothing else."""
        self._words.expect(state.words, expected)

    def catch_up(self, state: PerceiverState, how: int) -> None:
        """2: what is heard was heard before, and nothing of it is recognised; 1: but speech that ends; 0: it is new."""
        state.words.catching_up = how

    def skim(self, chunk: AudioChunk, state: PerceiverState) -> None:
        """Hear a chunk while catching up of which only the open speech matters; a tenth of a step."""
        level = self._level.step(chunk.samples, state.level)
        self._sound.skim(level.samples, state.sound)
        vad = self._vad.step(chunk, state.vad)
        self._speech.step_rows([chunk.samples], [False], [state.speech], None)
        self._words.step(chunk, vad, state.words, self._skimmed)

    def hear(
        self, chunks: Sequence[AudioChunk], states: Sequence[PerceiverState], pool: Executor | None = None
    ) -> list[Frames]:
        """Everything but words and sound events of the next chunk of many streams, in one batch; `step` then takes each
        stream's. It touches nothing of a state that `step` touches, so that it may run ahead of it in another thread.

        Args:
            pool: encodes the speech of several streams at once.

        Raises:
            AudioFormatError: one of the chunks does not fit (`check`); the states are then of no use.
        """
        levels = [self._level.step(c.samples, s.level) for c, s in zip(chunks, states, strict=True)]
        vads = self._vad.step_rows(chunks, [s.vad for s in states])
        samples, speaking = [c.samples for c in chunks], [v.speaking for v in vads]
        spoken = self._speech.step_rows(samples, speaking, [s.speech for s in states], pool)
        sounds = self._sound.step_rows([level.samples for level in levels], [s.sound for s in states])
        parts = zip(states, sounds, vads, spoken, levels, strict=True)
        return [self._frames(s, sound, vad, x, level.rms_db) for s, sound, vad, x, level in parts]

    def check(self, chunk: AudioChunk, state: PerceiverState) -> None:
        """AudioFormatError where this cannot be the stream's next chunk."""
        check(chunk, state.vad.position, self._sound.chunk_samples)

    def frames(self, chunk: AudioChunk, state: PerceiverState) -> Frames:
        """`hear` of one stream: the part of a step that training caches."""
        return self.hear([chunk], [state])[0]

    def _frames(
        self, state: PerceiverState, sound: SoundFrames, vad: Vad, speech: FloatArray, level_db: float
    ) -> Frames:
        mean = speech.mean(axis=0) if len(speech) else np.zeros(self._speech.width, np.float32)
        tags, embedding, alert = sound.scores.max(axis=0), sound.embeddings.mean(axis=0), float(sound.alerts.max())
        own, names = self.own.step(sound.embeddings, state.own), sound.names.max(axis=0)
        return Frames(tags, embedding, mean, vad, level_db, alert, own, names)

    def step(
        self, chunk: AudioChunk, state: PerceiverState, words: Words | None = None, frames: Frames | None = None
    ) -> Perception:
        """Perceive one chunk.

        Args:
            words: those of `flush`, for the silent chunk behind the end of a stream.
            frames: what `hear` gave for this chunk, where it was called.
        """
        frames = frames or self.frames(chunk, state)
        if words is None:
            speech_score = float(frames.tags[self._speech_tags].max(initial=0.0))
            words = self._words.step(chunk, frames.vad, state.words, speech_score)
        p = self.calibration(frames.tags)
        named = self._naming(p[None], frames.sound[None], frames.names[None])[0] if self._naming else None
        sure = p if named is None else named
        alert = frames.alert - float(self._rivals.less(frames.tags[None])[0])
        heard = frames.level_db, sure, alert, frames.sound, chunk.index
        sounds = self._events.step(sure, chunk.index, state.events)
        sounds += self._own_events.step(frames.own, chunk.index, state.own_events)
        return Perception(
            chunk=chunk.index,
            end_sample=chunk.end_sample,
            tags=frames.tags,
            sound=frames.sound,
            speech=frames.speech,
            vad=frames.vad,
            words=words,
            sounds=sounds,
            level_db=frames.level_db,
            alert=alert,
            own=tuple(frames.own.tolist()),
            named=named,
            whole=self._whole.step(*heard, state.whole),
            noted=self._noted.step(*heard, state.noted),
        )

    def step_rows(
        self, chunks: Sequence[AudioChunk], states: Sequence[PerceiverState], frames: Sequence[Frames]
    ) -> list[Perception | Exception]:
        """`step` for a chunk of many streams behind `hear`; a stream that fails gives its error and harms no other."""
        return apart(self.step, chunks, states, frames)

    def ended(self, end_sample: int, state: PerceiverState) -> tuple[Sound, ...]:
        """Offsets of the sounds that still go on at the end of the stream."""
        ended = self._events.flush(end_sample, state.events)
        return ended + self._own_events.flush(end_sample, state.own_events)

    def flush(self, state: PerceiverState) -> Words:
        """What the words channel still holds at the end of the stream."""
        return self._words.flush(state.words)


def check(chunk: AudioChunk, position: int, chunk_samples: int) -> None:
    """AudioFormatError where `chunk` cannot be the next one of a stream that stands at sample `position`."""
    if chunk.start_sample != position or chunk.samples.shape != (chunk_samples,):
        raise AudioFormatError(
            f"expected [{chunk_samples}] samples from {position} on, got"
            f" {list(chunk.samples.shape)} from {chunk.start_sample}"
        )
    if not np.isfinite(chunk.samples).all():
        raise AudioFormatError(f"chunk {chunk.index}: finite samples were expected, got NaN or infinity")


def apart(
    step: Callable[..., Perception], chunks: Sequence[AudioChunk], states: Sequence[Any], frames: Sequence[Any]
) -> list[Perception | Exception]:
    """`step` of each stream; one that fails gives its error and harms no other."""
    found: list[Perception | Exception] = []
    for chunk, state, heard in zip(chunks, states, frames, strict=True):
        try:
            found.append(step(chunk, state, frames=heard))
        except Exception as error:  # noqa: BLE001 - the caller ends the stream with it
            found.append(error)
    return found
