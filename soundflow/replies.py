"""The replies of one stream, made beside its perception: from a decision to events, voice, and words in the context."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from torch import Tensor

from soundflow.clock import seconds
from soundflow.decide.context import Context
from soundflow.decide.lalm import Lalm, LalmState
from soundflow.errors import SoundflowError
from soundflow.events import ErrorEvent, Event
from soundflow.respond.grammar import ActGrammar
from soundflow.respond.playback import Playback
from soundflow.respond.reply import REPLY_ROOM, GivenReply, Reply
from soundflow.session import Session
from soundflow.types import FloatArray, Kind, ReplyRequest

TOKENS_A_CHUNK: Final = 12
MAX_PENDING_EVENTS: Final = 4096


class Replies:
    """Makes one reply at a time. `now` is everywhere the sample up to which the stream has heard.

    With `realtime` a thread of its own makes it, and its events come out of `poll`; `driven`, the caller runs the model
    for `reply` and gives what comes out to `take`; else `advance` makes a fixed number of tokens of it.

    Args:
        row: the stream's state in the LALM; a reply is decoded from a fork of it.
        grammar: of the tools, where there are any.
    """

    def __init__(
        self,
        lalm: Lalm,
        context: Context,
        row: LalmState,
        session: Session,
        playback: Playback,
        grammar: ActGrammar | None,
        realtime: bool,
        driven: bool = False,
    ) -> None:
        self._lalm, self._context, self._row = lalm, context, row
        self._session, self._playback, self.grammar = session, playback, grammar
        self._driven = driven
        self._pending: list[Tensor] = []
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="reply") if realtime else None
        self._queue: deque[Callable[[int], list[Event]]] = deque(maxlen=MAX_PENDING_EVENTS)
        self._making: Future[None] | None = None
        self._reply: Reply | GivenReply | None = None

    def start(self, request: ReplyRequest, now: int) -> list[Event]:
        """Fork the cache and begin the reply; the decision token goes in front of the next chunk."""
        reply = self._fork(request)
        self._pending += self._lalm.opening(request.kind)
        if self._worker is None:
            self._reply = reply
        else:
            self._making = self._worker.submit(self._make, reply)
        return self._session.on_started(request, now)

    def resume(self, request: ReplyRequest, text: str) -> None:
        """Go on with a reply that was begun elsewhere and had said `text`; an act starts anew, it has said nothing."""
        self._reply = reply = self._fork(request)
        if text:
            reply.begun(text)
        self._pending += self._lalm.opening(request.kind)

    def advance(self, now: int) -> list[Event]:
        """A few tokens of the reply, in step with the audio; nothing where there is none, or a thread makes it."""
        if self._reply is None or self._driven:
            return []
        reply, request = self._reply, self._reply.request
        try:
            delta = reply.step(TOKENS_A_CHUNK)
        except SoundflowError as error:
            self._reply = None
            return self._session.on_failed(request, error.code, str(error), now)
        return self._told(reply, delta, now)

    @property
    def reply(self) -> Reply | GivenReply | None:
        """What is being made without a thread."""
        return self._reply

    def take(self, logits: Tensor | None, now: int) -> list[Event]:
        """Go on by one token: [V] logits behind all that `reply` had wanted, None for one that wants nothing."""
        reply = self._reply
        assert reply is not None
        try:
            delta = reply.step(1) if logits is None else reply.take(logits)
        except SoundflowError as error:
            return self.fail(error, now)
        return self._told(reply, delta, now)

    def fail(self, error: SoundflowError, now: int) -> list[Event]:
        """Give the reply that is being made up."""
        reply, self._reply = self._reply, None
        return self._session.on_failed(reply.request, error.code, str(error), now) if reply else []

    def _told(self, reply: Reply | GivenReply, delta: str, now: int) -> list[Event]:
        events = self._session.on_text(reply.request, delta if reply.request.kind is Kind.SPEAK else "", now)
        if reply.done:
            self._reply = None
            events += self._finish(reply, None, now)
        return events

    def poll(self, now: int) -> list[Event]:
        """Events of the thread's replies since the last call."""
        events: list[Event] = []
        while self._queue:
            events += self._queue.popleft()(now)
        return events

    def take_pending(self) -> list[Tensor]:
        """Embeddings [n, D] that go in front of the next chunk's audio: decision tokens, said text. Given once; of more
        than a chunk has room for, the newest."""
        pending, self._pending = self._pending, []
        room = self._lalm.text_limit + 1  # a decision and what was said
        while len(pending) > 1 and sum(map(len, pending)) > room:
            pending.pop(0)
        return [p[-room:] for p in pending]

    def stop(self, now: int) -> None:
        """Barge-in: stop decoding, forget what was not played yet. A thread stops by itself: its generation is over."""
        self._reply = None
        self._playback.cancel(now)

    def close(self, now: int) -> list[Event]:
        """Make the rest of the reply, and end the thread."""
        events: list[Event] = []
        self._driven = False
        while self._reply is not None:
            events += self.advance(now)
        if self._making is not None:
            self._making.result()
        if self._worker:
            self._worker.shutdown()
        return events + self.poll(now)

    def snapshot(self) -> dict[str, Any]:
        """What `restore` needs; of a thread's reply, nothing."""
        return {"pending": list(self._pending), "reply": self._reply.snapshot() if self._reply else None}

    def restore(self, saved: dict[str, Any]) -> None:
        """Go on from `saved`, which may hold more than this. The LALM's row was restored before."""
        self._pending = list(saved["pending"])
        if saved["reply"] is not None:
            self._reply = self._fork(saved["reply"]["request"], begun=True)
            self._reply.restore(saved["reply"])

    def _fork(self, request: ReplyRequest, begun: bool = False) -> Reply | GivenReply:
        """begun: at some time before, when the row may have held chunks that have left it since."""
        if request.say:
            return GivenReply(request)
        left = self._lalm.capacity - int(self._row.cache.lengths[0]) if begun else 0
        cache = self._lalm.fork(0, self._row, left + REPLY_ROOM)
        return Reply(self._lalm, self._context, cache, request, self.grammar)

    def _make(self, reply: Reply | GivenReply) -> None:
        """The reply thread: it reads the model and its own fork, and hands closures to the stream's thread."""
        request, session = reply.request, self._session
        try:
            while not reply.done and request.generation == session.state.generation:
                delta = reply.step(1)
                if delta and request.kind is Kind.SPEAK:
                    self._queue.append(partial(session.on_text, request, delta))
            audio = list(self._playback.speak(reply.text)) if reply.done and request.kind is Kind.SPEAK else []
            self._queue.append(partial(self._finish, reply, audio))
        except SoundflowError as error:
            self._queue.append(partial(session.on_failed, request, error.code, str(error)))

    def _finish(self, reply: Reply | GivenReply, audio: list[FloatArray] | None, now: int) -> list[Event]:
        """The end of a reply that was made; `audio` where a thread has made its voice too."""
        if not reply.done:
            return []
        request = reply.request
        if request.kind is Kind.ACT and reply.call is None:
            return self._session.on_failed(request, "bad_act", "the call did not end within its bound", now)
        events = self._session.on_done(request, reply.text, reply.call, now)
        if events and request.kind is Kind.SPEAK:
            said = self._context.said(reply.text)[: self._lalm.text_limit]
            self._pending.append(self._lalm.embed(said))
            try:
                pieces = self._playback.speak(reply.text) if audio is None else iter(audio)
                self._session.on_voice(self._playback.play(pieces, now), now)
            except SoundflowError as error:
                events.append(ErrorEvent(t=seconds(now), code=error.code, message=str(error)))
        return events
