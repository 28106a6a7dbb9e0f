"""What each client event of the Realtime wire does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from openai.types.realtime import RealtimeResponseCreateParams

from serving.realtime.conversation import Item, parse_item
from serving.realtime.errors import Invalid, check, text_of
from serving.realtime.response import MAX_METADATA
from soundflow.errors import SoundflowError

if TYPE_CHECKING:
    from serving.realtime.session import RealtimeSession

MIN_COMMIT_S: Final = 0.1


async def run(session: RealtimeSession, body: dict[str, Any]) -> None:
    """Do what the event says. Raises Invalid or a SoundflowError: an `error` event follows, the session goes on."""
    command = COMMANDS.get(body["type"])
    if command is None:
        raise Invalid(f"type: {body['type']!r:.80} is no client event of this server", "unknown_event", "type")
    result = command(session, body)
    if result is not None:
        await result


def update(session: RealtimeSession, body: dict[str, Any]) -> None:
    session.update(body.get("session"))


async def append(session: RealtimeSession, body: dict[str, Any]) -> None:
    session.uncommitted_s += await session.feed.append(body.get("audio"))


def commit(session: RealtimeSession, body: dict[str, Any]) -> None:
    if session.uncommitted_s < MIN_COMMIT_S:
        raise Invalid(
            f"the buffer has {session.uncommitted_s * 1000:.0f} ms of audio, at least {MIN_COMMIT_S * 1000:.0f} ms "
            "were expected",
            "input_audio_buffer_commit_empty",
        )
    session.turns.commit(session.feed.pushed_s, session.clock())
    session.uncommitted_s = 0.0
    if not session.turns.server:
        session.feed.pad()
    session.when_heard(session.close_stretch)


def clear(session: RealtimeSession, body: dict[str, Any]) -> None:
    session.handle.clear()
    session.feed.cleared()
    session.turns.forget()
    session.uncommitted_s = 0.0
    session.emit("input_audio_buffer.cleared")


def item_create(session: RealtimeSession, body: dict[str, Any]) -> None:
    from serving.realtime.session import new_id

    item = Item(parse_item(body.get("item"), new_id("item")))
    after = body.get("previous_item_id")
    if after is not None and not isinstance(after, str):
        raise Invalid("previous_item_id: text or null was expected", "invalid_type", "previous_item_id")
    before = session.conversation.add(item, after)
    if item.body.get("role") == "system":
        try:
            session.respec()
        except (Invalid, SoundflowError):
            session.conversation.remove(item.id)
            raise
    if item.body["type"] == "function_call_output":
        session.add_result(item.body["call_id"], item.body["output"])
    session.emit("conversation.item.added", item=item.body, previous_item_id=before)
    session.emit("conversation.item.done", item=item.body, previous_item_id=before)


def item_retrieve(session: RealtimeSession, body: dict[str, Any]) -> None:
    item = session.conversation.get(body.get("item_id"))
    if item is None:
        raise Invalid("item_id: there is no such item", "item_retrieve_invalid_item_id", "item_id")
    session.emit("conversation.item.retrieved", item=item.body)


def item_delete(session: RealtimeSession, body: dict[str, Any]) -> None:
    item = session.conversation.remove(text_of(body, "item_id", 512))
    if item.body.get("role") == "system":
        session.respec()
    session.emit("conversation.item.deleted", item_id=item.id)


def item_truncate(session: RealtimeSession, body: dict[str, Any]) -> None:
    """What was not heard is taken out; an end behind the audio's own is that end."""
    item = session.conversation.get(text_of(body, "item_id", 512))
    if item is None or item.body.get("role") != "assistant":
        raise Invalid("item_id: no message of the assistant has this id", "item_truncate_invalid_item_id", "item_id")
    index, end = body.get("content_index", 0), body.get("audio_end_ms")
    if isinstance(index, bool) or index != 0:
        raise Invalid("content_index: 0 was expected", "invalid_value", "content_index")
    if isinstance(end, bool) or not isinstance(end, int | float) or end < 0:
        raise Invalid("audio_end_ms: a number of milliseconds was expected", "invalid_value", "audio_end_ms")
    if item.reply:
        end = min(int(end), round(session.pacer.sent_ms(item.reply)))
        session.responder.cut(item.reply, end)
    session.emit("conversation.item.truncated", item_id=item.id, content_index=0, audio_end_ms=int(end))


def response_create(session: RealtimeSession, body: dict[str, Any]) -> None:
    """Answer what was typed, the outcome of a call, what was said last; or, alone, the instructions."""
    if session.settings.kind == "transcription":
        raise Invalid("type: a transcription session gives no responses", "invalid_event", "type")
    params = _params(body.get("response"))
    if session.responder.active is not None:
        raise Invalid(
            f"a response ({session.responder.active.id}) is active; wait for response.done or cancel it",
            "conversation_already_has_active_response",
        )
    changes = _changes(session, params)
    spoke = session.conversation.unanswered_speech() or session.turns.waits
    text = _input_text(params) or session.conversation.typed()
    told = bool(session.results)
    instructions = params.get("instructions") or ""
    own = str(session.settings.body.get("instructions") or "")
    extra = instructions.removeprefix(own).strip()
    if extra and (text or told or spoke):
        changes["instruction"] = instructions[:16_384]
    if changes:
        session.respond_with(session.respeak(**changes))
    session.responder.ask(params)
    if session.flush_results(speak=not text):
        return
    if text:
        session.handle.respond(text)
    elif extra and not spoke:
        session.handle.respond(extra)
    else:
        session.when_heard(session.answer)


def _params(params: Any) -> dict[str, Any]:
    if params is None:
        return {}
    if not isinstance(params, dict):
        raise Invalid("response: an object was expected", "invalid_type", "response")
    view = {k: v for k, v in params.items() if k not in ("tools", "input")}
    check(RealtimeResponseCreateParams, view, "response")
    metadata = params.get("metadata")
    if metadata is not None and (
        len(metadata) > MAX_METADATA or any(len(k) > 64 or len(v) > 512 for k, v in metadata.items())
    ):
        raise Invalid(f"response.metadata: at most {MAX_METADATA} short texts were expected", param="response.metadata")
    return params


def _input_text(params: dict[str, Any]) -> str:
    """The user's text in `response.input`."""
    listed = params.get("input")
    if listed is None:
        return ""
    if not isinstance(listed, list) or len(listed) > 64:
        raise Invalid("response.input: a list of at most 64 items was expected", "invalid_type", "response.input")
    listed = [i for i in listed if not (isinstance(i, dict) and i.get("type") == "item_reference")]
    items = [Item(parse_item(item, "input")) for item in listed]
    return "\n".join(i.text for i in items if i.body.get("role") == "user")[:32_768]


def _changes(session: RealtimeSession, params: dict[str, Any]) -> dict[str, Any]:
    """Where this response is asked for in another way than the session's."""
    changes: dict[str, Any] = {}
    if params.get("tools") is not None or params.get("tool_choice") is not None:
        changes["tools"] = session.settings.tools(params.get("tools"), params.get("tool_choice"))
    if (modalities := params.get("output_modalities")) is not None:
        changes["speak"] = session.settings.voiced and modalities == ["audio"]
    return changes


def response_cancel(session: RealtimeSession, body: dict[str, Any]) -> None:
    active, wanted = session.responder.active, body.get("response_id")
    if active is None or (wanted is not None and wanted != active.id):
        raise Invalid("Cancellation failed: no active response found", "response_cancel_not_active")
    session.responder.cancel()


def output_clear(session: RealtimeSession, body: dict[str, Any]) -> None:
    active = session.responder.active
    if active is not None:
        session.emit("output_audio_buffer.cleared", response_id=active.id)
        session.responder.cancel()


Command = Callable[["RealtimeSession", dict[str, Any]], Awaitable[None] | None]
COMMANDS: Final[dict[str, Command]] = {
    "session.update": update,
    "input_audio_buffer.append": append,
    "input_audio_buffer.commit": commit,
    "input_audio_buffer.clear": clear,
    "output_audio_buffer.clear": output_clear,
    "conversation.item.create": item_create,
    "conversation.item.retrieve": item_retrieve,
    "conversation.item.truncate": item_truncate,
    "conversation.item.delete": item_delete,
    "response.create": response_create,
    "response.cancel": response_cancel,
}
