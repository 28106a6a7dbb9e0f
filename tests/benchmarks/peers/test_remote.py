"""Servers as systems: ours with its decisions, a stock one without, the Live wire, and every way in which they fail."""

from __future__ import annotations

import json
import socket as sockets
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.sync.server import ServerConnection

from benchmarks.corpus import read_index
from benchmarks.hear import drive, hear, record
from benchmarks.peers import remote
from benchmarks.peers.address import Address
from benchmarks.peers.live_wire import LiveWire
from benchmarks.peers.realtime_wire import RealtimeWire
from benchmarks.peers.remote import Remote
from benchmarks.plan import single_events
from benchmarks.systems import Ask, Setup, make
from benchmarks.workers import run
from soundflow.errors import SoundflowError
from soundflow.events import Action, DecisionEvent, ReplyDone, ReplyStarted, SoundEvent, Transcript
from soundflow.types import FloatArray, Tool
from tests.benchmarks.fakes import beeps
from tests.benchmarks.peers.servers import ours, say, scripted, stock

CHUNK = 6400
LIGHT = Tool("set_light", "Turn the light on.", {"type": "object", "properties": {"state": {"type": "string"}}})


def scene(chunks: int, *loud: int) -> FloatArray:
    """Quiet chunks, a tone in those of `loud`."""
    audio = np.zeros(chunks * CHUNK, np.float32)
    for k in loud:
        audio[k * CHUNK : (k + 1) * CHUNK] = beeps(0.4, 500.0)[:CHUNK]
    return audio


def test_our_server_is_heard_faster_than_real_time_with_its_own_decisions(tmp_path: Path) -> None:
    with ours() as s:
        name = f"ws://127.0.0.1:{s.port}/v1/realtime#pace=0"
        (system,) = make(Setup(tmp_path, (name,)))
        assert (system.name, system.chunk) == (name, CHUNK)
        began = time.monotonic()
        listener = system.open(Ask("Be brief.", (LIGHT,)))
        events = drive(listener, scene(20, 5, 12), CHUNK)
        took = time.monotonic() - began
        handle = s.engine.handles[0]
        assert (handle.spec.instruction, handle.spec.tools[0].name) == ("Be brief.", "set_light")
        heard = np.concatenate(handle.pushed)
    assert took < 5
    assert len(heard) == 20 * CHUNK
    assert np.abs(heard - scene(20, 5, 12)).max() < 2e-4
    decisions = [e for e in events if isinstance(e, DecisionEvent)]
    assert [e.chunk for e in decisions] == list(range(20))
    assert record(events)["decisions"] == "sssssSssssssSsssssss"
    assert decisions[5].p == {"silent": 0.1, "speak": 0.9, "act": 0.0}
    assert len(listener.step_ms) == len(listener.topics) == len(listener.likes) == 20
    assert all(0 < ms < 2000 for ms in listener.step_ms)
    assert [e.text for e in events if isinstance(e, ReplyDone)] == ["I hear a smoke alarm."] * 2
    assert any(isinstance(e, SoundEvent) and e.label.startswith("Smoke") for e in events)


def test_a_stock_server_is_heard_in_real_time_and_a_response_is_a_decision(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MY_KEY", "hush-hush")
    seen: list[dict[str, Any]] = []
    with scripted(stock(seen)) as at:
        system = Remote(f"{at.replace('ws', 'http')}/v1/realtime?model=m#key=MY_KEY")
        began = time.monotonic()
        listener = system.open(Ask("Watch the door."))
        events = drive(listener, scene(6, 2, 4), CHUNK)
        took = time.monotonic() - began
    assert 2.3 < took < 4.5
    assert record(events)["decisions"] == "ssSsSs"
    decisions = [e for e in events if isinstance(e, DecisionEvent)]
    assert (decisions[2].t, decisions[2].p) == (1.2, {"silent": 0.0, "speak": 1.0, "act": 0.0})
    assert [e.text for e in events if isinstance(e, ReplyDone)] == ["I hear a beep."] * 2
    assert [e.t for e in events if isinstance(e, ReplyStarted)] == [1.2, 2.0]
    assert len(listener.step_ms) == 6
    assert 0 < listener.step_ms[2] < 400
    (session,) = seen
    assert session["headers"].get("authorization", session["headers"].get("Authorization")) == "Bearer hush-hush"
    assert "hush-hush" not in capsys.readouterr().err + repr(system.__dict__) + session["path"]
    assert session["path"] == "/v1/realtime?model=m&include=decisions,sounds"
    assert session["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24_000}
    assert session["instructions"].endswith("Watch the door.")
    assert abs(session["samples"] - 6 * 9600) < 1000


def test_a_function_call_is_an_act() -> None:
    with scripted(stock([], calls=True)) as at:
        events = drive(Remote(f"{at}/v1/realtime").open(Ask("", (LIGHT,))), scene(4, 1), CHUNK)
    assert record(events)["decisions"] == "sAss"
    (action,) = (e for e in events if isinstance(e, Action))
    assert (action.name, action.arguments, action.confirm) == ("set_light", {"state": "on"}, False)


def test_the_live_wire_of_ours() -> None:
    with ours() as s:
        system = Remote(f"ws://127.0.0.1:{s.port}/v1/live/sessions")
        listener = system.open(Ask("Be brief.", (LIGHT,)))
        events = [e for k in range(3) for e in listener.push(scene(3, 1)[k * CHUNK : (k + 1) * CHUNK])]
        handle = s.engine.handles[0]
        assert (handle.spec.instruction, handle.spec.tools[0].name) == ("Be brief.", "set_light")
        loop = handle._queue._loop  # type: ignore[attr-defined]
        loop.call_soon_threadsafe(handle.hear, "turn it on")
        events += [e for _ in range(2) for e in listener.push(scene(1))]
        events += listener.close()
    assert record(events)["decisions"] in ("sSsAs", "sSsSs", "sSAss", "sSssA")
    assert record(events)["decisions"].count("A") == 1
    (action,) = (e for e in events if isinstance(e, Action))
    assert action.arguments == {"state": "on"}
    assert [e.text for e in events if isinstance(e, ReplyDone)] == ["I hear a smoke alarm."]
    assert [e.text for e in events if isinstance(e, Transcript) and e.final] == ["turn it on"]


def test_what_is_sent_fits_the_published_types() -> None:
    from openai.types.live import SessionStartEvent
    from openai.types.realtime import RealtimeSessionCreateRequest, SessionUpdateEvent

    ask = Ask("Be brief.", (LIGHT,))
    wire = RealtimeWire(Address.parse("ws://h/v1/realtime#transcribe=whisper-1"))
    (update,) = wire.greet({"type": "session.created", "session": {}}, ask) or ()
    sent = SessionUpdateEvent.model_validate(update)
    assert isinstance(sent.session, RealtimeSessionCreateRequest)
    assert sent.session.audio is not None
    assert sent.session.audio.input is not None
    assert sent.session.audio.input.transcription is not None
    assert sent.session.audio.input.transcription.model == "whisper-1"
    assert sent.session.to_dict() == update["session"]
    (start,) = LiveWire(Address.parse("ws://h/v1/live/sessions?model=gpt-live-1")).hello(ask)
    begun = SessionStartEvent.model_validate(start)
    assert begun.session.model == "gpt-live-1"
    assert begun.to_dict()["session"] == start["session"]


def test_a_server_that_is_not_there_and_one_that_refuses() -> None:
    with sockets.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SoundflowError, match=f"127.0.0.1:{port}/v1/realtime: a session was expected"):
        Remote(f"ws://127.0.0.1:{port}/v1/realtime").open(Ask())

    def refuses(socket: ServerConnection) -> None:
        say(socket, "error", error={"type": "invalid_request_error", "code": "no_model", "message": "no such model"})
        socket.recv()

    with scripted(refuses) as at:
        for path in ("realtime", "live/sessions"):
            with pytest.raises(SoundflowError, match="no_model: no such model"):
                Remote(f"{at}/v1/{path}").open(Ask())
    with scripted(stock([])) as at, pytest.raises(SoundflowError, match="tells no decisions"):
        Remote(f"{at}/v1/realtime#pace=0").open(Ask())


def decides(socket: ServerConnection) -> None:
    """The opening of a server that tells decisions."""
    say(socket, "session.created", session={"type": "realtime", "soundflow": {"include": ["decisions"]}})
    update = json.loads(socket.recv(5))
    assert update["session"]["audio"]["input"]["format"]["rate"] == 16_000
    say(socket, "session.updated", session={})


def tells(socket: ServerConnection, chunk: int, decision: str = "silent") -> None:
    p = [{"value": v, "probability": float(v == decision)} for v in ("silent", "speak", "act")]
    kind = "response.listen" if decision == "silent" else "response.speak"
    say(socket, kind, decision=decision, probabilities=p, chunk_index=chunk, audio_ms=(chunk + 1) * 400)


def test_chunks_left_out_are_silent_and_those_told_twice_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def script(socket: ServerConnection) -> None:
        decides(socket)
        for k, message in enumerate(socket):
            if json.loads(message)["type"] == "input_audio_buffer.append" and k in (1, 3):
                tells(socket, k, "speak")
                tells(socket, k, "speak")

    with scripted(script) as at:
        events = drive(Remote(f"{at}/v1/realtime#pace=20").open(Ask()), scene(4), CHUNK)
        assert record(events)["decisions"] == "sSsS"
        monkeypatch.setattr(remote, "STALL_S", 0.2)
        with pytest.raises(SoundflowError, match="0 of 1 chunks were decided"):
            drive(Remote(f"{at}/v1/realtime#pace=0").open(Ask()), scene(2), CHUNK)


def test_a_server_that_fails_midway_costs_one_item_and_the_run_goes_on(tmp_path: Path, corpus: Path) -> None:
    count = [0]

    def script(socket: ServerConnection) -> None:
        count[0] += 1
        decides(socket)
        for k, message in enumerate(socket):
            if json.loads(message)["type"] != "input_audio_buffer.append":
                continue
            if count[0] == 1 and k == 3:
                return
            if count[0] == 2 and k == 3:
                socket.send("{broken")
            if count[0] == 3 and k == 3:
                say(socket, "response.listen", decision="silent")
            tells(socket, k)

    items = single_events(read_index(corpus), "dev", 1, 0, (20.0,))[:5]
    with scripted(script) as at:
        name = f"{at}/v1/realtime#pace=0"
        rows = run("t", items, tmp_path, Setup(corpus, (name,)), hear, workers=0)
        again = run("t", items, tmp_path, Setup(corpus, (name,)), hear, workers=0)
    assert again == rows
    assert count[0] == 5
    assert [bool(r.get("error")) for r in rows] == [True, True, True, False, False]
    for row, text in zip(rows, ("closed the session", "a JSON event", "published fields"), strict=False):
        assert text in row["error"]
    assert set(rows[3]["decisions"]) == {"s"}
