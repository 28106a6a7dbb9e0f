"""Thresholds of a model: read strictly, kept beside the calibration of its tags, and nano's where nothing is said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from soundflow.errors import ConfigError
from soundflow.perceive.chunker import Chunker
from soundflow.perceive.perceiver import Parts, Perceiver
from soundflow.perceive.tags import SoundEvents, SoundEventsConfig, TagCalibration
from soundflow.perceive.thresholds import Thresholds
from soundflow.tiers import nano
from soundflow.types import Words
from tests.tiers.whole import scene

CHUNK = 6_400
OTHER = Thresholds(on=0.08, off=0.02, speech_floor=0.6)
BAD = [
    ({"on": 1.5}, "on: a number from 0 to 1"),
    ({"on": True}, "on: a number"),
    ({"off": "0.1"}, "off: a number.*'0.1'"),
    ({"off": 0.0}, "0 < off <= on"),
    ({"off": 0.4}, r"off=0\.4, on=0\.3"),
    ({"speech_floor": -0.1}, "speech_floor: a number.*-0.1"),
    ({"speech_floor": float("nan")}, "speech_floor: a number.*nan"),
    ({"speech_floor": None}, "speech_floor: a number.*None"),
    ({"onn": 0.3}, "unknown key 'onn'"),
    ([0.3], "an object was expected"),
    (None, "an object was expected"),
]


def written(path: Path, **more: object) -> Path:
    path.write_text(json.dumps({"format": "soundflow-tag-calibration-1", "a": [1.0, 2.0], "b": [0.0, 0.5], **more}))
    return path


def test_they_survive_the_file_beside_the_scale(tmp_path):
    path = tmp_path / "tags.json"
    TagCalibration(np.ones(3, np.float32), np.zeros(3, np.float32), OTHER).save(path)
    read = TagCalibration.load(path)
    assert read.thresholds == OTHER
    assert read.events == SoundEventsConfig(on=0.08, off=0.02)
    read.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()


def test_what_a_file_does_not_say_is_as_nano_has_it(tmp_path):
    path = tmp_path / "tags.json"
    assert TagCalibration.load(written(path)).thresholds == Thresholds()
    some = TagCalibration.load(written(path, thresholds={"on": 0.5})).thresholds
    assert (some.on, some.off, some.speech_floor) == (0.5, 0.15, 0.25)


@pytest.mark.parametrize(("bad", "said"), BAD)
def test_bad_values_are_refused_by_name(tmp_path, bad, said):
    with pytest.raises(ConfigError, match=rf"tags\.json: thresholds: .*{said}"):
        TagCalibration.load(written(tmp_path / "tags.json", thresholds=bad))


def test_what_ships_with_nano_is_as_it_was(tmp_path):
    """0.3, 0.15 and 0.25 were constants; the file is written again byte for byte."""
    shipped = nano.ADAPTER / "tags.json"
    found = TagCalibration.load(shipped)
    assert (found.events.on, found.events.off, found.thresholds.speech_floor) == (0.3, 0.15, 0.25)
    found.save(tmp_path / "tags.json")
    assert json.loads((tmp_path / "tags.json").read_text()) == json.loads(shipped.read_text())


def told(perceiver: Perceiver, audio: np.ndarray) -> tuple[list, list]:
    """Sounds of a stream without its words, and the calibrated probabilities that they were found in."""
    state, sounds, p = perceiver.init_state(), [], []
    for chunk in Chunker(CHUNK).push(audio):
        found = perceiver.step(chunk, state, words=Words())
        sounds.append(found.sounds)
        p.append(perceiver.calibration(found.tags))
    return sounds, p


@pytest.mark.weights
def test_the_sounds_of_the_demo_are_found_by_the_thresholds_of_the_model(nano_parts):
    parts = Parts(
        nano_parts / "asr", nano_parts / "vad" / "silero_vad_16k_op15.onnx", nano_parts / "sound" / "yamnet.tflite"
    )
    fitted, audio, seen = TagCalibration.load(nano.ADAPTER / "tags.json"), scene(20), []
    for thresholds, on, off in ((Thresholds(), 0.3, 0.15), (OTHER, 0.08, 0.02)):
        sounds, p = told(Perceiver(parts, CHUNK, TagCalibration(fitted.a, fitted.b, thresholds)), audio)
        events = SoundEvents(Perceiver(parts, CHUNK).labels, CHUNK, SoundEventsConfig(on=on, off=off))
        state = events.init_state()
        assert sounds == [events.step(x, k, state) for k, x in enumerate(p)]
        seen.append(sounds)
    assert any(seen[0])
    assert seen[0] != seen[1]


@pytest.mark.weights
@pytest.mark.parametrize(("floor", "printed"), [(0.25, True), (1.0, False)])
def test_words_are_taken_from_the_floor_of_speech_on(nano_parts, floor, printed):
    parts = Parts(
        nano_parts / "asr", nano_parts / "vad" / "silero_vad_16k_op15.onnx", nano_parts / "sound" / "yamnet.tflite"
    )
    perceiver = Perceiver(parts, CHUNK, replace(TagCalibration.identity(), thresholds=Thresholds(speech_floor=floor)))
    state, found = perceiver.init_state(), []
    for chunk in Chunker(CHUNK).push(scene(28)[18 * 16_000 :]):
        found += perceiver.step(chunk, state).words.new
    assert bool([*found, *perceiver.flush(state).new]) == printed
