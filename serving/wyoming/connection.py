"""One client's connection: events in, services beside the reading, and a plain error before it is closed."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Final

from wyoming.asr import Transcribe
from wyoming.asr import Transcript as WyomingTranscript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event, Eventable
from wyoming.info import Describe
from wyoming.ping import Ping, Pong
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart
from wyoming.wake import Detect

from serving.handle import SessionSpec
from serving.wyoming.asr import Transcription
from serving.wyoming.bounds import Bounds
from serving.wyoming.catalog import describe
from serving.wyoming.detect import Detecting
from serving.wyoming.frames import FrameError, close, read_event, refuse, write_event
from serving.wyoming.handling import Conversations, Handling
from serving.wyoming.hearing import Hearing, Listener
from serving.wyoming.opening import Opener
from serving.wyoming.pcm import Format
from serving.wyoming.speaking import Speaking, check_voice, text_of
from soundflow.errors import SoundflowError

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """What all connections share. spec: of handled sentences (instruction, tools, dial). detect_decides: announcements
    count as detections, too (the language model runs). acts: sentences may control the home.
    """

    bounds: Bounds
    waiting: Conversations
    spec: SessionSpec
    detect_decides: bool = True
    acts: bool = False


class Connection:
    """Drives one socket until it ends. `opener` opens this peer's sessions."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, opener: Opener, service: Service
    ) -> None:
        self._reader, self._writer, self._opener, self._service = reader, writer, opener, service
        self._bounds = service.bounds
        self._lock = asyncio.Lock()
        self._group: asyncio.TaskGroup
        self._request: Transcribe | Detect = Transcribe()
        self._hearing: Hearing | None = None
        self._speaking: Speaking | None = None
        self._streaming = False
        self._handling: asyncio.Task[None] | None = None

    async def send(self, message: Eventable) -> None:
        async with self._lock:
            await write_event(message.event(), self._writer, self._bounds)

    async def run(self) -> str:
        """Serve until the client goes -> `closed`, `lost`, or the code of the error that it was sent."""
        try:
            async with asyncio.TaskGroup() as self._group:
                await self._read()
                await self._leave()
        except ExceptionGroup as group:
            return await self._end(_first(group))
        finally:
            await self._close()
        return "closed"

    async def _end(self, error: Exception) -> str:
        if isinstance(error, FrameError | SoundflowError):
            return await self._refuse(error)
        if isinstance(error, OSError):
            return "lost"
        _LOG.error("wyoming: a connection failed", exc_info=error)
        return await self._refuse(FrameError("internal", "the server made a mistake; its log says more"))

    async def _read(self) -> None:
        left, at = float(self._bounds.burst), time.monotonic()
        while (event := await read_event(self._reader, self._bounds)) is not None:
            now = time.monotonic()
            left = min(float(self._bounds.burst), left + (now - at) * self._bounds.events_per_s) - 1.0
            at = now
            await asyncio.sleep(-left / self._bounds.events_per_s if left < 0 else 0)
            await self._dispatch(event)

    async def _dispatch(self, event: Event) -> None:
        kind = event.type
        if AudioChunk.is_type(kind):
            await self._audio(event)
        elif Describe.is_type(kind):
            await self.send(describe(self._opener.engine.info, self._service.acts))
        elif Ping.is_type(kind):
            await self.send(Pong(text=Ping.from_event(event).text))
        elif Transcribe.is_type(kind):
            await self._listen(Transcribe.from_event(event))
        elif Detect.is_type(kind):
            await self._listen(Detect.from_event(event))
        elif AudioStart.is_type(kind):
            Format.of(event)
            await self._abort("replaced")
            await self._begin()
        elif AudioStop.is_type(kind):
            await self._stop()
        elif WyomingTranscript.is_type(kind):
            await self._handle(event)
        elif kind in _SPEECH:
            await self._speak(event)

    async def _listen(self, request: Transcribe | Detect) -> None:
        """The next audio is for this request, which is checked now."""
        await self._abort("replaced")
        self._request = request
        self._listener()

    def _listener(self) -> Listener:
        if isinstance(self._request, Detect):
            return Detecting(self._request, self._opener.engine.info, self.send)
        return Transcription(self._request, self.send)

    async def _begin(self) -> Hearing:
        detects = isinstance(self._request, Detect)
        spec = SessionSpec(
            decide=detects and self._service.detect_decides,
            speak=False,
            proactivity=self._service.spec.proactivity,
            client=self._opener.peer,
        )
        listener = self._listener()
        self._hearing = Hearing(await self._opener.open(spec), listener, self._bounds, self._group)
        return self._hearing

    async def _audio(self, event: Event) -> None:
        hearing = self._hearing or await self._begin()
        await hearing.push(event)

    async def _stop(self) -> None:
        hearing, self._hearing = self._hearing, None
        if hearing is None:
            hearing = await self._begin()
            self._hearing = None
        await hearing.stop(commit=isinstance(self._request, Transcribe))

    async def _abort(self, reason: str) -> None:
        hearing, self._hearing = self._hearing, None
        if hearing is not None:
            await hearing.abort(reason)

    async def _handle(self, event: Event) -> None:
        text = text_of(event.data, self._bounds.text_chars)
        if self._handling is not None:
            await self._handling
        handling = Handling(self._opener, self._service.spec, self._service.waiting, self.send, self._bounds)
        self._handling = self._group.create_task(handling.answer(text, event.data.get("context")))

    async def _speak(self, event: Event) -> None:
        if SynthesizeStart.is_type(event.type):
            await self._begin_voice(event, streamed=True)
            self._streaming = True
        elif Synthesize.is_type(event.type):
            if self._streaming:
                return
            text = text_of(event.data, self._bounds.speak_chars)
            voice = await self._begin_voice(event, streamed=False)
            await voice.add(text)
            await voice.finish()
        elif not self._streaming or self._speaking is None:
            raise FrameError("bad_request", f"{event.type}: expected synthesize-start first")
        elif SynthesizeChunk.is_type(event.type):
            await self._speaking.add(text_of(event.data, self._bounds.speak_chars))
        else:
            self._streaming = False
            await self._speaking.finish()

    async def _begin_voice(self, event: Event, streamed: bool) -> Speaking:
        check_voice(event.data, self._opener.engine)
        if self._streaming:
            raise FrameError("bad_request", "synthesize-start: expected synthesize-stop first")
        if self._speaking is not None:
            await self._speaking.task
        self._speaking = Speaking(self._opener.engine, self.send, self._bounds, streamed, self._group)
        return self._speaking

    async def _leave(self) -> None:
        """The client has sent its last event (it may still read): finish what was asked for."""
        await self._abort("left")
        if self._streaming and self._speaking is not None:
            self._speaking.task.cancel()
        voice = self._speaking.task if self._speaking is not None else None
        waits = [task for task in (self._handling, voice) if task is not None]
        if waits:
            await asyncio.wait(waits, timeout=self._bounds.answer_s)
            for task in waits:
                task.cancel()

    async def _refuse(self, error: FrameError | SoundflowError) -> str:
        async with self._lock:
            await refuse(self._reader, self._writer, error, self._bounds)
        return error.code

    async def _close(self) -> None:
        if self._hearing is not None:
            await self._hearing.abort("failed")
        await close(self._writer)


_SPEECH: Final = frozenset({"synthesize", "synthesize-start", "synthesize-chunk", "synthesize-stop"})


def _first(group: ExceptionGroup[Exception]) -> Exception:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error
