"""Who takes part: systems that hear a microphone and are heard on a loudspeaker; every piece of voice is written down.

Ours is the whole `soundflow.loop.Stream` with its voice. The peer is the classic turn-taker: voice activity and a
fixed silence threshold (the baseline of Raux and Eskenazi 2008, SIGdial).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from benchmarks.duplex import texts
from benchmarks.duplex.ledger import Ledger, Spoken
from benchmarks.systems import NUMBERS, OURS, Ask, Nano
from soundflow.clock import chunk_samples, samples
from soundflow.errors import ConfigError, WeightsError
from soundflow.events import Event
from soundflow.loop import Stream
from soundflow.perceive.vad import VadConfig, VoiceActivity
from soundflow.respond.playback import Playback
from soundflow.respond.voice import Voice, choose_voice
from soundflow.types import AudioChunk, FloatArray

PEER: Final = "vad-700"
SYSTEMS: Final = (OURS, PEER, "always-silent", "always-respond")
PEER_CHUNK: Final = 512
_PEER: Final = re.compile(r"vad-(\d{3,4})")


class Seat(Protocol):
    """One open stream: samples in, events out, voice to its ledger. `say` gives it words to say; False: not now."""

    def push(self, pcm: FloatArray) -> list[Event]: ...

    def close(self) -> list[Event]: ...

    def say(self, text: str) -> bool: ...


class Talker(Protocol):
    """A system; `chunk` in samples is what it is pushed."""

    name: str
    chunk: int

    def sit(self, ask: Ask, ledger: Ledger) -> Seat: ...


class Ours:
    """A tier of ours, deterministic, with its voice."""

    def __init__(self, nano: Nano, voice: Spoken) -> None:
        self.name, self.chunk, self._nano, self._voice = nano.name, nano.chunk, nano, voice

    def sit(self, ask: Ask, ledger: Ledger) -> Seat:
        model, dial = self._nano.model, self._nano.proactivity
        return _OurSeat(
            Stream(
                model,
                instruction=ask.instruction,
                tools=ask.tools,
                proactivity=dial,
                voice=self._voice.told_to(ledger),
                observer=ledger,
            )
        )


class _OurSeat:
    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.push, self.close = stream.push, stream.close

    def say(self, text: str) -> bool:
        return bool(self.stream.row.say(text))


class TurnTaker:
    """Answers once `silence_ms` have followed speech, and stops as soon as speech starts (Silero, 2 windows of 32 ms).

    It knows no language: it always answers `texts.STOCK`.
    """

    def __init__(self, name: str, silence_ms: int, vad: Path, voice: Spoken) -> None:
        self.name, self.chunk, self._voice = name, PEER_CHUNK, voice
        self._vad = VoiceActivity(vad, VadConfig(stop_ms=silence_ms))

    def sit(self, ask: Ask, ledger: Ledger) -> Seat:
        return _TurnSeat(self._vad, Playback(self._voice.told_to(ledger), ledger), self.chunk)


class _PlayingSeat:
    """A seat without a model: what it says goes straight to the loudspeaker."""

    def __init__(self, playback: Playback, chunk: int) -> None:
        self.playback, self.chunk, self.now = playback, chunk, 0

    def push(self, pcm: FloatArray) -> list[Event]:
        self.now += len(pcm)
        self.playback.drop(self.now - samples(1.0))
        return []

    def close(self) -> list[Event]:
        return []

    def say(self, text: str) -> bool:
        self.playback.play(self.playback.speak(text), self.now)
        return True

    @property
    def speaking(self) -> bool:
        return self.playback.playhead > self.now


class _TurnSeat(_PlayingSeat):
    def __init__(self, vad: VoiceActivity, playback: Playback, chunk: int) -> None:
        super().__init__(playback, chunk)
        self._vad, self._state = vad, vad.init_state()

    def push(self, pcm: FloatArray) -> list[Event]:
        heard = self._vad.step(AudioChunk(self.now // self.chunk, self.now, pcm), self._state)
        events = super().push(pcm)
        if heard.started is not None and self.speaking:
            self.playback.cancel(self.now)
        if heard.stopped is not None and not heard.speaking:
            self.say(texts.STOCK)
        return events


class Trivial:
    """always-silent never speaks, not even what it is given; always-respond speaks whenever it is not speaking."""

    def __init__(self, name: str, voice: Spoken, chunk_ms: int = 400) -> None:
        self.name, self.chunk, self._voice = name, chunk_samples(chunk_ms), voice

    def sit(self, ask: Ask, ledger: Ledger) -> Seat:
        made = _Mute if self.name == "always-silent" else _Chatter
        return made(Playback(self._voice.told_to(ledger), ledger), self.chunk)


class _Mute(_PlayingSeat):
    def say(self, text: str) -> bool:
        return False


class _Chatter(_PlayingSeat):
    def push(self, pcm: FloatArray) -> list[Event]:
        events = super().push(pcm)
        if not self.speaking:
            self.say(texts.STOCK)
        return events


def known(names: Sequence[str]) -> None:
    """ConfigError for a name that is no system of this benchmark."""
    for name in names:
        if name not in (*SYSTEMS, *NUMBERS) and not _PEER.fullmatch(name):
            listed = ", ".join((*SYSTEMS, *NUMBERS))
            raise ConfigError(f"--systems: expected some of {listed}, vad-MILLISECONDS; got {name!r}")


def make(names: Sequence[str], adapter: Path | None, proactivity: float, voice: Voice | None = None) -> list[Talker]:
    """The systems by name, in order, all with one voice.

    Raises:
        ConfigError: an unknown name, or no voice on this machine. WeightsError: the tier was not pulled.
    """
    known(names)
    spoken = Spoken(voice or _voice()).warm()
    made: list[Talker] = []
    for name in names:
        peer = _PEER.fullmatch(name)
        if peer:
            made.append(TurnTaker(name, int(peer[1]), vad_file(), spoken))
        elif name == OURS or name in NUMBERS:
            made.append(Ours(Nano(adapter, proactivity, name), spoken))
        else:
            made.append(Trivial(name, spoken))
    return made


def vad_file() -> Path:
    """Silero of the nano tier. WeightsError where it was not pulled."""
    from soundflow.tiers import weights

    return weights.part("vad") / "silero_vad_16k_op15.onnx"


def _voice() -> Voice:
    from soundflow.tiers import weights

    folder: Path | None
    try:
        folder = weights.part("voice")
    except WeightsError:
        folder = None
    voice: Any = choose_voice(folder)
    if voice is None:
        raise ConfigError("duplex: expected a Piper voice (`soundflow models pull nano`) or espeak-ng, got none")
    found: Voice = voice
    return found
