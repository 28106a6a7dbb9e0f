"""Counting what the system's own voice does to it, and the closed loop with a stand-in that speaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import echo
from benchmarks.corpus import read_index
from soundflow.events import Event
from soundflow.types import FloatArray
from tests.benchmarks.fakes import CHUNK, beeps


def test_plan_is_crossed(corpus: Path) -> None:
    items = echo.plan(read_index(corpus), 2, 0)
    assert len(items) == 2 * 3 * 2 * 2
    assert {i.facts["level"] for i in items} == {-10.0, -20.0, -30.0}


def row(voice: list[list[int]], near: int | None, **times: list[Any]) -> dict[str, Any]:
    facts = {"level": -20.0, "cancel": True}
    item = {"group": "alone" if near is None else "barge-in", "facts": facts}
    return {"item": item, "voice": voice, "near_from": near, "started": [], "cancelled": [], "decided": [], **times}


def test_counts_by_hand() -> None:
    voice = [[96_000, 160_000]]  # 6 to 10 s
    calm = echo.counts(row(voice, None, decided=[5.6, 6.0, 20.0]))
    assert calm["spoke"]
    assert (calm["false_barge_ins"], calm["self_replies"]) == (0, 0)
    fooled = echo.counts(row(voice, None, cancelled=[6.8], decided=[5.6, 11.2]))
    assert (fooled["false_barge_ins"], fooled["self_replies"]) == (1, 1)
    real = echo.counts(row(voice, 108_800, cancelled=[7.6], started=[[7.6, 6.9]], decided=[8.4]))
    assert (real["false_barge_ins"], real["self_replies"]) == (0, 0)
    assert real["cancelled"]
    assert real["vad_delay_s"] == 0.0
    assert real["onset_delay_s"] == 0.8
    assert not echo.counts(row([], None))["spoke"]


def test_score_adds_up_and_counts_failures() -> None:
    rows = [row([[96_000, 160_000]], None, cancelled=[6.8]), row([[96_000, 160_000]], 108_800, cancelled=[7.6])]
    rows[1]["started"] = [[7.2, 6.9]]
    figures = echo.score([*rows, {"item": rows[0]["item"], "error": "x"}])["-20 dB, with canceller"]
    assert (figures["loops"], figures["failed"], figures["spoke"]) == (3, 1, 2)
    assert (figures["false_barge_ins"], figures["talked_over"], figures["cancelled"]) == (1, 1, 1)
    assert figures["cancelled_within_a_chunk"] == 1


class Speaker:
    """Plays a beep from 6 s on and remembers what its microphone heard."""

    def __init__(self) -> None:
        self.heard: list[FloatArray] = []
        self.voice = np.zeros(400_000, np.float32)
        self.voice[96_000:112_000] = beeps(1.0)
        self.stream = self

    def reference(self, start: int, count: int) -> FloatArray:
        return self.voice[start : start + count]

    def push(self, pcm: FloatArray) -> list[Event]:
        self.heard.append(pcm)
        return []

    def close(self) -> list[Event]:
        return []


def test_loop_returns_the_voice_through_the_room(corpus: Path) -> None:
    item = echo.plan(read_index(corpus), 1, 0)[0]
    assert item.facts["level"] == -10.0
    speaker = Speaker()
    near = np.zeros(32 * CHUNK, np.float32)
    found = echo.loop(speaker, near, None, item, CHUNK, lambda s: None)  # type: ignore[arg-type]
    heard = np.concatenate(speaker.heard)
    assert found["voice"] == [[96_000, 111_999]] or abs(found["voice"][0][0] - 96_000) <= 2
    assert not heard[:96_000].any()
    level = 10 * np.log10(np.sum(heard**2) / np.sum(speaker.voice**2))
    assert -22 < level < -2  # a tone meets peaks and dips of one room
    assert np.abs(heard[112_400:116_000]).max() > 1e-4  # it rings on


def test_loop_puts_near_end_speech_over_the_voice(corpus: Path) -> None:
    item = echo.plan(read_index(corpus), 1, 0)[0]
    speaker = Speaker()
    over = np.full(8000, 0.2, np.float32)
    found = echo.loop(speaker, np.zeros(32 * CHUNK, np.float32), over, item, CHUNK, lambda s: None)  # type: ignore[arg-type]
    assert abs(found["near_from"] - (96_000 + 12_800)) <= 2
