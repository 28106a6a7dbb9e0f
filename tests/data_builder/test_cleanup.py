"""Clean-up steps on clips whose truth is known."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from data_builder import stft
from data_builder.cleanup import (
    Cleanup,
    boundary,
    clean,
    core,
    denoise,
    noise_profile,
    roughness_db,
    silence_cut,
    smooth,
)
from data_builder.clips import FloatArray
from data_builder.mix import db, noise, to_db
from soundflow.errors import ConfigError, DataError

SR = 16_000
OFF = Cleanup(silence=False, denoise=False, core=False, smooth=False, boundary=False)
ALL = Cleanup(denoise=True, smooth=True)


def tone(seconds: float, start: float, end: float, level: float = 0.1, hz: float = 1000.0) -> FloatArray:
    """A tone from `start` to `end`, faded over 5 ms, in silence."""
    t = np.arange(int(seconds * SR)) / SR
    shape = np.clip(np.minimum(t - start, end - t) / 0.005, 0, 1)
    return (level * np.sin(2 * np.pi * hz * t) * shape).astype(np.float32)


def bed(seed: int, seconds: float, level_db: float, slope: float = 0.0) -> FloatArray:
    return to_db(noise(np.random.default_rng(seed), int(seconds * SR), slope), level_db)[0]


def part(x: FloatArray, start: float, end: float) -> FloatArray:
    return x[int(start * SR) : int(end * SR)]


def level_of(x: FloatArray, hz: float = 1000.0) -> float:
    """Level in dB of the tone in `x`."""
    t = np.arange(len(x)) / SR
    return 20 * float(np.log10(2 * np.abs(np.mean(x * np.exp(-2j * np.pi * hz * t)))))


def test_spectrogram_and_back_is_exact() -> None:
    rng = np.random.default_rng(0)
    for n in (1, 100, 127, 128, 129, 511, 512, 5_000):
        x = rng.standard_normal(n).astype(np.float32)
        np.testing.assert_allclose(stft.inverse(stft.transform(x), n), x, atol=1e-5)
    x = bed(1, 1.0, -20.0)
    middle = stft.powers(np.square(np.abs(stft.transform(x))))[4:-4].mean()
    assert abs(stft.level_db(float(middle)) + 20.0) < 0.3


def test_everything_off_gives_the_same_bits() -> None:
    x = tone(1.0, 0.2, 0.8) + bed(0, 1.0, -50.0) + np.float32(0.01)
    y, report = clean(x, OFF)
    assert y.tobytes() == x.tobytes()
    assert report.steps == ()
    assert report.seconds_in == report.seconds_out == 1.0
    assert report.dc == report.gain_db == report.head_s == report.tail_s == 0.0


@pytest.mark.parametrize("step", ["silence", "denoise", "core", "smooth", "boundary"])
def test_one_step_alone_is_what_its_function_does(step: str) -> None:
    x = tone(2.0, 0.6, 1.4) + bed(3, 2.0, -55.0)
    x[:3_000] = 0
    y, report = clean(x, Cleanup(**{f: f == step for f in ("silence", "denoise", "core", "smooth", "boundary")}))
    c = Cleanup()
    expected = {
        "silence": lambda: x[slice(*silence_cut(x, c.silence_db))],
        "denoise": lambda: denoise(x, noise_profile(x), c.over, c.gain_floor_db),
        "core": lambda: x[slice(*core(x, c.core_share, c.lead_s, c.tail_s))],
        "smooth": lambda: smooth(x, c.smooth_share),
        "boundary": lambda: boundary(x, c.fade_s, c.peak, c.level_db)[0],
    }[step]()
    np.testing.assert_array_equal(y, expected)
    assert report.steps == (step,)
    assert not np.shares_memory(x, y)


@pytest.mark.parametrize(
    ("start", "end", "dc"), [(0.5, 1.7, 0.0), (0.113, 2.441, 0.0), (1.0, 1.2, 0.05), (0.0, 2.5, 0.0)]
)
def test_silence_is_cut_where_it_ends(start: float, end: float, dc: float) -> None:
    x = tone(2.5, start, end) + bed(2, 2.5, -90.0) + np.float32(dc)
    _, report = clean(x, Cleanup(core=False))
    assert abs(report.head_s - start) <= 0.02
    assert abs(report.tail_s - (2.5 - end)) <= 0.02
    assert abs(report.dc - dc) < 1e-3
    assert abs(report.seconds_out - (end - start)) <= 0.04


@pytest.mark.parametrize("slope", [0.0, -3.0])
def test_noise_falls_and_the_tone_stays(slope: float) -> None:
    truth = tone(2.0, 0.6, 1.4)
    x = truth + bed(5, 2.0, -45.0, slope)
    profile = noise_profile(x)
    assert abs(profile.floor_db + 45.0) < 1.5
    y, report = clean(x, Cleanup(silence=False, denoise=True, core=False, boundary=False))
    assert abs(level_of(part(y, 0.7, 1.3)) - level_of(part(truth, 0.7, 1.3))) < 1.0
    for start, end in ((0.05, 0.5), (1.5, 1.95)):
        assert db(part(x, start, end)) - db(part(y, start, end)) > 15.0

    def snr(z: FloatArray) -> float:
        clean_part, got = part(truth, 0.7, 1.3), part(z, 0.7, 1.3)
        aim = clean_part * (np.dot(got, clean_part) / np.dot(clean_part, clean_part))
        return db(aim) - db(got - aim)

    assert snr(y) - snr(x) > 12.0
    assert report.snr_after_db - report.snr_before_db > 12.0


@pytest.mark.parametrize("slope", [0.0, -3.0])
def test_what_is_left_of_the_noise_does_not_ring(slope: float) -> None:
    x = bed(6, 2.0, -45.0, slope) + tone(2.0, 1.5, 1.9)
    y, _ = clean(x, Cleanup(silence=False, denoise=True, core=False, boundary=False))
    peaks = []
    for z in (x, y):
        cells = np.square(np.abs(stft.transform(part(z, 0.1, 1.3))))[4:-4]
        peaks.append(10 * np.log10((cells / np.median(cells, axis=0)).max()))
    assert peaks[1] - peaks[0] < 1.0  # no lone cell stands out more than it did


def test_a_steady_clip_has_no_noise_to_take_away() -> None:
    x = bed(7, 2.0, -30.0)
    assert not noise_profile(x).usable
    y, report = clean(x, Cleanup(silence=False, denoise=True, core=True, boundary=False))
    np.testing.assert_array_equal(x, y)
    assert report.steps == ()


@pytest.mark.parametrize(("start", "end"), [(0.3, 0.5), (1.25, 2.0), (3.0, 3.9), (0.0, 0.6)])
def test_core_is_found_in_noise(start: float, end: float) -> None:
    x = tone(4.0, start, end) + bed(8, 4.0, -50.0, -3.0)
    y, report = clean(x, Cleanup())
    assert abs(report.core_at_s - start) <= 0.05
    assert abs(report.core_at_s + report.core_s - end) <= 0.05
    assert len(y) == round(report.seconds_out * SR)
    assert "core" in report.steps


def test_core_holds_all_of_a_bout_but_reaches_out_only_so_far() -> None:
    bout = tone(4.0, 1.0, 1.2) + tone(4.0, 1.6, 1.8) + tone(4.0, 2.3, 2.5) + bed(9, 4.0, -55.0)
    start, end = core(bout, 0.95, 0.2, 0.5)
    assert abs(start / SR - 1.0) <= 0.05
    assert abs(end / SR - 2.5) <= 0.05
    swell = tone(4.0, 0.7, 3.3, 0.005) + tone(4.0, 2.0, 2.4, 0.5) + bed(9, 4.0, -70.0)
    start, end = core(swell, 0.95, 0.2, 0.3)
    assert abs(start / SR - 1.8) <= 0.04
    assert abs(end / SR - 2.7) <= 0.05


def test_ends_do_not_click_and_levels_hold() -> None:
    x = tone(1.0, -1.0, 2.0, 0.3, 440.0) + np.float32(0.04)
    y, report = clean(x, Cleanup(silence=False, core=False))
    assert y[0] == y[-1] == 0.0
    inside = np.abs(np.diff(y[1_000:-1_000])).max()
    assert np.abs(np.diff(y[:100])).max() <= inside
    assert np.abs(np.diff(y[-100:])).max() <= inside
    assert abs(np.abs(y).max() - 0.8) < 1e-4
    assert abs(report.dc - 0.04) < 1e-3
    assert abs(report.gain_db - 20 * np.log10(0.8 / 0.3)) < 0.2
    quiet, _, _ = boundary(x, 0.005, 0.8, -26.0)
    assert abs(db(quiet) + 26.0) < 0.05
    spiky = np.zeros(SR, dtype=np.float32)
    spiky[8_000] = 0.5
    assert np.abs(boundary(spiky, 0.005, 0.8, -10.0)[0]).max() <= 0.8


def test_smoothing_lowers_roughness_not_level() -> None:
    x = tone(1.0, 0.0, 1.0) + bed(11, 1.0, -40.0)
    y, report = clean(x, Cleanup(silence=False, core=False, smooth=True, boundary=False))
    assert report.rough_after_db < report.rough_before_db - 0.3
    assert abs(db(y) - db(x)) < 1.0
    assert abs(roughness_db(stft.transform(x)) - report.rough_before_db) < 1e-6


def test_clipping_is_counted() -> None:
    x = np.clip(tone(1.0, 0.0, 1.0, 2.0, 997.0), -1, 1)
    share = clean(x)[1].clipped
    assert abs(share - 2 / 3) < 0.03  # |2 sin| >= 1 for two thirds of a period


def test_odd_clips_stay_finite() -> None:
    impulse = np.zeros(SR, dtype=np.float32)
    impulse[9_000] = 1.0
    odd = [
        np.zeros(SR, dtype=np.float32),
        impulse,
        np.full(SR, 0.5, dtype=np.float32),
        np.full(1, 0.3, dtype=np.float32),
        np.zeros(1, dtype=np.float32),
        bed(12, 1.0, -20.0)[:100],
        bed(12, 1.0, -20.0)[:161],
        np.sign(tone(1.0, 0.0, 1.0)),
        bed(13, 1.0, -110.0),
        np.full(SR, 1e-30, dtype=np.float32),
        np.concatenate([np.zeros(SR, dtype=np.float32), bed(14, 1.0, -10.0), np.zeros(SR, dtype=np.float32)]),
    ]
    for x in odd:
        for config in (ALL, Cleanup(denoise=True, level_db=-20.0), Cleanup(silence=False, core=False, smooth=True)):
            y, report = clean(x, config)
            assert y.dtype == np.float32
            assert 1 <= len(y) <= len(x)
            assert np.isfinite(y).all()
            assert np.abs(y).max() <= 0.8
            numbers = [getattr(report, f.name) for f in fields(report) if f.name != "steps"]
            assert np.isfinite(numbers).all()
    assert not clean(odd[0], ALL)[0].any()


def test_same_clip_same_bits() -> None:
    x = tone(1.0, 0.3, 0.7) + bed(15, 1.0, -45.0)
    one, two = clean(x, ALL), clean(x, ALL)
    assert one[0].tobytes() == two[0].tobytes()
    assert one[1] == two[1]
    assert set(one[1].to_dict()) == {f.name for f in fields(one[1])}


def test_wrong_input_is_refused() -> None:
    with pytest.raises(DataError, match="NaN"):
        clean(np.full(100, np.nan, dtype=np.float32))
    with pytest.raises(DataError, match=r"\(0,\)"):
        clean(np.zeros(0, dtype=np.float32))
    with pytest.raises(DataError, match="float64"):
        clean(np.zeros(100))
    with pytest.raises(DataError, match="9600001"):
        clean(np.broadcast_to(np.float32(0), (9_600_001,)))
    with pytest.raises(ConfigError, match="core_share"):
        Cleanup(core_share=1.5)
    with pytest.raises(ConfigError, match="level_db"):
        Cleanup(level_db=float("nan"))
