"""Samples played out with systems that need no weights, on a voice of tones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.compose import Bed, Item
from benchmarks.duplex import marks, scene, stage, texts
from benchmarks.duplex.ledger import Ledger, Piece, Spoken
from benchmarks.duplex.scene import Script
from benchmarks.systems import Ask
from soundflow import SAMPLE_RATE_HZ
from soundflow.errors import ConfigError
from soundflow.respond.playback import Playback
from soundflow.types import FloatArray
from tests.benchmarks.duplex.voices import ToneVoice
from tests.benchmarks.fakes import CHUNK, beeps

FIRST = texts.GIVEN[0].split(". ")[0] + "."

ITEM = Item("i", "interruption", "over", "", "s", 3, (), Bed("zero"), facts={"say": texts.GIVEN[0]})


def talker(name: str, voice: ToneVoice | None = None) -> stage.Talker:
    return stage.make([name], None, 0.5, voice or ToneVoice())[0]


def nothing(seconds: float) -> FloatArray:
    return np.zeros(int(seconds * 2.5) * CHUNK, np.float32)


class Stops:
    """Says what it is given, and stops where it hears something loud."""

    name, chunk = "stops", CHUNK

    def sit(self, ask: Ask, ledger: Ledger) -> stage.Seat:
        seat = stage._PlayingSeat(Playback(Spoken(ToneVoice()).told_to(ledger), ledger), CHUNK)
        push = seat.push

        def hear(pcm: FloatArray) -> list[object]:
            events = push(pcm)
            if np.abs(pcm).max() > 0.2 and seat.speaking:
                seat.playback.cancel(seat.now)
                seat.say("Spring it is.")
            return events  # type: ignore[return-value]

        seat.push = hear  # type: ignore[method-assign, assignment]
        return seat


def test_the_overlap_begins_1600_ms_into_the_given_reply() -> None:
    s = Script(nothing(14), [], texts.GIVEN[0], beeps(1.5), [(0, 24_000)])
    played = scene.play(Stops(), s, Ask(), lambda _: None, keep=True)
    first = played.ledger.pieces[0]
    assert first.text == FIRST
    assert first.start == pytest.approx(1.2 * SAMPLE_RATE_HZ + 1600, abs=20), "said at 1.2 s, 0.1 s of quiet before"
    assert first.whole - first.start == pytest.approx(len(first.text) * 0.05 * SAMPLE_RATE_HZ, abs=20)
    assert played.over == (first.start + 25_600, first.start + 25_600 + 24_000)
    assert played.user == [played.over]
    row = scene.row_of(ITEM, "stops", played, CHUNK, 0.1)
    mark = marks.mark(row)
    assert mark["behaviour"] == "respond"
    assert mark["right"]
    assert mark["stopped"]
    cut = -(-played.over[0] // CHUNK) * CHUNK
    assert first.end <= cut < played.ledger.pieces[1].start + CHUNK
    assert mark["stop_s"] == pytest.approx((first.end - played.over[0]) / SAMPLE_RATE_HZ, abs=1e-6), "silent from there"
    out = played.ledger.played(len(s.audio))
    assert np.abs(out[first.start + 10 : first.end]).max() > 0.4
    answer = next(p for p in played.ledger.pieces if p.text == "Spring it is.")
    assert np.abs(out[first.end + 50 : answer.start - 50]).max() < 0.01, "cut off"


def test_a_system_that_never_speaks_has_no_floor() -> None:
    s = Script(nothing(14), [], texts.GIVEN[0], beeps(1.0), [(0, 16_000)])
    played = scene.play(talker("always-silent"), s, Ask(), lambda _: None)
    assert played.over is not None
    assert played.over[0] == int(3.6 * SAMPLE_RATE_HZ), "as if a voice had begun a second behind the words"
    assert not played.ledger.pieces
    mark = marks.mark(scene.row_of(ITEM, "always-silent", played, CHUNK, 0.0))
    assert (mark["behaviour"], mark["floor"], mark["right"], mark["stop_s"]) == ("unknown", False, False, None)


def test_always_respond_talks_through_everything() -> None:
    s = Script(nothing(14), [], texts.GIVEN[0], beeps(1.0), [(0, 16_000)])
    played = scene.play(talker("always-respond"), s, Ask(), lambda _: None)
    mark = marks.mark(scene.row_of(ITEM, "always-respond", played, CHUNK, 0.0))
    assert (mark["behaviour"], mark["stopped"]) == ("resume", False)
    assert mark["overlaps_s"] == pytest.approx([1.0], abs=0.2)


def test_given_words_are_made_once_and_answers_each_time() -> None:
    voice = ToneVoice()
    spoken = Spoken(voice)
    for _ in range(2):
        ledger = Ledger()
        told = spoken.told_to(ledger)
        for text in (texts.STOCK, "Something new."):
            list(told.speak(text))
        assert ledger.text == "Something new."
    assert voice.made.count("Something new.") == 2
    assert len(voice.made) == 4, "two sentences of the stock answer, once"


def test_the_ledger_trims_cuts_and_forgets_silence() -> None:
    ledger = Ledger(keep=True, now=6400)
    piece = next(ToneVoice().speak("ten letter"))
    ledger.on_voice(6400, 8000, piece)
    ledger.on_voice(30_000, 8000, piece)
    ledger.on_voice(60_000, 8000, np.zeros(800, np.float32))
    assert [p.start for p in ledger.pieces] == [pytest.approx(8000, abs=20), pytest.approx(31_600, abs=20)]
    ledger.on_voice_cancelled(12_000)
    assert [p.end for p in ledger.pieces] == [12_000, ledger.pieces[1].start]
    assert not ledger.played(70_000)[12_001:].any()


def test_a_piece_over_the_end_keeps_the_words_that_fit() -> None:
    piece = Piece(0, 16_000, 0, 16_000, "one two three four")
    kept = scene.within(piece, 8000)
    assert (kept.end, kept.whole, kept.text) == (8000, 8000, "one two")
    assert scene.within(piece, 16_000) is piece
    assert scene.within(replace(piece, end=4000), 8000).end == 4000


def test_unknown_systems_are_named() -> None:
    with pytest.raises(ConfigError, match="vad-MILLISECONDS"):
        stage.known(["vad-7"])
    stage.known(["nano", "vad-400", "nano-int8", "always-silent"])


@pytest.mark.weights
def test_the_turn_taker_stops_and_answers(nano_parts: Path) -> None:
    from tests.benchmarks.duplex.speech import said

    speech = said("Which season comes before summer, and how many weeks does it last?")
    made = stage.TurnTaker("vad-700", 700, nano_parts / "vad" / "silero_vad_16k_op15.onnx", Spoken(ToneVoice()))
    audio = np.zeros(12 * SAMPLE_RATE_HZ // 512 * 512, np.float32)
    audio[16_000 : 16_000 + len(speech)] = speech
    played = scene.play(made, Script(audio, [(16_000, 16_000 + len(speech))]), Ask(), lambda _: None)
    first = played.ledger.pieces[0]
    assert first.text == "That is a good point."
    wait = (first.start - 16_000 - len(speech)) / SAMPLE_RATE_HZ
    assert 0.6 < wait < 1.1, "700 ms and 0.1 s of quiet in the voice, less what is faint at the end of the speech"
    quiet = np.zeros_like(audio)
    over = scene.play(made, Script(quiet, [], texts.GIVEN[0], speech, [(0, len(speech))]), Ask(), lambda _: None)
    assert over.over is not None
    cut = [p for p in over.ledger.pieces if p.start < p.end < p.whole]
    assert cut
    assert max(p.end for p in cut) - over.over[0] < SAMPLE_RATE_HZ


@pytest.mark.weights
def test_ours_says_what_it_is_given(nano_parts: Path) -> None:
    from benchmarks.systems import Nano
    from tests.tiny_model import tiny_model

    nano = Nano.__new__(Nano)
    nano.name, nano.model, nano.proactivity = "nano", tiny_model(nano_parts), 0.0
    nano.chunk = nano.model.chunk_samples
    ours = stage.Ours(nano, Spoken(ToneVoice()))
    quiet = np.zeros(24 * nano.chunk, np.float32)
    played = scene.play(ours, Script(quiet, [], texts.GIVEN[0]), Ask(), lambda _: None)
    heard = [p.text for p in played.ledger.pieces]
    assert " ".join(heard) == texts.GIVEN[0]
    assert 1.2 <= played.ledger.pieces[0].start / SAMPLE_RATE_HZ < 2.5
    assert len(played.step_ms) == 24
