"""`soundflow listen` on a fake loop: the contract of its output, bad input, pipes, Ctrl-C, memory."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from soundflow import listen as listening
from soundflow.events import Event, Summary, from_dict
from soundflow.intake import Decisions, Options, Pace
from soundflow.listen import Run
from soundflow.terminal import Interrupt
from tests.fake_stream import FakeStream, fake_engine
from tests.malformed import malformed

ROOT = Path(__file__).parent.parent
BAD = malformed()
PROGRAM = """
import sys, typer
import soundflow.listen as listening
from tests.fake_stream import fake_engine
load = fake_engine()
def noisy(options):
    import os
    print("a library says hello"); os.write(1, b"and so does a C library\\n")
    return load(options)
listening.load_engine = noisy
app = typer.Typer(pretty_exceptions_enable=False)
app.command()(listening.listen)
app()
"""


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> list[FakeStream]:
    opened: list[FakeStream] = []
    monkeypatch.setattr(listening, "load_engine", fake_engine(opened))
    return opened


@pytest.fixture
def kitchen(tmp_path: Path) -> Path:
    """6.5 s at 44.1 kHz stereo: quiet, a loud tone from 2 s to 4 s, quiet."""
    times = np.arange(int(6.5 * 44_100)) / 44_100
    audio = np.where((times > 2) & (times < 4), 0.5 * np.sin(2 * np.pi * 3100 * times), 0.001)
    path = tmp_path / "kitchen.wav"
    soundfile.write(path, np.stack([audio, audio], axis=1), 44_100)
    return path


def run(**asked: Any) -> tuple[int, list[str], str]:
    out, err = io.StringIO(), io.StringIO()
    code = Run(Options(**asked), out, err, Interrupt()).execute()
    return code, out.getvalue().splitlines(), err.getvalue()


def start(*arguments: str, **pipes: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **pipes)


def parsed(lines: list[str]) -> list[Event]:
    return [from_dict(json.loads(line)) for line in lines]


@pytest.mark.usefixtures("streams")
def test_json_lines_end_with_a_summary(kitchen: Path) -> None:
    code, lines, err = run(source=str(kitchen), json=True)
    events = parsed(lines)
    assert (code, err) == (0, "")
    assert [e.t for e in events] == [*sorted(e.t for e in events[:-1]), events[-1].t]
    summary = events[-1]
    assert isinstance(summary, Summary)
    assert summary.seconds == 6.5
    assert summary.chunks == 17
    assert summary.step_ms == pytest.approx({"p50": 50, "p95": 50, "p99": 50}, rel=0.011)
    assert summary.deadline_misses == 0
    assert summary.peak_rss_mb > 10
    assert sum(e.type == "decision" for e in events) == 17
    assert {"sound", "reply.started", "reply.done", "action", "transcript"} <= {e.type for e in events}


@pytest.mark.usefixtures("streams")
def test_only_changes_of_decision(kitchen: Path) -> None:
    _, lines, _ = run(source=str(kitchen), json=True, decisions=Decisions.changes)
    said = [e["decision"] for e in map(json.loads, lines) if e["type"] == "decision"]
    assert said == ["silent", "speak", "silent", "act", "silent"]


@pytest.mark.usefixtures("streams")
def test_plain_log(kitchen: Path) -> None:
    code, lines, _ = run(source=str(kitchen))
    assert code == 0
    assert '    2.4 s  SPEAK   "I hear a smoke alarm."' in lines
    assert '    4.4 s  ACT     set_fan(on=true, room="kitchen")  asks for confirmation' in lines
    assert sum("DECIDE" in line for line in lines) == 2
    assert "Events" in lines
    assert lines[-2].startswith("Heard   6.5 s of audio, 17 chunks")


@pytest.mark.parametrize("name", sorted(BAD))
@pytest.mark.usefixtures("streams")
def test_malformed_file_ends_with_an_error_line(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(BAD[name])
    code, lines, err = run(source=str(path), json=True)
    last = json.loads(lines[-1])
    assert code == 2
    assert err == ""
    assert last["type"] == "error"
    assert last["code"] == "bad_audio"
    assert len(last["message"]) > 20
    assert not any(event["type"] == "summary" for event in map(json.loads, lines))


def test_there_are_two_hundred_of_them() -> None:
    assert len(BAD) >= 200


RAW: list[tuple[bytes, dict[str, Any]]] = [
    (b"", {}),
    (b"\x00", {}),
    (bytes(6401), {}),
    (bytes(6402), {"channels": 2}),
    (bytes(6402), {"format": "f32le"}),
    (bytes(6400) + np.float32(np.nan).tobytes(), {"format": "f32le"}),
    (np.float32(np.inf).tobytes() * 4, {"format": "f32le"}),
    (np.float32(1e9).tobytes() * 4, {"format": "f32le"}),
    (bytes(6400), {"rate": 0}),
    (bytes(6400), {"rate": -16_000}),
    (bytes(6400), {"rate": 12}),
    (bytes(6400), {"rate": 10**9}),
    (bytes(6400), {"channels": 0}),
    (bytes(6400), {"channels": 1000}),
    (bytes(6400), {"format": "mp3"}),
    (bytes(6400), {"format": ""}),
]


@pytest.mark.parametrize("index", range(len(RAW)))
@pytest.mark.usefixtures("streams")
def test_malformed_standard_input(index: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data, asked = RAW[index]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    code, lines, _ = run(source="-", json=True, pace=Pace.fast, **asked)
    assert code == 2
    assert json.loads(lines[-1])["code"] in {"bad_audio", "bad_config"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"proactivity": 1.2}, "--proactivity: expected 0 to 1"),
        ({"proactivity": float("nan")}, "--proactivity: expected 0 to 1"),
        ({"tier": "omni"}, "--tier: expected nano"),
        ({"rate": 8000}, "--rate: expected only with raw audio"),
        ({"voice": Path("/nowhere/out.wav")}, "--voice: expected a file in an existing folder"),
        ({"voice": Path("out.mp3")}, "ending in .wav"),
        ({"timeline": Path("/tmp")}, "--timeline: expected a file"),
        ({"timeline": Path("out.txt")}, "ending in .png"),
        ({"source": "/no/such/file.wav"}, "no such file"),
        ({"source": "/tmp"}, "got a folder"),
    ],
)
@pytest.mark.usefixtures("streams")
def test_wrong_options_are_named(asked: dict[str, Any], said: str, kitchen: Path) -> None:
    code, lines, err = run(**{"source": str(kitchen), **asked})
    assert code == 2
    assert lines == []
    assert err.startswith("error: ")
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.usefixtures("streams")
def test_the_source_is_never_overwritten(kitchen: Path) -> None:
    before = kitchen.read_bytes()
    code, _, err = run(source=str(kitchen), voice=kitchen)
    assert code == 2
    assert "another file than the source" in err
    assert kitchen.read_bytes() == before


def test_our_own_error_is_reported_and_raised(kitchen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(options: Options) -> Any:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(listening, "load_engine", broken)
    out = io.StringIO()
    with pytest.raises(ZeroDivisionError):
        Run(Options(source=str(kitchen), json=True), out, io.StringIO(), Interrupt()).execute()
    assert json.loads(out.getvalue()) == {"type": "error", "t": 0.0, "code": "internal", "message": "a bug"}


def test_voice_and_picture_are_written(kitchen: Path, streams: list[FakeStream], tmp_path: Path) -> None:
    voice, picture = tmp_path / "out.wav", tmp_path / "out.png"
    code, lines, _ = run(source=str(kitchen), voice=voice, timeline=picture)
    assert code == 0
    assert streams[0].closed == 1
    audio, rate = soundfile.read(voice)
    assert rate == 16_000
    assert len(audio) == 6.5 * 16_000
    assert audio[int(4.5 * 16_000) :].max() < 0.01
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert lines[-2:] == [f"Voice   {voice}", f"Picture {picture}"]


def test_realtime_is_paced(tmp_path: Path, streams: list[FakeStream]) -> None:
    path = tmp_path / "short.wav"
    soundfile.write(path, np.zeros(8000), 16_000)
    began = time.monotonic()
    code, lines, _ = run(source=str(path), json=True, pace=Pace.realtime)
    assert code == 0
    assert time.monotonic() - began > 0.45
    assert json.loads(lines[-1])["rtf"] < 0.5
    assert len(streams) == 1


def test_interrupt_ends_with_a_summary(kitchen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt = Interrupt()

    class Pressed(FakeStream):
        def push(self, pcm: Any) -> list[Event]:
            events = super().push(pcm)
            if self._chunk >= 5:
                interrupt._on_signal(signal.SIGINT, None)
            return events

    def load(options: Options) -> Any:
        return listening.Engine(400.0, (), Pressed)

    monkeypatch.setattr(listening, "load_engine", load)
    out = io.StringIO()
    assert Run(Options(source=str(kitchen), json=True), out, io.StringIO(), interrupt).execute() == 0
    last = json.loads(out.getvalue().splitlines()[-1])
    assert last["type"] == "summary"
    assert 2.0 <= last["seconds"] < 4.0


def test_a_process_prints_nothing_but_json(kitchen: Path) -> None:
    process = start(str(kitchen), "--json")
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert parsed(out.decode().splitlines())[-1].type == "summary"
    assert b"a library says hello" in err
    assert b"and so does a C library" in err


def test_a_reader_that_goes_away_is_no_error(kitchen: Path) -> None:
    process = start(str(kitchen), "--json", "--pace", "realtime")
    assert process.stdout is not None
    assert process.stderr is not None
    assert json.loads(process.stdout.readline())["type"] == "decision"
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=20) == 0
    assert b"Traceback" not in err
    assert b"Broken" not in err


def test_a_pipe_in_and_ctrl_c(tmp_path: Path) -> None:
    process = start("-", "--json", stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(bytes(16_000 * 2))
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["t"] == 0.4
    assert json.loads(process.stdout.readline())["t"] == 0.8
    process.send_signal(signal.SIGINT)  # the pipe stays open: it waits for audio that never comes
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert json.loads(out.splitlines()[-1])["type"] == "summary"


def test_bad_input_of_a_process(tmp_path: Path) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(b"RIFF")
    process = start(str(path), "--json")
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 2
    assert json.loads(out)["type"] == "error"
