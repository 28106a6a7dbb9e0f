"""Channels: timing, bounds, G.711 by the book, packets lost where the facts say."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
import soundfile as sf

from data_builder import channel
from data_builder.clips import FloatArray
from data_builder.mix import db
from soundflow.errors import ConfigError, DataError

SR = 16_000
MS = SR // 1000
CODECS = list(channel.BANDS_HZ)


def voice(n: int = SR, seed: int = 0) -> FloatArray:
    """[n] of a buzzing voice whose pitch moves, in syllables: in the band of every codec, no two periods alike."""
    t = np.arange(n) / SR
    phase = 2 * np.pi * (130 * t + 12 * np.sin(2 * np.pi * 1.7 * t + seed))
    buzz = sum(np.sin(k * phase + k * k) for k in range(1, 25))
    return np.asarray(0.05 * buzz * (0.15 + np.sin(2 * np.pi * 2.1 * t) ** 2), dtype=np.float32)


def lag(x: FloatArray, y: FloatArray) -> int:
    """Samples by which `y` is later than `x`, by their cross-correlation within 50 ms."""
    width = 4 * len(x)
    match = np.fft.irfft(np.fft.rfft(y, width) * np.conj(np.fft.rfft(x, width)), width)
    most = 50 * MS
    return int(np.argmax(np.concatenate([match[-most:], match[: most + 1]]))) - most


@pytest.mark.parametrize("kind", list(channel.KINDS))
def test_length_and_timing_are_kept(kind: str) -> None:
    x = voice(SR + 123)
    for seed in range(3):
        y, facts = channel.apply(np.random.default_rng(seed), x, kind)
        assert y.shape == x.shape
        assert y.dtype == np.float32
        assert abs(lag(x, y)) <= MS, facts
        assert facts["kind"] == kind
        assert json.loads(json.dumps(facts)) == facts


@pytest.mark.parametrize("name", CODECS)
def test_a_codec_gives_an_impulse_back_in_its_place(name: str) -> None:
    x = np.zeros(SR, dtype=np.float32)
    x[8_000] = 0.9
    x += 1e-4 * np.random.default_rng(1).standard_normal(SR, dtype=np.float32)
    for seed in range(3):
        y, facts = channel.code(np.random.default_rng(seed), x, name)
        assert len(y) == len(x)
        power = y[8_000 - 40 * MS : 8_000 + 40 * MS].astype(np.float64) ** 2
        centre = 8_000 - 40 * MS + int(np.argmax(np.convolve(power, np.ones(MS), mode="same")))
        assert abs(centre - 8_000) <= MS, facts


@pytest.mark.parametrize("kind", list(channel.KINDS))
def test_outputs_are_bounded_and_seeded(kind: str) -> None:
    click = np.zeros(5_000, dtype=np.float32)
    click[2_500] = 1.0
    square = np.sign(np.sin(np.arange(9_001) * 0.05) + 0.01).astype(np.float32)
    inputs = (np.zeros(4_000, dtype=np.float32), click, square, 8 * voice(6_401), np.full(1, 0.5, dtype=np.float32))
    for k, x in enumerate(inputs):
        (y, facts), (again, _) = (channel.apply(np.random.default_rng(k), x, kind) for _ in range(2))
        np.testing.assert_array_equal(y, again)
        assert y.shape == x.shape
        assert np.isfinite(y).all()
        assert float(np.abs(y).max()) <= 1.0
        if k == 0:
            assert db(y) < (-30 if kind == "overdrive" else -50), facts


def test_kinds_are_drawn_all_but_the_loudspeaker() -> None:
    x = voice(1_600)
    seen = {channel.apply(np.random.default_rng(seed), x)[1]["kind"] for seed in range(80)}
    assert seen == set(channel.KINDS) - {"speaker"}


def test_g711_levels_are_those_of_a_decoder() -> None:
    for name, subtype in (("mu-law", "ULAW"), ("a-law", "ALAW")):
        raw = {"samplerate": 8_000, "channels": 1, "format": "RAW", "subtype": subtype}
        known, _ = sf.read(io.BytesIO(bytes(range(256))), frames=256, dtype="int16", **raw)
        np.testing.assert_array_equal(channel.LEVELS[name] * 32768, np.unique(known))


def test_bands_are_those_of_the_codec() -> None:
    x = 0.3 * np.random.default_rng(0).standard_normal(4 * SR, dtype=np.float32)
    for name in ("mu-law", "a-law", "gsm", "7 kHz"):
        y, _ = channel.code(np.random.default_rng(0), np.clip(x, -1, 1), name)
        power = np.abs(np.fft.rfft(y)) ** 2
        freq = np.fft.rfftfreq(len(y), 1 / SR)
        low, high = channel.BANDS_HZ[name]
        inside = power[(freq > 2 * low) & (freq < 0.8 * high)].mean()
        assert power[freq > min(7_950, 1.25 * high)].mean() < inside / 10
        assert power[freq < low / 4].mean() < inside / 10


def test_lower_rates_of_opus_lose_more(monkeypatch: pytest.MonkeyPatch) -> None:
    x, errors = voice(), []
    for rate in (8_000, 32_000):
        monkeypatch.setattr(channel, "OPUS_BPS", (rate,))
        y, facts = channel.code(np.random.default_rng(0), x, "opus")
        if facts["name"] != "opus":
            pytest.skip("this libsndfile has no Opus")
        errors.append(db(y - x) - db(x))
    assert errors[0] > errors[1] + 3


def test_a_missing_codec_becomes_its_band(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel.sf, "available_subtypes", lambda _: {})
    for name in channel.FILES:
        y, facts = channel.code(np.random.default_rng(0), voice(), name)
        assert facts["name"] == f"band of {name}"
        assert abs(lag(voice(), y)) <= MS


def test_packets_are_lost_where_the_facts_say() -> None:
    x = voice(10 * SR)
    shares, runs, ways = [], [], set()
    for seed in range(40):
        y, facts = channel.lose(np.random.default_rng(seed), x)
        same = np.ones(len(x), dtype=bool)
        for onset, offset in facts["lost"]:
            assert onset % channel.PACKET == 0
            assert 0 <= onset < offset <= len(x)
            runs.append((offset - onset) / channel.PACKET)
            if facts["concealment"] == "zeros":
                assert not y[onset:offset].any()
            else:
                same[offset : offset + channel.JOIN] = False
                assert not y[min(onset + channel.HELD, offset) : offset].any()
            same[onset:offset] = False
        np.testing.assert_array_equal(x[same], y[same])
        shares.append(facts["share"])
        ways.add(facts["concealment"])
    assert ways == {"zeros", "repeat"}
    assert 0.005 < np.mean(shares) < 0.06
    assert max(shares) < 0.3
    assert np.mean(runs) > 1.3  # in bursts


def test_a_repeated_packet_joins_without_a_click() -> None:
    x = np.sin(2 * np.pi * 100 * np.arange(SR) / SR).astype(np.float32)  # two periods a packet
    y = x.copy()
    channel._conceal(y, 3_200, 3_840, True)
    step = float(np.abs(np.diff(x)).max())
    assert float(np.abs(np.diff(y)).max()) < 1.6 * step + 0.01
    assert db(y[3_520:3_840]) < db(y[3_200:3_520]) < db(x)


def test_a_microphone_adds_noise_and_clips_softly() -> None:
    quiet, facts = channel.microphone(np.random.default_rng(1), np.zeros(SR, dtype=np.float32))
    assert abs(db(quiet) - facts["noise_db"] - facts["gain_db"]) < 4
    loud, facts = channel.microphone(np.random.default_rng(2), voice(), overdriven=True)
    assert float(np.abs(loud).max()) <= facts["turned_down"] + 0.01
    assert float(np.mean(np.abs(loud) > 0.8 * facts["turned_down"])) > 0.005
    ramp = np.linspace(-3, 3, 601, dtype=np.float32)
    soft = channel.soften(ramp)
    assert (np.diff(soft) >= 0).all()
    np.testing.assert_array_equal(soft[np.abs(ramp) <= 0.8], ramp[np.abs(ramp) <= 0.8])


def test_bad_input_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ConfigError, match="pigeon"):
        channel.apply(rng, voice(), "pigeon")
    with pytest.raises(ConfigError, match="pigeon"):
        channel.code(rng, voice(), "pigeon")
    for bad in (np.zeros(0), np.zeros((2, 3)), np.full(10, np.nan)):
        with pytest.raises(DataError, match="finite samples"):
            channel.apply(rng, bad.astype(np.float32))
