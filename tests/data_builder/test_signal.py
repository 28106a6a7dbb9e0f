"""Clips, the rule of the due chunk, synthetic sounds, mixing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data_builder import mix, synth_alerts, synth_benign, synth_equipment
from data_builder.clips import ClipStore, audible, burst
from data_builder.schema import due_chunk, evidence_end
from soundflow.errors import DataError


def test_audible_part_is_found() -> None:
    x = np.zeros(16_000, dtype=np.float32)
    x[4_000:8_000] = np.sin(np.arange(4_000) * 0.3)
    x[:4_000] += 1e-3 * np.sin(np.arange(4_000) * 0.3)  # 60 dB below the peak
    onset, offset = audible(x)
    assert abs(onset - 4_000) <= 160
    assert abs(offset - 8_000) <= 160
    with pytest.raises(DataError, match="silence"):
        audible(np.zeros(16_000, dtype=np.float32))
    with pytest.raises(DataError, match="finite"):
        audible(np.full(16_000, np.nan, dtype=np.float32))


def test_a_burst_is_the_first_of_several() -> None:
    bark = np.sin(np.arange(4_000) * 0.3).astype(np.float32)
    three = np.concatenate([bark, *[np.zeros(4_800, np.float32), bark] * 2])
    assert abs(len(burst(three)) - 4_000) < 1_200
    assert len(burst(bark)) <= 4_000
    close = np.concatenate([bark, np.zeros(1_000, np.float32), bark])
    assert len(burst(close)) > 8_000
    with pytest.raises(DataError, match="40 ms"):
        burst(np.concatenate([bark[:300], np.zeros(16_000, np.float32), bark[:300]]))


def test_due_chunk_rule() -> None:
    assert evidence_end(1_000, 90_000) == 1_000 + 19_200
    assert evidence_end(1_000, 5_000) == 5_000
    assert due_chunk(6_400 - 16 * 120, 120, "sound") == 1
    assert due_chunk(6_400 - 16 * 120 - 1, 120, "sound") == 0
    assert due_chunk(0, 120, "endpoint") == (880 + 120) * 16 // 6_400


MAKERS = synth_alerts.ALERTING | synth_benign.BENIGN | synth_equipment.FAULTS


@pytest.mark.parametrize("label", MAKERS)
def test_synthetic_sounds_are_audible_and_seeded(label: str) -> None:
    for maker in MAKERS[label]:
        for seed in range(5):
            a, b = (maker(np.random.default_rng(seed)) for _ in range(2))
            np.testing.assert_array_equal(a, b)
            onset, offset = audible(a)
            assert a.dtype == np.float32
            assert offset - onset >= 160


def test_levels_noise_and_limit() -> None:
    rng = np.random.default_rng(0)
    for slope in mix.NOISES.values():
        x = mix.noise(rng, 16_000, slope)
        assert abs(mix.db(mix.to_db(x, -30.0)[0]) + 30.0) < 0.1
    loud, gain = mix.limit(4.0 * x)
    assert np.abs(loud).max() <= 0.971
    assert gain < 0


def test_clip_store_is_bounded(corpus: Path) -> None:
    store = ClipStore(corpus, max_bytes=200_000)
    for path in sorted(corpus.glob("*.wav")):
        store.read(path.name)
        assert store.bytes <= 200_000 or len(store._kept) == 1
    with pytest.raises(DataError, match=r"index\.csv"):
        store.read("index.csv")
