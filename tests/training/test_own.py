"""Teaching a sound: what is refused, the fit and its held-out figures, and the folder that comes out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import soundfile as sf
from typer.testing import CliRunner

from soundflow.errors import ConfigError, DataError, WeightsError
from soundflow.perceive.own import WIDTH, OwnSounds
from soundflow.tiers import nano
from training import own_bank, own_clips, own_fit
from training.own_cli import app
from training.own_fit import Others, Windows
from training.own_sounds import Lesson, forget, teach

RATE = 16_000


def unit(x):
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def cluster(axis, count, seed, spread=0.05):
    x = np.abs(np.random.default_rng(seed).normal(0, spread, (count, WIDTH)))
    x[:, axis] += 1.0
    return unit(x)


def made(odd=False):
    """Eight recordings of five windows along axis 0 (with `odd` the last lies along axis 9), others along 1 to 4."""
    x = np.concatenate([cluster(9 if odd and k == 7 else 0, 5, k) for k in range(8)])
    recording = np.repeat(np.arange(8), 5)
    own = Windows(x, recording, recording, np.ones(40, bool))
    away = np.concatenate([cluster(axis, 20, 50 + axis) for axis in (1, 2, 3, 4)])
    labels = tuple(f"label {k // 20}" for k in range(80))
    return own, Others(away, labels, tuple(f"r{k}" for k in range(80)))


def test_a_held_out_recording_that_is_unlike_the_rest_is_missed():
    own, others = made(odd=True)
    weight, bias = own_fit.fit(own.x, others.x)
    assert (own.x @ weight + bias > 0).all()  # the fit itself has learned it by heart
    held = own_fit.hold_out(own, others, np.append(weight, np.float32(bias)))
    at = own_fit.threshold(held)
    assert (held.takes[:7] > at).all()
    assert held.takes[7] < at
    assert held.take_recording.tolist() == list(range(8))


def test_the_threshold_keeps_the_budget_and_goes_halfway_where_there_is_room():
    others = np.linspace(-5, 0, 1001).astype(np.float32)
    edge = float(np.quantile(others, 1 - own_fit.BUDGET))
    far = own_fit.Held(np.full(9, 4.0, np.float32), np.arange(9), others)
    near = own_fit.Held(np.full(9, -3.0, np.float32), np.arange(9), others)
    assert own_fit.threshold(far) == pytest.approx((4.0 + edge) / 2, abs=1e-3)
    assert own_fit.threshold(near) == pytest.approx(edge)


def test_both_sides_count_alike_however_many_windows_they_have():
    own, others = made()
    few, many = own_fit.fit(own.x, others.x), own_fit.fit(np.tile(own.x, (7, 1)), others.x)
    assert np.allclose(few[0], many[0], atol=0.15)
    assert few[1] == pytest.approx(many[1], abs=0.1)


def test_a_label_of_the_bank_that_is_the_sound_itself_is_found():
    own, others = made()
    same = Others(cluster(0, 6, 99), ("like it",) * 6, tuple("abcdef"))
    assert own_fit.alike(own, others.plus(same)) == ["like it"]
    assert set(others.plus(same).without(["like it"]).label) == set(others.label)


def write(path, audio):
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, audio, RATE)


def whistle(seed, seconds=0.35):
    rng, times = np.random.default_rng(seed), np.arange(round(seconds * RATE)) / RATE
    wobble = 300 * np.sin(2 * np.pi * 6 * times)
    return 0.3 * np.sin(2 * np.pi * (1500 + float(rng.uniform(-50, 50)) + wobble) * times)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (np.zeros(RATE), "silence"),
        (np.pad(whistle(1, 0.03), 4000), "at least 0.1 s"),
        (None, "not audio"),
        (np.zeros(0), "no samples"),
    ],
)
def test_a_bad_clip_is_named(tmp_path, content, said):
    path = tmp_path / "clip7.wav"
    if content is None:
        path.write_bytes(b"RIFF no")
    else:
        write(path, content)
    with pytest.raises(DataError, match=said) as error:
        own_clips.clip(path)
    assert "clip7.wav" in str(error.value)


def test_a_clip_is_cut_to_its_loudest_seconds_at_16_khz(tmp_path):
    audio = 0.01 * np.random.default_rng(0).normal(size=44_100 * 12)
    audio[44_100 * 7 : 44_100 * 9] *= 20
    path = tmp_path / "long.wav"
    sf.write(path, np.stack([audio, audio], axis=1), 44_100)
    got = own_clips.clip(path).audio
    assert len(got) == own_clips.LONGEST
    assert np.mean(got**2) > 0.15 * np.mean(audio[44_100 * 7 : 44_100 * 9] ** 2)


def test_a_take_holds_the_sound_at_the_drawn_ratio():
    rng = np.random.default_rng(1)
    tone = whistle(0, 2.0).astype(np.float32)
    audio, clean = own_clips.rendered(tone, rng, (), plain=True)
    inside = slice(own_clips.LEAD, own_clips.LEAD + len(tone))
    assert len(audio) == own_clips.LEAD + len(tone) + own_clips.TAIL
    assert not clean[: own_clips.LEAD].any()
    ratio = 10 * np.log10(np.mean(clean[inside] ** 2) / np.mean((audio - clean) ** 2))
    assert ratio == pytest.approx(40, abs=0.2)
    loud, _ = own_clips.rendered(tone, rng, [np.ones(99, np.float32)], plain=False)
    assert np.abs(loud).max() <= 0.981


def test_folders_without_recordings_and_hidden_files(tmp_path):
    with pytest.raises(DataError, match="no folder"):
        own_clips.listed(tmp_path / "absent")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "._a.wav").write_text("x")
    with pytest.raises(DataError, match="none"):
        own_clips.listed(tmp_path)


def test_the_bank_that_ships_is_openly_licensed_and_whole():
    bank = own_bank.load()
    assert len(bank.x) == len(bank.label) == len(bank.recording) > 700
    assert np.allclose(np.linalg.norm(bank.x, axis=1), 1, atol=1e-5)
    listing = (own_bank.FOLDER / "own_bank.csv").read_text().lower()
    assert "noncommercial" not in listing
    assert "-nc" not in listing


def test_a_damaged_bank_is_refused(tmp_path):
    with pytest.raises(WeightsError, match="own_bank"):
        own_bank.load(tmp_path)


def test_the_bank_takes_open_train_rows_and_few_of_a_label():
    row = {"path": "", "split": "train", "open": "yes", "kind": "event", "label": "dog", "dataset": "d"}
    rows = [{**row, "path": f"{k:03d}"} for k in range(60)]
    rows += [{**row, "path": "x", "split": "dev"}, {**row, "path": "y", "open": "no"}]
    rows += [{**row, "path": f"s{k}", "kind": "speech", "label": ""} for k in range(30)]
    kept = own_bank.chosen(rows, 0)
    assert sum(r["kind"] == "event" for r in kept) == own_bank.A_LABEL
    assert sum(r["kind"] == "speech" for r in kept) == own_bank.A_SPEECH
    assert {r["path"] for r in kept}.isdisjoint({"x", "y"})
    assert np.allclose(own_bank.unpacked(own_bank.packed(cluster(3, 4, 0))), cluster(3, 4, 0), atol=0.004)


@pytest.fixture
def lesson(tmp_path):
    for k in range(6):
        write(tmp_path / "clips" / f"{k}.wav", whistle(k))
    return Lesson(tmp_path / "clips", "my whistle", "Somebody whistles.", tmp_path / "out")


@pytest.mark.weights
@pytest.mark.slow
def test_a_sound_is_taught_added_replaced_and_forgotten(lesson, nano_parts, tmp_path):
    encoder, lines = nano_parts / "sound" / "yamnet.tflite", []
    write(tmp_path / "home" / "hum.wav", 0.05 * np.random.default_rng(5).normal(size=3 * RATE))
    taught = teach(replace(lesson, others=(tmp_path / "home",)), encoder, lines.append)
    assert taught.recall.value == 1.0
    assert taught.false_windows < 0.02
    assert (lesson.out / "adapter.safetensors").read_bytes() == (nano.ADAPTER / "adapter.safetensors").read_bytes()
    ear = own_clips.Ear(encoder)
    own = OwnSounds.load(lesson.out)
    fresh = np.pad(whistle(77), (10_000, 5_000)).astype(np.float32)
    noise = own_clips.noise(len(fresh), np.random.default_rng(3)) * np.float32(0.01)
    heard = [own.step(ear.embed((x + noise)[None, :15_600]), own.init_state())[0] for x in (fresh, 0 * fresh)]
    assert heard[0] > 0.5 > heard[1]
    with pytest.raises(ConfigError, match="--replace"):
        teach(replace(lesson, name="My Whistle"), encoder, lines.append)
    again = teach(replace(lesson, replace=True), encoder, lines.append)
    assert len(OwnSounds.load(lesson.out).sounds) == 1
    teach(replace(lesson, name="second"), encoder, lines.append)
    assert OwnSounds.load(lesson.out).names == ("my whistle", "second")
    assert np.array_equal(OwnSounds.load(lesson.out).sounds[0].weight, again.sound.weight)
    listed = CliRunner().invoke(app, ["sounds", str(lesson.out)])
    assert "Somebody whistles." in listed.output
    assert forget(lesson.out, "MY whistle").names == ("second",)
    with pytest.raises(ConfigError, match="second"):
        forget(lesson.out, "my whistle")


@pytest.mark.weights
def test_too_few_clips_bad_words_and_another_folder_are_refused(lesson, nano_parts, tmp_path):
    encoder = nano_parts / "sound" / "yamnet.tflite"
    with pytest.raises(ConfigError, match="built-in"):
        teach(replace(lesson, name="Doorbell"), encoder, print)
    with pytest.raises(ConfigError, match="say"):
        teach(replace(lesson, say=""), encoder, print)
    with pytest.raises(ConfigError, match="something else"):
        teach(replace(lesson, out=lesson.clips), encoder, print)
    for k in (4, 5):
        (lesson.clips / f"{k}.wav").unlink()
    with pytest.raises(DataError, match="got 4"):
        teach(lesson, encoder, print)
    assert not lesson.out.exists()
