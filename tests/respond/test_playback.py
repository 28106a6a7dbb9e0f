"""The voice on the stream's clock: one piece behind the other, bounded, dropped at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from soundflow.respond.playback import MAX_PIECES, MAX_PLAYBACK_S, Playback
from soundflow.types import FloatArray

RATE = 16_000


class Hum:
    """`count` pieces of a second each, of 0.1, 0.2, ..."""

    name = "hum"

    def __init__(self, count: int = 2, rate_hz: int = RATE) -> None:
        self.count, self.rate_hz, self.made = count, rate_hz, 0

    def speak(self, text: str) -> Iterator[FloatArray]:
        for k in range(self.count):
            self.made += 1
            yield np.full(self.rate_hz, 0.1 * (k + 1), np.float32)


class Log:
    def __init__(self) -> None:
        self.seen: list[tuple[int, ...]] = []

    def on_voice(self, sample: int, rate_hz: int, audio: FloatArray) -> None:
        self.seen.append((sample, rate_hz, len(audio)))

    def on_voice_cancelled(self, sample: int) -> None:
        self.seen.append((sample,))


def test_pieces_play_one_behind_the_other_from_now_on() -> None:
    log = Log()
    playback = Playback(Hum(rate_hz=8000), log)
    assert playback.play(playback.speak("Hello. You."), 500) == 500 + 2 * RATE
    assert playback.play(playback.speak("More."), 900) == 500 + 4 * RATE
    assert log.seen == [(500 + k * RATE, 8000, 8000) for k in range(4)]
    assert [at for at, _ in playback] == [500 + k * RATE for k in range(4)]
    around = playback.reference(500 + RATE - 100, 200)
    assert around[:50] == pytest.approx(0.1, abs=0.02)
    assert around[150:] == pytest.approx(0.2, abs=0.02)
    assert not playback.reference(0, 500).any()
    assert not playback.reference(500 + 4 * RATE, 500).any()


def test_nothing_plays_without_a_voice_or_without_words() -> None:
    mute, voiced = Playback(), Playback(Hum())
    assert (mute.play(mute.speak("Hello."), 500), len(mute)) == (0, 0)
    assert list(voiced.speak("  ")) == []


def test_a_flood_is_cut_off_and_no_more_of_it_is_made() -> None:
    voice = Hum(count=1000)
    playback = Playback(voice)
    until = playback.play(playback.speak("On and on."), 0)
    assert until == (MAX_PLAYBACK_S + 1) * RATE
    assert voice.made == MAX_PLAYBACK_S + 2
    assert len(playback) <= MAX_PIECES


def test_a_cancelled_voice_is_silent_and_the_next_one_begins_at_once() -> None:
    log = Log()
    playback = Playback(Hum(), log)
    playback.play(playback.speak("Hello."), 0)
    playback.cancel(700)
    assert not playback.reference(0, 4 * RATE).any()
    assert log.seen[-1] == (700,)
    assert playback.play(playback.speak("Again."), 700) == 700 + 2 * RATE


def test_what_has_been_played_is_dropped() -> None:
    playback = Playback(Hum())
    playback.play(playback.speak("Hello."), 0)
    playback.drop(RATE)
    assert len(playback) == 2
    playback.drop(RATE + 1)
    assert [at for at, _ in playback] == [RATE]
