"""Replies on the wire: barge-in, cancel, one after the other, instructions of one response."""

from __future__ import annotations

import numpy as np
import pytest

from serving.handle import Call, VoicePiece
from soundflow.events import ReplyDelta, ReplyDone, ReplyStarted
from tests.serving.realtime.served import Served, Wire, b64, tone
from tests.serving.realtime.test_conversation import audio_deltas, play, user_text


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
