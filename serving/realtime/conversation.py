"""The items of one Realtime conversation, in order. Bounded: the oldest fall out; the engine keeps its own memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from openai.types.realtime import (
    RealtimeConversationItemAssistantMessage,
    RealtimeConversationItemFunctionCall,
    RealtimeConversationItemFunctionCallOutput,
    RealtimeConversationItemSystemMessage,
    RealtimeConversationItemUserMessage,
)
from pydantic import BaseModel

from serving.realtime.errors import Invalid, check

MAX_ITEMS: Final = 256
MAX_TEXT: Final = 32_768
"""Characters of text in one item."""
MAX_ID: Final = 128
_ROLES: Final[dict[str, type[BaseModel]]] = {
    "user": RealtimeConversationItemUserMessage,
    "assistant": RealtimeConversationItemAssistantMessage,
    "system": RealtimeConversationItemSystemMessage,
}


@dataclass(slots=True)
class Item:
    """One item: `body` as clients see it. `reply` of the engine for what was said, `answered` once a response took it
    in.
    """

    body: dict[str, Any]
    reply: str = ""
    answered: bool = False

    @property
    def id(self) -> str:
        return str(self.body["id"])

    @property
    def text(self) -> str:
        """All text of a message."""
        parts = self.body.get("content") or ()
        return "\n".join(t for p in parts if (t := p.get("text") or p.get("transcript")))


@dataclass(slots=True)
class Conversation:
    _items: dict[str, Item] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Item]:
        return iter(list(self._items.values()))

    def __len__(self) -> int:
        return len(self._items)

    def get(self, item_id: Any) -> Item | None:
        return self._items.get(item_id) if isinstance(item_id, str) else None

    def add(self, item: Item, after: str | None = None) -> str | None:
        """Put an item at the end, behind `after`, or first (`root`) -> the id of the one before it.

        Raises:
            Invalid: the id is taken, or there is no `after`.
        """
        if item.id in self._items:
            raise Invalid("item.id: an item with this id is there already", "item_create_duplicate_item_id", "item.id")
        if after is not None and after != "root" and after not in self._items:
            raise Invalid(
                "previous_item_id: there is no such item", "item_create_invalid_previous_item_id", "previous_item_id"
            )
        while len(self._items) >= MAX_ITEMS:
            del self._items[next(k for k in self._items if k != after)]
        ids = list(self._items)
        at = len(ids) if after is None else 0 if after == "root" else ids.index(after) + 1
        if at == len(ids):
            self._items[item.id] = item
        else:
            rest = [self._items.pop(i) for i in ids[at:]]
            self._items[item.id] = item
            self._items.update((r.id, r) for r in rest)
        return ids[at - 1] if at else None

    def remove(self, item_id: str) -> Item:
        """Raises Invalid for an unknown id."""
        item = self._items.pop(item_id, None)
        if item is None:
            raise Invalid("item_id: there is no such item", "item_delete_invalid_item_id", "item_id")
        return item

    def before(self, item_id: str) -> str | None:
        """The id of the item before this one."""
        ids = list(self._items)
        at = ids.index(item_id)
        return ids[at - 1] if at else None

    def developer(self) -> str:
        """What system messages say, for the engine's instruction."""
        return "\n".join(i.text for i in self if i.body.get("role") == "system" and i.text)

    def unanswered_speech(self) -> bool:
        return any(_is_audio(i) and not i.answered for i in self)

    def typed(self) -> str:
        """Text that the user typed and nothing has answered yet; it is marked as answered."""
        found: list[str] = []
        for item in self:
            if item.body.get("role") == "assistant" and not item.reply:
                found.clear()
            elif item.body.get("role") == "user" and not item.answered and not _is_audio(item):
                found.append(item.text)
        for item in self:
            item.answered = True
        return "\n".join(t for t in found if t)[:MAX_TEXT]


def _is_audio(item: Item) -> bool:
    return any(p.get("type") == "input_audio" for p in item.body.get("content") or ())


def parse_item(body: Any, fresh_id: str) -> dict[str, Any]:
    """A client's item, checked, with an id, `object` and `status`.

    Raises:
        Invalid: another kind than a text message, function_call or function_call_output; or a wrong field.
    """
    if not isinstance(body, dict):
        raise Invalid("item: an object was expected", "invalid_type", "item")
    body = dict(body)
    if body.get("id") is None:
        body["id"] = fresh_id
    if not isinstance(body["id"], str) or not 0 < len(body["id"]) <= MAX_ID:
        raise Invalid(f"item.id: 1 to {MAX_ID} characters were expected", "invalid_value", "item.id")
    if body.get("status") is None:
        body["status"] = "completed"
    kind = body.get("type", "message")
    if kind == "message":
        out = _message(body)
    elif kind == "function_call":
        check(RealtimeConversationItemFunctionCall, body, "item")
        out = {k: body.get(k) for k in ("call_id", "name", "arguments")}
    elif kind == "function_call_output":
        check(RealtimeConversationItemFunctionCallOutput, body, "item")
        out = {k: body[k] for k in ("call_id", "output")}
    else:
        raise Invalid(
            f"item.type: message, function_call or function_call_output was expected, got {kind!r:.60}",
            param="item.type",
        )
    if sum(len(v) for v in out.values() if isinstance(v, str)) > MAX_TEXT:
        raise Invalid(f"item: at most {MAX_TEXT} characters were expected", "string_too_long", "item")
    head = {"id": body["id"], "object": "realtime.item", "type": kind, "status": body["status"]}
    return {**head, **out}


def _message(body: dict[str, Any]) -> dict[str, Any]:
    role = body.get("role")
    role = "system" if role == "developer" else role
    if not isinstance(role, str) or role not in _ROLES:
        raise Invalid(f"item.role: user, assistant or system was expected, got {role!r:.60}", param="item.role")
    content = body.get("content")
    if not isinstance(content, list) or len(content) > 64 or not all(isinstance(p, dict) for p in content):
        raise Invalid("item.content: a list of at most 64 parts was expected", "invalid_type", "item.content")
    parts = []
    for i, part in enumerate(content):
        kind = part.get("type")
        if kind in ("text", "input_text", "output_text") and isinstance(part.get("text"), str):
            parts.append({"type": "output_text" if role == "assistant" else "input_text", "text": part["text"]})
        elif role == "assistant" and kind in ("audio", "output_audio"):
            parts.append({"type": "output_audio", "transcript": str(part.get("transcript") or "")})
        else:
            raise Invalid(
                f"item.content[{i}]: text was expected (audio comes by input_audio_buffer.append), got {kind!r:.60}",
                "invalid_value",
                f"item.content[{i}]",
            )
    out = {"role": role, "content": parts}
    check(_ROLES[role], {**out, "type": "message", "status": body["status"]}, "item")
    if sum(len(p.get("text", "")) + len(p.get("transcript", "")) for p in parts) > MAX_TEXT:
        raise Invalid(f"item: at most {MAX_TEXT} characters were expected", "string_too_long", "item.content")
    return out
