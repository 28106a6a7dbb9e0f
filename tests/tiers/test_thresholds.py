"""A base folder tells of sounds by the thresholds in its own tags.json, and takes them along."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch

from soundflow.errors import ConfigError
from soundflow.perceive.chunker import Chunker
from soundflow.perceive.perceiver import SKIMMED_SPEECH
from soundflow.perceive.senses import NoWords
from soundflow.perceive.tags import SoundEvents, SoundEventsConfig, TagCalibration
from soundflow.perceive.thresholds import Thresholds
from soundflow.tiers import base, random
from soundflow.tiers.pretrained import from_pretrained, save_pretrained
from tests.tiers.whole import lines, scene

CHUNK = 6_400
FITTED = Thresholds(on=0.12, off=0.05, speech_floor=0.8)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return random.write("base", tmp_path_factory.mktemp("thresholds") / "base")


@pytest.fixture(scope="module")
def fitted(plain, tmp_path_factory):
    folder = shutil.copytree(plain, tmp_path_factory.mktemp("thresholds") / "fitted")
    count = len(random.LABELS)
    TagCalibration(np.full(count, 0.8, np.float32), np.full(count, 0.5, np.float32), FITTED).save(folder / "tags.json")
    return folder


def sounds(found: list[str]) -> list[str]:
    return [line for line in found if json.loads(line)["type"] == "sound"]


def test_events_follow_the_thresholds_of_the_folder(plain, fitted):
    told = []
    for folder, on, off in ((plain, 0.3, 0.15), (fitted, 0.12, 0.05)):
        perceiver = base.hearing(folder)
        events = SoundEvents(perceiver.labels, CHUNK, SoundEventsConfig(on=on, off=off))
        state, mine, seen = perceiver.init_state(), events.init_state(), []
        for chunk in Chunker(CHUNK).push(scene(6)):
            found = perceiver.step(chunk, state)
            assert found.sounds == events.step(perceiver.calibration(found.tags), chunk.index, mine)
            seen.append(found.sounds)
        assert any(seen)
        told.append(seen)
    assert told[0] != told[1]


def test_a_saved_model_takes_them_along(plain, fitted, tmp_path):
    saved = from_pretrained(save_pretrained(fitted, tmp_path / "saved"), dtype=torch.float32)
    assert saved.perceiver.calibration.thresholds == FITTED
    here = lines(from_pretrained(fitted, dtype=torch.float32), scene(4))
    assert lines(saved, scene(4)) == here
    assert sounds(here) != sounds(lines(from_pretrained(plain, dtype=torch.float32), scene(4)))


def test_a_chunk_that_was_skimmed_counts_as_speech_whatever_the_floor(plain, fitted, monkeypatch):
    scores = []
    monkeypatch.setattr(NoWords, "step", lambda self, chunk, vad, state, score=1.0: scores.append(score))
    for folder in (plain, fitted):
        perceiver = base.hearing(folder)
        perceiver.skim(Chunker(CHUNK).push(scene(1))[0], perceiver.init_state())
    assert scores == [SKIMMED_SPEECH, FITTED.speech_floor]


@pytest.mark.parametrize(("wrong", "said"), [({"on": 2}, "on: a number"), ({"floor": 0.2}, "unknown key 'floor'")])
def test_a_wrong_one_is_refused_by_file_and_name(fitted, tmp_path, wrong, said):
    folder = shutil.copytree(fitted, tmp_path / "m")
    raw = json.loads((folder / "tags.json").read_text())
    (folder / "tags.json").write_text(json.dumps(raw | {"thresholds": wrong}))
    with pytest.raises(ConfigError, match=rf"tags\.json: thresholds: {said}"):
        from_pretrained(folder)


@pytest.mark.weights
def test_words_are_taken_from_the_floor_of_the_folder_on(plain, nano_parts, tmp_path):
    folder = shutil.copytree(plain, tmp_path / "m")
    raw = json.loads((folder / "config.json").read_text())
    raw |= {"vad": {"path": str(nano_parts / "vad")}, "words": {"path": str(nano_parts / "asr")}}
    (folder / "config.json").write_text(json.dumps(raw))
    printed = []
    for floor in (0.0, 1.0):
        identity = TagCalibration.identity(len(random.LABELS))
        TagCalibration(identity.a, identity.b, Thresholds(speech_floor=floor)).save(folder / "tags.json")
        perceiver = base.hearing(folder)
        state, found = perceiver.init_state(), []
        for chunk in Chunker(CHUNK).push(scene(28)[18 * 16_000 :]):
            found += perceiver.step(chunk, state).words.new
        printed.append([*found, *perceiver.flush(state).new])
    assert printed[0]
    assert not printed[1]
