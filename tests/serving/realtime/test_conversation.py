"""Scripts over a raw socket; every event is held against the SDK's types as it comes (`served.hold_against_sdk`)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest

from serving.handle import Notice
from soundflow.events import SpeechStarted, SpeechStopped, Transcript
from tests.serving.realtime.served import Served, Wire, b64, served, silence, tone

Script = Callable[[Wire, Served], Awaitable[None]]


def play(script: Script, path: str = "realtime?model=m") -> None:
    async def scene() -> None:
        async with served() as s, s.socket(path) as c:
            assert (await c.recv())["type"] == "session.created"
            await asyncio.wait_for(script(c, s), 8)

    asyncio.run(scene())


async def user_text(c: Wire, text: str, **fields: Any) -> dict[str, Any]:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}], **fields}
    await c.send("conversation.item.create", item=item)
    return await c.expect("conversation.item.added")


async def audio_deltas(c: Wire, n: int) -> dict[str, Any]:
    for _ in range(n):
        event = await c.expect("response.output_audio.delta")
    return event


def test_updates_merge_deep_and_null_is_not_absent() -> None:
    async def script(c: Wire, s: Served) -> None:
        semantic = {"type": "semantic_vad", "eagerness": "high"}
        await c.send("session.update", session={"audio": {"input": {"turn_detection": semantic}}})
        session = (await c.expect("session.updated"))["session"]
        assert session["audio"]["input"]["turn_detection"] == semantic
        assert session["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24_000}
        assert c.handle.spec.proactivity == 0.7
        await c.send("session.update", session={"type": "realtime", "model": "gpt-x", "instructions": "a"})
        await c.send("session.update", session={"type": "realtime", "audio": {"output": {"voice": "marin"}}})
        await c.expect("session.updated")
        session = (await c.expect("session.updated"))["session"]
        assert (session["instructions"], session["model"], session["audio"]["output"]["voice"]) == (
            "a",
            "gpt-x",
            "marin",
        )
        assert session["audio"]["input"]["turn_detection"] == semantic
        await c.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
        session = (await c.expect("session.updated"))["session"]
        assert session["audio"]["input"]["turn_detection"] is None
        assert c.handle.spec.manual
        vad = {"type": "server_vad", "create_response": False, "interrupt_response": False, "threshold": 0.4}
        await c.send(
            "session.update",
            session={"audio": {"input": {"turn_detection": vad, "noise_reduction": {"type": "near_field"}}}},
        )
        session = (await c.expect("session.updated"))["session"]
        assert session["audio"]["input"]["noise_reduction"] is None
        assert (c.handle.spec.manual, c.handle.spec.barge_in) == (True, False)
        await c.send("session.update", session={"soundflow": {"proactivity": 0.9, "muted": ["Dog"], "confirm": True}})
        await c.expect("session.updated")
        assert (c.handle.spec.proactivity, c.handle.spec.muted) == (0.9, frozenset({"Dog"}))

    play(script)


@pytest.mark.parametrize(
    ("session", "param"),
    [
        ({"type": "music"}, "session.type"),
        ({"audio": {"input": {"format": {"type": "audio/opus"}}}}, "session.audio.input.format"),
        ({"audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": "x"}}}}, "session.audio"),
        ({"tools": [{"type": "function", "name": "bad name", "parameters": {}}]}, "session.tools"),
        ({"tools": [{"type": "mcp", "server_label": "x"}]}, "session.tools"),
        ({"soundflow": {"proactivity": 2}}, "session.soundflow.proactivity"),
        ({"soundflow": {"include": ["words"]}}, "session.soundflow.include"),
        ({"instructions": "x" * 20_000}, "session.instructions"),
        ({"output_modalities": ["smell"]}, "session.output_modalities"),
        ([], "session"),
    ],
)
def test_a_wrong_update_changes_nothing(session: Any, param: str) -> None:
    async def script(c: Wire, s: Served) -> None:
        before = c.handle.spec
        await c.send("session.update", session=session, event_id="mine")
        error = (await c.expect("error"))["error"]
        assert error["event_id"] == "mine"
        assert error["param"].startswith(param)
        assert c.handle.spec == before
        await c.send("session.update", session={})
        await c.expect("session.updated")

    play(script)


def test_spoken_turns_have_one_item_each() -> None:
    async def script(c: Wire, s: Served) -> None:
        await c.send("input_audio_buffer.append", audio=b64(silence(0.5)))
        await asyncio.sleep(0.1)
        c.handle.hear("what time is it")
        events = await c.until("response.created")
        kinds = [e["type"] for e in events]
        assert kinds == [
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            "conversation.item.input_audio_transcription.delta",
            "conversation.item.input_audio_transcription.completed",
            "response.created",
        ]
        ids = {e.get("item_id") or e["item"]["id"] for e in events[:-1]}
        assert len(ids) == 1
        assert events[-2]["transcript"] == "what time is it"
        done = await c.expect("response.done")
        assert done["response"]["output"][0]["content"][0]["transcript"] == "You said what time is it"
        (item_id,) = ids
        await c.send("conversation.item.retrieve", item_id=item_id)
        item = (await c.expect("conversation.item.retrieved"))["item"]
        assert item["content"][0]["transcript"] == "what time is it"

    play(script)


def test_stable_words_come_as_deltas_and_two_stretches_keep_their_words() -> None:
    async def script(c: Wire, s: Served) -> None:
        h = c.handle
        h.emit(
            SpeechStarted(t=1, start=0.5), Transcript(t=1, text="turn on teh", final=False, start=0.5, end=1, stable=2)
        )
        h.emit(
            Transcript(t=2, text="turn on the lamp", final=False, start=0.5, end=2, stable=4),
            SpeechStopped(t=2, end=2.0),
        )
        h.emit(
            SpeechStarted(t=3, start=3.0),
            Transcript(t=3.2, text="turn on the lamp please", final=True, start=0.5, end=2),
        )
        h.emit(SpeechStopped(t=4, end=4.0), Transcript(t=4.4, text="now", final=True, start=3.0, end=4.0))
        first = await c.until("conversation.item.input_audio_transcription.completed")
        second = await c.until("conversation.item.input_audio_transcription.completed")
        deltas = [e["delta"] for e in first if e["type"].endswith("transcription.delta")]
        assert deltas == ["turn on", " the lamp", " please"]
        assert (first[-1]["transcript"], second[-1]["transcript"]) == ("turn on the lamp please", "now")
        assert first[-1]["item_id"] != second[-1]["item_id"]
        assert first[-1]["usage"] == {"type": "duration", "seconds": 1.5}

    play(script)


def test_manual_turns_commit_and_create() -> None:
    async def script(c: Wire, s: Served) -> None:
        await c.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
        await c.expect("session.updated")
        await c.send("input_audio_buffer.commit")
        assert (await c.expect("error"))["error"]["code"] == "input_audio_buffer_commit_empty"
        await c.send("input_audio_buffer.append", audio=b64(tone(1.0)))
        await c.send("input_audio_buffer.commit")
        await c.send("response.create")
        events = await c.until("response.done")
        kinds = [e["type"] for e in events]
        assert "input_audio_buffer.speech_started" not in kinds
        assert kinds.index("input_audio_buffer.committed") < kinds.index("response.created")
        assert events[-1]["response"]["output"][0]["content"][0]["transcript"] == "You said hello there"
        await c.send("input_audio_buffer.append", audio=b64(tone(0.3)))
        await c.send("input_audio_buffer.clear")
        await c.expect("input_audio_buffer.cleared")
        await c.send("input_audio_buffer.commit")
        assert (await c.expect("error"))["error"]["code"] == "input_audio_buffer_commit_empty"

    play(script)


def test_a_commit_without_words_is_completed_empty() -> None:
    async def script(c: Wire, s: Served) -> None:
        await c.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
        c.handle._last_heard = "before"
        await c.send("input_audio_buffer.append", audio=b64(silence(0.5)))
        await c.send("input_audio_buffer.commit")
        done = await c.expect("conversation.item.input_audio_transcription.completed")
        assert done["transcript"] == ""

    play(script)


def test_items_are_ordered_deleted_and_refused() -> None:
    async def script(c: Wire, s: Served) -> None:
        assert (await user_text(c, "one", id="a"))["previous_item_id"] is None
        assert (await user_text(c, "two", id="b"))["previous_item_id"] == "a"
        item = {"id": "c", "type": "message", "role": "system", "content": [{"type": "input_text", "text": "Be kind."}]}
        await c.send("conversation.item.create", item=item, previous_item_id="root")
        assert (await c.expect("conversation.item.added"))["previous_item_id"] is None
        assert c.handle.spec.instruction == "Be kind."
        await c.send("conversation.item.create", item={**item, "id": "d"}, previous_item_id="a")
        assert (await c.expect("conversation.item.added"))["previous_item_id"] == "a"
        for kind, fields, code in (
            ("conversation.item.create", {"item": item}, "item_create_duplicate_item_id"),
            (
                "conversation.item.create",
                {"item": {**item, "id": "e"}, "previous_item_id": "x"},
                "item_create_invalid_previous_item_id",
            ),
            ("conversation.item.retrieve", {"item_id": "x"}, "item_retrieve_invalid_item_id"),
            ("conversation.item.delete", {"item_id": "x"}, "item_delete_invalid_item_id"),
            (
                "conversation.item.truncate",
                {"item_id": "a", "content_index": 0, "audio_end_ms": 1},
                "item_truncate_invalid_item_id",
            ),
            (
                "conversation.item.create",
                {"item": {"type": "message", "role": "user", "content": [{"type": "input_image"}]}},
                "invalid_value",
            ),
            ("no.such.event", {}, "unknown_event"),
        ):
            await c.send(kind, event_id=f"rci_{code}", **fields)
            error = (await c.expect("error"))["error"]
            assert (error["code"], error["event_id"]) == (code, f"rci_{code}")
        for item_id in ("c", "d"):
            await c.send("conversation.item.delete", item_id=item_id)
            assert (await c.expect("conversation.item.deleted"))["item_id"] == item_id
        assert c.handle.spec.instruction == ""
        await c.send("response.create")
        done = await c.expect("response.done")
        assert done["response"]["output"][0]["content"][0]["transcript"] == "You said one\ntwo"

    play(script)


def test_opted_events_tell_decisions_sounds_and_levels() -> None:
    async def script(c: Wire, s: Served) -> None:
        await c.send("input_audio_buffer.append", audio=b64(silence(0.9) + tone(1.2) + silence(0.5)))
        events = await c.until("response.done")
        kinds = {e["type"] for e in events}
        assert {"response.listen", "response.speak", "overlap.decision"} <= kinds
        speak = next(e for e in events if e["type"] == "response.speak")
        assert speak["decision"] == "speak"
        assert {"value": "speak", "probability": 0.9} in speak["probabilities"]
        assert speak["audio_ms"] == (speak["chunk_index"] + 1) * 400
        sounds = [e for e in events if e["type"] == "conversation.item.sound_detection"]
        assert sounds[0]["offset_ms"] is None
        levels = [e for e in events if e["type"] == "input_audio_buffer.heard"]
        assert levels[0]["level_db"] < -60 < levels[-1]["level_db"] or levels[0]["level_db"] < -60
        c.handle.emit(Notice("overload", "audio was dropped", {"seconds": 1.5}))
        assert (await c.expect("session.notice"))["detail"] == {"seconds": 1.5}
        await c.send("session.update", session={"soundflow": {"include": []}})
        await c.expect("session.updated")
        await c.send("input_audio_buffer.append", audio=b64(silence(1.0)))
        assert await c.quiet() == []

    play(script, "realtime?model=m&include=decisions,sounds,levels")


def test_g711_out_and_16_khz_in() -> None:
    async def script(c: Wire, s: Served) -> None:
        audio = {
            "input": {"format": {"type": "audio/pcm", "rate": 16_000}},
            "output": {"format": {"type": "audio/pcma"}},
        }
        await c.send("session.update", session={"audio": audio})
        await c.expect("session.updated")
        data = tone(0.4, 16_000)
        for cut in (data[:333], data[333:334], data[334:]):
            await c.send("input_audio_buffer.append", audio=b64(cut))
        c.handle.reply("Hi.")
        import base64

        events = await c.until("response.done")
        out = b"".join(base64.b64decode(e["delta"]) for e in events if e["type"] == "response.output_audio.delta")
        assert abs(len(out) - 8000) < 20
        heard = np.concatenate(c.handle.pushed)
        np.testing.assert_allclose(heard, np.frombuffer(data, "<i2") / np.float32(32768))

    play(script)


def test_system_messages_and_bad_audio_are_errors_and_the_session_goes_on() -> None:
    async def script(c: Wire, s: Served) -> None:
        for audio in (None, 3, "!!!", "AAA"):
            await c.send("input_audio_buffer.append", audio=audio)
            assert (await c.expect("error"))["error"]["code"] == "bad_audio"
        await user_text(c, "hi")

    play(script)


def test_results_of_unknown_calls_are_only_history() -> None:
    async def script(c: Wire, s: Served) -> None:
        await c.send("conversation.item.create", item={"type": "function_call_output", "call_id": "old", "output": "1"})
        await c.expect("conversation.item.added")
        await user_text(c, "and now")
        await c.send("response.create")
        await c.expect("response.done")
        assert c.handle.results == []

    play(script)
