"""One Realtime session: client events to the engine's handle, the engine's outputs to server events.

Runs on the event loop only; nothing here waits but `on_client` for a fast sender's audio (`Handle.room`).
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from serving.handle import Call, EngineInfo, Handle, Heard, Notice, Output, SessionSpec, VoicePiece
from serving.pacing import Frame, Pacer
from serving.realtime import commands, telling
from serving.realtime import link as links
from serving.realtime.conversation import Conversation
from serving.realtime.errors import Invalid
from serving.realtime.feed import Feed
from serving.realtime.link import Bad, Link
from serving.realtime.responder import Responder
from serving.realtime.response import Response
from serving.realtime.settings import Settings
from serving.realtime.turns import Turns
from soundflow.errors import SoundflowError
from soundflow.events import (
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

MAX_WAITING: Final = 32
"""Commits and questions that wait until their audio was heard."""
MAX_CALLS: Final = 64
"""Calls whose outcome is taken; the oldest are forgotten first."""


class RealtimeSession:
    """See the module. `base`: what the server's configuration wants of a session, whatever its client says."""

    def __init__(
        self,
        handle: Handle,
        info: EngineInfo,
        link: Link,
        settings: Settings,
        base: SessionSpec,
        clock: Callable[[], float] = time.monotonic,
        pacer: Pacer | None = None,
    ) -> None:
        self.handle, self.link, self.settings, self.base, self.clock = handle, link, settings, base, clock
        self.conversation = Conversation()
        self.pacer = pacer or Pacer(clock=clock)
        self.responder = Responder(handle, self.pacer, self._new_response, self._idle, clock)
        self.turns = Turns(self.conversation, self.emit, lambda: new_id("item"))
        self.feed = Feed(handle, settings.input_format, clock, info.chunk_ms / 1000)
        self.uncommitted_s = 0.0
        self.results: list[tuple[str, str]] = []
        self._waiting: deque[tuple[float, Callable[[], None]]] = deque()
        self._answers = False
        self.override: SessionSpec | None = None
        self._calls: OrderedDict[str, None] = OrderedDict()
        self._count = 0
        self._apply(settings)

    def open(self, resumed: bool) -> None:
        """Say hello."""
        self.emit("session.created", session=self._shown())
        if resumed:
            self.emit("session.resumed", session_id=self.handle.id)

    def emit(self, kind: str, **fields: Any) -> None:
        """Send one event; it gets the next event id."""
        self._count += 1
        self.link.send({"type": kind, "event_id": f"event_{self._count:06d}", **fields})

    def error(self, error: Invalid, event_id: str | None = None) -> None:
        """Tell the client what it did wrong; the session goes on."""
        kind = "server_error" if error.code == "server_error" else "invalid_request_error"
        body = {"type": kind, "code": error.code, "message": str(error), "param": error.param, "event_id": event_id}
        self.emit("error", error=body)

    def notice(self, code: str, message: str, detail: dict[str, Any] | None = None) -> None:
        if self.settings.includes:
            self.emit("session.notice", code=code, message=message, detail=detail or {})

    async def on_client(self, body: dict[str, Any] | Bad) -> None:
        """One message of the client."""
        if isinstance(body, Bad):
            self.error(Invalid(body.message, body.code), body.event_id)
            return
        raw = body.get("event_id")
        event_id = raw if isinstance(raw, str) else None
        try:
            await commands.run(self, body)
        except Invalid as error:
            self.error(error, event_id)
        except SoundflowError as error:
            self.error(Invalid(str(error), error.code), event_id)

    def on_output(self, output: Output) -> None:
        """One output of the engine."""
        now = self.clock()
        self._hear()
        if isinstance(output, ReplyStarted | ReplyDelta | ReplyDone | ReplyCancelled | VoicePiece | Call):
            if isinstance(output, ReplyStarted | Call) and self.responder.active is None:
                self.flush_results()
            if isinstance(output, Call):
                self._calls[output.id] = None
                if len(self._calls) > MAX_CALLS:
                    self._calls.popitem(last=False)
            self.responder.feed(output)
        elif isinstance(output, SpeechStarted):
            self.turns.started(output)
        elif isinstance(output, SpeechStopped):
            self.turns.stopped(output, now)
            self.uncommitted_s = 0.0 if self.turns.server else self.uncommitted_s
        elif isinstance(output, Transcript):
            self.turns.transcript(output, now)
            self._answer_now()
        elif isinstance(output, DecisionEvent):
            if output.decision != "silent":
                self.responder.wanted()
            telling.decision(self, output)
        elif isinstance(output, SoundEvent):
            telling.sound(self, output)
        elif isinstance(output, Heard):
            telling.heard(self, output)
        elif isinstance(output, ErrorEvent):
            if not self.responder.fail(output.code, output.message):
                self.notice(output.code, output.message)
        elif isinstance(output, Notice):
            self._noticed(output)

    def _noticed(self, notice: Notice) -> None:
        self.notice(notice.code, notice.message, dict(notice.detail))
        if notice.code == "draining":
            self.link.finish(links.RESTART, f"draining: {notice.message}")
        elif notice.code == "expired":
            self.link.finish(links.NORMAL, f"expired: {notice.message}")
        elif notice.code == "failed":
            self.error(Invalid(notice.message, "server_error"))
            self.link.finish(links.SERVER_ERROR, f"failed: {notice.message}")

    def on_frame(self, frame: Frame) -> None:
        """Paced audio is due."""
        self.responder.frame(frame)

    def ended(self) -> None:
        self.responder.close()

    def broken(self) -> None:
        self.error(Invalid("the session failed; the server's log says more", "server_error"))

    def tick(self) -> None:
        """Called a few times a second: what waited for too long is settled."""
        now = self.clock()
        self._hear()
        self.turns.tick(now, self.handle.heard_s)
        self._answer_now()
        self.responder.tick(now)

    def update(self, patch: Any) -> None:
        """session.update. Raises Invalid, ConfigError, CapacityError: nothing has changed."""
        merged = self.settings.merged(patch)
        if merged.kind != self.settings.kind and self.feed.sent_s > 0:
            raise Invalid("session.type: cannot change once audio was sent", "invalid_value", "session.type")
        self._apply(merged)
        self.emit("session.updated", session=self._shown())

    def _apply(self, settings: Settings) -> None:
        spec = self._spec(settings)
        if spec != self.handle.spec and self.override is None:
            self.handle.update(spec)
        self.feed.change(settings.input_format)
        self.settings = settings
        self.turns.server = settings.turns is not None
        self.turns.transcribes = settings.transcribes

    def _spec(self, settings: Settings) -> SessionSpec:
        return settings.spec(self.base, self.conversation.developer())

    def respec(self) -> None:
        """System messages have changed. Raises as `update`."""
        self._apply(self.settings)

    def _shown(self) -> dict[str, Any]:
        kind = "realtime.session" if self.settings.kind == "realtime" else "realtime.transcription_session"
        return {"id": self.handle.id, "object": kind, "expires_at": None, **self.settings.body}

    def _new_response(self, asked: dict[str, Any] | None) -> Response:
        for item in self.conversation:
            item.answered = True
        params = asked or {}
        modalities = params.get("output_modalities") or self.settings.body.get("output_modalities")
        out_of_band = params.get("conversation") == "none"
        self.responder.form = self.settings.output_format
        return Response(
            new_id("resp"),
            self.emit,
            self.conversation,
            lambda: new_id("item"),
            spoken=self.settings.voiced and modalities == ["audio"],
            audio={k: v for k, v in self.settings.body["audio"].get("output", {}).items() if k in ("format", "voice")},
            metadata=params.get("metadata"),
            conversation_id=None if out_of_band else f"conv_{self.handle.id}",
        )

    def respond_with(self, spec: SessionSpec) -> None:
        """Use another spec for the response that begins now."""
        if spec != self.handle.spec:
            self.handle.update(spec)
            self.override = spec

    def _idle(self) -> None:
        if self.override is not None:
            self.override = None
            try:
                self._apply(self.settings)
            except SoundflowError as error:
                self.notice(error.code, str(error))

    def add_result(self, call_id: str, output: str) -> None:
        """The outcome of a call waits for response.create; one of a call that was not made here is only history."""
        if self._calls.pop(call_id, 0) is None:
            self.results.append((call_id, output))

    def flush_results(self, speak: bool = False) -> bool:
        """Give the outcomes of calls to the engine; `speak`: it tells of the last one -> whether it does."""
        results, self.results = self.results, []
        for i, (call_id, output) in enumerate(results):
            try:
                self.handle.tool_result(call_id, output, speak=speak and i == len(results) - 1)
            except SoundflowError as error:
                self.notice(error.code, str(error))
                speak = speak and i < len(results) - 1
        return speak and bool(results)

    def when_heard(self, action: Callable[[], None]) -> None:
        """Do it once the engine has heard what was sent so far: its commands do not wait for audio."""
        self._waiting.append((self.feed.pushed_s, action))
        if len(self._waiting) > MAX_WAITING:
            self._waiting.popleft()[1]()
        self._hear()

    def _hear(self) -> None:
        while self._waiting and self.feed.heard(self._waiting[0][0]):
            self._waiting.popleft()[1]()

    def close_stretch(self) -> None:
        """A client's commit, once its audio was heard."""
        self.turns.closed(self.clock())
        self.handle.commit()

    def answer(self) -> None:
        """Answer what was said last, once the words of a commit are there."""
        self._answers = True
        self._answer_now()

    def _answer_now(self) -> None:
        if self._answers and not self.turns.waits:
            self._answers = False
            active = self.responder.active
            if active is not None and not active.reply:
                self.handle.respond()

    def lose(self) -> None:
        """The socket is gone: the engine gets what the client said of its calls."""
        self.flush_results()

    def respeak(self, **changes: Any) -> SessionSpec:
        """The spec of now with changes."""
        return replace(self._spec(self.settings), **changes)


def new_id(kind: str) -> str:
    """An id that no client's item has."""
    return f"{kind}_{secrets.token_hex(10)}"
