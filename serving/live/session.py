"""One Live session: audio in, paced audio and transcripts out, no turns. Times are milliseconds since it started.

What was heard carries the time of its audio, moved to the session's clock by the moment at which it was pushed.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from serving.codec import Encoder, encode_base64
from serving.handle import Call, EngineInfo, Handle, Notice, Output, SessionSpec, VoicePiece
from serving.live.config import MAX_APPEND, LiveConfig
from serving.live.delegation import Delegations
from serving.pacing import Frame, Pacer
from serving.realtime import link as links
from serving.realtime.errors import Invalid, text_of
from serving.realtime.feed import Feed
from serving.realtime.link import Bad, Link
from soundflow.errors import AudioFormatError, CapacityError, SoundflowError
from soundflow.events import ErrorEvent, ReplyCancelled, ReplyDelta, ReplyDone, Transcript

USAGE_EVERY_S: Final = 10.0
VOICE_WAIT_S: Final = 4.0
FLUSH_S: Final = 5.0
ASK: Final = re.compile(r"(immediately\s+)?(reply to|respond to|answer|follow the instruction)\b", re.IGNORECASE)
"""How a comment begins that wants an answer of the model's own; what is asked follows behind an empty line."""


class LiveSession:
    """See the module. `start_id` is the event id of the client's session.start."""

    def __init__(
        self,
        handle: Handle,
        info: EngineInfo,
        link: Link,
        config: LiveConfig,
        base: SessionSpec,
        clock: Callable[[], float] = time.monotonic,
        pacer: Pacer | None = None,
    ) -> None:
        self.handle, self.link, self.config, self.base, self.clock = handle, link, config, base, clock
        self.pacer = pacer or Pacer(clock=clock)
        self._delegations = Delegations(handle, self.emit)
        self._feed = Feed(handle, config.form, clock, info.chunk_ms / 1000)
        self._encoders: dict[str, Encoder] = {}
        self._unspoken: dict[str, tuple[str, float]] = {}
        self._started = clock()
        self._offset_s, self._usage_s = 0.0, 0.0
        self._told = ""
        self._muted = False
        self._closing = ""
        self._close_id: str | None = None
        self._count = 0
        self._commands: dict[str, Callable[[dict[str, Any]], Awaitable[None] | None]] = {
            "session.input_audio.append": self._append,
            "session.input_audio.mute": self._mute,
            "session.input_audio.unmute": self._mute,
            "session.instructions.append": self._add,
            "session.thinking.append": self._add,
            "session.commentary.append": self._add,
            "session.update": self._update,
            "session.close": self._close,
            "response.item.create": self._item,
            "response.create": self._create,
        }

    def open(self, event_id: str | None, resumed: bool = False) -> None:
        """Say that the session has started."""
        self.emit("session.started", event_id, session=self.config.resource(self.handle.id))
        if resumed:
            self.emit("info", code="resumed", message="the session goes on")

    @property
    def now_ms(self) -> int:
        return max(round((self.clock() - self._started) * 1000), 0)

    def emit(self, kind: str, client_event_id: str | None = None, **fields: Any) -> None:
        self._count += 1
        about = {"client_event_id": client_event_id} if client_event_id else {}
        self.link.send({"type": kind, "event_id": f"event_{self._count:06d}", **about, **fields})

    def error(self, error: Invalid, event_id: str | None = None) -> None:
        kind = "server_error" if error.code == "server_error" else "invalid_request_error"
        body = {"type": kind, "code": error.code, "message": str(error), "param": error.param}
        self.emit("error", error={**body, "client_event_id": event_id})

    def broken(self) -> None:
        self.error(Invalid("the session failed; the server's log says more", "server_error"))

    async def on_client(self, body: dict[str, Any] | Bad) -> None:
        """One message of the client."""
        if isinstance(body, Bad):
            self.error(Invalid(body.message, body.code), body.event_id)
            return
        raw = body.get("event_id")
        event_id = raw if isinstance(raw, str) else None
        command = self._commands.get(body["type"])
        try:
            if body["type"] == "session.start":
                raise Invalid("type: the session has started already", "session_already_started", "type")
            if command is None:
                raise Invalid(f"type: {body['type']!r:.80} is no client event of this server", "unknown_event", "type")
            result = command(body)
            if result is not None:
                await result
        except Invalid as error:
            self.error(error, event_id)
        except SoundflowError as error:
            self.error(Invalid(str(error), error.code), event_id)

    async def _append(self, body: dict[str, Any]) -> None:
        if self._muted or self._closing:
            return
        await self._feed.append(body.get("audio"))
        waited = self.clock() - self._started - self._feed.sent_s
        self._offset_s = max(waited, 0.0) - self._feed.base_s

    def _mute(self, body: dict[str, Any]) -> None:
        self._muted = body["type"].endswith(".mute")
        self._feed.reset()
        self.emit(f"session.input_audio.{'muted' if self._muted else 'unmuted'}", _id(body))

    def _add(self, body: dict[str, Any]) -> None:
        """Instructions and thinking are kept, commentary is said; with a delegation's id they are its outcome."""
        kind = body["type"].split(".")[1]
        content, delegation = text_of(body, "content", MAX_APPEND), body.get("delegation_id")
        if delegation is not None and not isinstance(delegation, str):
            raise Invalid("delegation_id: text or null was expected", "invalid_type", "delegation_id")
        answers = delegation is not None and kind != "instructions"
        if answers and self._delegations.answer(str(delegation), content, speak=kind == "commentary"):
            pass
        elif kind == "commentary":
            self._comment(content)
        else:
            before = list(self.config.added)
            self.config.append(content)
            try:
                self.handle.update(self.config.spec(self.base))
            except SoundflowError:
                self.config.added = before
                raise
        self.emit(f"session.{kind}.appended", _id(body), start_ms=self.now_ms, end_ms=self.now_ms)

    def _comment(self, content: str) -> None:
        """Said word for word; what asks for an answer (as LiveKit's `generate_reply` does) is answered."""
        ask, _, rest = content.partition("\n\n")
        if ASK.match(ask):
            self.handle.respond(rest.strip())
        else:
            self.handle.say(content)

    def _update(self, body: dict[str, Any]) -> None:
        config = self.config.updated(body.get("session"))
        self.handle.update(config.spec(self.base))
        self.config = config
        self.emit("session.updated", _id(body), session=config.resource(self.handle.id))

    def _item(self, body: dict[str, Any]) -> None:
        self._backend()
        self._delegations.add_item(body.get("item"))

    def _create(self, body: dict[str, Any]) -> None:
        self._backend()
        self._delegations.create()

    def _backend(self) -> None:
        if self.config.target != "responses":
            raise Invalid("type: this needs session.delegation of type responses", "invalid_event", "type")

    async def _close(self, body: dict[str, Any]) -> None:
        """Hear the rest, then end: `ended` says so once the outputs are over."""
        if self._closing:
            return
        self._closing, self._close_id = "close_requested", _id(body)
        try:
            async with asyncio.timeout(FLUSH_S):
                await self.handle.close(flush=True)
        except TimeoutError:
            self.ended()

    def on_output(self, output: Output) -> None:
        """One output of the engine."""
        if isinstance(output, Transcript):
            self._heard(output)
        elif isinstance(output, ReplyDelta):
            text, _ = self._unspoken.get(output.id, ("", 0.0))
            self._unspoken[output.id] = (text + output.text, float("inf"))
            self._if_unvoiced(output.id)
        elif isinstance(output, ReplyDone):
            if output.id in self._unspoken:
                self._unspoken[output.id] = (self._unspoken[output.id][0], self.clock() + VOICE_WAIT_S)
        elif isinstance(output, ReplyCancelled):
            self._unspoken.pop(output.id, None)
            self._encoders.pop(output.id, None)
            if self.pacer.sent_ms(output.id):
                self.handle.played(output.id, round(self.pacer.cancel(output.id)))
            else:
                self.pacer.cancel(output.id)
        elif isinstance(output, VoicePiece):
            self._voice(output)
        elif isinstance(output, Call):
            self._delegations.call(output, self.config.target, self.now_ms)
        elif isinstance(output, ErrorEvent):
            self.emit("info", code=output.code, message=output.message)
        elif isinstance(output, Notice):
            self._noticed(output)

    def _heard(self, event: Transcript) -> None:
        """Words that will not change, as they come; the rest with the final."""
        words = event.text.split()
        text = event.text if event.final else " ".join(words[: event.stable])
        if len(text) > len(self._told) and text.startswith(self._told):
            delta = text[len(self._told) :]
            start, end = (round((s + self._offset_s) * 1000) for s in (event.start, event.end))
            self.emit("session.input_transcript.delta", delta=delta, start_ms=max(start, 0), end_ms=max(end, 0))
            self._told = text
        if event.final:
            self._told = ""

    def _if_unvoiced(self, reply: str) -> None:
        """Words of a reply that nobody speaks are told at once."""
        if not self.handle.spec.speak:
            text, until = self._unspoken[reply]
            self._unspoken[reply] = ("", until)
            self._words(text, self.now_ms, self.now_ms)

    def _words(self, text: str, start_ms: int, end_ms: int) -> None:
        if text:
            self.emit("session.output_transcript.delta", delta=text, start_ms=start_ms, end_ms=end_ms)

    def _voice(self, piece: VoicePiece) -> None:
        first = self._unspoken.pop(piece.reply, None) is not None
        encoder = self._encoders.get(piece.reply)
        text = piece.text if first or not piece.text or piece.text[0].isspace() else f" {piece.text}"
        try:
            if encoder is None or encoder.in_rate_hz != piece.rate_hz:
                encoder = self._encoders[piece.reply] = Encoder(self.config.form, piece.rate_hz)
            data = encoder.push(piece.audio, last=piece.last)
            per_ms = self.config.form.sample_bytes * self.config.form.rate_hz / 1000
            self.pacer.put(piece.reply, data, per_ms, text, piece.last)
        except (CapacityError, AudioFormatError) as error:
            self.emit("info", code=error.code, message=str(error))
        if piece.last:
            self._encoders.pop(piece.reply, None)

    def on_frame(self, frame: Frame) -> None:
        """Paced audio is due; its words come with its first frame."""
        start = self.now_ms + max(round(self.pacer.ahead_ms - frame.ms), 0)
        self._words(frame.text, start, start + round(frame.text_ms))
        if frame.data:
            self.emit("session.output_audio.delta", delta=encode_base64(frame.data))

    def tick(self) -> None:
        """Called a few times a second."""
        now = self.clock()
        for reply, (text, until) in list(self._unspoken.items()):
            if now >= until:
                del self._unspoken[reply]
                self._words(text, self.now_ms, self.now_ms)
        if self.handle.heard_s - self._usage_s >= USAGE_EVERY_S:
            self._usage_s = self.handle.heard_s
            self.emit("session.usage.updated", usage={"seconds": self._usage_s})
        if time.time() >= self.config.expires_at:
            self._end("expired")

    def _noticed(self, notice: Notice) -> None:
        if notice.code == "expired":
            self._end("expired")
        elif notice.code == "failed":
            self.error(Invalid(notice.message, "server_error"))
            self.link.finish(links.SERVER_ERROR, f"failed: {notice.message}")
        else:
            self.emit("info", code=notice.code, message=notice.message, detail=dict(notice.detail))
            if notice.code == "draining":
                self.link.finish(links.RESTART, f"draining: {notice.message}")

    def _end(self, reason: str) -> None:
        self._closing = reason
        self.ended()

    def ended(self) -> None:
        """The engine has said all: say goodbye."""
        reason = self._closing or "connection_lost"
        resource, seconds = self.config.resource(self.handle.id), self.handle.heard_s
        self.emit("session.closed", self._close_id, reason=reason, session=resource, usage={"seconds": seconds})
        self.link.finish(links.NORMAL, f"{reason}: the session is over" if reason == "expired" else "closed")


def _id(body: dict[str, Any]) -> str | None:
    found = body.get("event_id")
    return found if isinstance(found, str) else None
