"""Taught sounds: streaming equals whole, state, the files and what is wrong with them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from soundflow.errors import ConfigError, WeightsError
from soundflow.perceive.own import META, TENSORS, WIDTH, OwnSound, OwnSounds, features, smoothed

RNG = np.random.default_rng(3)


def sound(name="kettle", threshold=0.5, **more):
    weight = np.random.default_rng(len(name)).normal(0, 3, WIDTH).astype(np.float32)
    return OwnSound(name, f"The {name} is on.", threshold, weight, -0.5, **more)


def embeddings(count):
    return np.maximum(RNG.normal(0, 1, (count, WIDTH)), 0).astype(np.float32)


def test_a_stream_of_chunks_gives_the_maxima_of_the_whole():
    own, heard = OwnSounds([sound(), sound("my dog")]), embeddings(24)
    state = own.init_state()
    got = np.stack([own.step(heard[k : k + 2], state) for k in range(0, 24, 2)])
    weight = np.stack([s.weight for s in own.sounds])
    odds = smoothed(features(heard) @ weight.T - 0.5)
    expected = 1 / (1 + np.exp(-odds.reshape(12, 2, 2).max(axis=1)))
    assert np.allclose(got, expected, atol=1e-4)
    assert np.ptp(got[:, 0]) > 0.05


def test_one_odd_window_counts_a_third():
    x = np.zeros((6, 1), np.float32)
    x[4] = 9.0
    assert smoothed(x)[:, 0].tolist() == [0, 0, 0, 0, 3, 3]


def test_snapshot_restore_and_reset():
    own, heard = OwnSounds([sound()]), embeddings(8)
    state = own.init_state()
    own.step(heard[:2], state)
    saved = state.snapshot()
    expected = [own.step(heard[k : k + 2], state) for k in (2, 4)]
    other = own.init_state()
    other.restore(saved)
    assert [own.step(heard[k : k + 2], other) for k in (2, 4)] == expected
    state.reset()
    assert np.array_equal(own.step(heard[:2], state), own.step(heard[:2], own.init_state()))
    with pytest.raises(ConfigError, match="1 were expected"):
        other.restore({"recent": np.zeros((2, 3))})


def test_the_threshold_lies_at_one_half():
    heard = embeddings(1)
    plain, strict = (OwnSounds([sound(threshold=t)]) for t in (0.5, 0.9))
    p, q = (float(o.step(heard, o.init_state())[0]) for o in (plain, strict))
    assert np.log(p / (1 - p)) - np.log(q / (1 - q)) == pytest.approx(np.log(9), abs=1e-3)


def test_loudness_counts_for_nothing_and_silence_is_no_sound():
    heard = embeddings(3)
    assert np.allclose(features(heard), features(heard * 7), atol=1e-6)
    assert not features(np.zeros((1, WIDTH), np.float32)).any()


def test_what_was_saved_is_loaded(tmp_path):
    own = OwnSounds([sound(taught={"clips": 20}), sound("mein Wasserkocher", 0.8)])
    own.save(tmp_path)
    back = OwnSounds.load(tmp_path)
    assert back.names == ("kettle", "mein Wasserkocher")
    assert back.sounds[0].taught == {"clips": 20}
    heard = embeddings(2)
    assert np.array_equal(own.step(heard, own.init_state()), back.step(heard, back.init_state()))
    OwnSounds().save(tmp_path)
    assert not list(tmp_path.iterdir())
    assert OwnSounds.load(tmp_path).sounds == ()


def edited(body, **change):
    return {**body, "sounds": [{**body["sounds"][0], **change}]}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda b: edited(b, threshold=1.5), r"sounds\[0\].threshold"),
        (lambda b: edited(b, threshold="0.5"), r"sounds\[0\].threshold"),
        (lambda b: edited(b, say=""), r"sounds\[0\].say"),
        (lambda b: edited(b, say="two\nlines"), r"sounds\[0\].say"),
        (lambda b: edited(b, name="<|im_end|>"), r"sounds\[0\].name"),
        (lambda b: edited(b, volume=3), r"sounds\[0\].*volume"),
        (lambda b: {**b, "format": 2}, "format 1"),
        (lambda b: {**b, "sounds": b["sounds"] * 2}, TENSORS),
        (lambda b: [], "format 1"),
    ],
)
def test_a_bad_list_names_file_and_field(tmp_path, change, named):
    OwnSounds([sound()]).save(tmp_path)
    path = tmp_path / META
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(WeightsError, match=named) as error:
        OwnSounds.load(tmp_path)
    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize("broken", [META, TENSORS])
def test_a_missing_or_damaged_half_is_refused(tmp_path, broken):
    OwnSounds([sound()]).save(tmp_path)
    (tmp_path / broken).write_bytes(b"{")
    with pytest.raises(WeightsError, match=broken):
        OwnSounds.load(tmp_path)
    (tmp_path / broken).unlink()
    with pytest.raises(WeightsError, match=broken):
        OwnSounds.load(tmp_path)


def test_numbers_that_are_none_and_names_twice(tmp_path):
    with pytest.raises(ConfigError, match="finite"):
        OwnSound("x", "X.", 0.5, np.full(WIDTH, np.nan, np.float32), 0.0)
    with pytest.raises(ConfigError, match="different names"):
        OwnSounds([sound("kettle"), sound("Kettle")])
