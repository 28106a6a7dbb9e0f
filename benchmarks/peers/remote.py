"""A server by its URL as a system: chunks go out at the pace of a microphone, events come back as ours.

Where the server tells its decisions (ours), they are taken as they are, by their chunk; a step's time is from sending a
chunk to its decision, and without a pace (`#pace=0`) the next chunk goes out once this one is decided. Where it does
not, a response that begins is a decision to speak, and a function call one to act, in the newest chunk that was sent
whole when it came; a step's time is until then. Such a server is heard in real time only, and its p are 0 or 1.
"""

from __future__ import annotations

import base64
import sys
import time
from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
import soxr

from benchmarks.peers.address import Address
from benchmarks.peers.live_wire import LiveWire
from benchmarks.peers.realtime_wire import RealtimeWire
from benchmarks.peers.wire import OPEN_S, Began, Line, Wire
from benchmarks.systems import CHUNK_MS, Ask, Listener
from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import chunk_samples, seconds
from soundflow.errors import SoundflowError
from soundflow.events import DecisionEvent, Event, Transcript
from soundflow.perceive.chunker import Chunker
from soundflow.types import AudioChunk, FloatArray

STALL_S: Final = 30.0
"""A decision that takes longer fails the item."""
REPLY_S: Final = 12.0
"""How long what is being said at the end of the audio may take to end."""
LAST_S: Final = 1.0
"""How long a server that was told of the end may take to say the last words."""
OVER: Final = ("error", "session.closed")


class Remote:
    """One server; each stream is a session of its own."""

    def __init__(self, name: str, chunk_ms: int = CHUNK_MS) -> None:
        self.name, self.address, self.chunk = name, Address.parse(name), chunk_samples(chunk_ms)
        if self.address.pace > 0:
            times = "" if self.address.pace == 1 else f" {self.address.pace:g} times"
            sys.stderr.write(f"{name}: heard at{times} the pace of real time; one second of audio takes that long\n")

    def open(self, ask: Ask) -> Listener:
        wire: Wire = RealtimeWire(self.address) if self.address.kind == "realtime" else LiveWire(self.address)
        return RemoteListener(self.address, wire, ask, self.chunk)


class RemoteListener:
    """One open session."""

    def __init__(
        self,
        address: Address,
        wire: Wire,
        ask: Ask,
        chunk: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.topics: list[str] = []
        self.likes: list[str] = []
        self.step_ms: list[float] = []
        self._name, self._pace, self._wire, self._clock = address.name, address.pace, wire, clock
        self._chunker, self._size = Chunker(chunk), chunk
        self._due = 0.0  # when the next chunk goes out
        self._sent: list[float] = []  # when each chunk had left
        self._decided = 0  # chunks
        self._here: list[tuple[float, Began]] = []  # what began since the newest chunk left
        self._line = Line(address)
        try:
            self._open(ask)
        except SoundflowError:
            self._line.close()
            raise
        rate = wire.rate_hz
        self._resampler = None if rate == SAMPLE_RATE_HZ else soxr.ResampleStream(SAMPLE_RATE_HZ, rate, 1, "float32")

    def push(self, pcm: FloatArray) -> list[Event]:
        return self._guarded(lambda: [e for chunk in self._chunker.push(pcm) for e in self._chunk(chunk)])

    def close(self) -> list[Event]:
        try:
            return self._guarded(self._end)
        finally:
            self._line.close()

    def _guarded(self, do: Callable[[], list[Event]]) -> list[Event]:
        try:
            return do()
        except SoundflowError:
            self._line.close()
            raise

    def _open(self, ask: Ask) -> None:
        for body in self._wire.hello(ask):
            self._line.send(body)
        until = self._clock() + OPEN_S
        while (left := until - self._clock()) > 0:
            for _, event in self._line.take(left):
                answers = self._wire.greet(event, ask)
                if answers is None:
                    return
                for body in answers:
                    self._line.send(body)
        raise SoundflowError(f"{self._name}: a session was expected within {OPEN_S:g} s")

    @property
    def _heard_s(self) -> float:
        """Seconds of audio that have been sent whole."""
        return seconds(len(self._sent) * self._size)

    def _chunk(self, chunk: AudioChunk) -> list[Event]:
        """Send a chunk, and take what comes until the next one is due, or this one is decided."""
        if not self._sent:
            self._due = self._clock()
        self._send(chunk.samples)
        self.topics.append("")
        self.likes.append("0")
        if self._pace == 0:
            return self._wait(len(self._sent))
        self._due += seconds(self._size) / self._pace
        events = self._take(0.0)
        while (left := self._due - self._clock()) > 0:
            events += self._take(left)
        return events if self._wire.decides else [self._mapped(), *events]

    def _send(self, samples: FloatArray) -> None:
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples)
        data = np.round(np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()
        self._line.send(self._wire.audio(base64.b64encode(data).decode()))
        self._sent.append(self._clock())

    def _take(self, timeout_s: float) -> list[Event]:
        """Translate what has come, waiting at most so long for a first event."""
        events: list[Event] = []
        for at, event in self._line.take(timeout_s):
            events += self._told(self._wire.take(event, self._heard_s, at), at)
        return events + self._told(self._wire.idle(self._heard_s, self._clock()), self._clock())

    def _told(self, found: Iterable[Event | Began], at: float) -> list[Event]:
        events: list[Event] = []
        for one in found:
            if isinstance(one, Began):
                self._here.append((at, one))
            elif isinstance(one, DecisionEvent):
                events += self._decision(one, at)
            else:
                events.append(one)
        return events

    def _decision(self, event: DecisionEvent, at: float) -> list[Event]:
        """A decision that the server told; chunks that it left out count as silent, one told twice counts once."""
        if not self._wire.decides or event.chunk < self._decided:
            return []
        if event.chunk >= len(self._sent):
            raise SoundflowError(f"{self._name}: chunk {event.chunk} was decided, and {len(self._sent)} were sent")
        left_out: list[Event] = [self._silent(k) for k in range(self._decided, event.chunk)]
        for k in range(self._decided, event.chunk + 1):
            self.step_ms.append((at - self._sent[k]) * 1000)
        self._decided = event.chunk + 1
        return [*left_out, event]

    def _silent(self, chunk: int) -> DecisionEvent:
        p = {"silent": 1.0, "speak": 0.0, "act": 0.0}
        return DecisionEvent(t=seconds((chunk + 1) * self._size), decision="silent", p=p, chunk=chunk)

    def _mapped(self) -> DecisionEvent:
        """The decision of the newest chunk of a server that tells none."""
        began, self._here = self._here, []
        chunk = self._decided
        self._decided += 1
        first = began[0][0] if began else self._sent[chunk]
        self.step_ms.append((first - self._sent[chunk]) * 1000)
        if not began:
            return self._silent(chunk)
        kind = "act" if any(b.act for _, b in began) else "speak"
        p = {"silent": 0.0, "speak": 0.0, "act": 0.0, kind: 1.0}
        return DecisionEvent(t=seconds((chunk + 1) * self._size), decision=kind, p=p, chunk=chunk)

    def _wait(self, count: int) -> list[Event]:
        """Until so many chunks are decided. SoundflowError where that takes longer than STALL_S."""
        events: list[Event] = []
        until = self._clock() + STALL_S
        while self._decided < count:
            if (left := until - self._clock()) <= 0:
                raise SoundflowError(
                    f"{self._name}: a decision within {STALL_S:g} s was expected; {self._decided} of"
                    f" {len(self._sent)} chunks were decided"
                )
            events += self._take(left)
        return events

    def _end(self) -> list[Event]:
        """The rest of the audio, its decisions, and the end of what is being said."""
        last = self._chunker.flush()
        events = self._chunk(last) if last else []
        if self._wire.decides:
            events += self._wait(len(self._sent))
        events += self._until_quiet(REPLY_S)
        goodbye = self._wire.goodbye()
        for body in goodbye:
            self._line.send(body)
        return events + self._last_words() if goodbye else events

    def _until_quiet(self, most_s: float) -> list[Event]:
        """What is being said, to its end."""
        events: list[Event] = []
        until = self._clock() + most_s
        while self._wire.busy and self._clock() < until:
            events += self._take(0.1)
        return events

    def _last_words(self) -> list[Event]:
        """The words that a server still says once it was told that this is the end; nothing else counts."""
        events: list[Event] = []
        until = self._clock() + LAST_S
        while not events and (left := until - self._clock()) > 0:
            try:
                came = self._line.take(left)
            except SoundflowError:
                break  # the session is closed, as it should be
            for at, event in came:
                found = self._wire.take(event, self._heard_s, at)
                events += [e for e in found if isinstance(e, Transcript) and e.final]
                if event["type"] in OVER:
                    return events
        return events
