"""OpenAI Live (free of turns): a server's events as ours. It tells no decisions: where output begins it has decided to
speak, where a delegation is created to act.

Live names no replies and ends no transcripts: a reply, or a stretch of words, is over once nothing of it has come for
QUIET_S.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from benchmarks.peers.address import Address
from benchmarks.peers.realtime_wire import action, function
from benchmarks.peers.wire import Began, Body, refusal
from benchmarks.systems import Ask
from soundflow.decide.context import SYSTEM
from soundflow.errors import SoundflowError
from soundflow.events import ErrorEvent, Event, ReplyDelta, ReplyDone, ReplyStarted, Transcript

QUIET_S: Final = 1.0
MODEL: Final = "soundflow"


class LiveWire:
    """One session."""

    rate_hz = 16_000
    decides = False

    def __init__(self, address: Address) -> None:
        self._address = address
        self._count, self._reply, self._text = 0, "", ""
        self._words, self._span = "", (0.0, 0.0)
        self._output_at = self._words_at = 0.0

    @property
    def busy(self) -> bool:
        return bool(self._reply or self._words)

    def hello(self, ask: Ask) -> list[Body]:
        model = self._address.model or MODEL
        session: Body = {
            "model": model,
            "instructions": f"{SYSTEM} {ask.instruction}".strip() if not model.startswith(MODEL) else ask.instruction,
            "audio": {"format": {"type": "audio/pcm", "rate": self.rate_hz}},
        }
        if not session["instructions"]:
            del session["instructions"]
        if ask.tools:
            backend = {"model": model, "tools": [function(t) for t in ask.tools]}
            session["delegation"] = {"type": "responses", "responses": backend}
        return [{"type": "session.start", "session": session}]

    def greet(self, event: Body, ask: Ask) -> list[Body] | None:
        if event["type"] == "error":
            raise SoundflowError(f"{self._address.name}: {refusal(event)}")
        return None if event["type"] == "session.started" else []

    def audio(self, data: str) -> Body:
        return {"type": "session.input_audio.append", "audio": data}

    def goodbye(self) -> list[Body]:
        return [{"type": "session.close"}]

    def take(self, event: Body, t: float, now: float) -> Sequence[Event | Began]:
        kind = event["type"]
        try:
            if kind in ("session.output_transcript.delta", "session.output_audio.delta"):
                self._output_at = now
                return self._output(event.get("delta", "") if "transcript" in kind else "", t)
            if kind == "session.input_transcript.delta":
                self._words_at = now
                return self._heard(event["delta"], event["start_ms"] / 1000, event["end_ms"] / 1000, t)
            if kind == "session.delegation.created":
                return [Began(act=True)]
            if kind == "session.delegation.function_call":
                return [action(event, t)]
            if kind == "response.event":
                inner = event["event"]
                if inner["type"] == "response.output_item.done" and inner["item"]["type"] == "function_call":
                    return [action(inner["item"], t)]
            if kind == "error":
                return [ErrorEvent(t=t, code="server", message=refusal(event))]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SoundflowError(
                f"{self._address.name}: {kind} with its published fields was expected ({error!r})"
            ) from error
        return ()

    def _output(self, delta: str, t: float) -> list[Event | Began]:
        events: list[Event | Began] = []
        if not self._reply:
            self._count += 1
            self._reply, self._text = f"r{self._count}", ""
            events += [Began(), ReplyStarted(t=t, id=self._reply)]
        if delta:
            self._text += delta
            events.append(ReplyDelta(t=t, id=self._reply, text=delta))
        return events

    def _heard(self, delta: str, start: float, end: float, t: float) -> list[Event]:
        closed = self._close_words(t) if self._words and start > self._span[1] + QUIET_S else []
        self._span = (self._span[0] if self._words else start, end)
        self._words += delta
        return [*closed, Transcript(t=t, text=self._words.strip(), final=False, start=self._span[0], end=end)]

    def _close_words(self, t: float) -> list[Event]:
        text, self._words = self._words.strip(), ""
        return [Transcript(t=t, text=text, final=True, start=self._span[0], end=self._span[1])] if text else []

    def idle(self, t: float, now: float) -> Sequence[Event | Began]:
        events: list[Event | Began] = []
        if self._reply and now - self._output_at >= QUIET_S:
            events.append(ReplyDone(t=t, id=self._reply, text=self._text.strip()))
            self._reply = ""
        if self._words and now - self._words_at >= QUIET_S:
            events += self._close_words(t)
        return events
