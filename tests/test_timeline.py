"""The recorder is bounded, slices do not matter, and no two texts of the picture lie on one another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from soundflow.errors import ConfigError
from soundflow.events import (
    Action,
    Event,
    ReplyCancelled,
    ReplyDelta,
    ReplyDone,
    ReplyStarted,
    SoundEvent,
    SpeechStarted,
    SpeechStopped,
    Transcript,
)
from soundflow.picture import Caption, draw, save, sound_rows, time_text, time_ticks
from soundflow.timeline import Columns, Recorder, Span, Spectrum
from soundflow.typeset import SIZE, Typesetter, lay_out
from tests.fake_stream import LABELS, FakeStream


def recorded(seconds: float, extra: list[Event] | None = None) -> Recorder:
    recorder = Recorder(400, LABELS)
    stream = FakeStream(recorder, voice=True)
    times = np.arange(int(seconds * 16_000)) / 16_000
    audio = np.where((times % 6) > 4, 0.4 * np.sin(2 * np.pi * 3000 * times), 0.001).astype(np.float32)
    for start in range(0, len(audio), 16_000):
        piece = audio[start : start + 16_000]
        recorder.heard(piece)
        for event in stream.push(piece):
            recorder.emit(event)
    for event in extra or []:
        recorder.emit(event)
    return recorder


def test_columns_merge_instead_of_growing() -> None:
    mean, peak = Columns(1, 0.5, 8, peak=False), Columns(1, 0.5, 8, peak=True)
    for value in range(16):
        mean.add(np.array([value], np.float32))
        peak.add(np.array([value], np.float32))
    assert mean.seconds_each == 2.0
    np.testing.assert_allclose(mean.values[:, 0], [1.5, 5.5, 9.5, 13.5])
    np.testing.assert_allclose(peak.values[:, 0], [3, 7, 11, 15])
    mean.add(np.array([100.0], np.float32))
    assert mean.values[-1, 0] == 100.0
    for value in range(10_000):
        mean.add(np.array([value], np.float32))
    assert len(mean.values) <= 8


def test_spectrum_does_not_depend_on_slices() -> None:
    audio = np.random.default_rng(0).normal(0, 0.1, 30_000).astype(np.float32)
    whole, sliced = Spectrum(), Spectrum()
    whole.push(audio)
    start = 0
    for size in [1, 7, 160, 511, 513, 6400, 9000, 20_000]:
        sliced.push(audio[start : start + size])
        start += size
    np.testing.assert_allclose(sliced.decibels(), whole.decibels(), atol=1e-3)


def test_spectrum_finds_the_tone() -> None:
    times = np.arange(16_000) / 16_000
    spectrum = Spectrum()
    spectrum.push(np.sin(2 * np.pi * 1000 * times).astype(np.float32))
    low = Spectrum()
    low.push(np.sin(2 * np.pi * 300 * times).astype(np.float32))
    assert low.decibels().mean(axis=0).argmax() < spectrum.decibels().mean(axis=0).argmax() < 40


def test_two_hours_do_not_grow() -> None:
    recorder = Recorder(400, LABELS, columns=200)
    recorder.spectrum = Spectrum(limit=400)
    for index in range(3000):
        t = index * 2.4
        recorder.emit(SoundEvent(t=t, label="Dog", p=0.5, onset=t))
        recorder.emit(SoundEvent(t=t, label="Dog", p=0.5, onset=t, offset=t + 1))
        for repeat in range(3):
            recorder.emit(Transcript(t=t, text=f"w{repeat}" * 500, final=True, start=t, end=t + 1))
        recorder.chances.add(np.zeros(2, np.float32))
        recorder.spectrum.columns.add(np.zeros(64, np.float32))
    assert len(recorder.story.words.items) == 4000
    assert recorder.story.words.dropped == 5000
    assert max(len(span.text) for span in recorder.story.words.items) <= 400
    assert len(recorder.chances.values) <= 200
    assert len(recorder.spectrum.columns.values) <= 400


def test_a_reply_cut_while_it_plays_becomes_cut() -> None:
    recorder = Recorder(400)
    recorder.emit(ReplyStarted(t=1.0, id="r1"))
    recorder.emit(ReplyDelta(t=1.2, id="r1", text="one two"))
    recorder.emit(ReplyDone(t=1.4, id="r1", text="one two three"))
    recorder.emit(ReplyCancelled(t=2.0, id="r1", text="one two three"))
    recorder.emit(ReplyStarted(t=3.0, id="r2"))
    recorder.emit(Action(t=3.4, name="f", arguments={}, confirm=False))
    recorder.close()
    assert [(s.mark, s.start) for s in recorder.story.answers.items] == [("cut", 1.0), ("act", 3.4)]


def test_voice_is_cut_at_the_barge_in() -> None:
    recorder = Recorder(400)
    recorder.on_voice(16_000, 22_050, np.zeros(22_050, np.float32))
    recorder.on_voice(32_000, 22_050, np.zeros(44_100, np.float32))
    recorder.on_voice_cancelled(40_000)
    assert [(s.start, s.end) for s in recorder.story.voice.items] == [(1.0, 2.5)]


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize("seconds", [0.3, 2.0, 30.0, 200.0])
def test_no_two_texts_overlap(seconds: float) -> None:
    rng = np.random.default_rng(1)
    extra: list[Event] = [SpeechStarted(t=0.0, start=0.0)]
    for _ in range(12):
        t = float(rng.uniform(0, seconds))
        words = " ".join(["please", "turn", "$on$", "x" * int(rng.integers(1, 60)), "灯"] * int(rng.integers(1, 9)))
        extra.append(Transcript(t=t, text=words, final=True, start=max(0.0, t - 1), end=t))
        extra.append(ReplyDone(t=t, id="r", text=words))
    figure = draw(recorded(seconds, extra), Caption("a.wav", "nano", "real-time factor 0.20"))
    renderer = figure.canvas.get_renderer()
    page = figure.bbox
    for axis in figure.axes:
        boxes = [text.get_window_extent(renderer) for text in axis.texts if text.get_text()]
        for i, one in enumerate(boxes):
            assert one.x0 >= page.x0 - 1
            assert one.x1 <= page.x1 + 1
            for other in boxes[i + 1 :]:
                apart = (
                    one.x1 <= other.x0 + 1 or other.x1 <= one.x0 + 1 or one.y1 <= other.y0 + 1 or other.y1 <= one.y0 + 1
                )
                assert apart, (one, other)


@pytest.mark.parametrize(("spoken", "said"), [(False, "no speech"), (True, "no words")])
def test_speech_without_words_is_not_called_none(spoken: bool, said: str) -> None:
    recorder = Recorder(400, LABELS)
    recorder.heard(np.zeros(32_000, np.float32))
    if spoken:
        recorder.emit(SpeechStarted(t=0.4, start=0.2))
        recorder.emit(SpeechStopped(t=1.2, end=1.0))
    recorder.close()
    texts = [text.get_text() for axis in draw(recorder, Caption("a.wav", "omni")).axes for text in axis.texts]
    assert [x for x in texts if x.startswith("no ")] == [said]


def test_cards_of_one_place_are_stacked_and_the_rest_is_counted() -> None:
    type_ = Typesetter(100)
    cards, hidden = lay_out([Span(1.0, 2.0, "hello there")] * 20, type_, 1.0, 10.0, max_width=3.0, max_height=1.0)
    assert len({card.top for card in cards}) == len(cards)
    assert hidden == 20 - len(cards) > 0
    wrapped = type_.wrap("word " * 200, SIZE, 2.0)
    assert len(wrapped) == 5
    assert wrapped[-1].endswith("…")
    assert all(type_.width(line, SIZE) <= 2.05 for line in wrapped)


def test_rows_and_times() -> None:
    recorder = recorded(12.0)
    assert sound_rows(recorder) == [LABELS[1]]
    assert time_text(0.5, 10) == "0.5 s"
    assert time_text(75, 600) == "1:15"
    assert time_text(3725, 7200) == "1:02:05"
    assert time_ticks(7200, 21)[1] in {300, 600}
    assert len(time_ticks(0.5, 9)) >= 3


def test_save(tmp_path: Path) -> None:
    path = tmp_path / "t.png"
    save(Recorder(400), path, Caption("nothing at all" * 40, "nano"))
    assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ConfigError, match="cannot be written"):
        save(recorded(1.0), tmp_path / "no" / "t.png", Caption("x", "nano"))
