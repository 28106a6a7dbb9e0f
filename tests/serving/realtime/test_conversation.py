"""Scripts over a raw socket; every event is held against the SDK's types as it comes (`served.hold_against_sdk`)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest

from serving.handle import Call, Notice, VoicePiece
from soundflow.events import ReplyDelta, ReplyDone, ReplyStarted, SpeechStarted, SpeechStopped, Transcript
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


def test_barge_in_stops_the_audio_at_once() -> None:
    async def script(c: Wire, s: Served) -> None:
        c.handle.hold = True
        c.handle.reply("A long story about a dog.")
        created = await c.expect("response.created")
        c.handle.emit(VoicePiece("r1", np.full(22_050 * 20, 0.2, np.float32), 22_050, "A long story"))
        await audio_deltas(c, 8)
        c.handle.barge_in()
        events = await c.until("response.done")
        assert events[-1]["response"]["id"] == created["response"]["id"]
        assert events[-1]["response"]["status"] == "cancelled"
        assert events[-1]["response"]["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
        assert events[-1]["response"]["output"][0]["status"] == "incomplete"
        reply, ms = c.handle.truncated[0]
        assert (reply, 0 <= ms <= 800) == ("r1", True)
        item = events[-1]["response"]["output"][0]["id"]
        await c.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=99_999)
        truncated = await c.expect("conversation.item.truncated")
        sent = sum(e["type"] == "response.output_audio.delta" for e in c.seen) * 80
        assert truncated["audio_end_ms"] <= sent
        assert c.handle.truncated[-1] == ("r1", truncated["audio_end_ms"])
        c.handle.emit(VoicePiece("r1", np.zeros(22_050, np.float32), 22_050))
        assert not [e for e in await c.quiet(0.3) if e["type"].startswith("response.")]

    play(script)


def test_cancel_and_its_errors() -> None:
    async def script(c: Wire, s: Served) -> None:
        await c.send("response.cancel")
        assert (await c.expect("error"))["error"]["code"] == "response_cancel_not_active"
        c.handle.reply("Hello.")
        await audio_deltas(c, 1)
        await c.send("response.create")
        assert (await c.expect("error"))["error"]["code"] == "conversation_already_has_active_response"
        await c.send("response.cancel", response_id="resp_other")
        assert (await c.expect("error"))["error"]["code"] == "response_cancel_not_active"
        await c.send("response.cancel")
        done = await c.expect("response.done")
        assert done["response"]["status_details"]["reason"] == "client_cancelled"
        c.handle.reply("Again.")
        await audio_deltas(c, 1)
        await c.send("output_audio_buffer.clear")
        cleared = await c.expect("output_audio_buffer.cleared")
        done = await c.expect("response.done")
        assert done["response"]["id"] == cleared["response_id"]
        await c.send("output_audio_buffer.clear")
        assert await c.quiet() == []

    play(script)


def test_a_cancelled_question_is_not_answered_but_an_alarm_is() -> None:
    async def script(c: Wire, s: Served) -> None:
        c.handle.respond = lambda text="": None
        for alarm in (False, True):
            await user_text(c, "hello")
            await c.send("response.create")
            await c.expect("response.created")
            await c.send("response.cancel")
            assert (await c.expect("response.done"))["response"]["status"] == "cancelled"
            if alarm:
                await c.send("input_audio_buffer.append", audio=b64(tone(0.8)))
            else:
                c.handle.reply("Hi.")
            kinds = [e["type"] for e in await c.quiet(0.4)]
            assert ("response.created" in kinds) == alarm

    play(script)


def test_replies_follow_one_another() -> None:
    async def script(c: Wire, s: Served) -> None:
        c.handle.reply("One.")
        c.handle.reply("Two.")
        c.handle.emit(Call("call_9", "set_light", "{}", True))
        first, second = await c.until("response.done"), await c.until("response.done")
        assert {
            e.get("response_id", e.get("response", {}).get("id")) for e in first if e["type"].startswith("response.")
        } == {first[-1]["response"]["id"]}
        texts = [
            o["content"][0]["transcript"]
            for e in (first[-1], second[-1])
            for o in e["response"]["output"]
            if o["type"] == "message"
        ]
        assert texts == ["One.", "Two."]
        call = first[-1]["response"]["output"][1]
        assert (call["type"], call["confirm"]) == ("function_call", True)

    play(script)


def test_instructions_alone_are_answered_and_else_hold_for_one_response() -> None:
    async def script(c: Wire, s: Served) -> None:
        await c.send("session.update", session={"instructions": "Base."})
        await c.expect("session.updated")
        await c.send("response.create", response={"instructions": "Base.\nGreet the user."})
        done = await c.expect("response.done")
        assert done["response"]["output"][0]["content"][0]["transcript"] == "You said Greet the user."
        c.handle.hold = True
        await user_text(c, "hi")
        only_text = {"instructions": "Shout.", "output_modalities": ["text"], "tool_choice": "none"}
        await c.send("response.create", response=only_text)
        await c.expect("response.output_text.delta")
        assert (c.handle.spec.instruction, c.handle.spec.speak) == ("Shout.", False)
        c.handle.finish()
        await c.expect("response.done")
        assert (c.handle.spec.instruction, c.handle.spec.speak) == ("Base.", True)
        c.handle._last_heard = ""
        await c.send("response.create")
        done = await c.expect("response.done")
        assert done["response"]["status"] == "failed"
        assert done["response"]["status_details"]["error"]["code"] == "cannot_respond"

    play(script)


def test_a_reply_whose_voice_does_not_come_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    import serving.realtime.responder as module

    monkeypatch.setattr(module, "VOICE_WAIT_S", 0.3)

    async def script(c: Wire, s: Served) -> None:
        c.handle.emit(
            ReplyStarted(t=0, id="r9"), ReplyDelta(t=0, id="r9", text="Hm."), ReplyDone(t=0, id="r9", text="Hm.")
        )
        assert (await c.expect("response.done", 3))["response"]["status"] == "completed"

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
