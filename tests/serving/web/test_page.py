"""The page in a headless Chromium whose microphone hears a WAV, against a real server with the fake engine."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from serving.handle import Call, VoicePiece
from serving.limits import Limits
from serving.security import Guard
from soundflow.events import SpeechStarted, SpeechStopped, Transcript
from tests.serving.web.browsing import WATCH, opened, until
from tests.serving.web.cdp import open_page
from tests.serving.web.live import heard, serve, tone_wav

TOKEN = "a-token-of-32-characters-exactly"
LOCK = json.dumps({"door": "back door", "state": "unlocked"})


def test_the_microphone_is_heard_and_what_follows_is_shown(devtools: str) -> None:
    async def run() -> None:
        async with opened(devtools) as (page, site):
            await page.click("#start")
            handle = await site.session()
            await page.until("document.querySelector('#state').dataset.state === 'open'")
            await page.until("parseFloat(document.querySelector('#level-bar').style.width) > 60")
            await page.until("document.querySelector('#tags').innerText.includes('Smoke alarm')")
            await page.until("document.querySelector('#log').innerText.includes('I hear a smoke alarm.')")
            await page.until("document.querySelector('#log').innerText.includes('Smoke detector, smoke alarm')")
            handle.hear("Good morning")
            await page.until("document.querySelector('#log').innerText.includes('You said Good morning')")
            await page.until("document.querySelector('.row.sound').innerText.includes('90 %, for 0.8 s')")
            assert "chunk" in await page.text("#readout")
            drawn = "(() => { const c = document.querySelector('#strip'); return c.getContext('2d')"
            drawn += (
                ".getImageData(c.width / 2, 0, c.width / 2, c.height - 18).data.some((v, i) => i % 4 == 3 && v) })()"
            )
            assert await page.js(drawn)
            assert (await page.js("window.wanted.audio.echoCancellation")) is True
            audio = heard(handle)
            assert 0.2 < float(np.abs(audio).max()) <= 1.0
            assert len(audio) > 16_000

    asyncio.run(run())


def test_mute_ends_the_track_and_no_audio_comes(devtools: str) -> None:
    async def run() -> None:
        async with opened(devtools) as (page, site):
            await page.click("#start")
            handle = await site.session()
            await until(lambda: len(handle.pushed) > 5)
            await page.click("#mute")
            await page.until("window.streams[0].getTracks().every((t) => t.readyState === 'ended')")
            assert "microphone is off" in await page.text("#mute")
            assert "released" in await page.text("#capture")
            assert await page.text("#level-text") == "off"
            await asyncio.sleep(0.3)  # what was on its way
            count = len(handle.pushed)
            await asyncio.sleep(0.6)
            assert len(handle.pushed) == count
            assert not handle.closed
            await page.click("#mute")
            await until(lambda: len(handle.pushed) > count + 5)
            assert await page.js("window.streams.length") == 2
            await page.click("#start")
            await page.until("document.querySelector('#state').dataset.state === 'closed'")
            assert await page.js("window.streams[1].getTracks()[0].readyState") == "ended"

    asyncio.run(run())


def test_risky_calls_wait_for_the_person_and_others_are_done(devtools: str) -> None:
    async def run() -> None:
        async with opened(devtools) as (page, site):
            await page.click("#start")
            handle = await site.session()
            handle.emit(
                Call("call_1", "set_light", '{"room": "kitchen"}', False), Call("call_2", "set_lock", LOCK, True)
            )
            handle.emit(Call("call_3", "set_lock", '{"door": "<b>front</b> door"}', True))
            await until(lambda: ("call_1", '{"ok":true}') in handle.results)
            await page.until("document.querySelectorAll('.card.pending').length === 2")
            cards = await page.text("#actions")
            assert "back door" in cards
            assert "<b>front</b>" in cards
            assert [call for call, _ in handle.results] == ["call_1"]
            await page.js("document.querySelectorAll('.card.pending .primary')[1].focus()")
            await page.key("Enter")
            await until(lambda: ("call_2", '{"ok":true}') in handle.results)
            await page.click(".card.pending button:not(.primary)")
            await until(lambda: len(handle.results) == 3)
            assert json.loads(handle.results[2][1])["ok"] is False
            assert await page.js("document.querySelectorAll('#actions button').length") == 0
            assert "Confirmed" in await page.text("#actions")
            assert "Declined" in await page.text("#actions")

    asyncio.run(run())


def test_a_reply_is_stopped_by_the_person_and_by_barge_in(devtools: str) -> None:
    truncated = "window.sent.filter((e) => e.type === 'conversation.item.truncate')"

    async def run() -> None:
        async with opened(devtools) as (page, site):
            await page.click("#start")
            handle = await site.session()
            await page.click("#mute")
            await asyncio.sleep(0.3)
            handle.reply("A long reply that is spoken for a second")
            await page.until("!document.querySelector('#hush').disabled")
            await asyncio.sleep(0.4)
            await page.key("Escape")
            assert await page.js("document.querySelector('#hush').disabled")
            cut = await page.until(f"{truncated}[0]")
            assert 0 < cut["audio_end_ms"] < 1000
            assert "response.cancel" in await page.js("window.sent.map((e) => e.type)")
            await page.until("document.querySelector('#log').innerText.includes('stopped')")

            handle.hold = True
            handle.reply("Another one")
            handle.emit(VoicePiece("r2", np.full(22_050, 0.25, np.float32), 22_050, "Another one"))
            await page.until("document.querySelector('#saying').textContent === 'Another one'")
            await asyncio.sleep(0.4)
            handle.barge_in()
            cut = await page.until(f"{truncated}[1]")
            assert 0 < cut["audio_end_ms"] < 1000
            await page.until("document.querySelector('#log').innerText.includes('somebody spoke')")
            assert await page.text("#saying") == "…"

    asyncio.run(run())


def test_words_grow_before_they_are_final(devtools: str) -> None:
    async def run() -> None:
        async with opened(devtools) as (page, site):
            await page.click("#start")
            handle = await site.session()
            await until(lambda: handle.heard_s > 0.5)
            t = handle.heard_s
            handle.emit(SpeechStarted(t=t, start=t - 0.2))
            handle.emit(Transcript(t=t, text="lights off in", final=False, start=t - 0.2, end=t, stable=2))
            await page.until("document.querySelector('#hearing').textContent === 'lights off'")
            handle.emit(SpeechStopped(t=t, end=t))
            handle.emit(Transcript(t=t, text="Lights off in the hall.", final=True, start=t - 0.2, end=t))
            await page.until("document.querySelector('#log').innerText.includes('Lights off in the hall.')")
            assert await page.text("#hearing") == "…"

    asyncio.run(run())


def test_a_token_is_sent_as_a_subprotocol_and_kept_in_the_tab_only(devtools: str) -> None:
    async def run() -> None:
        guard = Guard(Limits(), tokens={"default": TOKEN})
        async with serve(guard=guard) as site, open_page(devtools) as page:
            await page.goto(site.url, before=WATCH)
            await page.click("#start")
            await page.until("document.querySelector('#problem').textContent === 'The server wants a token.'")
            await page.until("window.streams.every((s) => s.getTracks().every((t) => t.readyState === 'ended'))")
            assert site.engine.handles == []
            await page.js(f"location.hash = 'token={TOKEN}'")
            await page.until(f"!location.href.includes('{TOKEN}')")
            await page.click("#start")
            handle = await site.session()
            await until(lambda: handle.pushed)
            assert await page.js("localStorage.length") == 0
            assert await page.js("document.cookie") == ""
            assert await page.js("Object.values(sessionStorage)") == [TOKEN]

    asyncio.run(run())


def test_a_refused_microphone_is_told_and_leaves_no_session(devtools: str) -> None:
    refuse = """
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"));
    """

    async def run() -> None:
        async with serve() as site, open_page(devtools) as page:
            await page.goto(site.url, before=refuse)
            await page.click("#start")
            await page.until("document.querySelector('#problem').innerText.includes('was not allowed')")
            assert await page.text("#start") == "Start"
            await asyncio.sleep(0.3)
            assert site.engine.handles == []
            assert page.problems == []

    asyncio.run(run())


def hostile(script: list[object]) -> APIRouter:
    """A /v1/realtime that says what it likes."""
    routes = APIRouter()

    @routes.websocket("/v1/realtime")
    async def wire(socket: WebSocket) -> None:
        await socket.accept("realtime")
        await socket.send_json({"type": "session.created", "session": {"id": "s"}})
        for event in script:
            await socket.send_text(json.dumps(event))
        with suppress(WebSocketDisconnect):
            while True:
                await socket.receive_text()

    return routes


def test_malformed_events_and_floods_leave_the_page_standing_and_bounded(devtools: str) -> None:
    label = "<img src=x onerror=alert(1)>"
    sound = {"type": "conversation.item.sound_detection", "label": label, "probability": "x", "onset_ms": None}
    call = {"type": "function_call", "call_id": "c", "name": None, "arguments": None, "confirm": "yes"}
    probabilities = [{"value": "silent", "probability": 2}, {"value": "constructor", "probability": 1}]
    audio = {"type": "response.output_audio.delta", "response_id": "r", "item_id": "i", "delta": "***"}
    script: list[object] = [7, None, [], {"type": 3}, {"type": "toString"}, {"type": "response.done"}, audio]
    script += [{"type": "response.listen", "probabilities": 7, "chunk_index": 0}, {"type": "error"}, sound]
    script += [
        {"type": "input_audio_buffer.heard", "tags": [None]},
        {"type": "response.output_item.done", "item": call},
    ]
    script += [{"type": "conversation.item.input_audio_transcription.completed", "item_id": "x", "transcript": 5}]
    script += [
        {"type": "response.listen", "decision": "x", "probabilities": probabilities, "chunk_index": i, "audio_ms": i}
        for i in range(2000)
    ]
    script += [sound] * 1000
    script += [{"type": "response.output_item.done", "item": {**call, "call_id": str(i)}} for i in range(100)]
    script += [{"type": "session.notice", "code": "x", "message": "the last"}]

    async def run() -> None:
        async with serve(wire=hostile(script)) as site, open_page(devtools) as page:
            await page.goto(site.url, before=WATCH)
            await page.click("#start")
            await page.until("document.querySelector('#timeline').lastChild?.innerText.includes('the last')")
            assert await page.js("document.querySelector('#state').dataset.state") == "open"
            assert await page.js("document.querySelectorAll('.row').length") <= 400
            assert await page.js("document.querySelectorAll('.card').length") <= 20
            assert await page.js("document.querySelectorAll('main img').length") == 0
            low = await page.js("Number(document.querySelector('#strip').getAttribute('aria-valuemin'))")
            assert low == 2000 - 300
            assert page.problems == []

    asyncio.run(run())


def test_the_dial_and_the_instruction_reach_the_session(devtools: str) -> None:
    async def run() -> None:
        async with opened(devtools) as (page, site):
            await page.js("document.querySelector('#instruction').value = 'tell me when you hear a dog'")
            await page.click("#start")
            handle = await site.session()
            await until(lambda: handle.spec.instruction == "tell me when you hear a dog")
            await page.js("document.querySelector('#dial').focus()")
            await page.key("ArrowRight")
            await until(lambda: handle.spec.proactivity == 0.55)
            assert await page.text("#dial-value") == "0.55"
            await page.click("summary")
            await page.click("#demo-tools")
            await until(lambda: [t.name for t in handle.spec.tools if t.confirm] == ["set_lock"])
            await page.js("document.querySelector('#tools').value = '{not json'")
            await page.click("#apply")
            assert "Functions" in await page.text("#problem")

    asyncio.run(run())


def test_a_file_comes_at_real_time_resampled_without_alias(devtools: str, tmp_path: Path) -> None:
    wav = tone_wav(tmp_path / "two.wav", 48_000, [(1.5, 1000, 0.4)])
    import soundfile

    audio, _ = soundfile.read(wav)
    soundfile.write(wav, audio + 0.4 * np.sin(2 * np.pi * 18_000 * np.arange(len(audio)) / 48_000), 48_000)

    async def run() -> None:
        async with opened(devtools) as (page, site):
            await page.click("input[value=file]")
            await page.choose_file("#file", wav)
            began = asyncio.get_running_loop().time()
            await page.click("#start")
            handle = await site.session()
            await page.until("document.querySelector('#capture').textContent.includes('has ended')")
            assert asyncio.get_running_loop().time() - began > 3.0
            got = heard(handle)
            assert abs(len(got) - 3.5 * 16_000) < 2_400
            loud = got[4_000:20_000]
            spectrum = np.abs(np.fft.rfft(loud * np.hanning(len(loud)))) / (len(loud) / 4)
            peak = int(spectrum.argmax())
            assert abs(peak - 1000) <= 1
            assert spectrum[peak] == pytest.approx(0.4, rel=0.05)
            spectrum[peak - 20 : peak + 20] = 0
            assert spectrum.max() < 0.4e-2

    asyncio.run(run())


def test_the_demo_streams(devtools: str) -> None:
    async def run() -> None:
        async with opened(devtools) as (page, site):
            await page.click("input[value=demo]")
            await page.click("#start")
            handle = await site.session()
            await until(lambda: len(heard(handle)) > 8_000)
            await page.click("#mute")
            assert "paused" in (await page.text("#mute")).lower()
            await page.click("#start")

    asyncio.run(run())


def test_a_lost_socket_is_resumed_with_its_session(devtools: str) -> None:
    async def run() -> None:
        async with opened(devtools) as (page, site):
            await page.click("#start")
            handle = await site.session()
            await until(lambda: len(handle.pushed) > 3)
            site.drop()
            await page.until("document.querySelector('#state').dataset.state !== 'open'")
            await page.until("document.querySelector('#state').dataset.state === 'open'")
            count = len(handle.pushed)
            await until(lambda: len(handle.pushed) > count + 5)
            assert len(site.engine.handles) == 1

    asyncio.run(run())
