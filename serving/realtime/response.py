"""One response on the Realtime wire: its items and parts, and the order of its events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from serving.codec import encode_base64
from serving.handle import Call
from serving.realtime.conversation import Conversation, Item

Emit = Callable[..., None]
MAX_METADATA: Final = 16


@dataclass(slots=True)
class Response:
    """`reply` is the engine's id of the message in it; empty as long as the engine has not answered.

    spoken: audio with a transcript, else text. Events come out of `emit`; items go into the conversation.
    """

    id: str
    emit: Emit
    conversation: Conversation
    new_id: Callable[[], str]
    spoken: bool
    audio: dict[str, Any]
    metadata: dict[str, str] | None = None
    conversation_id: str | None = None
    reply: str = ""
    text: str = ""
    text_done: bool = False
    audio_done: bool = False
    sent_ms: float = 0.0
    finished: bool = False
    done_at: float = 0.0
    _output: list[Item] = field(default_factory=list)
    _message: Item | None = None
    _index: int = 0

    def create(self) -> None:
        self.emit("response.created", response=self._body("in_progress", None))

    @property
    def item_id(self) -> str:
        return self._message.id if self._message else ""

    def open_message(self, reply: str) -> None:
        """The engine begins to answer."""
        self.reply = reply
        body: dict[str, Any] = {
            "id": self.new_id(),
            "object": "realtime.item",
            "type": "message",
            "status": "in_progress",
            "role": "assistant",
            "content": [],
        }
        self._message = Item(body, reply=reply, answered=True)
        self._index = self._open_item(self._message)
        part = {"type": "audio", "transcript": ""} if self.spoken else {"type": "text", "text": ""}
        self._part("response.content_part.added", part=part)

    def delta(self, text: str) -> None:
        """The next words."""
        if not text:
            return
        self.text += text
        self._part(
            "response.output_audio_transcript.delta" if self.spoken else "response.output_text.delta", delta=text
        )

    def audio_delta(self, data: bytes, ms: float) -> None:
        """The next audio, in the output format."""
        self.sent_ms += ms
        self._part("response.output_audio.delta", delta=encode_base64(data))

    def call(self, call: Call) -> None:
        """A function call, whole."""
        body: dict[str, Any] = {
            "id": self.new_id(),
            "object": "realtime.item",
            "type": "function_call",
            "status": "in_progress",
            "call_id": call.id,
            "name": call.name,
            "arguments": "",
            "confirm": call.confirm,
        }
        item = Item(body, answered=True)
        at = self._open_item(item)
        place = {"response_id": self.id, "item_id": item.id, "output_index": at, "call_id": call.id}
        self.emit("response.function_call_arguments.delta", **place, delta=call.arguments)
        self.emit("response.function_call_arguments.done", **place, name=call.name, arguments=call.arguments)
        body.update(status="completed", arguments=call.arguments)
        self._close_item(item, at)

    def finish(self, status: str, reason: str | None = None, error: dict[str, str] | None = None) -> None:
        """End everything that is open, then the response. A second call does nothing."""
        if self.finished:
            return
        self.finished = True
        if self._message is not None:
            self._close_message("completed" if status == "completed" else "incomplete")
        details: dict[str, Any] | None = None
        if status != "completed":
            details = {"type": status}
            details |= {"reason": reason} if reason else {}
            details |= {"error": error} if error else {}
        self.emit("response.done", response=self._body(status, details))

    def _close_message(self, status: str) -> None:
        item = self._message
        assert item is not None
        if self.spoken:
            self._part("response.output_audio.done")
            self._part("response.output_audio_transcript.done", transcript=self.text)
            self._part("response.content_part.done", part={"type": "audio", "transcript": self.text})
            content = {"type": "output_audio", "transcript": self.text}
        else:
            self._part("response.output_text.done", text=self.text)
            self._part("response.content_part.done", part={"type": "text", "text": self.text})
            content = {"type": "output_text", "text": self.text}
        item.body.update(status=status, content=[content])
        self._close_item(item, self._index)

    def _open_item(self, item: Item) -> int:
        at = len(self._output)
        self._output.append(item)
        self.emit("response.output_item.added", response_id=self.id, output_index=at, item=item.body)
        before = self.conversation.add(item)
        self.emit("conversation.item.added", item=item.body, previous_item_id=before)
        return at

    def _close_item(self, item: Item, at: int) -> None:
        self.emit("response.output_item.done", response_id=self.id, output_index=at, item=item.body)
        if self.conversation.get(item.id) is not None:
            before = self.conversation.before(item.id)
            self.emit("conversation.item.done", item=item.body, previous_item_id=before)

    def _part(self, kind: str, **fields: Any) -> None:
        place = {"response_id": self.id, "item_id": self.item_id, "output_index": self._index, "content_index": 0}
        self.emit(kind, **place, **fields)

    def _body(self, status: str, details: dict[str, Any] | None) -> dict[str, Any]:
        body = {
            "id": self.id,
            "object": "realtime.response",
            "status": status,
            "status_details": details,
            "output": [i.body for i in self._output] if self.finished else [],
            "conversation_id": self.conversation_id,
            "output_modalities": ["audio" if self.spoken else "text"],
            "max_output_tokens": "inf",
            "metadata": self.metadata,
            "usage": None,
        }
        return {**body, "audio": {"output": self.audio}} if self.spoken else body
