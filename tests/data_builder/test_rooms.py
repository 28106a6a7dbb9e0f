"""Rooms: the decay that was asked for, direct sound first, one place a talker."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from data_builder.rooms import LONGEST, RT60_S, Room, decay_s, drr_db
from soundflow.errors import ConfigError, DataError

SR = 16_000


@pytest.mark.parametrize("wanted", [0.08, 0.15, 0.3, 0.5, 0.8, 1.0])
def test_the_decay_is_the_one_that_was_asked_for(wanted: float) -> None:
    for seed in range(6):
        rng = np.random.default_rng(seed)
        room = Room.draw(rng, (wanted, wanted))
        assert decay_s(room.response(rng)) == pytest.approx(wanted, rel=0.2)


def test_decay_of_a_known_response() -> None:
    noise = np.random.default_rng(0).standard_normal(SR)
    known = (noise * 10 ** (-3 * np.arange(SR) / SR / 0.4)).astype(np.float32)
    assert decay_s(known) == pytest.approx(0.4, rel=0.05)
    with pytest.raises(DataError, match="reverberation"):
        decay_s(np.zeros(SR, dtype=np.float32))
    with pytest.raises(DataError, match="decay"):
        decay_s(np.eye(1, 100, 50, dtype=np.float32)[0])


@pytest.mark.parametrize("span", [(RT60_S[0], 0.1), (0.15, 0.8), (0.9, 2.2), (3.0, RT60_S[1])])
def test_every_response_is_bounded_and_starts_with_the_direct_sound(span: tuple[float, float]) -> None:
    for seed in range(8):
        rng = np.random.default_rng(seed)
        room = Room.draw(rng, span)
        assert span[0] <= room.rt60 <= span[1]
        assert all(0 < m < s for m, s in zip(room.microphone, room.size, strict=True))
        near = room.response(rng, (0.1, 0.3))
        assert near.dtype == np.float32
        assert len(near) <= LONGEST
        assert np.isfinite(near).all()
        assert float(np.sum(near.astype(np.float64) ** 2)) == pytest.approx(1.0, abs=1e-4)
        assert int(np.abs(near).argmax()) == 0
        assert near[0] > 0


def test_low_notes_last_longer_than_high_ones() -> None:
    room = Room.draw(np.random.default_rng(3), (0.6, 0.6))
    assert room.bands[0] > room.bands[1] > room.bands[2]
    response = room.response(np.random.default_rng(4))
    response[0] = 0  # the direct sound rings in the filters
    low = sosfilt(butter(4, (700, 3000), "bandpass", fs=SR, output="sos"), response)
    high = sosfilt(butter(6, 5000, "highpass", fs=SR, output="sos"), response)
    assert decay_s(low) > decay_s(high)


def test_each_talker_has_a_place_of_their_own() -> None:
    rng = np.random.default_rng(5)
    room = Room.draw(rng, (0.5, 0.5))
    one, other = room.response(rng), room.response(rng)
    assert not np.array_equal(one, other)
    ratios = [np.mean([drr_db(room.response(rng, d)) for _ in range(5)]) for d in ((0.2, 0.4), (2.0, 4.0))]
    assert ratios[0] > ratios[1] + 6  # far away, more of the room is heard


def test_the_early_part_holds_single_reflections() -> None:
    rng = np.random.default_rng(6)
    part = np.abs(Room.draw(rng, (0.8, 0.8)).response(rng)[1:400])
    assert part.max() > 8 * np.median(part)


def test_the_same_seed_is_the_same_room() -> None:
    made = [Room.draw(rng, (0.2, 0.9)).response(rng) for rng in (np.random.default_rng(7), np.random.default_rng(7))]
    np.testing.assert_array_equal(*made)
    facts = Room.draw(np.random.default_rng(7)).facts()
    assert set(facts) == {"rt60_s", "size_m", "microphone_m"}


@pytest.mark.parametrize("span", [(0.5, 0.2), (0.0, 0.3), (0.5, 9.0), (float("nan"), 1.0)])
def test_impossible_wishes_are_refused(span: tuple[float, float]) -> None:
    with pytest.raises(ConfigError, match="rt60_range"):
        Room.draw(np.random.default_rng(0), span)
    with pytest.raises(ConfigError, match="distance_m"):
        Room.draw(np.random.default_rng(0)).response(np.random.default_rng(0), (2.0, 1.0))
