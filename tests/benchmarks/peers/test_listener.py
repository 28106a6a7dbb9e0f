"""A peer whose library fails costs the item that it failed on, and nothing is left open."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.corpus import read_index
from benchmarks.hear import drive, hear
from benchmarks.peers.listener import PeerListener, decided, said
from benchmarks.plan import single_events
from benchmarks.systems import Ask, Listener, Setup
from benchmarks.workers import run
from soundflow.errors import ConfigError, SoundflowError, StreamClosedError
from soundflow.events import DecisionEvent, Event
from soundflow.types import AudioChunk

CHUNK = 6400


class Fragile(PeerListener):
    """Fails in chunk `at`, or at the end (-1)."""

    def __init__(self, at: int | None = None, error: Exception | None = None) -> None:
        super().__init__("fragile", CHUNK)
        self.at, self.error, self.released = at, error or RuntimeError("library"), 0

    def hear(self, chunk: AudioChunk) -> list[Event]:
        if chunk.index == self.at:
            raise self.error
        return [decided(chunk, 0.25, fires=False), *said(chunk, "Hm.")]

    def finish(self, now: int) -> list[Event]:
        if self.at == -1:
            raise self.error
        return []

    def release(self) -> None:
        self.released += 1


class FragileSystem:
    name, chunk = "fragile", CHUNK

    def __init__(self) -> None:
        self.opened: list[Fragile] = []

    def open(self, ask: Ask) -> Listener:
        self.opened.append(Fragile(2 if len(self.opened) == 1 else None))
        return self.opened[-1]


def test_slices_of_any_size_make_chunks_and_one_entry_each() -> None:
    whole, cut = Fragile(), Fragile()
    audio = np.random.default_rng(0).uniform(-0.1, 0.1, 3 * CHUNK + 100).astype(np.float32)
    events = drive(whole, audio, CHUNK)
    assert events == drive(cut, audio, 999)
    decisions = [e for e in events if isinstance(e, DecisionEvent)]
    assert [(e.chunk, e.t) for e in decisions] == [(0, 0.4), (1, 0.8), (2, 1.2), (3, 1.6)]
    assert decisions[0].p == {"silent": 0.75, "speak": 0.25, "act": 0.0}
    for one in (whole, cut):
        assert len(one.step_ms) == len(one.topics) == len(one.likes) == 4
        assert one.released == 1


def test_errors_of_a_library_come_out_as_ours_and_free_it() -> None:
    audio = np.zeros(3 * CHUNK, np.float32)
    for at in (1, -1):
        broken = Fragile(at)
        with pytest.raises(SoundflowError, match=r"fragile.*RuntimeError\('library'\)"):
            drive(broken, audio, CHUNK)
        assert broken.released == 1
    with pytest.raises(ConfigError, match="mine"):
        drive(Fragile(1, ConfigError("mine")), audio, CHUNK)
    closed = Fragile()
    closed.close()
    with pytest.raises(StreamClosedError):
        closed.push(audio)


def test_a_crash_is_a_row_that_counts_and_the_run_goes_on(tmp_path: Path, corpus: Path) -> None:
    items = single_events(read_index(corpus), "dev", 1, 0, (20.0,))[:3]
    system = FragileSystem()
    rows = run("t", items, tmp_path, Setup(corpus, ("fragile",)), hear, systems=[system])
    assert [bool(r.get("error")) for r in rows] == [False, True, False]
    assert "chunk 2: RuntimeError" in rows[1]["error"]
    assert [one.released for one in system.opened] == [1, 1, 1]
    assert run("t", items, tmp_path, Setup(corpus, ("fragile",)), hear, systems=[system]) == rows
    assert len(system.opened) == 3
