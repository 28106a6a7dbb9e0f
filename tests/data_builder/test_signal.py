"""Clip clean-up, synthetic sounds, mixing, voices."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from data_builder import mix, synth_alerts, synth_benign
from data_builder.clips import ClipStore, audible
from data_builder.schema import due_chunk, evidence_end
from data_builder.voices import build_bank, read_bank, voices
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


def test_due_chunk_rule() -> None:
    assert evidence_end(1_000, 90_000) == 1_000 + 19_200
    assert evidence_end(1_000, 5_000) == 5_000
    assert due_chunk(6_400 - 16 * 120, 120, "sound") == 1
    assert due_chunk(6_400 - 16 * 120 - 1, 120, "sound") == 0
    assert due_chunk(0, 120, "endpoint") == (880 + 120) * 16 // 6_400


@pytest.mark.parametrize("label", [*synth_alerts.ALERTING, *synth_benign.BENIGN])
def test_synthetic_sounds_are_audible_and_seeded(label: str) -> None:
    for maker in (synth_alerts.ALERTING | synth_benign.BENIGN)[label]:
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
    for _ in range(12):
        coloured, _ = mix.colour(rng, x / np.abs(x).max())
        assert coloured.shape == x.shape
        assert np.isfinite(coloured).all()


def test_room_keeps_the_direct_path_first() -> None:
    response, rt60 = mix.room(np.random.default_rng(1))
    assert int(np.abs(response).argmax()) == 0
    assert 0.15 <= rt60 <= 0.8
    click = np.zeros(8_000, dtype=np.float32)
    click[4_000] = 1.0
    assert np.abs(mix.convolve(click, response)[:4_000]).max() < 1e-5


def test_clip_store_is_bounded(corpus: Path) -> None:
    store = ClipStore(corpus, max_bytes=200_000)
    for path in sorted(corpus.glob("*.wav")):
        store.read(path.name)
        assert store.bytes <= 200_000 or len(store._kept) == 1
    with pytest.raises(DataError, match=r"index\.csv"):
        store.read("index.csv")


def test_no_voice_speaks_in_two_splits() -> None:
    names = [{v.name for g in voices(s, {"espeak", "flite", "piper"}) for v in g} for s in ("train", "cal", "dev")]
    assert not names[0] & names[1]
    assert not names[0] & names[2]
    assert not names[1] & names[2]


@pytest.mark.skipif(not (shutil.which("flite") or shutil.which("espeak-ng")), reason="neither flite nor espeak-ng here")
def test_bank_is_spoken_once(tmp_path: Path) -> None:
    build_bank(tmp_path, 12)
    first = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.wav")}
    totals = build_bank(tmp_path, 12)
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.wav")} == first
    rows = read_bank(tmp_path)
    assert {r["kind"] for r in rows} == {"question", "heard", "act", "side_talk"}
    assert sum(totals.values()) >= len(rows)
    assert all((tmp_path / r["path"]).is_file() for r in rows)
