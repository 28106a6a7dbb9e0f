"""Full-Duplex-Bench's metrics on examples worked by hand, and the divergence against SciPy's."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.duplex import fdb
from benchmarks.duplex.fdb import Chunk


def words(*times: tuple[float, float | None]) -> list[Chunk]:
    return [Chunk("w", a, b) for a, b in times]


def test_a_turn_is_a_second_or_more_than_three_words() -> None:
    assert not fdb.takeover([])
    assert not fdb.takeover(words((0.0, 0.3), (0.3, 0.6), (0.6, 0.99)))
    assert fdb.takeover(words((0.0, 0.3), (0.6, 1.0)))
    assert fdb.takeover(words((0.0, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.4)))
    assert not fdb.takeover(words((0.0, 0.4), (0.9, None))), "an unknown end counts as the start"


def test_latency_is_of_turns_and_not_negative() -> None:
    turn = words((3.0, 3.5), (3.5, 4.5))
    assert fdb.latency(turn, 2.4) == pytest.approx(0.6)
    assert fdb.latency(turn, 3.3) == 0.0
    assert fdb.latency(words((3.0, 3.2)), 2.4) is None


def test_listening_by_hand() -> None:
    reference = [1.0, 1.0]
    nothing = fdb.listening([], [], 10.0, reference)
    assert (nothing.takeover, nothing.frequency, nothing.divergence) == (False, 0.0, 1.0)
    two = fdb.listening([(1.0, 1.4), (5.0, 5.5)], words((1.0, 1.4), (5.0, 5.5)), 10.0, reference)
    assert not two.takeover
    assert two.frequency == pytest.approx(0.2)
    assert two.divergence is not None
    assert 0 < two.divergence < 1
    assert fdb.listening([(1.0, 1.4)], words((1.0, 1.4)), 10.0, []).divergence is None, "no reference is known"
    long = fdb.listening([(1.0, 1.4), (5.0, 8.1)], words((1.0, 1.4)), 10.0, reference)
    assert long.takeover
    assert long.frequency == pytest.approx(0.1), "the scorer keeps those before a long stretch"
    wordy = words((5.0, 5.2), (5.2, 5.4), (5.4, 5.6))
    assert fdb.listening([(1.0, 1.4), (5.0, 5.6)], [*words((1.0, 1.4)), *wordy], 10.0, reference) == fdb.Listening(
        True, 0.0, 1.0
    )
    last = fdb.listening([(5.0, 6.5), (7.0, 7.5)], words((5.0, 6.5), (7.0, 7.5)), 10.0, reference)
    assert (last.takeover, last.frequency) == (False, 0.1), "the last stretch decides"


def test_divergence_by_hand() -> None:
    assert fdb.divergence([(0.0, 0.1)], 0.3, [1.0, 0.0]) == pytest.approx(0.0, abs=1e-4)
    assert fdb.divergence([(0.0, 0.1)], 0.3, [0.0, 1.0]) == pytest.approx(math.sqrt(math.log(2)), abs=1e-4)
    p, q = np.array([1.0, 0.0]), np.array([0.5, 0.5])
    m = (p + q) / 2
    by_hand = math.sqrt((1 * math.log(1 / m[0]) + 0.5 * math.log(0.5 / m[0]) + 0.5 * math.log(0.5 / m[1])) / 2)
    assert fdb.divergence([(0.0, 0.1)], 0.3, [3.0, 3.0]) == pytest.approx(by_hand, abs=1e-6)


def test_divergence_is_scipys() -> None:
    distance = pytest.importorskip("scipy.spatial.distance")
    interpolate = pytest.importorskip("scipy.interpolate")
    rng = np.random.default_rng(7)
    for _ in range(200):
        seconds = float(rng.uniform(3, 30))
        starts = rng.uniform(0, seconds - 1, size=int(rng.integers(1, 6)))
        found = [(float(s), float(s + rng.uniform(0.1, 0.9))) for s in starts]
        reference = rng.random(int(rng.integers(5, 200))) + 1e-6
        counts = np.zeros(int(seconds / 0.2) + 1)
        for a, b in found:
            counts[int(a / 0.2) : int(b / 0.2) + 1] += 1
        p = (counts + 1e-10) / np.sum(counts + 1e-10)
        grid = np.linspace(0, 1, len(reference))
        q = interpolate.interp1d(grid, reference)(np.linspace(0, 1, len(p)))
        assert fdb.divergence(found, seconds, list(reference)) == pytest.approx(
            float(distance.jensenshannon(p, q)), abs=1e-6
        )


def test_spans_are_merged() -> None:
    assert fdb.merged([(2.3, 3.0), (0.0, 1.0), (1.5, 1.7)], 0.5) == [(0.0, 1.7), (2.3, 3.0)]
    assert fdb.merged([(0.0, 5.0), (1.0, 2.0)], 0.1) == [(0.0, 5.0)]
    assert fdb.merged([], 0.5) == []


def test_stop_and_response_by_hand() -> None:
    user, model = [(0.0, 1.0), (3.0, 5.0)], [(1.4, 3.5), (5.8, 9.0)]
    assert fdb.stop_intervals(user, model) == [(3.0, 3.5)]
    assert fdb.response_intervals(user, model) == [(1.0, 1.4), (5.0, 5.8)]
    assert fdb.response_intervals([(0.0, 1.0), (1.7, 2.0)], [(2.5, 3.0)]) == [(2.0, 2.5)], "the later end counts"
    assert fdb.stop_intervals(user, []) == []
    assert fdb.response_intervals(user, []) == []
