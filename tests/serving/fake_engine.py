"""An engine without a model, for protocol tests: loud audio is a smoke alarm, typed and spoken text is echoed.

Chunks of 400 ms. A chunk louder than LOUD (RMS) after quiet ones is announced ("I hear a smoke alarm."); `handle.hear`
lets a test script any words or outputs. With tools, an utterance that begins with "turn" becomes a call of the first.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import numpy as np

from serving.handle import Call, EngineInfo, Heard, Notice, Output, SessionSpec, VoicePiece
from soundflow.errors import CapacityError, DataError, StreamClosedError
from soundflow.events import (
    Action,
    DecisionEvent,
    ErrorEvent,
    ReplyCancelled,
    ReplyDelta,
    ReplyDone,
    ReplyStarted,
    SoundEvent,
    SpeechStarted,
    SpeechStopped,
    Transcript,
)
from soundflow.types import FloatArray

CHUNK = 6400
LOUD = 0.05
RATE_HZ = 22_050


@dataclass
class FakeHandle:
    """See the module. `hold`: replies stay open after their first delta until `finish` (for cancel and barge-in)."""

    id: str
    spec: SessionSpec
    hold: bool = False
    heard_s: float = 0.0
    pushed: list[FloatArray] = field(default_factory=list)
    results: list[tuple[str, str]] = field(default_factory=list)
    truncated: list[tuple[str, int]] = field(default_factory=list)
    closed: bool = False
    _queue: asyncio.Queue[Output | None] = field(default_factory=asyncio.Queue)
    _rest: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    _chunk: int = 0
    _loud: bool = False
    _replies: int = 0
    _open: str = ""
    _text: str = ""
    _last_heard: str = ""

    def emit(self, *outputs: Output) -> None:
        for output in outputs:
            self._queue.put_nowait(output)

    def push(self, pcm: FloatArray) -> None:
        if self.closed:
            raise StreamClosedError("audio was pushed into a closed session")
        assert pcm.ndim == 1
        assert pcm.dtype == np.float32
        self.pushed.append(pcm)
        self._rest = np.concatenate([self._rest, pcm])
        while len(self._rest) >= CHUNK:
            self._step(self._rest[:CHUNK])
            self._rest = self._rest[CHUNK:]

    def _step(self, samples: FloatArray) -> None:
        rms = float(np.sqrt((samples**2).mean()))
        loud, was = rms > LOUD, self._loud
        self._chunk, self._loud = self._chunk + 1, loud
        self.heard_s = t = self._chunk * CHUNK / 16_000
        self.emit(Heard(t, self._chunk - 1, float(20 * np.log10(max(rms, 1e-6))), (("Smoke alarm", float(loud)),)))
        starts = loud and not was
        if starts:
            self.emit(SoundEvent(t=t, label="Smoke detector, smoke alarm", p=0.9, onset=t - 0.3))
        if was and not loud:
            self.emit(SoundEvent(t=t, label="Smoke detector, smoke alarm", p=0.9, onset=t - 0.8, offset=t))
        if not self.spec.decide:
            return
        speaks = starts and not self.spec.manual
        p = {"silent": 0.1, "speak": 0.9, "act": 0.0} if speaks else {"silent": 0.97, "speak": 0.02, "act": 0.01}
        self.emit(DecisionEvent(t=t, decision="speak" if speaks else "silent", p=p, chunk=self._chunk - 1))
        if speaks:
            self.reply("I hear a smoke alarm.")

    def hear(self, text: str) -> None:
        """Somebody said `text` just now."""
        t = self.heard_s
        self.emit(
            SpeechStarted(t=t, start=t), Transcript(t=t, text=text[: len(text) // 2], final=False, start=t, end=t)
        )
        self.emit(SpeechStopped(t=t, end=t), Transcript(t=t, text=text, final=True, start=t, end=t))
        self._last_heard = text
        if self.spec.decide and not self.spec.manual:
            self.answer(text)

    def answer(self, text: str) -> None:
        if self.spec.tools and text.lower().startswith("turn"):
            tool, t = self.spec.tools[0], self.heard_s
            self.emit(Action(t=t, name=tool.name, arguments={"state": "on"}, confirm=tool.confirm))
            self.emit(Call(f"call_{self._replies}", tool.name, json.dumps({"state": "on"}), tool.confirm))
            self._replies += 1
            return
        self.reply(f"You said {text}")

    def reply(self, text: str) -> None:
        t = self.heard_s
        self._replies += 1
        self._open, self._text = f"r{self._replies}", text
        self.emit(ReplyStarted(t=t, id=self._open), ReplyDelta(t=t, id=self._open, text=text))
        if not self.hold:
            self.finish()

    def finish(self) -> None:
        t, reply, text = self.heard_s, self._open, self._text
        self.emit(ReplyDone(t=t, id=reply, text=text))
        self._open = ""
        if self.spec.speak:
            tone = np.full(RATE_HZ, 0.25, np.float32)
            self.emit(VoicePiece(reply, tone, RATE_HZ, text), VoicePiece(reply, tone[:0], RATE_HZ, last=True))

    async def room(self) -> None:
        await asyncio.sleep(0)

    async def outputs(self) -> AsyncIterator[Output]:
        while (output := await self._queue.get()) is not None:
            yield output

    def update(self, spec: SessionSpec) -> None:
        self.spec = spec

    def commit(self) -> None:
        if self._last_heard == "" and self.pushed:
            self.emit(Transcript(t=self.heard_s, text="hello there", final=True, start=0.0, end=self.heard_s))
            self._last_heard = "hello there"

    def respond(self, text: str = "") -> None:
        if self._open or not (text or self._last_heard):
            self.emit(ErrorEvent(t=self.heard_s, code="cannot_respond", message="nothing was said, or a reply is open"))
        else:
            self.answer(text or self._last_heard)

    def say(self, text: str) -> None:
        self.reply(text)

    def tool_result(self, call_id: str, output: str, speak: bool = True) -> None:
        if not call_id.startswith("call_"):
            raise DataError(f"an open call was expected, got {call_id!r}")
        self.results.append((call_id, output))
        if speak:
            self.reply("Done.")

    def cancel(self) -> bool:
        if not self._open:
            return False
        self.emit(ReplyCancelled(t=self.heard_s, id=self._open, text=self._text, reason="cancelled"))
        self._open = ""
        return True

    def barge_in(self) -> None:
        """Somebody speaks into the open reply."""
        t = self.heard_s
        self.emit(SpeechStarted(t=t, start=t), ReplyCancelled(t=t, id=self._open, text=self._text))
        self._open = ""

    def played(self, reply: str, ms: int) -> None:
        self.truncated.append((reply, ms))

    def clear(self) -> None:
        self._rest = self._rest[:0]

    async def close(self, flush: bool = False) -> None:
        if self.closed:
            return
        if flush and len(self._rest):
            self._step(np.pad(self._rest, (0, CHUNK - len(self._rest))))
        self.closed = True
        self._queue.put_nowait(None)


class FakeEngine:
    """`handles` are all that were opened; `limit` bounds the open ones."""

    def __init__(self, limit: int = 8) -> None:
        self.handles: list[FakeHandle] = []
        self.detached: list[FakeHandle] = []
        self.limit = limit
        self.ready = True
        self.draining = False
        labels = ("Speech", "Smoke detector, smoke alarm", "Baby cry, infant cry", "Glass", "Dog", "Knock")
        self.info = EngineInfo("fake", "0", 400.0, labels, "fake:tone", RATE_HZ)

    @property
    def sessions(self) -> int:
        return sum(not h.closed for h in self.handles) - sum(not h.closed for h in self.detached)

    def drain(self) -> None:
        self.draining = True
        for handle in self.handles:
            if not handle.closed:
                handle.emit(Notice("draining", "the server is stopping"))

    async def open(self, spec: SessionSpec, resume: str = "") -> FakeHandle:
        if resume:
            for handle in self.detached:
                if handle.id == resume:
                    self.detached.remove(handle)
                    handle.emit(Notice("resumed", "the session goes on"))
                    return handle
            raise DataError(f"a session that can be resumed was expected, got {resume!r}")
        if self.draining:
            raise CapacityError("the engine is draining")
        if sum(not h.closed for h in self.handles) >= self.limit:
            raise CapacityError(f"at most {self.limit} sessions are served")
        handle = FakeHandle(f"sess_{len(self.handles)}", spec)
        self.handles.append(handle)
        return handle

    def detach(self, handle: FakeHandle) -> None:
        self.detached.append(handle)

    async def synthesize(self, text: str) -> AsyncIterator[VoicePiece]:
        tone = np.full(RATE_HZ // 2, 0.25, np.float32)
        for sentence in text.split(". "):
            yield VoicePiece("", tone, RATE_HZ, sentence)
        yield VoicePiece("", tone[:0], RATE_HZ, last=True)

    async def close(self) -> None:
        for handle in self.handles:
            await handle.close()
