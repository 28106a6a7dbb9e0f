"""Clips, the rule of the due chunk, synthetic sounds, mixing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import soxr

from data_builder import clips, mix, synth_alerts, synth_benign, synth_equipment
from data_builder.clip_facts import Limits, measure
from data_builder.clips import ClipStore, audible, burst, to_int16
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


def melody() -> np.ndarray:
    """Two seconds of three tones below 4 kHz at 16 kHz, at the levels of int16."""
    t = np.arange(32_000) / 16_000
    x = sum(np.sin(2 * np.pi * hz * t) for hz in (220.0, 700.0, 2_500.0)) * np.sin(np.pi * t / 2) * 0.2
    return np.asarray(np.round(x * 32768) / 32768, dtype=np.float32)


FORMS = [
    (16_000, 1, "WAV", "PCM_16"), (16_000, 1, "FLAC", "PCM_24"), (16_000, 1, "WAV", "FLOAT"),
    (16_000, 2, "WAV", "PCM_16"), (44_100, 2, "WAV", "PCM_16"), (48_000, 1, "FLAC", "PCM_16"),
    (8_000, 8, "WAV", "FLOAT"), (44_100, 2, "OGG", "VORBIS"),
]  # fmt: skip


@pytest.mark.parametrize(("rate", "channels", "form", "subtype"), FORMS)
def test_the_store_reads_any_form_to_the_samples_of_the_catalog(
    tmp_path: Path, rate: int, channels: int, form: str, subtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = melody()
    there = plain if rate == 16_000 else soxr.resample(plain, 16_000, rate)
    sf.write(tmp_path / "a", np.tile(there[:, None], (1, channels)), rate, format=form, subtype=subtype)
    monkeypatch.setattr(clips, "BLOCK", 20_000)
    store = ClipStore(tmp_path)
    got = store.read("a")
    assert got.dtype == np.float32
    assert store.bytes == 2 * len(got)
    np.testing.assert_array_equal(got, store.read("a"), "out of the cache")
    np.testing.assert_array_equal(got, ClipStore(tmp_path).read("a"), "out of the file")
    assert abs(len(got) - len(plain)) <= 2
    n = min(len(got), len(plain))
    assert np.abs(got[:n] - plain[:n])[800:-800].max() < (0.02 if subtype == "VORBIS" else 2e-3)
    if rate == 16_000:
        np.testing.assert_array_equal(got, plain)
    hashed = hashlib.sha256(to_int16(got).tobytes()).hexdigest()
    assert measure(tmp_path / "a", Limits()).sha256 == hashed
    assert len(store.clip("a")) > 24_000


def test_the_store_refuses_what_is_no_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ClipStore(tmp_path)
    x = melody()
    sf.write(tmp_path / "nan.wav", np.where(np.arange(len(x)) == 9_000, np.nan, x), 16_000, subtype="FLOAT")
    with pytest.raises(DataError, match=r"nan\.wav: expected finite"):
        store.read("nan.wav")
    sf.write(tmp_path / "slow.wav", x, 2_000)
    with pytest.raises(DataError, match=r"slow\.wav: expected a rate of 4000"):
        store.read("slow.wav")
    sf.write(tmp_path / "many.wav", np.tile(x[:200, None], (1, 65)), 16_000)
    with pytest.raises(DataError, match="expected 1 to 64 channels"):
        store.read("many.wav")
    sf.write(tmp_path / "none.wav", x[:0], 16_000)
    with pytest.raises(DataError, match=r"none\.wav: expected samples"):
        store.read("none.wav")
    sf.write(tmp_path / "loud.wav", 3 * x, 16_000, subtype="FLOAT")
    assert store.read("loud.wav").max() == pytest.approx(1.0, abs=1e-4)
    sf.write(tmp_path / "wild.wav", 1e30 * x, 16_000, subtype="FLOAT")
    with pytest.raises(DataError, match=r"wild\.wav: expected samples within"):
        store.read("wild.wav")
    sf.write(tmp_path / "long.wav", x, 44_100)
    monkeypatch.setattr(clips, "LONGEST_S", 0.5)
    with pytest.raises(DataError, match=r"long\.wav: expected at most 0\.5 s"):
        store.read("long.wav")
    assert store.bytes == 2 * len(x)


def test_a_path_that_two_folders_hold_is_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        sf.write(tmp_path / name / "same.wav", melody(), 16_000)
    sf.write(tmp_path / "two" / "other.wav", melody(), 16_000)
    one, two = tmp_path / "one", tmp_path / "two"
    with pytest.raises(DataError, match=r"same\.wav: expected one folder that holds it, got .*one and .*two"):
        ClipStore(one, two).read("same.wav")
    assert len(ClipStore(one, two).read("other.wav")) == 32_000
    assert len(ClipStore(one, one).read("same.wav")) == 32_000
    with pytest.raises(DataError, match=r"gone\.wav: expected audio"):
        ClipStore(one, two).read("gone.wav")
