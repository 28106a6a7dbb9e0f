"""Lines for people, the meter, pacing, the live view and the voice file."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from rich.console import Console

from soundflow.errors import ConfigError
from soundflow.events import (
    Action,
    DecisionEvent,
    Event,
    ReplyCancelled,
    ReplyDone,
    ReplyStarted,
    SoundEvent,
    Summary,
    Transcript,
)
from soundflow.liveview import LiveView
from soundflow.metering import Histogram, Meter, Pacer, peak_rss_mb
from soundflow.sinks import DecisionFilter, EventList, PlainLog, clock_text, describe, one_line
from soundflow.voicefile import VoiceFile
from tests.fake_stream import CHUNK, LABELS, FakeStream


def decision(t: float, kind: str) -> DecisionEvent:
    return DecisionEvent(t=t, decision=kind, p={"silent": 0.1, "speak": 0.8, "act": 0.1}, chunk=int(t / 0.4) - 1)


def summary(t: float = 10.0) -> Summary:
    figures = {"p50": 50.0, "p95": 80.0, "p99": 90.0}
    return Summary(t=t, seconds=t, chunks=25, rtf=0.2, step_ms=figures, deadline_misses=0, peak_rss_mb=800.0)


def test_decisions_are_filtered_by_kind() -> None:
    keep = DecisionFilter()
    kinds = ["silent", "silent", "speak", "speak", "silent"]
    assert [keep.passes(decision(i, kind)) for i, kind in enumerate(kinds)] == [True, False, True, False, True]


def test_a_line_is_one_line() -> None:
    assert one_line("a\nb\t\x1b[31mc") == "a b [31mc"
    assert len(one_line("x" * 5000)) == 400
    action = Action(t=1.0, name="say", arguments={"text": "a\nb"}, confirm=False)
    assert describe(action) == ("ACT", 'say(text="a b")')


def test_clock() -> None:
    assert clock_text(12.44) == "   12.4 s"
    assert clock_text(3723.4) == "1:02:03.4"


def test_plain_log_has_no_decision_spam() -> None:
    out = io.StringIO()
    log = PlainLog(out)
    for index in range(200):
        log.emit(decision(index * 0.4, "silent"))
    log.emit(decision(80.0, "speak"))
    log.emit(decision(80.4, "speak"))
    assert out.getvalue() == "   80.0 s  DECIDE  speak 0.80\n"


def test_event_list_joins_onset_and_offset_and_keeps_the_last() -> None:
    events = EventList(limit=3)
    for t in range(5):
        events.emit(Transcript(t=t, text=f"number {t}", final=True, start=t, end=t + 0.5))
    events.emit(SoundEvent(t=6.0, label="Dog", p=0.7, onset=5.5))
    events.emit(SoundEvent(t=7.0, label="Dog", p=0.8, onset=5.5, offset=6.5))
    events.emit(SoundEvent(t=8.0, label="Rain", p=0.6, onset=7.5))
    rows = events.rows(10.0)
    assert [row[3] for row in rows] == ['"number 3"', '"number 4"', "Dog 0.80", "Rain 0.60 (goes on)"]
    assert "3 before them" in list(events.lines(summary()))[1]


def test_histogram_percentiles_are_within_a_percent() -> None:
    values = np.random.default_rng(0).lognormal(4, 0.7, 20_000)
    histogram = Histogram()
    for value in values:
        histogram.add(float(value))
    for q in (0.5, 0.95, 0.99):
        assert histogram.quantile(q) == pytest.approx(np.quantile(values, q), rel=0.02)
    assert histogram.quantile(1.0) == values.max()
    assert Histogram().quantile(0.5) == 0.0


def test_meter_counts_misses() -> None:
    meter = Meter(400)
    for step in (100.0, 399.0, 401.0, 900.0):
        meter.on_step(step)
    found = meter.summary(4 * CHUNK)
    assert (found.chunks, found.deadline_misses, found.seconds) == (4, 2, 1.6)
    assert peak_rss_mb() > 10


def test_pacer_waits_and_does_not_hurry_after_a_stall() -> None:
    now = [100.0]
    idle = []

    def sleep(seconds: float) -> None:
        now[0] += seconds

    pacer = Pacer(lambda: now[0], sleep)
    pacer.wait(16_000, lambda: idle.append(now[0]))
    assert now[0] == pytest.approx(101.0)
    assert 20 <= len(idle) <= 21
    now[0] += 30.0
    pacer.wait(32_000, lambda: None)
    assert now[0] == pytest.approx(131.0)
    pacer.wait(48_000, lambda: None)
    assert now[0] == pytest.approx(132.0)


def test_live_view_draws_and_ends_with_the_list() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100, height=30)
    view = LiveView(console, "nano · kitchen.wav", LABELS)
    stream = FakeStream(view)
    loud = np.sin(np.arange(CHUNK * 2, dtype=np.float32)) * np.float32(0.5)
    events: list[Event] = [*stream.push(loud), *stream.push(np.zeros(CHUNK * 3, np.float32))]
    for event in [*events, Transcript(t=2.0, text="turn on the", final=False, start=1.5, end=2.0, stable=2)]:
        view.emit(event)
    view.emit(ReplyStarted(t=2.0, id="r2"))
    view.emit(ReplyCancelled(t=2.0, id="r2", text="The [b]weather"))
    drawn = io.StringIO()
    Console(file=drawn, width=100).print(view.render())
    for text in (
        "Smoke detector",
        "thank you",
        "turn on the",
        "I hear a smoke alarm.",
        "set_fan",
        "[b]weather",
        "p(act)",
    ):
        assert text in drawn.getvalue()
    view.emit(summary())
    view.close()
    assert "25 chunks" in out.getvalue().splitlines()[-2]


def test_live_view_of_a_narrow_terminal() -> None:
    view = LiveView(Console(file=io.StringIO(), force_terminal=True, width=20, height=5), "x" * 200)
    view.emit(ReplyDone(t=1.0, id="r1", text="long " * 200))
    drawn = io.StringIO()
    Console(file=drawn, width=20).print(view.render())
    view.close()
    assert all(len(line) <= 20 for line in drawn.getvalue().splitlines())


def test_voice_is_mixed_ducked_and_placed(tmp_path: Path) -> None:
    path = tmp_path / "v.wav"
    rng = np.random.default_rng(0)
    with VoiceFile(path) as file:
        for k in range(25):
            file.heard(np.full(6400, 0.2, np.float32))
            if k == 9:
                for part in range(4):  # 2 s of voice at 4 s, in pieces of odd length
                    audio = np.full(11_025, 0.4, np.float32)
                    file.on_voice(64_000 + part * 8_000, 22_050, audio)
        file.heard(rng.normal(0, 0.0, 777).astype(np.float32))
    audio, rate = soundfile.read(path, dtype="float32")
    assert (rate, len(audio)) == (16_000, 25 * 6400 + 777)
    assert audio[30_000] == pytest.approx(0.2, abs=1e-3)
    np.testing.assert_allclose(audio[66_000:95_000], 0.5, atol=0.02)
    assert audio[98_000] == pytest.approx(0.2, abs=1e-3)


def test_cancelled_voice_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "v.wav"
    with VoiceFile(path) as file:
        file.heard(np.zeros(16_000, np.float32))
        file.on_voice(16_000, 16_000, np.full(10 * 16_000, 0.4, np.float32))
        file.heard(np.zeros(3 * 16_000, np.float32))
        file.on_voice_cancelled(40_000)
        file.heard(np.zeros(3 * 16_000, np.float32))
    audio, _ = soundfile.read(path)
    assert len(audio) == 7 * 16_000
    assert audio[39_000] == pytest.approx(0.4, abs=1e-3)
    assert np.abs(audio[40_000:]).max() == 0.0


def test_voice_file_memory_is_bounded_and_the_tail_is_written(tmp_path: Path) -> None:
    path = tmp_path / "v.wav"
    with VoiceFile(path, ahead_s=5) as file:
        for _ in range(200):
            file.heard(np.zeros(6400, np.float32))
            assert len(file._input) <= 3 * 16_000
        file.on_voice(200 * 6400, 16_000, np.full(30 * 16_000, 0.3, np.float32))
        assert file.dropped_samples > 20 * 16_000
    audio, _ = soundfile.read(path)
    assert 80 * 16_000 < len(audio) <= 85 * 16_000
    file.close()


def test_voice_file_that_cannot_be_made() -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        VoiceFile(Path("/nowhere/at/all.wav"))
