"""What goes on as it was is doubted; what begins, or is heard first of all, is not."""

from __future__ import annotations

import numpy as np
import pytest

from soundflow.decide.familiar import BEFORE, KNOWN, LIKE, MOST, NEWEST, STEEP, Familiar

WIND, SIREN = np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])


def hear(familiar: Familiar, *sounds: np.ndarray) -> float:
    doubt = 0.0
    for sound in sounds:
        doubt = familiar.hear(sound.astype(np.float32))
    return doubt


def test_wind_is_doubted_and_a_siren_in_it_is_not():
    familiar = Familiar()
    assert hear(familiar, *[WIND] * 20) == MOST
    assert hear(familiar, *[SIREN] * NEWEST) == 0.0
    assert hear(familiar, *[SIREN] * BEFORE) == MOST, "it has gone on for ten seconds"


def test_the_doubt_grows_with_the_cosine():
    cosine = LIKE + 0.05
    nearly = np.array([cosine, np.sqrt(1 - cosine**2), 0.0])
    assert hear(Familiar(), *[WIND] * 20, *[nearly] * NEWEST) == pytest.approx(0.05 * STEEP, abs=0.02)


def test_a_shot_is_not_doubted_as_soon_as_it_is_over():
    familiar = Familiar()
    hear(familiar, *[WIND] * 20)
    during = hear(familiar, SIREN)
    assert during < MOST
    assert hear(familiar, *[WIND] * (NEWEST - 1)) == during
    assert hear(familiar, *[WIND] * NEWEST) == MOST


def test_before_anything_is_known_nothing_is_doubted():
    assert hear(Familiar(), *[WIND] * (NEWEST + KNOWN + NEWEST - 2)) == 0.0
    assert hear(Familiar(), *[WIND] * (NEWEST + KNOWN + NEWEST - 1)) == MOST


def test_silence_is_like_nothing_and_the_memory_is_bounded():
    familiar = Familiar()
    assert hear(familiar, *[0 * WIND] * 100) == 0.0
    assert len(familiar.heard) == NEWEST + BEFORE


def test_a_sound_as_a_whole_is_as_new_as_its_newest_part():
    familiar = Familiar()
    for k, sound in enumerate([WIND] * 20 + [SIREN] * 2 + [WIND] * 3, 1):
        familiar.hear(sound.astype(np.float32), 10 * k)
    assert familiar.least(200) == min(doubt for end, doubt in familiar.doubts if end > 200)
    assert familiar.least(200) < MOST
    assert familiar.least(250) == 0.0, "nothing since"


def test_it_goes_on_elsewhere():
    here = Familiar()
    hear(here, *[WIND] * 20, SIREN)
    there = Familiar.restore(here.snapshot())
    assert hear(there, SIREN) == hear(here, SIREN) < MOST
    assert len(there.heard) == len(here.heard) == 22
