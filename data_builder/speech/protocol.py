"""What every engine has in common: a voice, its prosody by emotion, and the call that makes speech of text."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import soundfile as sf
import soxr

from data_builder.clips import FloatArray
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import ConfigError, DataError

TIME_LIMIT_S: Final = 60.0
_NAME = re.compile(r"[A-Za-z0-9][\w+.#-]*")


@dataclass(frozen=True, slots=True)
class Prosody:
    """`rate` multiplies the speed; `pitch` and `spread` (how far the pitch moves) are added to values of 0 to 99."""

    rate: float
    pitch: int
    spread: int


PROSODY: Final = {
    "neutral": Prosody(1.0, 0, 0),
    "happy": Prosody(1.08, 12, 25),
    "sad": Prosody(0.86, -10, -25),
    "angry": Prosody(1.12, 4, 20),
    "afraid": Prosody(1.18, 18, 10),
    "calm": Prosody(0.9, -5, -12),
}
"""Emotions as settings of the voice: nobody acts here.

Only espeak-ng moves pitch and spread; every other engine changes its speed alone. What an emotion does to loudness is
lost, as each utterance is levelled. A label of such speech says what was asked for, not what people would hear in it.
"""
EMOTIONS: Final = tuple(PROSODY)


@dataclass(frozen=True, slots=True)
class Voice:
    """One way of speaking of one engine.

    `name` is the engine's own, `rate` 1 = its default speed (0.5 to 2), `pitch` 0 to 99 (espeak and mbrola only).

    Raises:
        ConfigError: a value outside of these.
    """

    engine: str
    name: str
    rate: float = 1.0
    pitch: int = 50
    emotion: str = "neutral"

    def __post_init__(self) -> None:
        # names become arguments, parts of paths and Scheme symbols: nothing else than a name may pass
        if not _NAME.fullmatch(self.name):
            raise ConfigError(f"{self.engine}: expected a voice name of letters, digits, + . # - _; got {self.name!r}")
        if not 0.5 <= self.rate <= 2.0 or not 0 <= self.pitch <= 99:
            raise ConfigError(f"{self.id}: expected a rate of 0.5 to 2 and a pitch of 0 to 99")
        if self.emotion not in PROSODY:
            raise ConfigError(f"{self.name}: expected an emotion of {', '.join(EMOTIONS)}; got {self.emotion!r}")

    @property
    def id(self) -> str:
        mood = "" if self.emotion == "neutral" else f":{self.emotion}"
        return f"{self.engine}:{self.name}:{self.rate:g}:{self.pitch}{mood}"

    @property
    def prosody(self) -> Prosody:
        """What to ask of the engine: `rate` is a factor of its default speed, `pitch` and `spread` are 0 to 99."""
        mood = PROSODY[self.emotion]
        pitch, spread = min(99, max(0, self.pitch + mood.pitch)), min(99, max(0, 50 + mood.spread))
        return Prosody(self.rate * mood.rate, pitch, spread)


class Engine(Protocol):
    """Text to speech. `deterministic`: equal calls on one machine give equal samples."""

    deterministic: bool

    def say(self, text: str, voice: Voice) -> FloatArray:
        """[N] float32 at 16 kHz. Raises DataError where the engine fails, Stalled where it may yet work."""
        ...

    def names(self) -> set[str]:
        """Voices that are installed."""
        ...

    def licence(self, voice: Voice) -> str:
        """What a card has to say of this voice's speech."""
        ...


class Stalled(DataError):
    """An engine did not start, did not end in time, or was killed. Another day it may work: no result to keep."""


def run(command: list[str], what: str, stdin: bytes | None = None) -> bytes:
    """Standard output of a program. Raises DataError naming `what` where it fails, Stalled where it cannot help it."""
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=TIME_LIMIT_S)
    except subprocess.TimeoutExpired as error:
        raise Stalled(f"{command[0]}: expected speech within {TIME_LIMIT_S:g} s, got none", what) from error
    except OSError as error:
        raise Stalled(f"{command[0]}: expected a program that runs, got {error}", what) from error
    if done.returncode < 0:
        raise Stalled(f"{command[0]}: expected it to end, got killed by signal {-done.returncode}", what)
    if done.returncode:
        says = done.stderr.decode(errors="replace")[:200]
        raise DataError(f"{command[0]}: expected exit code 0, got {done.returncode}: {says}", what)
    return done.stdout


def read(path: Path, what: str) -> FloatArray:
    """[N] float32 at 16 kHz of a sound file's first channel. Raises DataError naming `what` where there is none."""
    try:
        samples, rate = sf.read(path, dtype="float32", always_2d=True)
    except (sf.LibsndfileError, OSError) as error:
        raise DataError("expected a sound file of the engine, got one that cannot be read", what) from error
    if not len(samples):
        raise DataError("expected speech, got no samples", what)
    return resample(samples[:, 0], rate)


def resample(samples: FloatArray, rate: int) -> FloatArray:
    """[N] float32 of `rate` Hz at 16 kHz."""
    return np.asarray(soxr.resample(samples, rate, SAMPLE_RATE_HZ), dtype=np.float32)
