"""What the user said, as items: speech started and stopped, the buffer committed, the transcript in deltas and whole.

The engine closes a stretch of speech and says its words a little later, so several items may wait for theirs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from serving.realtime.conversation import Conversation, Item
from soundflow.events import SpeechStarted, SpeechStopped, Transcript

MAX_WAITING: Final = 8
NO_WORDS_S: Final = 3.0
"""Audio heard after the end of a stretch of speech; when its words have not come by then, there are none."""
COMMIT_WAIT_S: Final = 1.5
"""The same for a client's commit, by the clock, once the engine has closed the stretch."""
GIVE_UP_S: Final = 20.0
"""By the clock, in any case."""
SLACK_S: Final = 0.5

Emit = Callable[..., None]


@dataclass(slots=True)
class _Turn:
    """An item that gets words. `end_s`: of its audio; None while it is spoken."""

    item_id: str
    start_s: float
    end_s: float | None = None
    text: str = ""
    told: str = ""
    started: bool = False
    by_client: bool = False
    committed_at: float = 0.0
    closed_at: float | None = None


class Turns:
    """One session's input. `server`: the engine's voice activity makes the turns; else the client's commits do.

    Args:
        emit: sends an event (type, fields).
        new_id: the id of a new item.
    """

    def __init__(self, conversation: Conversation, emit: Emit, new_id: Callable[[], str], server: bool = True) -> None:
        self.server, self.transcribes = server, True
        self._conversation, self._emit, self._new_id = conversation, emit, new_id
        self._waiting: deque[_Turn] = deque()
        self._open: _Turn | None = None

    @property
    def waits(self) -> bool:
        """Whether a client's commit waits for its words."""
        return any(t.by_client for t in self._waiting)

    def started(self, event: SpeechStarted) -> None:
        if self._open is None:
            self._open = _Turn(self._new_id(), event.start)
        first, self._open.started = not self._open.started, True
        if self.server and first:
            self._emit("input_audio_buffer.speech_started", audio_start_ms=_ms(event.start), item_id=self._open.item_id)

    def stopped(self, event: SpeechStopped, now: float) -> None:
        turn = self._open
        if turn is None:
            return
        turn.end_s = event.end
        if not self.server:
            return
        self._emit("input_audio_buffer.speech_stopped", audio_end_ms=_ms(event.end), item_id=turn.item_id)
        self._commit(turn, now)

    def commit(self, end_s: float, now: float) -> None:
        """The client closes its turn at `end_s` of pushed audio."""
        turn = self._open or _Turn(self._new_id(), end_s)
        if self.server and turn.started:
            self._emit("input_audio_buffer.speech_stopped", audio_end_ms=_ms(end_s), item_id=turn.item_id)
        turn.end_s, turn.by_client = end_s, True
        self._commit(turn, now)

    def closed(self, now: float) -> None:
        """The engine has heard the first commit that waits and was told to close the stretch: its words come next."""
        turn = next((t for t in self._waiting if t.by_client and t.closed_at is None), None)
        if turn is not None:
            turn.closed_at = now

    def _commit(self, turn: _Turn, now: float) -> None:
        self._open, turn.committed_at = None, now
        body = {
            "id": turn.item_id,
            "object": "realtime.item",
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_audio", "transcript": None}],
        }
        before = self._conversation.add(Item(body))
        self._emit("input_audio_buffer.committed", item_id=turn.item_id, previous_item_id=before)
        self._emit("conversation.item.added", item=body, previous_item_id=before)
        self._emit("conversation.item.done", item=body, previous_item_id=before)
        self._waiting.append(turn)
        if len(self._waiting) > MAX_WAITING:
            self._settle(self._waiting[0])
        elif turn.text and not turn.by_client:
            self._settle(turn)

    def transcript(self, event: Transcript, now: float) -> None:
        """Words of a stretch of speech, partial or whole."""
        turn = self._owner(event)
        if turn is None:
            turn = self._open = _Turn(self._new_id(), event.start)
        if not event.final:
            words = event.text.split()[: event.stable]
            self._tell(turn, " ".join([turn.text, *words] if turn.text else words))
            return
        turn.text = f"{turn.text} {event.text}".strip()
        if turn in self._waiting:
            if not turn.by_client or turn.closed_at is not None:
                self._settle(turn)
        elif self.server and not turn.started:
            turn.end_s = event.end
            self._commit(turn, now)

    def tick(self, now: float, heard_s: float) -> None:
        """Give up on words that do not come: nobody spoke, or it was no speech."""
        for turn in list(self._waiting):
            since, end_s = now - turn.committed_at, turn.end_s or 0.0
            if turn.by_client:
                none = turn.closed_at is not None and now - turn.closed_at >= COMMIT_WAIT_S
            else:
                none = heard_s >= end_s + NO_WORDS_S
            if none or since >= GIVE_UP_S:
                self._settle(turn)

    def forget(self) -> None:
        """The client cleared its buffer; where the server makes the turns, its open one goes on."""
        if not self.server:
            self._open = None

    def _owner(self, event: Transcript) -> _Turn | None:
        for turn in self._waiting:
            end = turn.end_s if turn.end_s is not None else float("inf")
            if turn.by_client or (event.start <= end + SLACK_S and event.end >= turn.start_s - SLACK_S):
                return turn
        return self._open

    def _tell(self, turn: _Turn, text: str) -> None:
        if not self.transcribes or len(text) <= len(turn.told) or not text.startswith(turn.told):
            return
        delta, turn.told = text[len(turn.told) :], text
        kind = "conversation.item.input_audio_transcription.delta"
        self._emit(kind, item_id=turn.item_id, content_index=0, delta=delta)

    def _settle(self, turn: _Turn) -> None:
        self._waiting.remove(turn)
        item = self._conversation.get(turn.item_id)
        if item is not None and item.body.get("content"):
            item.body["content"] = [{**item.body["content"][0], "transcript": turn.text}]
        if not self.transcribes:
            return
        self._tell(turn, turn.text)
        usage: dict[str, Any] = {"type": "duration", "seconds": max((turn.end_s or 0.0) - turn.start_s, 0.0)}
        kind = "conversation.item.input_audio_transcription.completed"
        self._emit(kind, item_id=turn.item_id, content_index=0, transcript=turn.text, usage=usage)


def _ms(seconds: float) -> int:
    return max(round(seconds * 1000), 0)
