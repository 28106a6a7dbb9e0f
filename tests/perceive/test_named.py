"""Heads that name sounds: what they change, what they leave, and files that are none."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save_file

from soundflow.errors import ConfigError, WeightsError
from soundflow.perceive.among import Among
from soundflow.perceive.chunker import Chunker
from soundflow.perceive.named import FILE, NamedSounds, Naming
from soundflow.perceive.own import features
from soundflow.perceive.perceiver import Parts, Perceiver
from soundflow.perceive.tags import SoundEvents, TagCalibration
from soundflow.tiers import nano
from soundflow.types import Words
from tests.tiers.whole import scene
from training.named_classes import CLASSES

LABELS = ("Animal", "Whistle", "Owl", "Whistling", "Rain")


def heads(**changed) -> NamedSounds:
    fields = {
        "classes": {"whistle": ("Whistling", "Whistle"), "owl": ("Owl",)},
        "weight": np.array([[5, -5, 0, 0], [-5, 5, 0, 0]], np.float32),
        "gain": np.array([1, 0.5], np.float32),
        "bias": np.array([0.25, -0.5], np.float32),
        "branch": np.array([0, 0], np.float32),
    }
    return NamedSounds(**(fields | changed))


def odds(p):
    return np.log(p / (1 - p))


def test_the_best_label_of_a_class_is_as_sure_as_its_head_and_the_rest_keep_their_distance():
    p = np.array([[0.3, 0.2, 0.4, 0.1, 0.05]], np.float32)
    embedding = np.array([[9.0, 4.0, 0.0, 0.0]], np.float32)
    found = Naming(heads(), LABELS)(p, embedding)
    x = features(embedding)[0]
    whistle = 5 * (x[0] - x[1]) + odds(0.2) + 0.25
    owl = 5 * (x[1] - x[0]) + 0.5 * odds(0.4) - 0.5
    assert odds(found[0, 1]) == pytest.approx(whistle, abs=1e-4)
    assert odds(found[0, 3]) == pytest.approx(whistle - odds(0.2) + odds(0.1), abs=1e-4)
    assert odds(found[0, 2]) == pytest.approx(owl, abs=1e-4)
    assert found[0, [0, 4]].tolist() == p[0, [0, 4]].tolist()
    assert p[0, 1] == np.float32(0.2)  # what came in is as it was


def test_what_a_branch_says_of_a_class_counts_by_its_weight():
    p, embedding = np.full((1, 5), 0.2, np.float32), np.ones((1, 4), np.float32)
    with_branch = Naming(heads(branch=np.array([0.5, 0], np.float32)), LABELS, ["rain", "whistle"])
    plain, found = Naming(heads(), LABELS)(p, embedding), with_branch(p, embedding, np.array([[9.0, 2.0]], np.float32))
    assert odds(found[0, 1]) == pytest.approx(odds(plain[0, 1]) + 1.0, abs=1e-4)
    assert found[0, [0, 2, 4]].tolist() == plain[0, [0, 2, 4]].tolist()
    with pytest.raises(WeightsError, match="an alert branch that names 'owl' was expected"):
        Naming(heads(branch=np.array([0, 1], np.float32)), LABELS, ["whistle"])


def test_silence_and_certainty_stay_finite():
    p = np.array([[0.0] * 5, [1.0] * 5], np.float32)
    found = Naming(heads(), LABELS)(p, np.zeros((2, 4), np.float32))
    assert np.isfinite(found).all()
    assert ((found >= 0) & (found <= 1)).all()
    assert found[0, 1] < 0.01
    assert found[1, 1] > 0.99


def test_a_file_gives_what_was_saved(tmp_path):
    heads().save(tmp_path / FILE)
    found = NamedSounds.load(tmp_path)
    assert found is not None
    assert found.classes == heads().classes
    assert [*found.classes] == ["whistle", "owl"]
    for name in ("weight", "gain", "bias", "branch"):
        assert np.array_equal(getattr(found, name), getattr(heads(), name))
    assert found.among is None
    assert NamedSounds.load(tmp_path / "elsewhere") is None


AMONG = Among(("owl",), np.array([[1, 0, 0.5, 0]], np.float32), np.array([0.25], np.float32))


def test_a_file_says_which_of_them_a_whole_sound_is(tmp_path):
    heads(among=AMONG).save(tmp_path / FILE)
    found = NamedSounds.load(tmp_path)
    assert found is not None
    assert found.among is not None
    assert found.among.classes == ("owl",)
    assert np.array_equal(found.among.weight, AMONG.weight)
    assert np.array_equal(found.among.bias, AMONG.bias)


def test_a_file_of_before_goes_without_a_branch(tmp_path):
    of_before = {"weight": np.ones((1, 4)), "gain": np.ones(1), "bias": np.ones(1)}
    save_file(of_before, tmp_path / FILE, {"format": "1", "classes": json.dumps({"owl": ["Owl"]})})
    found = NamedSounds.load(tmp_path)
    assert found is not None
    assert found.branch.tolist() == [0.0]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"gain": np.zeros(3, np.float32)}, r"gain, bias and branch \[2\] were expected"),
        ({"classes": {"whistle": ("Whistle",), "owl": ("Whistle",)}}, "no label twice"),
        ({"classes": {"whistle": ("Whistle",), "owl": ()}}, "labels for each"),
        ({"bias": np.array([0, np.nan], np.float32)}, "finite numbers"),
        ({"among": replace(AMONG, classes=("dog",))}, "among: a class with a head was expected, got 'dog'"),
        ({"among": replace(AMONG, weight=np.ones((1, 3), np.float32))}, "as wide as each other"),
    ],
)
def test_what_does_not_fit_is_refused(changed, said):
    with pytest.raises(ConfigError, match=said):
        heads(**changed)


def test_labels_of_another_encoder_are_named():
    with pytest.raises(WeightsError, match=r"named.safetensors: labels of the sound encoder were expected, got 'Owl'"):
        Naming(heads(), ("Whistle", "Whistling"))


@pytest.mark.parametrize(
    ("meta", "tensors", "said"),
    [
        ({"format": "9", "classes": "{}"}, {}, "format 3"),
        (
            {"format": "3", "classes": json.dumps({"owl": ["Owl"]}), "among": json.dumps(["owl"])},
            {"weight": np.zeros((1, 4)), "gain": np.ones(1), "bias": np.ones(1), "branch": np.ones(1)},
            "'among', 'among_bias'",
        ),
        ({"format": "1"}, {}, "classes"),
        (
            {"format": "1", "classes": json.dumps({"owl": ["Owl"]})},
            {"weight": np.zeros((1, 4))},
            "'bias', 'branch', 'gain'",
        ),
        ({"format": "1", "classes": "{"}, {}, "were expected"),
        (
            {"format": "1", "classes": json.dumps({"owl": ["Owl"]})},
            {"weight": np.zeros((2, 4)), "gain": np.ones(1), "bias": np.ones(1)},
            r"weight \[1, D\]",
        ),
    ],
)
def test_a_file_that_is_none_is_named(tmp_path, meta, tensors, said):
    save_file(tensors, tmp_path / FILE, meta)
    with pytest.raises(WeightsError, match=f"{FILE}.*{said}"):
        NamedSounds.load(tmp_path)


def test_no_safetensors_file_is_named(tmp_path):
    (tmp_path / FILE).write_bytes(b"none")
    with pytest.raises(WeightsError, match=r"named\.safetensors: heads of named sounds were expected"):
        NamedSounds.load(tmp_path)


def perceive(perceiver: Perceiver, audio: np.ndarray) -> list:
    """Each chunk's perception, and what the branch named in it."""
    state, found = perceiver.init_state(), []
    for chunk in Chunker(6_400).push(audio):
        frames = perceiver.frames(chunk, state)
        found.append((perceiver.step(chunk, state, Words(), frames), frames.names))
    return found


@pytest.mark.weights
def test_sounds_of_a_stream_are_told_of_by_the_heads_that_ship(nano_parts):
    vad, sound = nano_parts / "vad" / "silero_vad_16k_op15.onnx", nano_parts / "sound" / "yamnet.tflite"
    parts = Parts(nano_parts / "asr", vad, sound, nano.ADAPTER / "alert.safetensors")
    calibration, shipped, audio = (
        TagCalibration.load(nano.ADAPTER / "tags.json"),
        NamedSounds.load(nano.ADAPTER),
        scene(20),
    )
    assert shipped is not None
    plain = perceive(Perceiver(parts, 6_400, calibration), audio)
    named = perceive(Perceiver(parts, 6_400, calibration, named=shipped), audio)
    events = SoundEvents(Perceiver(parts, 6_400).labels, 6_400, calibration.events)
    naming, state = Naming(shipped, events.labels, [*CLASSES]), events.init_state()
    for (one, _), (other, names) in zip(plain, named, strict=True):
        assert one.named is None
        assert one.sure is one.tags
        assert np.array_equal(one.tags, other.tags)  # what the LALM is given
        p = naming(calibration(one.tags)[None], one.sound[None], names[None])[0]
        assert np.allclose(other.sure, p)
        assert other.sounds == events.step(other.sure, one.chunk, state)
    assert [x.sounds for x, _ in plain] != [x.sounds for x, _ in named]
    with pytest.raises(WeightsError, match="an alert branch that names 'airplane' was expected"):
        Perceiver(replace(parts, branch=None), 6_400, calibration, named=shipped)


@pytest.mark.weights
def test_whole_sounds_of_a_stream_are_chosen_among_the_classes_that_ship(nano_parts, monkeypatch):
    vad, sound = nano_parts / "vad" / "silero_vad_16k_op15.onnx", nano_parts / "sound" / "yamnet.tflite"
    parts = Parts(nano_parts / "asr", vad, sound, nano.ADAPTER / "alert.safetensors")
    shipped = NamedSounds.load(nano.ADAPTER)
    assert shipped is not None
    assert shipped.among is not None
    audio = scene(16)
    heard = [p for p, _ in perceive(Perceiver(parts, 6_400, named=shipped), audio)]
    at = {kind: next(p.chunk for p in heard if getattr(p, kind)) for kind in ("whole", "noted")}
    assert at["noted"] <= at["whole"]
    assert {p.noted.label for p in heard if p.noted} & {"Siren", "Police car (siren)", "Ambulance (siren)"}
    monkeypatch.setattr("soundflow.perceive.among.SHARE", 100.0)
    only = Among(("owl", "dog"), np.zeros((2, shipped.weight.shape[1]), np.float32), np.array([9, 0], np.float32))
    owls = [p for p, _ in perceive(Perceiver(parts, 6_400, named=replace(shipped, among=only)), audio)]
    assert {p.whole.label for p in owls if p.whole} | {p.noted.label for p in owls if p.noted} <= {"Owl", "Hoot"}
    assert [p.whole and (p.whole.margin, p.whole.alert) for p in owls] == [
        p.whole and (p.whole.margin, p.whole.alert) for p in heard
    ]
