"""One session at the front: its audio until it was decided on, its outputs until they were taken, and what it takes
to go on in another worker. The `Handle` that protocols drive.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from time import monotonic
from typing import Any, Final, Protocol

from serving.handle import Call, Notice, Output, SessionSpec
from serving.limits import Limits
from serving.outbox import Outbox
from serving.records import Record, packed, recorded_spec, spec_record, unpacked
from serving.results import spoken_result
from serving.spoken import Spoken
from serving.voices import Voices
from serving.work import Command, Frame, Open, Result, Work
from soundflow import SAMPLE_RATE_HZ
from soundflow.clock import seconds
from soundflow.errors import ConfigError, DataError, StreamClosedError
from soundflow.events import Action, ReplyCancelled, ReplyDelta, ReplyDone, SpeechStarted, Transcript
from soundflow.perceive.chunker import Chunker
from soundflow.replies import TOKENS_A_CHUNK
from soundflow.types import FloatArray

REPLAYED: Final = 24
"""Chunks (9.6 s) that another worker hears again at most before it goes on, where somebody is speaking."""
MOST_LOSSES: Final = 2
LEAST_REPLAYED: Final = 8
"""Chunks that fill the windows of all encoders."""
MOST_COMMANDS: Final = 64
MOST_CALLS: Final = 16


class Post(Protocol):
    """What a session asks of its engine."""

    def wake(self, session: LiveSession) -> None: ...
    def remembered(self, session: LiveSession) -> None: ...
    def over(self, session: LiveSession) -> None: ...
    def dropped(self, kind: str, count: int) -> None: ...


class LiveSession:
    """See `serving.handle.Handle`. `chunk_samples` is the model's."""

    def __init__(
        self, name: str, spec: SessionSpec, chunk_samples: int, limits: Limits, voices: Voices, post: Post
    ) -> None:
        self.id, self._spec, self._post = name, spec, post
        self._limits, self._size = limits, chunk_samples
        self._chunker = Chunker(chunk_samples)
        self._frames: deque[tuple[Frame, float]] = deque()  # not decided on yet, and since when they wait
        self._past: deque[tuple[int, FloatArray]] = deque(maxlen=REPLAYED)
        self._commands: deque[Command] = deque()
        self._opening: Open | None = Open(name, spec)
        self._calls: dict[str, str] = {}
        self._made = 0
        self._box = Outbox(limits.outbox)
        self._room = asyncio.Event()
        self._room.set()
        self._over = asyncio.Event()
        self._spoken = Spoken(voices, self._put, self._plays_until, lambda: self._decided * self._size)
        self._voiced = bool(voices.rate_hz)
        self._decided = 0  # chunks
        self._speech = -1  # chunk in which the speech began whose final transcript did not come yet
        self._flying = False  # the first of the frames is with the worker
        self._accepted = spec  # what the worker goes by
        self._losses = 0  # of workers, since the last chunk
        self._spoken_reply = ("", False)  # the newest reply, and whether it is spoken
        self._tokens = 0  # of the open reply since the last chunk
        self._began: float | None = None  # when chunk 0 was, or would have been, complete
        self._lost = 0  # samples dropped since it was last told
        self.memory: dict[str, Any] | None = None
        self.said = ("", "")  # id and text of the open reply, as far as it was given
        self.writing = False
        self.closing = False
        self.mute = False  # the engine is overloaded: new replies are not spoken
        self.late_s: Callable[[float], None] = lambda wait: None

    @property
    def spec(self) -> SessionSpec:
        return self._spec

    @property
    def heard_s(self) -> float:
        return seconds(self._decided * self._size)

    @property
    def over(self) -> bool:
        return self._over.is_set()

    @property
    def waits_since(self) -> float:
        """When the oldest chunk that waits was complete (monotonic s); infinity where none does."""
        return self._frames[0][1] if self._frames else float("inf")

    @property
    def backlog(self) -> int:
        """Chunks that wait."""
        return len(self._frames)

    def push(self, pcm: FloatArray) -> None:
        if self.closing or self.over:
            raise StreamClosedError(f"audio was pushed into session {self.id}, which is closed")
        free = round(self._limits.backlog_s * SAMPLE_RATE_HZ) - len(self._frames) * self._size
        if len(pcm) > free:
            self._drop(len(pcm) - max(free, 0))
            pcm = pcm[: max(free, 0)]
        for chunk in self._chunker.push(pcm):
            self._frames.append((Frame(self.id, chunk.index, chunk.samples), self._due_at(chunk.index)))
        if self._frames:
            if len(self._frames) * self._size > self._limits.backlog_s * SAMPLE_RATE_HZ / 2:
                self._room.clear()
            self._post.wake(self)

    async def room(self) -> None:
        await self._room.wait()

    def outputs(self) -> AsyncIterator[Output]:
        return self._box.outputs()

    def update(self, spec: SessionSpec) -> None:
        if not 0.0 <= spec.proactivity <= 1.0:
            raise ConfigError(f"proactivity between 0 and 1 was expected, got {spec.proactivity}")
        self._spec = spec
        self._command("update", spec)

    def commit(self) -> None:
        self._command("commit")

    def respond(self, text: str = "") -> None:
        self._command("respond", text)

    def say(self, text: str) -> None:
        self._command("say", text)

    def tool_result(self, call_id: str, output: str, speak: bool = True) -> None:
        if call_id not in self._calls:
            raise DataError(f"the id of an open call was expected, got {call_id!r}")
        name = self._calls.pop(call_id)
        if speak and (text := spoken_result(name, output)):
            self.say(text)

    def cancel(self) -> bool:
        busy = bool(self.said[0]) or self.writing or self._spoken.busy
        self._spoken.cancel()
        self._command("cancel", "cancelled")
        return busy

    def played(self, reply: str, ms: int) -> None:
        if reply == self._spoken.playing:
            self._spoken.cancel()
            self._command("voice", 0)

    def clear(self) -> None:
        kept = [self._frames[0]] if self._flying and self._frames else []
        self._frames = deque(kept)
        self._chunker.start_at(self._decided + len(kept))
        self._room.set()

    async def close(self, flush: bool = False) -> None:
        if self.over:
            return
        if not flush:
            self._spoken.cancel()
            self._finish()
            return
        if not self.closing:
            self.closing = True
            if (last := self._chunker.flush()) is not None:
                self._frames.append((Frame(self.id, last.index, last.samples), self._due_at(last.index)))
            self._command("close", True)
        await self._over.wait()

    @property
    def suspect(self) -> bool:
        """Two workers in a row were lost with this session on them: it goes into a pass of its own."""
        return self._losses > 1

    @property
    def early(self) -> bool:
        """Whether the next chunk was sent ahead of time and waits for some tokens of the open reply.

        Live, it would have come later.
        """
        ahead = bool(self._frames) and self.waits_since > monotonic()
        return ahead and self.writing and self._tokens < TOKENS_A_CHUNK

    def let_write(self) -> None:
        """A pass takes replies on: one token more for a chunk that waits for them."""
        if self.early:
            self._tokens += 1

    def due(self) -> list[Work]:
        """What the next pass takes of this session; nothing is forgotten before `took`."""
        work: list[Work] = [self._opening] if self._opening else []
        command = self._commands[0] if self._commands else None
        if command is not None and not (command.verb == "close" and self._frames):
            work.append(command)
        elif self._frames and not self.early:
            work.append(self._frames[0][0])
            self._flying = True
        return work

    def took(self, work: list[Work]) -> None:
        """A pass has taken what `due` gave."""
        self._flying = False
        for piece in work:
            if isinstance(piece, Open):
                self._opening = None
            elif isinstance(piece, Command):
                if self._commands and self._commands[0] is piece:
                    self._commands.popleft()
            elif self._frames and self._frames[0][0] is piece:
                self.late_s(monotonic() - self._frames.popleft()[1])
                self._past.append((piece.chunk, piece.samples))
                self._decided, self._tokens, self._losses = piece.chunk + 1, 0, 0
                if len(self._frames) * self._size <= self._limits.backlog_s * SAMPLE_RATE_HZ / 2:
                    self._room.set()

    def take(self, result: Result) -> None:
        """Give the outputs of a pass on."""
        self.writing = result.reply
        for output in result.outputs:
            self._take(output)
        if result.memory is not None:
            self.memory = result.memory
            self._post.remembered(self)
        if result.spec is not None and not any(c.verb == "update" for c in self._commands):
            self._accepted = self._spec = result.spec
        if result.failed:
            self.fail(result.failed)
        elif result.ended:
            self.ended()
        elif self._frames or self._commands:
            self._post.wake(self)

    def ended(self) -> None:
        """The worker has closed this session: what is still spoken comes, then the end."""
        asyncio.create_task(self._end(), name=f"end {self.id}").add_done_callback(lambda task: task.result())

    async def _end(self) -> None:
        await self._spoken.settled()
        self._finish()

    def fail(self, why: str) -> None:
        """The session is over, and not because anybody wanted it."""
        self._spoken.cancel()
        self._finish(Notice("failed", why))

    def notice(self, notice: Notice) -> None:
        self._put(notice)

    def move(self, lost: bool = False) -> None:
        """Begin again in another worker from what is remembered. What was sent and not answered is sent again; what was
        answered is not said again.

        Args:
            lost: the worker died, maybe of this session; one that outlives MOST_LOSSES of them without a chunk
                decided is taken as their cause, and ends.
        """
        self._losses += lost
        if self._losses > MOST_LOSSES:
            self.fail(f"{self._losses} workers were lost with this session on them")
            return
        memory = self.memory
        if memory is not None:
            memory = memory | {"now": self._decided * self._size}
        said = self.said[1] if self.said[0] else ""
        spoken = self._decided - self._speech + 3 if self._speech >= 0 else 0
        past = tuple(self._past)[-max(LEAST_REPLAYED, spoken) :]
        self._flying = False
        self._opening = Open(self.id, self._accepted, memory, said, past, self._decided, self._spoken.playhead)
        if self.closing and not any(c.verb == "close" for c in self._commands):
            self._commands.append(Command(self.id, "close", True))
        self._post.wake(self)

    def record(self, audio_chunks: int) -> Record:
        """For the journal."""
        past = list(self._past)[-audio_chunks:] if audio_chunks else []
        return {
            "spec": spec_record(self._accepted),
            "memory": self.memory,
            "said": list(self.said),
            "decided": self._decided,
            "calls": dict(self._calls),
            "audio": [[k, packed(x)] for k, x in past],
        }

    @classmethod
    def of(cls, name: str, record: Record, size: int, limits: Limits, voices: Voices, post: Post) -> LiveSession:
        """The session of a record. DataError where the record is not whole."""
        try:
            made = cls(name, recorded_spec(record["spec"]), size, limits, voices, post)
            made.memory, made.said = record["memory"], tuple(record["said"])
            made._decided, made._calls = int(record["decided"]), dict(record["calls"])
            made._past.extend((int(k), unpacked(x)) for k, x in record["audio"])
            made._chunker.start_at(made._decided)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"a whole record was expected ({type(error).__name__}: {error})", name) from error
        made.move()
        return made

    def _due_at(self, chunk: int) -> float:
        """When a chunk was complete, or would have been, had the client not sent ahead of time."""
        now, length = monotonic(), self._size / SAMPLE_RATE_HZ
        if self._began is None:
            self._began = now - chunk * length
        return max(now, self._began + chunk * length)

    def _command(self, verb: str, value: Any = None) -> None:
        if self.over:
            return
        if verb == "voice" and self._commands and self._commands[-1].verb == "voice":
            self._commands.pop()
        if len(self._commands) >= MOST_COMMANDS and verb != "close":
            self._post.dropped("command", 1)
            self._put(Notice("overload", f"{verb} was dropped: too many commands wait", {"commands": 1.0}))
            return
        self._commands.append(Command(self.id, verb, value))
        self._post.wake(self)

    def _take(self, output: Output) -> None:
        if isinstance(output, ReplyDelta):
            text = self.said[1] if self.said[0] == output.id else ""
            self.said = (output.id, text + output.text)
            if self._speaks(output.id):
                self._spoken.wrote(output.id, output.text)
        elif isinstance(output, ReplyDone):
            self.said = ("", "")
            if self._speaks(output.id):
                self._put(output)
                self._spoken.done(output.id, output.text)
                return
        elif isinstance(output, ReplyCancelled):
            self.said = ("", "")
            self._spoken.cancel()
        elif isinstance(output, SpeechStarted):
            self._speech = self._decided if self._speech < 0 else self._speech
        elif isinstance(output, Transcript) and output.final:
            self._speech = -1
        self._put(output)
        if isinstance(output, Action):
            self._call(output)

    def _speaks(self, reply: str) -> bool:
        """Settled at the first word of a reply: its voice either ends with its last piece or was never begun."""
        if reply != self._spoken_reply[0]:
            self._spoken_reply = (reply, self._voiced and self._spec.speak and not self.mute)
        return self._spoken_reply[1]

    def _call(self, action: Action) -> None:
        self._made += 1
        while len(self._calls) >= MOST_CALLS:
            self._calls.pop(next(iter(self._calls)))
        name = f"call_{self.id[-8:]}_{self._decided}_{self._made}"
        self._calls[name] = action.name
        self._put(Call(name, action.name, json.dumps(action.arguments), action.confirm))

    def _plays_until(self, sample: int) -> None:
        self._command("voice", sample)

    def _drop(self, count: int) -> None:
        self._lost += count
        self._post.dropped("audio_ms", round(1000 * count / SAMPLE_RATE_HZ))
        if self._lost >= self._size or not self._frames:
            lost, self._lost = self._lost / SAMPLE_RATE_HZ, 0
            self._put(Notice("overload", "audio came faster than it is heard and was dropped", {"seconds": lost}))

    def _put(self, output: Output) -> None:
        if self.over:
            return
        if not self._box.put(output):
            self._post.dropped("session", 1)
            self.fail("the client does not take its events")

    def _finish(self, *last: Notice) -> None:
        if not self.over:
            self._over.set()
            self._room.set()
            self._box.end(*last)
            self._post.over(self)
