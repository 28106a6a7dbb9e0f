"""The offline LALM decides as the streaming one while its history fits, and pays for it at every chunk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.hear import drive, record
from benchmarks.peers.offline import OfflineListener
from benchmarks.systems import Ask, OurListener
from soundflow.events import DecisionEvent, Event
from soundflow.loop import Model
from soundflow.types import FloatArray
from tests.conftest import MakeAudio
from tests.tiny_model import CHUNK, tiny_model


@pytest.fixture(scope="module")
def model(nano_parts: Path) -> Model:
    return tiny_model(nano_parts, capacity=160)


@pytest.fixture(scope="module")
def sounds(tone: MakeAudio, noise: MakeAudio) -> FloatArray:
    """14 chunks: noise, a tone, quiet, noise."""
    parts = [noise(1.6, 0.05), tone(1.2, 900.0), np.zeros(CHUNK * 4, np.float32), noise(1.2, 0.1, 3)]
    return np.concatenate(parts).astype(np.float32)


def decisions(events: list[Event]) -> list[DecisionEvent]:
    return [e for e in events if isinstance(e, DecisionEvent)]


def others(events: list[Event]) -> list[dict[str, object]]:
    return [e.to_dict() for e in events if not isinstance(e, DecisionEvent)]


def test_it_decides_as_the_streaming_one(model: Model, sounds: FloatArray) -> None:
    """At proactivity 0 nothing is said, so the history is never emptied: p agrees to rounding, events are equal."""
    ours, offline = (
        OurListener(model, Ask("Count the beeps."), proactivity=0.0),
        OfflineListener(model, Ask("Count the beeps."), proactivity=0.0),
    )
    first, second = drive(ours, sounds, CHUNK), drive(offline, sounds, CHUNK)
    a, b = decisions(first), decisions(second)
    assert len(a) == len(b) == 14
    assert [e.decision for e in a] == [e.decision for e in b]
    p = np.array([[list(e.p.values()) for e in side] for side in (a, b)])
    assert np.ptp(p[0], axis=0).max() > 0.05
    assert np.abs(p[0] - p[1]).max() <= 2e-4
    assert others(first) == others(second)
    assert (offline.topics, offline.likes) == (ours.topics, ours.likes)
    cache, fresh = ours.stream.row.lalm.cache, offline._row.lalm.cache
    assert int(cache.lengths[0]) == int(fresh.lengths[0])
    length = int(cache.lengths[0])
    assert float((cache.keys[:, 0, :, :length] - fresh.keys[:, 0, :, :length]).abs().max()) < 1e-3


def test_a_step_costs_as_much_as_there_was(model: Model, sounds: FloatArray) -> None:
    offline = OfflineListener(model, Ask(), proactivity=0.0)
    drive(offline, sounds, CHUNK)
    assert offline.sizes == list(range(1, 15))
    early, late = sum(offline.step_ms[1:4]), sum(offline.step_ms[-3:])
    assert late > 2 * early


def test_the_history_is_bounded_and_emptied_by_a_reply(model: Model, sounds: FloatArray) -> None:
    offline = OfflineListener(model, Ask(), proactivity=0.0, most=5)
    drive(offline, sounds, CHUNK)
    assert offline.sizes == [1, 2, 3, 4, *[5] * 10]
    eager = OfflineListener(model, Ask(), proactivity=1.0)
    said = record(drive(eager, sounds, CHUNK))["decisions"]
    assert "S" in said
    size, expected = 0, []
    for letter in said:
        size += 1
        expected.append(size)
        size = 0 if letter != "s" else size
    assert eager.sizes == expected


def test_a_history_longer_than_the_cache_is_read_and_evicted_as_while_streaming(nano_parts: Path) -> None:
    small = tiny_model(nano_parts, capacity=64)
    offline, state = OfflineListener(small, Ask()), small.lalm.init_state(1)
    small.lalm.start(0, small.context.prefix("", ()), state)
    drawn = torch.randn(14, 3, small.lalm.llama.config.width, generator=torch.manual_seed(1))
    rows = [small.lalm.step([k], [piece], state)[0] for k, piece in enumerate(drawn)]
    assert state.forgotten[0] > 0
    assert np.array_equal(offline._read(list(drawn), 13), rows[-1])
    assert list(offline._row.lalm.spans[0]) == list(state.spans[0])


@pytest.mark.weights
@pytest.mark.slow
def test_the_real_weights_agree(nano_parts: Path, sounds: FloatArray) -> None:
    from benchmarks.peers.offline import OfflineLalm
    from benchmarks.systems import Nano

    for dial in (0.5, 0.0):
        both = (Nano(proactivity=dial), OfflineLalm(proactivity=dial))
        a, b = (decisions(drive(s.open(Ask()), sounds, CHUNK)) for s in both)
        fired = next((k for k, e in enumerate(a) if e.decision != "silent"), len(a))
        assert (fired < len(a)) is (dial > 0)
        until = min(fired + 1, len(a))
        assert [e.decision for e in a[:until]] == [e.decision for e in b[:until]]
        p = [[e.p["speak"] for e in side[:until]] for side in (a, b)]
        assert max(p[0]) > 0.7
        assert np.abs(np.subtract(*p)).max() < 0.02  # bfloat16 where the processor has it
