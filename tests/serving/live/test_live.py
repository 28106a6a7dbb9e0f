"""The Live wire: the stock `openai` client, raw sockets held against the SDK's types, and delegations of both kinds."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import websockets

from serving.handle import Notice
from serving.limits import Limits
from soundflow.events import Transcript
from tests.serving.fake_engine import FakeEngine
from tests.serving.realtime.served import Served, Wire, b64, served, silence, tone
from tests.serving.realtime.test_limits import closed
from tests.serving.realtime.test_sdk import LIGHT

Script = Callable[[Wire, Served], Awaitable[None]]


def play(script: Script, limits: Limits | None = None, **session: Any) -> None:
    async def scene() -> None:
        async with served(limits=limits) as s, s.socket("live/sessions") as c:
            await c.send("session.start", session={"model": "gpt-live-1", **session}, event_id="start")
            started = await c.recv()
            assert (started["type"], started["client_event_id"]) == ("session.started", "start")
            await asyncio.wait_for(script(c, s), 10)

    asyncio.run(scene())


def test_the_stock_client_hears_a_reply_in_real_time() -> None:
    async def scene() -> None:
        async with served() as s, s.client().live.connect() as c:
            form = {"type": "audio/pcm", "rate": 16_000}
            await c.session.start(
                session={"model": "gpt-live-1", "instructions": "Be brief.", "audio": {"format": form}}
            )
            started = await c.recv()
            assert started.type == "session.started"
            assert (started.session.status, started.session.model) == ("active", "gpt-live-1")
            assert started.session.expires_at > time.time()
            handle = s.engine.handles[0]
            assert (started.session.id, handle.spec.instruction) == (handle.id, "Be brief.")
            began = time.perf_counter()
            await c.session.input_audio.append(audio=b64(silence(0.4, 16_000) + tone(0.8, 16_000)))
            audio, words, spans = b"", "", []
            async with asyncio.timeout(5):
                while len(audio) < 31_900:
                    event = await c.recv()
                    assert event.type != "error"
                    if event.type == "session.output_audio.delta":
                        audio += base64.b64decode(event.delta)
                    elif event.type == "session.output_transcript.delta":
                        words += event.delta
                        spans.append((event.start_ms, event.end_ms))
            took = time.perf_counter() - began
            assert words == "I hear a smoke alarm."
            assert abs(spans[0][1] - spans[0][0] - 1000) < 40
            assert 0.5 < took < 2
            assert abs(np.frombuffer(audio, "<i2")[2000:12_000].mean() / 32768 - 0.25) < 0.01
            await c.session.close()
            async with asyncio.timeout(5):
                while (event := await c.recv()).type != "session.closed":
                    pass
            assert event.reason == "close_requested"
            assert event.usage.seconds == handle.heard_s >= 1.2
            assert handle.closed

    asyncio.run(scene())


def test_a_start_is_needed_first_and_comes_once() -> None:
    async def scene() -> None:
        async with served(limits=Limits(handshake_s=0.6)) as s:
            async with s.socket("live/sessions") as c:
                await c.send("session.input_audio.mute", event_id="m")
                error = (await c.recv())["error"]
                assert (error["code"], error["client_event_id"]) == ("session_not_started", "m")
                await c.send("session.start", session={"model": "m", "audio": {"format": {"type": "audio/mp3"}}})
                assert (await c.recv())["error"]["param"] == "session.audio.format"
                await c.send("session.start", session={"delegation": {"type": "elsewhere"}})
                assert (await c.recv())["type"] == "error"
                await c.send("session.start", session={})
                assert (await c.recv())["type"] == "session.started"
                await c.send("session.start", session={})
                assert (await c.recv())["error"]["code"] == "session_already_started"
            async with s.socket("live/sessions") as c:
                assert (await c.recv())["error"]["code"] == "handshake_timeout"
                assert (await closed(c))[0] == 1008
            s.engine.limit = 0
            async with s.socket("live/sessions") as c:
                await c.send("session.start", session={})
                assert (await c.recv())["error"]["code"] == "capacity"
                assert (await closed(c))[0] == 1013
            async with asyncio.timeout(2):
                while s.guard.held:
                    await asyncio.sleep(0.01)

    asyncio.run(scene())


def test_words_come_as_deltas_on_the_session_clock() -> None:
    async def script(c: Wire, s: Served) -> None:
        h = c.handle
        h.emit(Transcript(t=1, text="is teh", final=False, start=0.2, end=1.0, stable=1))
        h.emit(Transcript(t=2, text="is the door open", final=True, start=0.2, end=1.8))
        h.emit(Transcript(t=4, text="yes", final=True, start=3.0, end=3.5))
        got = [await c.recv() for _ in range(3)]
        assert [e["delta"] for e in got] == ["is", " the door open", "yes"]
        assert got[1]["end_ms"] - got[1]["start_ms"] == 1600

    play(script)


def test_mute_stops_hearing_and_appends_are_acknowledged() -> None:
    async def script(c: Wire, s: Served) -> None:
        await c.send("session.input_audio.mute", event_id="1")
        assert (await c.expect("session.input_audio.muted"))["client_event_id"] == "1"
        await c.send("session.input_audio.append", audio=b64(tone(1.0)))
        await c.send("session.input_audio.unmute", event_id="2")
        assert (await c.expect("session.input_audio.unmuted"))["client_event_id"] == "2"
        assert c.handle.pushed == []
        await c.send("session.instructions.append", content="Speak Dutch.", delegation_id=None, event_id="3")
        assert (await c.expect("session.instructions.appended"))["client_event_id"] == "3"
        await c.send("session.thinking.append", content="The user is tired.", delegation_id=None)
        await c.expect("session.thinking.appended")
        assert c.handle.spec.instruction == "Base.\nSpeak Dutch.\nThe user is tired."
        await c.send("session.commentary.append", content="Dinner is ready.", delegation_id=None)
        await c.expect("session.commentary.appended")
        assert (await c.expect("session.output_transcript.delta"))["delta"] == "Dinner is ready."
        await c.send("session.commentary.append", content="Reply to the caller now. Aloud.\n\nGood evening.")
        assert (await c.expect("session.output_transcript.delta"))["delta"] == "You said Good evening."
        for kind, fields in (
            ("session.instructions.append", {"content": "x" * 5000}),
            ("session.thinking.append", {"content": 3}),
            ("session.thinking.append", {"content": "x", "delegation_id": "nobody"}),
            ("session.update", {"session": {"instructions": "x"}}),
            ("session.update", {"session": {"delegation": {"type": "responses"}}}),
            ("response.create", {}),
            ("session.output_audio.fixture.play", {"audio": ""}),
            ("session.input_audio.append", {"audio": "?"}),
        ):
            await c.send(kind, event_id="bad", **fields)
            assert (await c.expect("error"))["error"]["client_event_id"] == "bad"

    play(script, instructions="Base.")


def test_a_call_is_delegated_to_the_client() -> None:
    async def script(c: Wire, s: Served) -> None:
        c.handle.hear("turn on the light")
        created = await c.expect("session.delegation.created")
        assert created["delegation"]["target"] == "client"
        call = await c.expect("session.delegation.function_call")
        assert (call["name"], json.loads(call["arguments"]), call["confirm"]) == ("set_light", {"state": "on"}, True)
        delegation = created["delegation"]["id"]
        await c.send("session.thinking.append", content="on it", delegation_id=delegation)
        await c.expect("session.thinking.appended")
        assert c.handle.results == [(call["call_id"], "on it")]
        await c.send("session.commentary.append", content="The light is on.", delegation_id=delegation)
        await c.expect("session.commentary.appended")
        assert (await c.expect("session.output_transcript.delta"))["delta"] == "The light is on."
        assert len(c.handle.results) == 1

    play(script, soundflow={"tools": [LIGHT], "confirm": ["set_light"], "proactivity": 0.8})


def test_a_call_goes_through_a_responses_backend() -> None:
    async def script(c: Wire, s: Served) -> None:
        c.handle.hear("turn on the light")
        created = await c.expect("session.delegation.created")
        inner = [(await c.expect("response.event"))["event"] for _ in range(3)]
        assert [e["type"] for e in inner] == ["response.created", "response.output_item.done", "response.completed"]
        assert inner[0]["response"]["id"] == created["delegation"]["response_id"]
        call_id = inner[1]["item"]["call_id"]
        out = {"type": "function_call_output", "call_id": call_id, "output": "ok"}
        await c.send("response.item.create", item={**out, "call_id": "other"})
        assert (await c.expect("error"))["error"]["code"] == "invalid_call_id"
        await c.send("response.item.create", item=out)
        await c.send("response.create")
        assert (await c.expect("session.output_transcript.delta"))["delta"] == "Done."
        assert c.handle.results == [(call_id, "ok")]
        await c.send("response.create")
        assert (await c.expect("error"))["error"]["code"] == "nothing_to_answer"
        part = {"type": "input_text", "text": "hello"}
        await c.send("response.item.create", item={"type": "message", "role": "user", "content": [part]})
        await c.send("response.create")
        assert (await c.expect("session.output_transcript.delta"))["delta"] == "You said hello"
        await c.send("session.update", session={"delegation": {"type": "responses", "responses": {"tools": []}}})
        await c.expect("session.updated")
        assert c.handle.spec.tools == ()

    hosted = {"type": "web_search"}
    play(script, delegation={"type": "responses", "responses": {"model": "x", "tools": [LIGHT, hosted]}})


def test_barge_in_stops_the_audio_and_g711_goes_both_ways() -> None:
    async def script(c: Wire, s: Served) -> None:
        await c.send("session.input_audio.append", audio=b64(b"\xd5" * 8000))
        c.handle.reply("A story. " * 20)
        for _ in range(5):
            assert len(base64.b64decode((await c.expect("session.output_audio.delta"))["delta"])) <= 640
        c.handle._open = "r1"
        c.handle.barge_in()
        events = await c.quiet(0.5)
        assert sum(e["type"] == "session.output_audio.delta" for e in events) <= 3
        assert c.handle.truncated[0][0] == "r1"
        assert abs(sum(map(len, c.handle.pushed)) - 16_000) < 2500

    play(script, audio={"format": {"type": "audio/pcma", "rate": 8000}})


def test_without_a_voice_words_are_told_as_they_come_and_usage_is_counted() -> None:
    async def scene() -> None:
        engine = FakeEngine()
        engine.info = type(engine.info)("fake", "0", 400.0, ())
        async with served(engine) as s, s.socket("live/sessions") as c:
            await c.send("session.start", session={})
            await c.recv()
            c.handle.reply("Hello.")
            assert (await c.expect("session.output_transcript.delta"))["delta"] == "Hello."
            await c.send("session.input_audio.append", audio=b64(silence(11)))
            assert (await c.expect("session.usage.updated"))["usage"]["seconds"] >= 10
            c.handle.emit(Notice("overload", "audio was dropped", {"seconds": 1.0}))
            assert (await c.expect("info"))["code"] == "overload"

    asyncio.run(scene())


def test_ends_drain_expired_failed_lost_and_resumed() -> None:
    async def scene() -> None:
        async with served() as s:
            for notice, code, kind in (
                ("draining", 1012, "info"),
                ("expired", 1000, "session.closed"),
                ("failed", 1011, "error"),
            ):
                async with s.socket("live/sessions") as c:
                    await c.send("session.start", session={})
                    await c.recv()
                    s.engine.handles[-1].emit(Notice(notice, "over"))
                    assert (await c.recv())["type"] == kind
                    assert (await closed(c))[0] == code
                async with asyncio.timeout(2):
                    handle = s.engine.handles[-1]
                    while not (handle in s.engine.detached if notice == "draining" else handle.closed):
                        await asyncio.sleep(0.01)
            async with s.socket("live/sessions") as c:
                await c.send("session.start", session={})
                await c.recv()
                handle = s.engine.handles[-1]
                c.socket.transport.abort()
            async with asyncio.timeout(2):
                while handle not in s.engine.detached:
                    await asyncio.sleep(0.01)
            handle.reply("Welcome back.")
            async with s.socket(f"live/sessions?resume={handle.id}") as c:
                await c.send("session.start", session={})
                assert (await c.recv())["session"]["id"] == handle.id
                assert (await c.expect("session.output_transcript.delta"))["delta"] == "Welcome back."
                await c.socket.close()
            async with asyncio.timeout(2):
                while not handle.closed:
                    await asyncio.sleep(0.01)

    asyncio.run(scene())


def test_refusals_are_http() -> None:
    async def scene() -> None:
        async with served() as s:
            s.guard.most = 0
            try:
                async with s.socket("live/sessions"):
                    raise AssertionError("it was let in")
            except websockets.exceptions.InvalidStatus as error:
                assert error.response.status_code == 429  # noqa: PT017

    asyncio.run(scene())
