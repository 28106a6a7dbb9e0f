"""One live stream over the Realtime wire: audio out at real time, events in, each with the time at which it came."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
import soxr
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from soundflow.errors import AudioFormatError, SoundflowError

WIRE_HZ = 24_000
PIECE = 960  # samples of one message: 40 ms
DECISIONS = ("response.listen", "response.speak", "overlap.decision")
DEMO = Path(__file__).resolve().parents[2] / "demo" / "house.flac"


def wire_audio(path: Path = DEMO) -> np.ndarray[Any, Any]:
    """[n] int16 at WIRE_HZ of a mono recording."""
    audio, rate = sf.read(path, dtype="float32", always_2d=True)
    if not len(audio):
        raise AudioFormatError(f"{path}: expected audio, got no samples")
    made = soxr.resample(audio.mean(axis=1), rate, WIRE_HZ)
    return (np.clip(made, -1, 1) * 32767).astype("<i2")


@dataclass
class Seen:
    """What one stream has seen. Times are monotonic seconds.

    sent: when the last sample of each chunk left. decided: chunk -> when its decision came. events: (time, event).
    """

    sent: list[float] = field(default_factory=list)
    decided: dict[int, float] = field(default_factory=dict)
    twice: list[int] = field(default_factory=list)
    events: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    error: str = ""

    def latencies_s(self) -> list[float]:
        """From the end of a chunk's audio to its decision, for the chunks that were decided."""
        return [at - self.sent[k] for k, at in sorted(self.decided.items()) if k < len(self.sent)]

    def missing(self) -> list[int]:
        """Chunks up to the last decided one that were never decided."""
        return [k for k in range(max(self.decided, default=-1) + 1) if k not in self.decided]

    def gap_s(self) -> float:
        """The longest time between two decisions that follow each other."""
        at = [t for _, t in sorted(self.decided.items())]
        return max((b - a for a, b in pairwise(at)), default=0.0)

    def first(self, name: str, after: float = 0.0) -> tuple[float, dict[str, Any]] | None:
        """The first event of this type behind a time."""
        return next(((t, e) for t, e in self.events if e["type"] == name and t >= after), None)


class Live:
    """A stream that is open. `keep`: event types that `Seen.events` holds; all where empty."""

    def __init__(self, socket: ClientConnection, chunk_ms: float, keep: Sequence[str] = ()) -> None:
        self.seen, self._socket = Seen(), socket
        self._chunk = round(chunk_ms * WIRE_HZ / 1000)
        self._keep, self._count = frozenset(keep), 0
        self._reader = asyncio.create_task(self._read(), name="bench reader")

    @staticmethod
    async def open(url: str, *, text_only: bool = True, keep: Sequence[str] = (), chunk_ms: float = 400.0) -> Live:
        """Connect and configure. SoundflowError where the server refuses."""
        try:
            socket = await connect(f"{url}?model=soundflow&include=decisions", max_size=None, open_timeout=30)
        except (OSError, WebSocketException, TimeoutError) as error:
            body = getattr(getattr(error, "response", None), "body", b"") or b""
            raise SoundflowError(f"{url}: a session was expected, got {error} {body[:300]!r}") from error
        live = Live(socket, chunk_ms, keep)
        modalities = ["text"] if text_only else ["audio"]
        await live.send({"type": "session.update", "session": {"type": "realtime", "output_modalities": modalities}})
        return live

    async def send(self, event: dict[str, Any]) -> None:
        await self._socket.send(json.dumps(event))

    async def play(self, audio: np.ndarray[Any, Any], seconds: float, offset: int = 0, message: int = PIECE) -> None:
        """Send `seconds` of `audio`, from `offset` on and round and round, at real time, `message` samples at once."""
        began, total = time.monotonic(), int(seconds * WIRE_HZ)
        sent = 0
        while sent < total and not self.seen.error:
            at = (offset + sent) % len(audio)
            piece = audio[at : at + min(message, total - sent)]
            wait = began + (sent + len(piece)) / WIRE_HZ - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            try:
                text = base64.b64encode(piece.tobytes()).decode()
                await self.send({"type": "input_audio_buffer.append", "audio": text})
            except ConnectionClosed as error:
                self.seen.error = self.seen.error or f"closed: {error}"
                return
            sent += len(piece)
            self._count += len(piece)
            while self._count >= (len(self.seen.sent) + 1) * self._chunk:
                self.seen.sent.append(time.monotonic())

    async def drained(self, timeout_s: float = 20.0) -> None:
        """Wait for the decisions of all that was sent."""
        end = time.monotonic() + timeout_s
        while len(self.seen.decided) < len(self.seen.sent) and time.monotonic() < end and not self.seen.error:
            await asyncio.sleep(0.02)

    async def close(self) -> Seen:
        await self._socket.close()
        await self._reader
        return self.seen

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                now, event = time.monotonic(), json.loads(message)
                if event["type"] in DECISIONS:
                    chunk = event["chunk_index"]
                    if chunk in self.seen.decided:
                        self.seen.twice.append(chunk)
                    self.seen.decided.setdefault(chunk, now)
                if not self._keep or event["type"] in self._keep:
                    self.seen.events.append((now, event))
        except ConnectionClosed as error:
            self.seen.error = f"closed: {error}"
