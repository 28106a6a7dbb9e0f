"""Text to speech: `synthesize`, or the same in pieces, -> audio.

    synthesize                                            -> audio-start, audio-chunk*, audio-stop
    synthesize-start, synthesize-chunk*, synthesize-stop  -> audio-start, audio-chunk*, audio-stop, synthesize-stopped

Streamed text is spoken sentence by sentence while it still comes. A `synthesize` inside a stream is the whole text once
more, for servers that cannot stream, and is left out.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Final

from wyoming.audio import AudioStart, AudioStop
from wyoming.event import Event, Eventable
from wyoming.tts import SynthesizeStopped, SynthesizeTextFormat

from serving.handle import Engine
from serving.wyoming.bounds import Bounds
from serving.wyoming.frames import FrameError
from serving.wyoming.opening import Send, timed
from serving.wyoming.pcm import chunks

_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+|\n+")
DEFAULT_RATE_HZ: Final = 22_050
MAX_SENTENCES: Final = 32  # that wait to be spoken; then the text waits in the socket


class RawEvent(Eventable):
    """An event that is ready made, for `Send`."""

    def __init__(self, event: Event) -> None:
        self._event = event

    def event(self) -> Event:
        return self._event

    @staticmethod
    def is_type(event_type: str) -> bool:
        return False

    @staticmethod
    def from_event(event: Event) -> RawEvent:
        return RawEvent(event)


def check_voice(data: dict[str, object], engine: Engine) -> None:
    """FrameError where the engine has no voice, or another is asked for, or the text is not plain."""
    voice = engine.info.voice
    if not voice:
        raise FrameError("unavailable", "this server has no voice")
    if data.get("text_format") not in (None, SynthesizeTextFormat.TEXT.value):
        raise FrameError("bad_request", f"text_format: expected text, got {data['text_format']!r:.80}")
    wanted = data.get("voice")
    if wanted is None:
        return
    name = wanted.get("name") if isinstance(wanted, dict) else wanted
    if name is not None and name != voice:
        raise FrameError("bad_request", f"voice: expected {voice!r}, got {name!r:.80}")


def text_of(data: dict[str, object], most: int) -> str:
    """FrameError where `text` is missing, no string, or too long."""
    text = data.get("text")
    if not isinstance(text, str):
        raise FrameError("bad_request", f"text: expected a string, got {type(text).__name__}")
    if len(text) > most:
        raise FrameError("too_large", f"text: expected at most {most} characters, got {len(text)}")
    return text


class Speaking:
    """Texts that are spoken one after the other, as one audio stream. Begin with `say`, end with `finish`."""

    def __init__(self, engine: Engine, send: Send, bounds: Bounds, streamed: bool, group: asyncio.TaskGroup) -> None:
        self._engine, self._send, self._bounds, self._streamed = engine, send, bounds, streamed
        self._texts: asyncio.Queue[str | None] = asyncio.Queue(MAX_SENTENCES)
        self._open = ""
        self._chars = 0
        self.task = group.create_task(self._run(), name="wyoming voice")

    async def add(self, text: str) -> None:
        """The next piece of the text; whole sentences of it are spoken. FrameError when it grows too long."""
        self._chars += len(text)
        if self._chars > self._bounds.speak_chars:
            raise FrameError("too_large", f"text: expected at most {self._bounds.speak_chars} characters")
        *whole, self._open = _SENTENCE.split(self._open + text)
        for sentence in whole:
            await self._put(sentence)

    async def finish(self) -> None:
        """No more text comes."""
        await self._put(self._open)
        self._open = ""
        await self._texts.put(None)

    async def _put(self, sentence: str) -> None:
        if sentence.strip():
            await self._texts.put(sentence.strip())

    async def _waiting(self) -> AsyncIterator[str]:
        while (text := await self._texts.get()) is not None:
            yield text

    async def _run(self) -> None:
        rate, sent = 0, 0
        async for text in self._waiting():
            async for piece in timed(self._engine.synthesize(text), self._bounds.answer_s, "the voice"):
                if not rate:
                    rate = piece.rate_hz
                    await self._send(AudioStart(rate, 2, 1, timestamp=0))
                for event in chunks(piece.audio, rate, sent):
                    await self._send(RawEvent(event))
                sent += len(piece.audio)
        if not rate:
            rate = self._engine.info.voice_rate_hz or DEFAULT_RATE_HZ
            await self._send(AudioStart(rate, 2, 1, timestamp=0))
        await self._send(AudioStop(timestamp=sent * 1000 // rate))
        if self._streamed:
            await self._send(SynthesizeStopped())
