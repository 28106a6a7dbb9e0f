"""The encoders of a model, ready to be timed: a step of theirs as perception makes it, and all that was heard again.

Encoding the whole history again is timed at its best: pieces without overlap in batches. Pieces are as long as the
encoder is made for (its own window), so that a second of audio is encoded once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from benchmarks.cost.device import Device
from benchmarks.cost.parts import operations, read_by, sound_work
from benchmarks.cost.subject import Subject
from benchmarks.cost.timed import Point, Work
from soundflow.clock import chunk_samples
from soundflow.errors import ConfigError
from soundflow.perceive.encoder import StreamEncoder
from soundflow.perceive.perceiver import Perceiver
from soundflow.types import AudioChunk, FloatArray

if TYPE_CHECKING:
    from soundflow.perceive.omni.encoder import OmniEncoder

ROWS: Final = 64
"""Chunks that the naive way encodes in one batch."""
BEATS_STEP_MS: Final = 160
MOST_FILLED: Final = 64
"""Chunks after which an encoder's context counts as full: of those that look back for minutes, most of it."""


@dataclass
class Noise:
    """White noise, chunk by chunk, without an end. level_db: of full scale."""

    size: int
    seed: int = 0
    level_db: float = -24.0
    at: int = 0
    audio: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        drawn = np.random.default_rng(self.seed).standard_normal(8 * self.size)
        self.audio = (10 ** (self.level_db / 20) * drawn).clip(-1, 1).astype(np.float32)

    def next(self) -> AudioChunk:
        begin = self.at % len(self.audio)
        made = AudioChunk(self.at // self.size, self.at, self.audio[begin : begin + self.size])
        self.at += self.size
        return made


NO_WORK: Final = Work(0.0, 0.0)
Step = Callable[[Sequence[FloatArray], Sequence[Any]], object]


@dataclass(frozen=True)
class Ear:
    """One encoder.

    work: of one chunk of one stream. state: of a stream, its context full; to be copied. step: the next chunk [N] of
    some streams, in one batch. whole: encodes so many chunks from the beginning; None where it never does. piece:
    chunks that `whole` encodes at once, and `piece_work` what that takes. always: not only while somebody speaks. Its
    name is that of its state in a perceiver's.
    """

    name: str
    numbers: str
    work: Work
    state: Any
    step: Step
    whole: Callable[[int], object] | None = None
    piece: int = 1
    piece_work: Work = NO_WORK
    always: bool = True


@dataclass(frozen=True)
class Hearing:
    """Encoders of a model by themselves, and whole perceivers by kind of numbers."""

    chunk_samples: int
    ears: Sequence[Ear]
    perceivers: Mapping[str, Perceiver]


def of(subject: Subject, on: Device, eight_bit: bool, ages: Sequence[int] = ()) -> Hearing | None:
    """The encoders of a model on `on`; None of a shape.

    Args:
        eight_bit: nano's sound encoder in int8, too.
        ages: chunks of history that `Ear.whole` will be asked for.

    Raises:
        WeightsError, ConfigError: a part is missing, or not what it should be.
    """
    made = {"nano": _nano, "base": _base, "omni": _omni}
    if subject.kit is None:
        return None
    return made[subject.tier](subject, on, eight_bit, int(np.gcd.reduce(ages)) if ages else 1)


def sessions(hearing: Hearing, counts: Sequence[int]) -> list[Point]:
    """A chunk of each of x streams in one batch, as a server hears them."""
    made = []
    for ear in hearing.ears:
        for x in counts:
            streams = [Noise(hearing.chunk_samples, k) for k in range(x)]
            states = [deepcopy(ear.state) for _ in streams]

            def run(ear: Ear = ear, streams: list[Noise] = streams, states: list[Any] = states) -> None:
                ear.step([s.next().samples for s in streams], states)

            work = Work(ear.work.ops * x, ear.work.bytes)
            made.append(Point("sessions", ear.name, ear.numbers, x, work, run, repeats=5 if x < 16 else 2))
    return made


def history(hearing: Hearing, ages: Sequence[int]) -> list[Point]:
    """One chunk, and x chunks from the beginning."""
    made: list[Point] = []
    for ear in hearing.ears:
        if ear.whole is None:
            continue
        stream, state = Noise(hearing.chunk_samples), deepcopy(ear.state)

        def ours(ear: Ear = ear, stream: Noise = stream, state: Any = state) -> None:
            ear.step([stream.next().samples], [state])

        for x in ages:
            naive = Work(ear.piece_work.ops * -(-x // ear.piece), ear.piece_work.bytes)
            common: dict[str, Any] = {"curve": "history", "numbers": ear.numbers, "x": x}
            made.append(Point(part=f"ours {ear.name}", work=ear.work, run=ours, repeats=5, **common))
            run = partial(ear.whole, x)
            made.append(Point(part=f"naive {ear.name}", work=naive, run=run, repeats=1, warm=False, **common))
    return made


def _nano(subject: Subject, on: Device, eight_bit: bool, common: int) -> Hearing:
    from soundflow.perceive.moonshine import Moonshine
    from soundflow.perceive.sound import SoundEncoder
    from soundflow.perceive.speech import LEFT_SAMPLES, SpeechEncoder
    from soundflow.tiers import nano

    assert subject.kit is not None
    found, size = nano.parts(subject.kit.branch), chunk_samples(subject.chunk_ms)
    ears, perceivers = [], {}
    for numbers in ("int8", "fp32") if eight_bit else ("fp32",):
        sound = SoundEncoder(found.sound, size, branch=found.branch)
        perceivers[numbers] = subject.kit.hearing(None, str(on.place))
        if numbers == "int8":
            sound.to_int8()
            perceivers[numbers].to_int8()
        if on.gpu:
            sound.to_device(on.place)

        def again(chunks: int, sound: SoundEncoder = sound) -> None:
            audio = Noise(size).next().samples
            for rows in batches(chunks, ROWS):
                sound.step_rows([audio] * rows, [sound.init_state() for _ in range(rows)])

        work = sound_work(found.sound, 2, numbers)
        ears.append(Ear("sound", numbers, work, sound.init_state(), sound.step_rows, again, 1, work))
    speech = SpeechEncoder(Moonshine(found.asr), size)

    def speak(samples: Sequence[FloatArray], states: Sequence[Any]) -> object:
        return speech.step_rows(samples, [True] * len(samples), states)

    read = Work(0.0, float((found.asr / "encoder_model.ort").stat().st_size))
    state = _full(speech.init_state(), speak, size, LEFT_SAMPLES)
    ears.append(Ear("speech", "as shipped", read, state, speak, always=False))
    return Hearing(size, ears, perceivers)


def _base(subject: Subject, on: Device, eight_bit: bool, common: int) -> Hearing:
    from soundflow.perceive.senses import SoundOf, SpeechOf
    from soundflow.tiers import base
    from soundflow.tiers.base_config import BaseConfig

    assert subject.kit is not None
    assert subject.kit.folder is not None
    folder, device = subject.kit.folder, str(on.place)
    config, size = BaseConfig.read(folder), chunk_samples(subject.chunk_ms)
    longest = max(1, (config.sound_left_ms + BEATS_STEP_MS) // subject.chunk_ms)
    piece = max(n for n in range(1, min(longest, common) + 1) if common % n == 0)
    longer = replace(config, chunk_ms=piece * subject.chunk_ms)
    sound, speech = base.sound_encoder(folder, config, device), base.speech_encoder(folder, config, device)
    long_sound = base.sound_encoder(folder, longer, device)
    long_speech, speech_piece = _speech(base.speech_encoder, folder, longer, device, speech, piece)
    ears = [
        _ear("sound", "fp32", sound, SoundOf(sound), long_sound, piece, on),
        _ear("speech", "fp32", speech, SpeechOf(speech), long_speech, speech_piece, on),
    ]
    return Hearing(size, ears, {"fp32": subject.kit.hearing(None, device)})


def _speech(
    load: Callable[..., StreamEncoder], folder: Path, longer: Any, device: str, own: StreamEncoder, piece: int
) -> tuple[StreamEncoder, int]:
    """The encoder for pieces of `piece` chunks, or for single ones where its positions do not reach so far."""
    try:
        return load(folder, longer, device), piece
    except ConfigError:
        return own, 1


def _ear(
    name: str, numbers: str, encoder: StreamEncoder, sense: Any, long: StreamEncoder, piece: int, on: Device
) -> Ear:
    """`sense`: what perception runs `encoder` by, with `init_state` of one stream and `encode` of many."""
    state = _full(sense.init_state(), sense.encode, encoder.chunk_samples, encoder.spec.left_samples or 0)
    stream, counted = Noise(encoder.chunk_samples), deepcopy(state)

    def one() -> object:
        return sense.encode([stream.next().samples], [counted])

    whole = partial(_pieces, long, piece, on)
    work, piece_work = (Work(operations(f), read_by(f)) for f in (one, partial(whole, piece)))
    return Ear(name, numbers, work, state, sense.encode, whole, piece, piece_work)


def _full(state: Any, step: Step, size: int, left_samples: int) -> Any:
    """`state` behind so much audio that its context is full, or `MOST_FILLED` chunks where that is longer."""
    stream = Noise(size)
    for _ in range(min(-(-left_samples // size) + 2, MOST_FILLED)):
        step([stream.next().samples], [state])
    return state


def _pieces(encoder: StreamEncoder, piece: int, on: Device, chunks: int) -> None:
    """Encode `chunks` chunks in pieces, each from a fresh state; the last one is a whole piece, too."""
    rows = -(-chunks // piece)
    audio = torch.from_numpy(Noise(encoder.chunk_samples).next().samples).to(on.place)
    for count in batches(rows, max(1, ROWS // piece)):
        encoder.step(audio.expand(count, -1), encoder.init_state(count))


def _omni(subject: Subject, on: Device, eight_bit: bool, common: int) -> Hearing:
    """The tower in the numbers that `soundflow.tiers.pretrained` gives it; the paper reads each chunk alone."""
    from soundflow.perceive.omni.encoder import OmniEncoder
    from soundflow.perceive.omni.perceiver import OmniPerceiver
    from soundflow.perceive.omni.tower import Tower
    from soundflow.tiers.omni.settings import TOWER, Settings

    assert subject.kit is not None
    assert subject.kit.folder is not None
    settings, size = Settings.read(subject.kit.folder), chunk_samples(subject.chunk_ms)
    tower = Tower.load(subject.kit.folder / TOWER, settings.tower, on.dtype).to(on.place)
    encoder = OmniEncoder(tower, size, settings.left_chunks, settings.memory_chunks)
    numbers = {torch.bfloat16: "bf16", torch.float32: "fp32"}[on.dtype]
    heard: Any = OmniPerceiver(encoder)
    return Hearing(size, [_ear("tower", numbers, encoder, _Tower(encoder), encoder, 1, on)], {numbers: heard})


class _Tower:
    """The tower as `OmniPerceiver` runs it."""

    def __init__(self, encoder: OmniEncoder) -> None:
        self._encoder = encoder

    def init_state(self) -> Any:
        return self._encoder.init_state(1)

    def encode(self, samples: Sequence[FloatArray], states: Sequence[Any]) -> object:
        return self._encoder.step_rows(torch.from_numpy(np.stack(samples)), states)


def batches(count: int, most: int) -> list[int]:
    """`count` in batches of at most `most`."""
    return [min(most, count - first) for first in range(0, count, most)]
