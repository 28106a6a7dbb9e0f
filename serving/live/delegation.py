"""Calls of the model as Live's delegations: to the client, or as events of a Responses backend that is the client's.

A client answers by `session.commentary.append` (told) or `session.thinking.append` (kept silent) with the delegation's
id, or by `response.item.create` with a `function_call_output` and then `response.create`.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from serving.handle import Call, Handle
from serving.realtime.conversation import Item, parse_item
from serving.realtime.errors import Invalid

MAX_OPEN: Final = 64
Emit = Callable[..., None]


class Delegations:
    """The calls of one session that wait for their outcome; the oldest are forgotten first."""

    def __init__(self, handle: Handle, emit: Emit) -> None:
        self._handle, self._emit = handle, emit
        self._open: OrderedDict[str, str] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._results: list[tuple[str, str]] = []
        self._typed: list[str] = []

    def call(self, call: Call, target: str, offset_ms: int) -> None:
        """The model calls a function."""
        delegation = f"dlg_{secrets.token_hex(10)}"
        self._open[delegation] = call.id
        self._known[delegation] = None
        for book in (self._open, self._known):
            if len(book) > MAX_OPEN:
                book.popitem(last=False)
        response = f"resp_{secrets.token_hex(10)}" if target == "responses" else None
        about = {"id": delegation, "target": target, "type": "delegation"}
        about |= {"response_id": response} if response else {}
        self._emit("session.delegation.created", delegation=about, offset_ms=offset_ms)
        if response is None:
            self._emit(
                "session.delegation.function_call",
                delegation_id=delegation,
                call_id=call.id,
                name=call.name,
                arguments=call.arguments,
                confirm=call.confirm,
            )
            return
        item = {
            "id": f"fc_{secrets.token_hex(10)}",
            "type": "function_call",
            "status": "completed",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
            "confirm": call.confirm,
        }
        self._response_event(delegation, "response.created", response)
        self._event(delegation, {"type": "response.output_item.done", "output_index": 0, "item": item})
        self._response_event(delegation, "response.completed", response, [item])

    def answer(self, delegation: str, text: str, speak: bool) -> bool:
        """The outcome of a client's delegation -> whether it was still open. Raises Invalid for an unknown id."""
        if delegation not in self._known:
            raise Invalid("delegation_id: there is no such delegation", "invalid_delegation_id", "delegation_id")
        call_id = self._open.pop(delegation, None)
        if call_id is None:
            return False
        self._handle.tool_result(call_id, text, speak=speak)
        return True

    def add_item(self, body: Any) -> None:
        """response.item.create: the outcome of a call, or typed text; told at `response.create`."""
        item = parse_item(body, f"item_{secrets.token_hex(10)}")
        if item["type"] == "function_call_output":
            found = next((d for d, c in self._open.items() if c == item["call_id"]), None)
            if found is None:
                raise Invalid("item.call_id: no open call has this id", "invalid_call_id", "item.call_id")
            del self._open[found]
            self._results.append((item["call_id"], item["output"]))
        elif item.get("role") == "user":
            self._typed = [*self._typed, Item(item).text][-MAX_OPEN:]

    def create(self) -> None:
        """response.create: tell of the outcomes, or answer what was typed."""
        results, typed = self._results, "\n".join(t for t in self._typed if t)
        self._results, self._typed = [], []
        if not results and not typed:
            raise Invalid("there is no outcome of a call and no text to answer", "nothing_to_answer")
        response = f"resp_{secrets.token_hex(10)}"
        self._response_event(None, "response.created", response)
        for i, (call_id, output) in enumerate(results):
            self._handle.tool_result(call_id, output, speak=not typed and i == len(results) - 1)
        if typed:
            self._handle.respond(typed)
        self._response_event(None, "response.completed", response)

    def _response_event(
        self, delegation: str | None, kind: str, response: str, output: list[dict[str, Any]] | None = None
    ) -> None:
        status = "completed" if kind.endswith("completed") else "in_progress"
        body = {"id": response, "object": "response", "status": status, "output": output or [], "usage": None}
        self._event(delegation, {"type": kind, "response": body})

    def _event(self, delegation: str | None, event: dict[str, Any]) -> None:
        self._emit("response.event", delegation_id=delegation, event=event)
