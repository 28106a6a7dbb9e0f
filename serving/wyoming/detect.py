"""Sound detection as Wyoming's wake words: `detect{names}`, open-ended audio, `detection{name, timestamp}`.

A name is a sound that the engine knows. It is told at its onset, or when the model announces it though its tag was too
weak; once in `AGAIN_S` of audio. `not-detected` follows `audio-stop` where nothing was.
"""

from __future__ import annotations

from typing import Final

from wyoming.event import Event
from wyoming.wake import Detect, Detection, NotDetected

from serving.handle import EngineInfo, Output
from serving.wyoming.catalog import alerts
from serving.wyoming.frames import FrameError
from serving.wyoming.opening import Send
from serving.wyoming.pcm import timestamp_of
from soundflow.events import ReplyDelta, ReplyDone, SoundEvent
from soundflow.perceive.labels import display_name

AGAIN_S: Final = 5.0
MAX_NAMES: Final = 64
MAX_TEXT: Final = 1_000


class Detecting:
    """One `detect`. FrameError for names that the engine does not know."""

    def __init__(self, request: Detect, engine: EngineInfo, send: Send) -> None:
        self.ended = False
        self._send = send
        self._names = _names(request.names, engine)
        self._phrases = {display_name(name).lower(): name for name in self._names}
        self._told: dict[str, float] = {}
        self._start_ms: int | None = None
        self._saying = ""

    def heard(self, seconds: float, event: Event) -> None:
        if self._start_ms is None:
            self._start_ms = timestamp_of(event) or 0

    async def take(self, output: Output) -> None:
        match output:
            case SoundEvent(offset=None) if output.label in self._names:
                await self._tell(output.label, output.onset, output.t)
            case ReplyDelta():
                self._saying = (self._saying + output.text)[-MAX_TEXT:]
                await self._announced(output.t)
            case ReplyDone():
                self._saying = output.text[:MAX_TEXT]
                await self._announced(output.t)
                self._saying = ""
            case _:
                pass

    async def _announced(self, t: float) -> None:
        said = self._saying.lower()
        for phrase, name in self._phrases.items():
            if phrase in said:
                await self._tell(name, t, t)

    async def _tell(self, name: str, at: float, t: float) -> None:
        last = self._told.get(name)
        if last is not None and t - last < AGAIN_S:
            return
        self._told[name] = t
        await self._send(Detection(name=name, timestamp=(self._start_ms or 0) + int(1000 * max(at, 0.0))))

    async def end(self) -> None:
        if not self._told:
            await self._send(NotDetected())


def _names(given: object, engine: EngineInfo) -> frozenset[str]:
    if given is None or given == []:
        return frozenset(alerts(engine.labels))
    if not isinstance(given, list) or len(given) > MAX_NAMES or not all(isinstance(n, str) for n in given):
        raise FrameError("bad_request", f"names: expected a list of at most {MAX_NAMES} sounds, got {given!r:.80}")
    unknown = sorted(set(given) - set(engine.labels))
    if unknown:
        raise FrameError("bad_request", f"names: expected sounds that the engine can name, got {unknown[0]!r:.80}")
    return frozenset(given)
