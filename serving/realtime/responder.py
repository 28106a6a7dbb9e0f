"""The engine's replies and calls as responses, one after the other, with paced audio.

A reply that begins while another is still being sent waits; a cancelled one is dropped wherever it is.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, Final

from serving.codec import AudioFormat, Encoder
from serving.handle import Call, Handle, VoicePiece
from serving.pacing import Frame, Pacer
from serving.realtime.response import Response
from soundflow.errors import AudioFormatError, CapacityError
from soundflow.events import ReplyCancelled, ReplyDelta, ReplyDone, ReplyStarted

Part = ReplyStarted | ReplyDelta | ReplyDone | ReplyCancelled | VoicePiece | Call

MAX_LATER: Final = 2048
"""Outputs of later replies that may wait; a reply that does not fit is not told."""
VOICE_WAIT_S: Final = 4.0
"""After the last words, until the first or the next piece of voice; then the response ends without it."""
ANSWER_WAIT_S: Final = 30.0
"""From response.create until the engine begins; then the response failed."""
UNWANTED_S: Final = 2.0
"""How late the answer to a cancelled response.create may come and still be known as such."""
REMEMBERED: Final = 64


class Responder:
    """See the module.

    Args:
        handle: the session; told of cancels and of what was played.
        pacer: its audio out; `run` of the session gives its frames to `frame`.
        new_response: makes a response; `asked` is what a client's `response.create` says, None where the model speaks
            by itself.
        idle: called when no response is active any more.
    """

    def __init__(
        self,
        handle: Handle,
        pacer: Pacer,
        new_response: Callable[[dict[str, Any] | None], Response],
        idle: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self.form = AudioFormat()
        self._handle, self._pacer, self._new, self._idle, self._clock = handle, pacer, new_response, idle, clock
        self._active: Response | None = None
        self._encoder: Encoder | None = None
        self._later: deque[Part] = deque()
        self._dead: OrderedDict[str, None] = OrderedDict()
        self._progress_at = 0.0
        self._newest = ""
        self._unwanted_until = float("-inf")

    @property
    def active(self) -> Response | None:
        return self._active

    def ask(self, params: dict[str, Any]) -> Response:
        """A client asked for a response: it is created, and the next reply or call is it."""
        self._progress_at = self._clock()
        self._active = self._new(params)
        self._active.create()
        return self._active

    def feed(self, part: Part) -> None:
        """One output of the engine."""
        reply = _reply_of(part)
        if isinstance(part, ReplyStarted) and self._clock() < self._unwanted_until:
            self.wanted()
            self._bury(reply)
            self._handle.cancel()
        if reply and reply in self._dead:
            return
        active = self._active
        if isinstance(part, Call):
            self._call(part)
        elif active is not None and active.reply and active.reply != reply:
            self._wait(part, reply)
        else:
            self._now(part, reply)

    def _wait(self, part: Part, reply: str) -> None:
        if len(self._later) >= MAX_LATER:
            self._bury(reply)
            self._later = deque(p for p in self._later if _reply_of(p) != reply)
        else:
            self._later.append(part)

    def _now(self, part: Part, reply: str) -> None:
        if self._active is None:
            if isinstance(part, ReplyCancelled | VoicePiece):
                return
            self._active = self._new(None)
            self._active.create()
        active = self._active
        self._progress_at = self._clock()
        if not active.reply:
            active.open_message(reply)
            self._newest = reply
            self._encoder = None
        if isinstance(part, ReplyDelta):
            active.delta(part.text)
        elif isinstance(part, ReplyDone):
            active.delta(part.text[len(active.text) :] if part.text.startswith(active.text) else "")
            active.text_done = True
            self._finish_if_done()
        elif isinstance(part, ReplyCancelled):
            self._stop("failed" if part.reason == "failed" else "cancelled", _reason(part.reason))
        elif isinstance(part, VoicePiece):
            self._voice(part)

    def _voice(self, piece: VoicePiece) -> None:
        active = self._active
        assert active is not None
        if not active.spoken:
            return
        try:
            if self._encoder is None or self._encoder.in_rate_hz != piece.rate_hz:
                self._encoder = Encoder(self.form, piece.rate_hz)
            data = self._encoder.push(piece.audio, last=piece.last)
            self._pacer.put(piece.reply, data, self.form.sample_bytes * self.form.rate_hz / 1000, last=piece.last)
        except (CapacityError, AudioFormatError):
            self._pacer.cancel(piece.reply)
            active.audio_done = True
            self._finish_if_done()

    def frame(self, frame: Frame) -> None:
        """A paced frame is due."""
        active = self._active
        if active is None or frame.reply != active.reply:
            return
        self._progress_at = self._clock()
        if frame.data:
            active.audio_delta(frame.data, frame.ms)
        if frame.last:
            active.audio_done = True
            self._finish_if_done()

    def _finish_if_done(self) -> None:
        active = self._active
        if active is not None and active.text_done and (active.audio_done or not active.spoken):
            self._end(active, "completed")

    def _call(self, call: Call) -> None:
        active = self._active
        if active is not None and active.reply:
            active.call(call)
            return
        if active is None:
            active = self._active = self._new(None)
            active.create()
        active.call(call)
        self._end(active, "completed")

    def _end(
        self, active: Response, status: str, reason: str | None = None, error: dict[str, str] | None = None
    ) -> None:
        self._active, self._encoder = None, None
        active.finish(status, reason, error)
        self._idle()
        waiting, self._later = self._later, deque()
        for part in waiting:
            self.feed(part)

    def _stop(self, status: str, reason: str | None) -> None:
        """End the active response now; what comes of it later is dropped."""
        active = self._active
        if active is None:
            return
        if active.reply:
            self._bury(active.reply)
            played = self._pacer.cancel(active.reply)
            if active.spoken and not self._later:
                self._handle.played(active.reply, round(min(played, active.sent_ms)))
        error = {"type": "server_error", "code": "reply_failed", "message": "the reply could not be made"}
        self._end(active, status, None if status == "failed" else reason, error if status == "failed" else None)

    def cancel(self) -> bool:
        """The client cancels -> whether a response was active."""
        if self._active is None:
            return False
        if not self._handle.cancel() and not self._active.reply:
            self._unwanted_until = self._clock() + UNWANTED_S
        self._stop("cancelled", "client_cancelled")
        return True

    def wanted(self) -> None:
        """The next reply is the model's own wish, not the answer that a client asked for and then cancelled."""
        self._unwanted_until = float("-inf")

    def fail(self, code: str, message: str) -> bool:
        """The engine cannot answer -> whether a response waited for it to."""
        self.wanted()
        active = self._active
        if active is None or active.reply:
            return False
        self._end(active, "failed", None, {"type": "invalid_request_error", "code": code, "message": message[:500]})
        return True

    def cut(self, reply: str, ms: int) -> None:
        """The client has heard `ms` of this reply and hears no more. Of one before the last it changes nothing."""
        active = self._active
        if reply != self._newest or self._later:
            return
        self._handle.played(reply, ms)
        if active is not None and active.reply == reply:
            self._pacer.cancel(reply)
            active.audio_done = True
            self._finish_if_done()

    def tick(self, now: float) -> None:
        """End a response that waits for what does not come."""
        active = self._active
        if active is None or (active.reply and self._pacer.waiting_ms > 0):
            return
        waited = now - self._progress_at
        if not active.reply and waited >= ANSWER_WAIT_S:
            self.fail("no_answer", "the model gave no answer")
        elif active.text_done and waited >= VOICE_WAIT_S:
            self._end(active, "completed")

    def close(self) -> None:
        """The session is over: what is open is cancelled."""
        self._later.clear()
        if self._active is not None:
            self._end(self._active, "cancelled", "client_cancelled")

    def _bury(self, reply: str) -> None:
        self._dead[reply] = None
        if len(self._dead) > REMEMBERED:
            self._dead.popitem(last=False)


def _reply_of(part: Part) -> str:
    if isinstance(part, VoicePiece):
        return part.reply
    return "" if isinstance(part, Call) else part.id


def _reason(reason: str) -> str:
    return "client_cancelled" if reason == "cancelled" else "turn_detected"
