"""The four services, driven by the stock `wyoming` client."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart
from wyoming.handle import Handled
from wyoming.info import Describe, Info
from wyoming.ping import Ping
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeVoice
from wyoming.wake import Detect, Detection

from serving.handle import SessionSpec
from serving.metrics import Metrics
from soundflow.types import Tool
from tests.serving.fake_engine import RATE_HZ, FakeEngine
from tests.serving.wyoming.served import audio, client_of, read_until, send, served

SMOKE = "Smoke detector, smoke alarm"


def test_describe_names_every_service() -> None:
    async def run() -> Info:
        async with served() as server, client_of(server) as client:
            await send(client, Describe())
            return Info.from_event((await read_until(client, "info"))[-1])

    info = asyncio.run(run())
    (asr,), (wake,), (handle,), (tts,) = info.asr, info.wake, info.handle, info.tts
    assert not asr.requires_external_vad
    assert asr.supports_transcript_streaming
    assert {m.name for m in wake.models} == {SMOKE, "Baby cry, infant cry", "Glass", "Knock"}
    assert handle.supports_handled_streaming
    assert tts.supports_synthesize_streaming
    assert tts.voices[0].name == "fake:tone"
    for program in (asr, wake, handle, tts):
        assert program.installed
        assert program.attribution.name
    assert all(m.languages == ["en"] for p in (asr, wake, handle) for m in p.models)


def test_an_engine_without_a_voice_offers_none() -> None:
    from dataclasses import replace

    async def run() -> tuple[Info, str]:
        engine = FakeEngine()
        engine.info = replace(engine.info, voice="", voice_rate_hz=0)
        async with served(engine) as server, client_of(server) as client:
            await send(client, Describe())
            info = Info.from_event((await read_until(client, "info"))[-1])
            await send(client, Synthesize("hello"))
            return info, (await read_until(client, "error"))[-1].data["code"]

    info, code = asyncio.run(run())
    assert info.tts == []
    assert code == "unavailable"


def test_ping() -> None:
    async def run() -> str:
        async with served() as server, client_of(server) as client:
            await send(client, Ping("x"))
            return (await read_until(client, "pong"))[-1].data["text"]

    assert asyncio.run(run()) == "x"


@pytest.mark.parametrize(
    ("rate", "width", "channels"), [(16_000, 2, 1), (48_000, 2, 2), (8_000, 1, 1), (44_100, 3, 2), (16_000, 4, 1)]
)
def test_audio_of_any_format_is_transcribed(rate: int, width: int, channels: int) -> None:
    async def run() -> tuple[list[str], FakeEngine]:
        engine = FakeEngine()
        async with served(engine) as server, client_of(server) as client:
            await send(client, Transcribe(language="en-GB"), *audio(1.0, 0.02, rate, width, channels))
            return [(e.type, e.data.get("text")) for e in await read_until(client, "transcript-stop")], engine

    events, engine = asyncio.run(run())
    assert events == [
        ("transcript-start", None),
        ("transcript-chunk", "hello there"),
        ("transcript", "hello there"),
        ("transcript-stop", None),
    ]
    (handle,) = engine.handles
    heard = np.concatenate(handle.pushed)
    assert abs(len(heard) - 16_000) <= 2
    middle = heard[4_000:12_000]
    assert np.abs(middle).max() == pytest.approx(0.02, rel=0.25 if width == 1 else 0.02)
    assert np.argmax(np.abs(np.fft.rfft(middle))) * 2 == pytest.approx(440, abs=2)
    assert handle.closed
    assert not handle.spec.decide


def test_live_audio_is_answered_before_it_stops_and_the_rest_is_dropped() -> None:
    async def run() -> tuple[list[str], FakeEngine]:
        engine = FakeEngine()
        async with served(engine) as server, client_of(server) as client:
            start, *chunks, stop = audio(1.0, 0.02)
            await send(client, Transcribe(), start, *chunks[:5])
            while not engine.handles or not engine.handles[0].pushed:
                await asyncio.sleep(0.01)
            engine.handles[0].hear("turn on the lamp")
            events = await read_until(client, "transcript-stop")
            await send(client, *chunks[5:], stop, Ping("still there"))
            after = await read_until(client, "pong")
            await send(client, Transcribe(), *audio(0.5, 0.02))
            again = await read_until(client, "transcript-stop")
            return [e.data.get("text") for e in events + again if e.type == "transcript"] + [
                e.type for e in after
            ], engine

    texts, engine = asyncio.run(run())
    assert texts == ["turn on the lamp", "hello there", "pong"]
    assert len(engine.handles) == 2
    assert all(h.closed for h in engine.handles)


def test_a_recording_is_transcribed_to_its_end() -> None:
    """Audio that comes faster than it is spoken is no live command: its first sentence does not end it."""

    async def run() -> list[str]:
        engine = FakeEngine()
        async with served(engine) as server, client_of(server) as client:
            start, *chunks, stop = audio(6.0, 0.02)
            await send(client, Transcribe(), start, *chunks)
            while not engine.handles or len(engine.handles[0].pushed) < len(chunks):
                await asyncio.sleep(0.01)
            engine.handles[0].hear("the first sentence")
            engine.handles[0].hear("the second one")
            await send(client, stop)
            events = await read_until(client, "transcript-stop")
            joined = "".join(e.data["text"] for e in events if e.type == "transcript-chunk")
            return [joined, next(e.data["text"] for e in events if e.type == "transcript")]

    assert asyncio.run(run()) == ["the first sentence the second one"] * 2


def test_relaxed_sensitivity_waits_for_more() -> None:
    async def run() -> str:
        engine = FakeEngine()
        async with served(engine) as server, client_of(server) as client:
            start, *chunks, _ = audio(2.4, 0.02)
            await send(client, Transcribe(vad_sensitivity="relaxed"), start, *chunks[:5])
            while not engine.handles or len(engine.handles[0].pushed) < 5:
                await asyncio.sleep(0.01)
            engine.handles[0].hear("set an alarm")
            await send(client, *chunks[5:8])
            engine.handles[0].hear("for seven")
            await send(client, *chunks[8:])
            return (await read_until(client, "transcript"))[-1].data["text"]

    assert asyncio.run(run()) == "set an alarm for seven"


def test_sounds_are_detected_at_their_onset() -> None:
    async def run() -> tuple[list[Detection], list[str]]:
        engine = FakeEngine()
        async with served(engine) as server, client_of(server) as client:
            loud, quiet = audio(0.8, 0.5), audio(0.8, 0.01)
            await send(client, Detect(names=[SMOKE]), quiet[0])
            for i, chunk in enumerate([*quiet[1:-1], *loud[1:-1]]):
                assert isinstance(chunk, AudioChunk)
                chunk.timestamp = 50_000 + 100 * i
                await send(client, chunk)
            found = [Detection.from_event(e) for e in await read_until(client, "detection")]
            await send(client, loud[-1], Detect(names=["Glass"]), *audio(0.8, 0.01))
            return found, [e.type for e in await read_until(client, "not-detected")]

    found, after = asyncio.run(run())
    assert [d.name for d in found] == [SMOKE]
    assert found[0].timestamp == pytest.approx(50_000 + 900, abs=20)
    assert after == ["not-detected"]


def test_what_the_model_announces_is_detected_too() -> None:
    async def run() -> list[str]:
        engine = FakeEngine()
        async with served(engine) as server, client_of(server) as client:
            start, *chunks, stop = audio(0.4, 0.01)
            await send(client, Detect(names=["Baby cry, infant cry", "Knock"]), start, *chunks)
            while not engine.handles or not engine.handles[0].pushed:
                await asyncio.sleep(0.01)
            engine.handles[0].reply("I hear a baby crying upstairs.")
            await send(client, stop, Ping())
            return [e.data["name"] for e in await read_until(client, "pong") if e.type == "detection"]

    assert asyncio.run(run()) == ["Baby cry, infant cry"]


def test_no_names_means_any_alert() -> None:
    async def run() -> str:
        async with served() as server, client_of(server) as client:
            await send(client, Detect(), *audio(1.2, 0.5))
            return (await read_until(client, "detection"))[-1].data["name"]

    assert asyncio.run(run()) == SMOKE


def test_a_sentence_is_handled_and_streamed() -> None:
    async def run() -> tuple[list[tuple[str, str | None]], FakeEngine]:
        engine = FakeEngine()
        spec = SessionSpec(instruction="be short", proactivity=0.3)
        async with served(engine, spec=spec) as server, client_of(server) as client:
            await send(client, Transcript("what time is it", context={"conversation_id": "c1"}))
            events = await read_until(client, "handled-stop")
            handled = Handled.from_event(next(e for e in events if e.type == "handled"))
            assert handled.context == {"conversation_id": "c1"}
            return [(e.type, e.data.get("text")) for e in events], engine

    events, engine = asyncio.run(run())
    said = "You said what time is it"
    assert events == [("handled-start", None), ("handled-chunk", said), ("handled", said), ("handled-stop", None)]
    (handle,) = engine.handles
    assert handle.closed
    assert (handle.spec.manual, handle.spec.speak, handle.spec.instruction) == (True, False, "be short")


def test_what_cannot_be_answered_is_not_handled() -> None:
    async def run() -> list[str]:
        async with served(FakeEngine()) as server, client_of(server) as client:
            await send(client, Transcript("  "))
            return [(await read_until(client, "not-handled"))[-1].data["text"]]

    assert asyncio.run(run()) == ["nothing was said"]


@pytest.mark.parametrize(
    ("answer", "result", "said"),
    [
        ("Yes, do it.", {"confirm": True}, "Done."),
        ("no", {"confirm": False}, "All right, I leave it."),
        ("what time is it", {"confirm": False}, "You said what time is it"),
        ("yes but not now", {"confirm": False}, "You said yes but not now"),
    ],
)
def test_a_risky_act_waits_for_a_yes_in_the_same_conversation(answer: str, result: dict[str, bool], said: str) -> None:
    import json

    async def run() -> tuple[str, str, FakeEngine]:
        engine = FakeEngine()
        tool = Tool("lock_door", "", {"type": "object", "properties": {}}, confirm=True)
        async with served(engine, spec=SessionSpec(tools=(tool,))) as server:
            async with client_of(server) as client:
                await send(client, Transcript("turn the lock", context={"conversation_id": "c"}))
                asked = (await read_until(client, "handled"))[-1].data["text"]
            async with client_of(server) as client:
                await send(client, Transcript(answer, context={"conversation_id": "c"}))
                return asked, (await read_until(client, "handled"))[-1].data["text"], engine

    asked, told, engine = asyncio.run(run())
    assert asked == "I would call lock door (state: on). Shall I? Say yes or no."
    assert told == said
    assert [json.loads(out) for _, out in engine.handles[0].results] == [result]
    assert all(h.closed for h in engine.handles)


def test_a_risky_act_without_a_conversation_is_left_undone() -> None:
    async def run() -> tuple[str, FakeEngine]:
        engine = FakeEngine()
        tool = Tool("lock_door", "", {"type": "object", "properties": {}}, confirm=True)
        async with served(engine, spec=SessionSpec(tools=(tool,))) as server, client_of(server) as client:
            await send(client, Transcript("turn the lock"))
            return (await read_until(client, "not-handled"))[-1].data["text"], engine

    text, engine = asyncio.run(run())
    assert "needs a yes" in text
    assert engine.handles[0].results == [("call_0", '{"confirm": false}')]


def test_text_is_spoken() -> None:
    async def run() -> list[tuple[str, int]]:
        async with served() as server, client_of(server) as client:
            await send(client, Synthesize("Hello.", voice=SynthesizeVoice(name="fake:tone")))
            events = await read_until(client, "audio-stop")
            assert AudioStart.from_event(events[0]).rate == RATE_HZ
            return [(e.type, len(e.payload or b"")) for e in events]

    events = asyncio.run(run())
    assert [events[0][0], events[-1][0]] == ["audio-start", "audio-stop"]
    assert sum(n for _, n in events) == 2 * (RATE_HZ // 2)
    assert max(n for _, n in events) <= 8192


def test_streamed_text_is_spoken_while_it_comes() -> None:
    async def run() -> tuple[list[str], list[str], int]:
        async with served() as server, client_of(server) as client:
            await send(client, SynthesizeStart(), SynthesizeChunk("First one. Sec"))
            first = await read_until(client, "audio-chunk")
            await send(client, SynthesizeChunk("ond one"), Synthesize("First one. Second one"), SynthesizeStop())
            rest = await read_until(client, "synthesize-stopped")
            total = sum(len(e.payload or b"") for e in first + rest)
            return [e.type for e in first], [e.type for e in rest[-2:]], total

    first, last, total = asyncio.run(run())
    assert first == ["audio-start", "audio-chunk"]
    assert last == ["audio-stop", "synthesize-stopped"]
    assert total == 2 * 2 * (RATE_HZ // 2)


def test_sessions_are_counted_and_seen() -> None:
    async def run() -> tuple[Metrics, list[str]]:
        metrics, seen = Metrics(), []
        async with served(metrics=metrics, observe=lambda peer, out: seen.append((peer, type(out).__name__))) as server:
            async with client_of(server) as client:
                await send(client, Detect(), *audio(0.8, 0.5))
                await read_until(client, "detection")
            assert metrics.open_sessions <= 1
            while server.connections:
                await asyncio.sleep(0.01)
        return metrics, seen

    metrics, seen = asyncio.run(run())
    assert metrics.open_sessions == 0
    assert b'soundflow_sessions_total{protocol="wyoming"} 1.0' in metrics.render()
    assert ("127.0.0.1", "SoundEvent") in seen
