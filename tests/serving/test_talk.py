"""`soundflow talk` against the real route over the fake engine: what it prints, how it ends, a lost socket."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from serving.handle import Call
from serving.limits import Limits
from serving.security import Guard
from serving.talk import audio as talk_audio
from serving.talk import talk
from serving.talk.audio import Speaker
from serving.talk.command import Options, execute
from serving.talk.reading import Reader
from serving.talk.wire import target
from soundflow.errors import ConfigError, DataError
from soundflow.events import Event, ReplyCancelled, ReplyDone, Transcript, from_dict
from tests.serving.fake_engine import FakeEngine
from tests.serving.web.live import Site, heard, serve, tone_wav

COMMAND = "import typer; from serving.talk import talk; typer.run(talk)"
TOKEN = "a-token-of-32-characters-exactly"


@contextmanager
def server(engine: FakeEngine | None = None, guard: Guard | None = None) -> Iterator[Site]:
    """A server in a thread of its own; `site.call(f)` runs f in its loop."""
    ready: list[Site] = []
    over, started = threading.Event(), threading.Event()

    async def run() -> None:
        async with serve(engine=engine, guard=guard) as site:
            ready.append(site)
            started.set()
            while not over.is_set():
                await asyncio.sleep(0.02)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert started.wait(10)
    try:
        yield ready[0]
    finally:
        over.set()
        thread.join(10)
        assert not thread.is_alive()


def soon(site: Site, seconds: float, act: Callable[[], Any]) -> None:
    """Do something in the server's loop, later."""
    site.loop.call_soon_threadsafe(lambda: site.loop.call_later(seconds, act))


def run(options: Options, as_json: bool = True) -> tuple[int, list[Event] | str, str]:
    """(status, events or text, standard error)."""
    out, err = io.StringIO(), io.StringIO()
    code = execute(options, out, err, as_json=as_json)
    if not as_json:
        return code, out.getvalue(), err.getvalue()
    return code, [from_dict(json.loads(line)) for line in out.getvalue().splitlines()], err.getvalue()


@pytest.fixture
def alarm(tmp_path: Path) -> Path:
    return tone_wav(tmp_path / "alarm.wav", 16_000, [(0.8, 440, 0.002), (0.8, 1000, 0.5)])


def test_a_file_is_heard_and_answered(alarm: Path) -> None:
    with server() as site:
        soon(site, 1.0, lambda: site.engine.handles[0].hear("Good morning"))
        code, events, err = run(Options(site.url, str(alarm), instruction="tell me", proactivity=0.7))
        handle = site.engine.handles[0]
    assert (code, err) == (0, "")
    assert isinstance(events, list)
    kinds = [e.type for e in events]
    assert {"sound", "transcript", "reply.started", "reply.delta", "reply.done", "decision"} <= set(kinds)
    assert "silent" not in {getattr(e, "decision", "") for e in events}
    assert sorted(e.text for e in events if isinstance(e, ReplyDone)) == [
        "I hear a smoke alarm.",
        "You said Good morning",
    ]
    assert [e.text for e in events if isinstance(e, Transcript) and e.final] == ["Good morning"]
    assert (handle.spec.instruction, handle.spec.proactivity, handle.spec.speak) == ("tell me", 0.7, False)
    got = heard(handle)
    assert abs(len(got) - 3.6 * 16_000) < 1_000
    assert float(np.abs(got).max()) == pytest.approx(0.5, abs=0.02)
    assert handle.closed


def test_the_plain_log_has_a_line_an_event(alarm: Path) -> None:
    with server() as site:
        code, text, _ = run(Options(site.url.removeprefix("http://").rstrip("/"), str(alarm)), as_json=False)
    assert code == 0
    assert isinstance(text, str)
    assert 'SPEAK   "I hear a smoke alarm."' in text
    assert "SOUND   Smoke detector, smoke alarm 0.90" in text
    assert "DECIDE  speak 0.90" in text


def test_a_lost_socket_is_resumed_and_no_audio_is_lost(tmp_path: Path) -> None:
    ramp = tone_wav(tmp_path / "long.wav", 16_000, [(2.5, 300, 0.04)])
    with server() as site:
        soon(site, 1.2, site.drop)
        code, _, err = run(Options(site.url, str(ramp)))
        count, handle = len(site.engine.handles), site.engine.handles[0]
    assert code == 0
    assert "trying to go on" in err
    assert "the session goes on" in err
    assert count == 1
    assert abs(len(heard(handle)) - 4.5 * 16_000) <= 3_200  # at most what was on the wire when it was cut


def test_a_server_that_lost_the_session_gives_a_new_one(tmp_path: Path) -> None:
    long = tone_wav(tmp_path / "long.wav", 16_000, [(1.5, 300, 0.04)])
    with server() as site:

        def forget() -> None:
            site.drop()
            site.loop.call_later(0.05, site.engine.detached.clear)

        soon(site, 0.8, forget)
        code, _, err = run(Options(site.url, str(long)))
        count = len(site.engine.handles)
    assert code == 0
    assert "a new one begins" in err
    assert count == 2


def test_calls_are_answered_and_risky_ones_need_leave(alarm: Path) -> None:
    for allow, wanted in ((False, False), (True, True)):
        with server() as site:

            def call(site: Site = site) -> None:
                site.engine.handles[0].emit(Call("call_1", "set_lock", '{"door": "back door"}', True))

            soon(site, 0.3, call)
            code, events, err = run(Options(site.url, str(alarm), allow=allow))
            results = site.engine.handles[0].results
        assert code == 0
        assert [json.loads(output)["ok"] for _, output in results] == [wanted]
        assert any(e.type == "action" for e in events if isinstance(e, Event))
        assert ("declined" in err) is not wanted


def test_refusals_and_absent_servers_say_why(alarm: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    code, _, err = run(Options(f"127.0.0.1:{port}", str(alarm)), as_json=False)
    assert code == 3
    assert f"ws://127.0.0.1:{port}/v1/realtime" in err
    assert "refused" in err.lower()
    with server(guard=Guard(Limits(), tokens={"default": TOKEN})) as site:
        code, _, err = run(Options(site.url, str(alarm)), as_json=False)
        assert (code, "401" in err, "--token" in err) == (3, True, True)
        code, _, err = run(Options(site.url, str(alarm), token="x" * 32), as_json=False)
        assert (code, "401" in err, "x" * 32 in err) == (3, True, False)
        code, events, _ = run(Options(site.url, str(alarm), token=TOKEN))
        assert code == 0
        code, events, _ = run(Options(site.url, str(tmp_path / "none.wav"), token=TOKEN))
        assert code == 2
        assert isinstance(events, list)
        assert [(e.type, "none.wav" in getattr(e, "message", "")) for e in events] == [("error", True)]
    with server(FakeEngine(limit=0)) as site:
        code, _, err = run(Options(site.url, str(alarm)), as_json=False)
    assert (code, "503" in err) == (3, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Options("ftp://somewhere", "x"), "ws://HOST:PORT"),
        (Options("ws://host:notaport", "x"), "ws://HOST:PORT"),
        (Options("ws://127.0.0.1:9", "README.md", proactivity=0.5), "not audio"),
        (Options("ws://127.0.0.1:9", "demo/house.flac", proactivity=2.0), "[0, 1]"),
        (Options("ws://127.0.0.1:9", "demo/house.flac", tools=Path("README.md")), "README.md"),
    ],
)
def test_bad_options_end_with_two(options: Options, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    code, _, err = run(options, as_json=False)
    assert code == 2
    assert said in err


def test_a_server_that_talks_nonsense_or_nothing_is_left(alarm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import websockets.sync.server as plain

    monkeypatch.setattr("serving.talk.wire.OPEN_S", 0.3)
    for said, wanted in (
        ("not json", "not JSON"),
        ('{"type": "hello"}', "session.created was expected"),
        (None, "within"),
    ):

        def answer(connection: Any, said: str | None = said) -> None:
            if said is not None:
                connection.send(said)
            with_close = connection.recv
            try:
                with_close(timeout=2)
            except (TimeoutError, plain.ConnectionClosed):
                return

        with plain.serve(answer, "127.0.0.1", 0) as other:
            threading.Thread(target=other.serve_forever, daemon=True).start()
            port = other.socket.getsockname()[1]
            code, _, err = run(Options(f"127.0.0.1:{port}", str(alarm)), as_json=False)
        assert code == 3
        assert wanted in err


def test_ctrl_c_ends_the_session_cleanly(tmp_path: Path) -> None:
    long = tone_wav(tmp_path / "long.wav", 16_000, [(20.0, 300, 0.04)])
    with server() as site:
        command = [sys.executable, "-c", COMMAND, site.url, "--file", str(long), "--no-voice"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        try:
            for _ in range(400):
                if site.engine.handles and site.engine.handles[0].heard_s > 0.3:
                    break
                threading.Event().wait(0.05)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=10)
        finally:
            process.kill()
            process.wait()
        for _ in range(100):
            if site.engine.handles[0].closed:
                break
            threading.Event().wait(0.02)
        assert site.engine.handles[0].closed
    assert process.returncode == 0, err
    assert "Traceback" not in err


def test_raw_pcm_on_standard_input(tmp_path: Path) -> None:
    pcm = (0.3 * 32767 * np.sin(2 * np.pi * 500 * np.arange(8_000) / 8_000)).astype("<i2").tobytes()
    with server() as site:
        command = [sys.executable, "-c", COMMAND, site.url, "--file", "-", "--rate", "8000", "--json"]
        done = subprocess.run(command, input=pcm, capture_output=True, timeout=30, check=False)
        got = heard(site.engine.handles[0])
    assert done.returncode == 0, done.stderr
    assert abs(len(got) - 3.0 * 16_000) < 1_000
    assert any(json.loads(line)["type"] == "reply.done" for line in done.stdout.splitlines())


def test_the_command_is_there() -> None:
    app = typer.Typer()
    app.command()(talk)
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    assert "--retry-s" in result.output
    assert CliRunner().invoke(app, ["ftp://hub", "--file", "x"]).exit_code == 2


def test_what_was_typed_becomes_one_url() -> None:
    wanted = "ws://hub:8080/v1/realtime"
    for typed in ("hub:8080", "http://hub:8080", "ws://hub:8080/", "ws://hub:8080/v1/realtime"):
        assert target(typed) == wanted
    assert target("https://hub/v1/realtime?room=kitchen") == "wss://hub/v1/realtime?room=kitchen"
    for wrong in ("", "ws://", "ws://user:secret@hub", "ftp://hub", "ws://hub:99999999"):
        with pytest.raises(ConfigError):
            target(wrong)


def test_a_cut_reply_and_a_malformed_event() -> None:
    reader = Reader()
    reader.feed({"type": "response.created", "response": {"id": "r"}})
    reader.feed({"type": "response.output_text.delta", "response_id": "r", "delta": "Once upon"})
    assert reader.active
    details = {"status": "cancelled", "status_details": {"reason": "turn_detected"}}
    cut = reader.feed({"type": "response.done", "response": {"id": "r", **details}})
    assert cut == [ReplyCancelled(t=0.0, id="r", text="Once upon", reason="barge_in")]
    assert not reader.active
    for wrong in (
        {"type": "response.done"},
        {"type": "response.listen", "audio_ms": "x"},
        {"type": "error", "error": 3},
    ):
        with pytest.raises(DataError, match="cannot be read"):
            reader.feed(wrong)
    for i in range(1000):
        reader.feed({"type": "response.created", "response": {"id": f"r{i}"}})
        reader.feed({"type": "conversation.item.input_audio_transcription.delta", "item_id": f"i{i}", "delta": "x"})
    assert len(reader._replies) <= 16
    assert len(reader._words) <= 16


class _Device:
    """Stands in for sounddevice: `pull` is what PortAudio's thread does."""

    PortAudioError = OSError

    def __init__(self) -> None:
        self.callback: Any = None

    def RawOutputStream(self, *, callback: Any, **_: Any) -> Any:
        self.callback = callback
        return SimpleNamespace(start=lambda: None, abort=lambda: None, close=lambda: None)

    def pull(self, samples: int) -> bytes:
        out = bytearray(2 * samples)
        self.callback(memoryview(out), samples, None, None)
        return bytes(out)


def test_the_loudspeaker_stops_at_once_and_knows_what_it_played(monkeypatch: pytest.MonkeyPatch) -> None:
    device = _Device()
    monkeypatch.setitem(sys.modules, "sounddevice", device)
    speaker = Speaker(max_s=2.0)
    ones = np.ones(24_000, "<i2").tobytes()
    speaker.put("a", ones)
    speaker.put("a", ones)
    speaker.put("a", ones)  # over the bound
    assert device.pull(6_000) == np.ones(6_000, "<i2").tobytes()
    assert speaker.stop() == ("a", 250)
    assert device.pull(100) == bytes(200)
    assert speaker.stop() is None
    assert speaker.idle
    speaker.put("b", ones)
    device.pull(2_400)
    assert speaker.stop() == ("b", 100)


def test_without_a_microphone_it_says_what_to_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    with pytest.raises(ConfigError, match="--file"):
        talk_audio.open_input("", 16_000)
