"""The stock `openai` client, unmodified."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import numpy as np
import openai
import pytest
import websockets

from tests.serving.realtime.served import b64, served, silence, tone

LIGHT = {
    "type": "function",
    "name": "set_light",
    "description": "Turn the light on or off.",
    "parameters": {
        "type": "object",
        "properties": {"state": {"type": "string", "enum": ["on", "off"]}},
        "required": ["state"],
    },
}


async def until(connection: Any, kind: str) -> list[Any]:
    events = []
    async with asyncio.timeout(6):
        async for event in connection:
            events.append(event)
            assert event.type != "error", event
            if event.type == kind:
                return events
    raise AssertionError(f"no {kind}")


def test_a_sound_is_told_of_in_order_with_paced_audio() -> None:
    async def scene() -> None:
        async with served() as s, s.client().realtime.connect(model="anything") as c:
            created = await c.recv()
            assert (created.type, created.session.model) == ("session.created", "anything")
            await c.session.update(
                session={"type": "realtime", "instructions": "Be brief.", "output_modalities": ["audio"]}
            )
            assert (await c.recv()).session.instructions == "Be brief."
            assert s.engine.handles[0].spec.instruction == "Be brief."
            began = asyncio.get_running_loop().time()
            await c.input_audio_buffer.append(audio=b64(silence(0.4) + tone(0.8)))
            events = await until(c, "response.done")
            took = asyncio.get_running_loop().time() - began
        kinds = list(dict.fromkeys(e.type for e in events))
        assert kinds == [
            "response.created",
            "response.output_item.added",
            "conversation.item.added",
            "response.content_part.added",
            "response.output_audio_transcript.delta",
            "response.output_audio.delta",
            "response.output_audio.done",
            "response.output_audio_transcript.done",
            "response.content_part.done",
            "response.output_item.done",
            "conversation.item.done",
            "response.done",
        ]
        assert events[0].response.status == "in_progress"
        assert events[-1].response.status == "completed"
        assert events[-1].response.output[0].content[0].transcript == "I hear a smoke alarm."
        audio = b"".join(base64.b64decode(e.delta) for e in events if e.type == "response.output_audio.delta")
        assert abs(len(audio) / 48_000 - 1.0) < 0.002
        assert abs(np.frombuffer(audio, "<i2")[2000:20_000].mean() / 32768 - 0.25) < 0.01
        assert 0.5 < took < 2.0
        heard = np.concatenate(s.engine.handles[0].pushed)
        assert abs(len(heard) / 16_000 - 1.2) < 0.1

    asyncio.run(scene())


def test_typed_text_is_answered_in_text() -> None:
    async def scene() -> None:
        async with served() as s, s.client().realtime.connect(model="m") as c:
            await c.recv()
            await c.session.update(session={"type": "realtime", "output_modalities": ["text"]})
            assert (await c.recv()).session.output_modalities == ["text"]
            assert not s.engine.handles[0].spec.speak
            part = {"type": "input_text", "text": "hello"}
            await c.conversation.item.create(item={"type": "message", "role": "user", "content": [part]})
            await until(c, "conversation.item.done")
            await c.response.create(response={"metadata": {"client_event_id": "abc"}})
            events = await until(c, "response.done")
        assert [e.type for e in events] == [
            "response.created",
            "response.output_item.added",
            "conversation.item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "conversation.item.done",
            "response.done",
        ]
        assert events[0].response.metadata == events[-1].response.metadata == {"client_event_id": "abc"}
        assert events[-1].response.output[0].content[0].text == "You said hello"

    asyncio.run(scene())


def test_a_function_call_goes_round() -> None:
    async def scene() -> None:
        async with served() as s, s.client().realtime.connect(model="m") as c:
            await c.recv()
            await c.session.update(session={"type": "realtime", "tools": [LIGHT], "tool_choice": "auto"})
            await c.recv()
            handle = s.engine.handles[0]
            handle.hear("turn on the light")
            events = await until(c, "response.done")
            (call,) = events[-1].response.output
            assert (call.type, call.name, call.arguments, call.confirm) == (
                "function_call",
                "set_light",
                '{"state": "on"}',
                False,
            )
            kinds = [e.type for e in events]
            for a, b in (
                ("response.created", "response.output_item.added"),
                ("conversation.item.added", "response.function_call_arguments.delta"),
                ("response.function_call_arguments.done", "response.output_item.done"),
            ):
                assert kinds.index(a) < kinds.index(b)
            out = {"type": "function_call_output", "call_id": call.call_id, "output": '{"ok": true}'}
            await c.conversation.item.create(item=out)
            await until(c, "conversation.item.done")
            assert handle.results == []
            await c.response.create()
            events = await until(c, "response.done")
            assert events[-1].response.output[0].content[0].transcript == "Done."
            assert handle.results == [(call.call_id, '{"ok": true}')]

    asyncio.run(scene())


def test_transcription_session_over_g711() -> None:
    async def scene() -> None:
        async with served() as s, s.client().realtime.connect(extra_query={"intent": "transcription"}) as c:
            assert (await c.recv()).session.type == "transcription"
            listen = {"format": {"type": "audio/pcmu"}, "transcription": {"model": "any"}, "turn_detection": None}
            await c.session.update(session={"type": "transcription", "audio": {"input": listen}})
            updated = await c.recv()
            assert (updated.session.type, updated.session.audio.input.format.type) == ("transcription", "audio/pcmu")
            handle = s.engine.handles[0]
            assert not handle.spec.decide
            await c.input_audio_buffer.append(audio=b64(b"\xff" * 8000))
            await c.input_audio_buffer.commit()
            events = await until(c, "conversation.item.input_audio_transcription.completed")
            assert [e.type for e in events] == [
                "input_audio_buffer.committed",
                "conversation.item.added",
                "conversation.item.done",
                "conversation.item.input_audio_transcription.delta",
                "conversation.item.input_audio_transcription.completed",
            ]
            assert events[-1].transcript == "hello there"
            assert len({e.item_id for e in events if hasattr(e, "item_id")}) == 1
            assert abs(sum(map(len, handle.pushed)) / 16_000 - 1.2) < 0.01
            await c.response.create()
            assert (await c.recv()).error.code == "invalid_event"

    asyncio.run(scene())


def test_a_wrong_token_and_a_full_server_are_refused_by_http_status() -> None:
    async def scene() -> None:
        async with served() as s:
            with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
                async with s.client(api_key="bad", max_retries=0).realtime.connect(model="m"):
                    pass
            assert refused.value.response.status_code == 401
            assert b"bad_token" in refused.value.response.body
            s.guard.most = 0
            with pytest.raises((websockets.exceptions.InvalidStatus, openai.APIError)) as full:
                async with s.client(max_retries=0).realtime.connect(model="m"):
                    pass
            assert full.value.response.status_code == 429
            s.guard.most, s.engine.limit = 10, 0
            with pytest.raises(websockets.exceptions.InvalidStatus) as full:
                async with s.client(max_retries=0).realtime.connect(model="m"):
                    pass
            assert full.value.response.status_code == 503
            assert s.guard.held == 0

    asyncio.run(scene())
