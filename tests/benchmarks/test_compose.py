"""An item gives the same samples every time, at the level and place that it says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.compose import Bed, Item, Part, at_level, looped, render, room_response, room_tone
from benchmarks.corpus import Clips, read_index
from benchmarks.plan import single_events
from soundflow.errors import DataError
from tests.benchmarks.fakes import CHUNK


def rms_db(audio: np.ndarray) -> float:
    return 20 * float(np.log10(np.sqrt(np.mean(audio.astype(np.float64) ** 2))))


def item(corpus: Path, **fields: object) -> Item:
    path = next(r.path for r in read_index(corpus) if r.label == "alarm" and r.split == "dev")
    part = Part(path, 4.0, 0.0, 5.0, -20.0)
    body = {"id": "a", "group": "event", "label": "alarm", "respond": "yes", "source": "s", "seed": 3, "parts": (part,)}
    return Item(**{**body, "bed": Bed("room", -40.0), **fields})  # type: ignore[arg-type]


def test_sound_lies_where_it_says_and_at_its_snr(corpus: Path) -> None:
    made = render(item(corpus), Clips(corpus), CHUNK)
    assert made.onset == 64_000
    assert made.offset == 80_000
    assert made.evidence_end == 80_000
    assert len(made.audio) % CHUNK == 0
    assert len(made.audio) >= 80_000 + 51_200
    assert rms_db(made.audio[:60_000]) == pytest.approx(-40.0, abs=0.5)
    assert rms_db(made.audio[64_400:79_600]) == pytest.approx(-20.0, abs=0.5)


def test_evidence_of_a_long_sound_ends_early(corpus: Path) -> None:
    long = next(r for r in read_index(corpus) if r.label == "siren" and r.seconds > 3)
    made = render(item(corpus, parts=(Part(long.path, 1.0),)), Clips(corpus), CHUNK)
    assert made.evidence_end == 16_000 + 19_200


def test_same_item_same_samples_also_through_json(corpus: Path) -> None:
    first = item(corpus)
    again = Item.from_dict(json.loads(json.dumps(first.to_dict())))
    a, b = (render(i, Clips(corpus), CHUNK).audio for i in (first, again))
    np.testing.assert_array_equal(a, b)
    other = render(item(corpus, seed=4), Clips(corpus), CHUNK).audio
    assert not np.array_equal(a, other)


def test_nothing_clips(corpus: Path) -> None:
    made = render(item(corpus, bed=Bed("room", -1.0)), Clips(corpus), CHUNK)
    assert np.abs(made.audio).max() <= 0.98 + 1e-6


def test_beds(corpus: Path) -> None:
    clips = Clips(corpus)
    assert not render(item(corpus, parts=(), bed=Bed("zero"), seconds=2.0), clips, CHUNK).audio.any()
    with pytest.raises(DataError, match="kind room, zero or file"):
        render(item(corpus, bed=Bed("rain")), clips, CHUNK)


def test_loop_has_no_jump_and_the_room_has_unit_energy() -> None:
    rng = np.random.default_rng(0)
    ring = looped(at_level(room_tone(16_000, rng), -20.0), 50_000)
    assert len(ring) == 50_000
    assert np.abs(np.diff(ring)).max() < 0.5
    assert float(np.sum(room_response(rng) ** 2)) == pytest.approx(1.0, abs=1e-3)


def test_plan_is_drawn_by_the_seed_and_capped(corpus: Path) -> None:
    rows = read_index(corpus)
    one, two = (single_events(rows, "dev", 2, 0, (20.0, 0.0)) for _ in range(2))
    assert one == two
    assert one != single_events(rows, "dev", 2, 1, (20.0, 0.0))
    assert len({i.id for i in one}) == len(one)
    alarms = [i for i in one if i.label == "alarm" and i.facts["snr"] == 20.0]
    assert len(alarms) == 2
    for i in one:
        assert i.parts[0].db is not None
        assert i.parts[0].db - i.bed.db == pytest.approx(i.facts["snr"], abs=0.11)
    assert not any("picovoice" in i.id for i in one)
    train = single_events(rows, "train", 0, 0, (20.0,))
    assert not any(i.label == "siren" for i in train)  # not openly licensed
