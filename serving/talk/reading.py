"""Server events of the Realtime wire -> the events of docs/events.md, so that both commands print the same."""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final

from soundflow.errors import DataError
from soundflow.events import (
    Action,
    DecisionEvent,
    ErrorEvent,
    Event,
    NoteEvent,
    ReplyCancelled,
    ReplyDelta,
    ReplyDone,
    ReplyStarted,
    SoundEvent,
    SpeechStarted,
    SpeechStopped,
    Transcript,
)

MAX_OPEN: Final = 16
"""Replies, and stretches of speech, that are followed at once."""
MAX_TEXT: Final = 32_768
HARMLESS: Final = frozenset(
    {"response_cancel_not_active", "item_truncate_invalid_item_id", "conversation_already_has_active_response"}
)
"""Races that mean nothing to a person: a reply was over when it was stopped, or is of the socket before."""


@dataclass(slots=True)
class _Reply:
    text: str = ""
    started: bool = False


@dataclass(slots=True)
class Reader:
    """Follows one session. `t`: s of audio that the server has heard. `active`: a response is open."""

    t: float = 0.0
    _replies: OrderedDict[str, _Reply] = field(default_factory=OrderedDict)
    _words: OrderedDict[str, str] = field(default_factory=OrderedDict)
    _speech_from: float = 0.0

    @property
    def active(self) -> bool:
        return bool(self._replies)

    def feed(self, event: dict[str, Any]) -> list[Event]:
        """What one server event says; nothing for those that say nothing to a listener.

        Raises:
            DataError: a known event without a field that it must have, or with one of the wrong type.
        """
        act = _EVENTS.get(str(event.get("type")))
        if act is None:
            return []
        try:
            found: list[Event] = act(self, event)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            cause = f"{type(error).__name__}: {error}"
            raise DataError(f"the server sent {event['type']!r:.80} that cannot be read ({cause:.120})") from error
        return found

    def lost(self) -> list[Event]:
        """The socket is gone: what was being said will not be finished."""
        cut: list[Event] = [
            ReplyCancelled(t=self.t, id=name, text=reply.text, reason="connection_lost")
            for name, reply in self._replies.items()
            if reply.started
        ]
        self._replies.clear()
        return cut

    def fresh(self) -> None:
        """Another session: its clock begins at 0."""
        self.t = self._speech_from = 0.0
        self._words.clear()

    def _clock(self, event: dict[str, Any]) -> None:
        self.t = max(self.t, float(event["audio_ms"]) / 1000)

    def _decision(self, event: dict[str, Any]) -> list[Event]:
        self._clock(event)
        p = {str(row["value"]): float(row["probability"]) for row in event["probabilities"]}
        kind, chunk = str(event["decision"]), int(event["chunk_index"])
        return [DecisionEvent(t=self.t, decision=kind, p=p, chunk=chunk)]

    def _heard(self, event: dict[str, Any]) -> list[Event]:
        self._clock(event)
        return []

    def _sound(self, event: dict[str, Any]) -> list[Event]:
        end = event.get("offset_ms")
        onset, p = float(event["onset_ms"]) / 1000, float(event["probability"])
        offset = None if end is None else float(end) / 1000
        return [SoundEvent(t=self.t, label=str(event["label"]), p=p, onset=onset, offset=offset)]

    def _speech_started(self, event: dict[str, Any]) -> list[Event]:
        self._speech_from = float(event["audio_start_ms"]) / 1000
        return [SpeechStarted(t=self.t, start=self._speech_from)]

    def _speech_stopped(self, event: dict[str, Any]) -> list[Event]:
        return [SpeechStopped(t=self.t, end=float(event["audio_end_ms"]) / 1000)]

    def _partial(self, event: dict[str, Any]) -> list[Event]:
        item = str(event["item_id"])
        text = (self._words.get(item, "") + str(event.get("delta") or ""))[:MAX_TEXT]
        self._words[item] = text
        _bound(self._words)
        stable = len(text.split())
        return [Transcript(t=self.t, text=text, final=False, start=self._speech_from, end=self.t, stable=stable)]

    def _final(self, event: dict[str, Any]) -> list[Event]:
        self._words.pop(str(event["item_id"]), None)
        text = str(event.get("transcript") or "").strip()
        start = min(self._speech_from, self.t)
        return [Transcript(t=self.t, text=text, final=True, start=start, end=self.t)] if text else []

    def _created(self, event: dict[str, Any]) -> list[Event]:
        self._replies.setdefault(str(event["response"]["id"]), _Reply())
        _bound(self._replies)
        return []

    def _text(self, event: dict[str, Any]) -> list[Event]:
        name, delta = str(event["response_id"]), str(event["delta"])
        reply = self._replies.setdefault(name, _Reply())
        _bound(self._replies)
        reply.text = (reply.text + delta)[:MAX_TEXT]
        begun: list[Event] = [] if reply.started else [ReplyStarted(t=self.t, id=name)]
        reply.started = True
        return [*begun, ReplyDelta(t=self.t, id=name, text=delta)]

    def _done(self, event: dict[str, Any]) -> list[Event]:
        response = event["response"]
        name, status = str(response["id"]), response["status"]
        reply = self._replies.pop(name, _Reply())
        details = response.get("status_details") or {}
        if status == "failed":
            error = details.get("error") or {}
            message = str(error.get("message") or "the reply could not be made")
            return [ErrorEvent(t=self.t, code=str(error.get("code") or "reply_failed"), message=message)]
        if not reply.started:
            return []
        if status == "completed":
            return [ReplyDone(t=self.t, id=name, text=reply.text)]
        reason = "barge_in" if details.get("reason") == "turn_detected" else "cancelled"
        return [ReplyCancelled(t=self.t, id=name, text=reply.text, reason=reason)]

    def _item(self, event: dict[str, Any]) -> list[Event]:
        item = event["item"]
        if item["type"] != "function_call":
            return []
        arguments = json.loads(item["arguments"] or "{}")
        if not isinstance(arguments, dict):
            raise TypeError("arguments are no object")
        return [Action(t=self.t, name=str(item["name"]), arguments=arguments, confirm=item.get("confirm") is True)]

    def _notice(self, event: dict[str, Any]) -> list[Event]:
        return [NoteEvent(t=self.t, text=f"{event['code']}: {event['message']}")]

    def _error(self, event: dict[str, Any]) -> list[Event]:
        error = event["error"]
        code, message = str(error.get("code") or error.get("type")), str(error["message"])
        return [] if code in HARMLESS else [ErrorEvent(t=self.t, code=code, message=message)]


def _bound(held: OrderedDict[str, Any]) -> None:
    while len(held) > MAX_OPEN:
        held.popitem(last=False)


_SAID = "conversation.item.input_audio_transcription"
_EVENTS: Final[dict[str, Any]] = {
    "response.listen": Reader._decision,
    "response.speak": Reader._decision,
    "overlap.decision": Reader._decision,
    "input_audio_buffer.heard": Reader._heard,
    "conversation.item.sound_detection": Reader._sound,
    "input_audio_buffer.speech_started": Reader._speech_started,
    "input_audio_buffer.speech_stopped": Reader._speech_stopped,
    f"{_SAID}.delta": Reader._partial,
    f"{_SAID}.completed": Reader._final,
    "response.created": Reader._created,
    "response.output_audio_transcript.delta": Reader._text,
    "response.output_text.delta": Reader._text,
    "response.done": Reader._done,
    "response.output_item.done": Reader._item,
    "session.notice": Reader._notice,
    "error": Reader._error,
}
