"""Gaps: only where nothing happens; silence is exact, the others are faded."""

from __future__ import annotations

import numpy as np
import pytest

from data_builder import gaps
from data_builder.clips import FloatArray
from data_builder.mix import db, noise, to_db
from soundflow.errors import DataError

SR = 16_000
BUSY = [(-800, 20_000), (60_000, 75_000), (70_000, 90_000), (150_000, 170_000)]


def bed(seed: int, n: int = 160_000, level: float = -40.0) -> FloatArray:
    return to_db(noise(np.random.default_rng(seed), n, -3.0), level)[0].copy()


def babble(rng: np.random.Generator, n: int) -> FloatArray:
    clips = [noise(np.random.default_rng(k), SR + 3_000 * k, -4.0) for k in range(4)]
    return gaps.talkers(rng, clips, n)


def test_gaps_lie_between_busy_intervals_and_nothing_else_changes() -> None:
    kinds: set[str] = set()
    for seed in range(30):
        before, after = bed(seed), bed(seed)
        made = gaps.fill(np.random.default_rng(seed), after, BUSY, babble)
        assert 1 <= len(made) <= gaps.MOST
        same = np.ones(len(after), dtype=bool)
        for gap in made:
            kinds.add(gap["kind"])
            a, b = gap["onset"], gap["offset"]
            assert a >= 0
            assert b <= len(after)
            assert gaps.SHORTEST <= b - a <= gaps.LONGEST
            assert all(b <= on or a >= off for on, off in BUSY)
            assert same[a:b].all()  # no two overlap
            same[a:b] = False
        np.testing.assert_array_equal(before[same], after[same])
        assert [g["onset"] for g in made] == sorted(g["onset"] for g in made)
        assert np.isfinite(after).all()
    assert kinds == set(gaps.KINDS)


def test_each_kind_sounds_as_it_should() -> None:
    for seed in range(30):
        before, after = bed(seed), bed(seed)
        for gap in gaps.fill(np.random.default_rng(seed), after, BUSY, babble):
            a, b = gap["onset"], gap["offset"]
            if gap["kind"] == "silence":
                assert not after[a:b].any()
                continue
            assert after[a:b].any()
            assert after[a] == pytest.approx(before[a], abs=1e-4)  # faded: no jump at either end
            assert after[b - 1] == pytest.approx(before[b - 1], abs=1e-4)
            middle = after[a + gaps.EDGE : b - gaps.EDGE]
            if gap["kind"] == "room_tone":
                assert db(middle) < db(before) - 1.0
            else:
                assert db(middle) > db(before[a + gaps.EDGE : b - gaps.EDGE]) + 0.5


def test_without_talkers_there_is_no_babble_and_without_room_no_gap() -> None:
    for seed in range(20):
        made = gaps.fill(np.random.default_rng(seed), bed(seed), BUSY)
        assert {g["kind"] for g in made} <= {"silence", "room_tone"}
    full = bed(0)
    assert gaps.fill(np.random.default_rng(0), full, [(0, 158_000)]) == []
    np.testing.assert_array_equal(full, bed(0))
    assert gaps.fill(np.random.default_rng(0), np.zeros(0, dtype=np.float32), []) == []


def test_babble_is_capped_and_a_silent_bed_is_no_trouble() -> None:
    for seed in range(20):
        after = np.zeros(160_000, dtype=np.float32)
        for gap in gaps.fill(np.random.default_rng(seed), after, [], babble, loudest_db=-45.0):
            assert db(after[gap["onset"] : gap["offset"]]) <= -44.9


def test_the_same_seed_is_the_same_bed() -> None:
    one, other = bed(1), bed(1)
    made = [gaps.fill(np.random.default_rng(9), x, BUSY, babble) for x in (one, other)]
    assert made[0] == made[1]
    np.testing.assert_array_equal(one, other)


def test_muting_restores_exact_zeros_after_a_channel() -> None:
    audio = bed(2)
    made = [{"kind": "silence", "onset": 100, "offset": 9_000}, {"kind": "babble", "onset": 20_000, "offset": 30_000}]
    out = gaps.mute(audio, made)
    assert out is audio
    assert not audio[100:9_000].any()
    assert audio[20_000:30_000].any()


def test_babble_is_many_voices_at_a_known_level() -> None:
    made = babble(np.random.default_rng(3), 50_000)
    assert made.shape == (50_000,)
    assert db(made) == pytest.approx(-26.0, abs=0.1)
    with pytest.raises(DataError, match="babble"):
        gaps.talkers(np.random.default_rng(0), [np.zeros(SR, dtype=np.float32)], SR)


def test_bad_input_is_refused() -> None:
    made = np.random.default_rng
    rng = made(0)
    with pytest.raises(DataError, match="float32"):
        gaps.fill(rng, np.zeros(100), [])  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"\(5, 3\)"):
        gaps.fill(rng, bed(0), [(5, 3)])
    seed = next(k for k in range(99) if "babble" in [g["kind"] for g in gaps.fill(made(k), bed(0), [], babble)])
    with pytest.raises(DataError, match="babble of"):
        gaps.fill(made(seed), bed(0), [], lambda rng, n: babble(rng, n - 1))
