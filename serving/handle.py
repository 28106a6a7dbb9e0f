"""One live session as the protocols see it: audio in, outputs out. Every endpoint drives this and nothing below it.

The engines (`serving.engine`) implement `Engine` and `Handle`; tests use `tests.serving.fake_engine`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from soundflow.events import Event
from soundflow.types import FloatArray, Tool


@dataclass(frozen=True, slots=True)
class SessionSpec:
    """What a session is opened with; `Handle.update` changes it while it runs.

    decide: False hears only (words, sounds, voice activity): the LALM is not run, nothing is decided or said.
    manual: the model decides nothing by itself; it answers when `Handle.respond` asks it to.
    speak: replies are spoken (`VoicePiece`), where the server has a voice.
    barge_in: speech cancels the reply that is made or played.
    proactivity: the dial, in [0, 1].
    muted: display names or AudioSet labels of sounds that are not reported and not told of.
    cooldown_s: a sound that was announced is not announced again sooner (repeat-alert policy of the room).
    client: who asked (address or token name), for quotas and metrics; never logged with words or audio.
    """

    instruction: str = ""
    tools: tuple[Tool, ...] = ()
    proactivity: float = 0.5
    decide: bool = True
    manual: bool = False
    speak: bool = True
    barge_in: bool = True
    muted: frozenset[str] = frozenset()
    cooldown_s: float = 60.0
    client: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """What one chunk sounded like: `level_db` (RMS, dB full scale), the most probable tags. `t`: s of audio heard."""

    t: float
    chunk: int
    level_db: float
    tags: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class VoicePiece:
    """The next piece of a spoken reply: `audio` [n] float32 at `rate_hz`, `text` the words it says (they come once,
    with its first piece). `last` ends the voice of the reply and may be empty. A cancelled reply's voice just ends;
    drop what was not played when its `reply.cancelled` comes.
    """

    reply: str
    audio: FloatArray
    rate_hz: int
    text: str = ""
    last: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A function call that waits for `Handle.tool_result`; follows its `action` event. `arguments` is JSON text."""

    id: str
    name: str
    arguments: str
    confirm: bool


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about the service, not the audio. Codes: `overload` (audio or a reply was dropped, `detail` says what
    and how much), `resumed`, `draining`, `expired`, `failed` (the session is over; the next output is the end).
    """

    code: str
    message: str
    detail: dict[str, float] = field(default_factory=dict)


Output = Event | Heard | VoicePiece | Call | Notice


class Handle(Protocol):
    """An open session. All methods belong to the event loop's thread; none of the plain ones waits."""

    @property
    def id(self) -> str: ...

    @property
    def spec(self) -> SessionSpec: ...

    @property
    def heard_s(self) -> float:
        """Seconds of audio that were decided on."""
        ...

    def push(self, pcm: FloatArray) -> None:
        """Hear [n] mono float32 samples at 16 kHz, any n. What is over the backlog limit is dropped, counted and told
        as Notice("overload"). StreamClosedError after close, AudioFormatError for NaN, infinity or another shape.
        """
        ...

    async def room(self) -> None:
        """Wait until the backlog is short: for files and fast senders, which then lose nothing."""
        ...

    def outputs(self) -> AsyncIterator[Output]:
        """Everything that happens, in order, to one consumer; ends when the session is over. A consumer that does not
        keep up loses `decision`, `Heard` and partial transcripts first, then the session ends with Notice("failed").
        """
        ...

    def update(self, spec: SessionSpec) -> None:
        """Go on with another spec from the next chunk. ConfigError or CapacityError: nothing has changed."""
        ...

    def commit(self) -> None:
        """Close the open stretch of speech now: its final transcript follows (the client owns the turn)."""
        ...

    def respond(self, text: str = "") -> None:
        """Answer now: `text` (typed by somebody), or what was said last. `reply.*` or `action` events follow; where
        there is nothing to answer, or a reply is open already, an `error` event with code `cannot_respond` does.
        """
        ...

    def say(self, text: str) -> None:
        """Say exactly these words as a reply, once no other reply is open."""
        ...

    def tool_result(self, call_id: str, output: str, speak: bool = True) -> None:
        """The outcome of a `Call`; `speak` lets the model tell of it. DataError for an unknown id."""
        ...

    def cancel(self) -> bool:
        """Cancel the open or still playing reply -> whether there was one; `reply.cancelled` (reason `cancelled`)
        follows.
        """
        ...

    def played(self, reply: str, ms: int) -> None:
        """The client has played `ms` of this reply and will play no more of it."""
        ...

    def clear(self) -> None:
        """Drop the audio that was pushed and not heard yet."""
        ...

    async def close(self, flush: bool = False) -> None:
        """End the session. `flush`: hear the rest first, so that the last words and decisions come out. `outputs` ends
        behind the last of it. A second close does nothing.
        """
        ...


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What an engine runs. `labels`: the sounds that it can name (AudioSet display names)."""

    tier: str
    version: str
    chunk_ms: float
    labels: tuple[str, ...]
    voice: str = ""
    voice_rate_hz: int = 0


class Engine(Protocol):
    """Serves sessions. Capacity and readiness are its own; the protocols only ask."""

    @property
    def info(self) -> EngineInfo: ...

    @property
    def ready(self) -> bool: ...

    @property
    def sessions(self) -> int:
        """Sessions that are open now, without the detached ones."""
        ...

    def drain(self) -> None:
        """Refuse new sessions from now on; the open ones are told Notice("draining") and go on until `close`."""
        ...

    async def open(self, spec: SessionSpec, resume: str = "") -> Handle:
        """A new session, or with `resume` (a session's id) the one whose socket was lost: its outputs go on, behind a
        Notice("resumed"). CapacityError: full or draining. DataError: no such session to resume.
        """
        ...

    def detach(self, handle: Handle) -> None:
        """The socket is gone: keep the session for a while, for a resume; then it ends."""
        ...

    def synthesize(self, text: str) -> AsyncIterator[VoicePiece]:
        """Speak text outside of any session (Wyoming TTS). Nothing where there is no voice."""
        ...

    async def close(self) -> None: ...
