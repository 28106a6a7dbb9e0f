"""config.json of the base tier, parts of the hub, labels by AudioSet's ids, and the kit."""

from __future__ import annotations

import json
import pickle
import shutil

import numpy as np
import pytest
import torch

from soundflow.errors import ConfigError, WeightsError
from soundflow.perceive.beats import Beats, BeatsConfig
from soundflow.tiers import base, base_config, random
from soundflow.tiers.base_config import BaseConfig, Place
from soundflow.tiers.kit import kit
from soundflow.tiers.level import LevelActivity
from soundflow.tiers.pretrained import from_pretrained
from soundflow.types import AudioChunk

LM = Place(path="lm")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return random.write("base", tmp_path_factory.mktemp("base") / "m")


def changed(folder, to, **keys):
    """A copy of the folder's config.json alone with other keys, `a.b` for those of a section."""
    raw = json.loads((folder / "config.json").read_text())
    for key, value in keys.items():
        section, _, name = key.rpartition("__")
        (raw[section] if section else raw)[name] = value
    to.mkdir(exist_ok=True)
    (to / "config.json").write_text(json.dumps(raw))
    return to


def test_what_is_saved_is_read(tmp_path):
    made = BaseConfig(
        LM, Place(hub="a/b", revision="main"), Place(path="/x", file="y/z.pt"),
        Place(hub="c/d", revision="v", file="onnx/model.onnx"), Place(path="w"), 800, 512, "int8", 1_000, 80, 1_600,
        160, 320, (("lm", "apache-2.0"),), "names.csv",
    )  # fmt: skip
    made.save(tmp_path)
    assert BaseConfig.read(tmp_path) == made
    assert made.chunk_samples == 12_800
    BaseConfig(LM, LM, LM).save(tmp_path)
    assert BaseConfig.read(tmp_path) == BaseConfig(LM, LM, LM)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"surprise": 1}, "unknown key 'surprise'"),
        ({"lm__surprise": 1}, "lm: unknown key 'surprise'"),
        ({"format": 2}, "format 1"),
        ({"tier": "mega"}, "tier: one of"),
        ({"tier": "omni"}, "tier 'base'"),
        ({"lm": None}, "lm: an object"),
        ({"lm": "folder"}, "lm: an object"),
        ({"lm__path": 3}, "path: text"),
        ({"lm__hub": "a/b"}, "either path"),
        ({"vad": {}}, "vad: either path"),
        ({"vad": {"hub": "a/b"}}, "either path"),
        ({"lm__file": "x"}, "lm: unknown key 'file'"),
        ({"speech__file": "x"}, "speech: unknown key 'file'"),
        ({"words": {"path": "w", "file": "x"}}, "words: unknown key 'file'"),
        ({"sound__file": ""}, "sound: file: text"),
        ({"sound__file": "../x.pt"}, "sound: file: a path inside"),
        ({"sound__file": "/x.pt"}, "sound: file: a path inside"),
        ({"sound__file": "x/"}, "sound: file: a path inside"),
        ({"sound__labels": 3}, "sound: labels: text"),
        ({"sound": {"hub": "a/b", "revision": "v"}}, r"config\.json: sound: file: which file of a/b"),
        ({"vad": {"hub": "a/b", "revision": "v"}}, r"config\.json: vad: file: which file of a/b"),
        ({"lm__quantise": "2bit"}, "quantise"),
        ({"chunk_ms": 0}, "chunk_ms: a whole number"),
        ({"chunk_ms": True}, "chunk_ms: a whole number"),
        ({"cache_tokens": "many"}, "cache_tokens"),
        ({"speech__left_ms": -1}, "speech: left_ms"),
        ({"sound__pool_ms": 1.5}, "sound: pool_ms"),
        ({"licences": {"lm": 3}}, "licences"),
        ({"licences": {"house": "mit"}}, "licences: unknown key 'house'"),
    ],
)
def test_a_wrong_key_is_named(folder, tmp_path, keys, said):
    with pytest.raises(ConfigError, match=said) as error:
        BaseConfig.read(changed(folder, tmp_path / "m", **keys))
    assert "config.json" in str(error.value)


@pytest.mark.parametrize("text", ["", "[1]", "{", '"x"'])
def test_what_is_no_config_is_refused(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises((ConfigError, WeightsError), match=r"config\.json"):
        base_config.head(tmp_path)


def test_ids_of_audioset_get_their_names(folder, tmp_path):
    model = shutil.copytree(folder, tmp_path / "m")
    config, ids = BaseConfig.read(model), ("/m/09x0r", "/m/0jbk", "/t/dd00001")
    Beats.random(BeatsConfig.tiny(3), 0, ids).save(model / "sound" / "beats.safetensors")
    with pytest.raises(ConfigError, match=r"class_labels_indices\.csv"):
        base.sound_model(model, config)
    table = model / "sound" / "class_labels_indices.csv"
    rows = [
        f'{i},{mid},"{name}"' for i, (mid, name) in enumerate(zip(ids, ("Speech", "Animal", "Cry, sob"), strict=True))
    ]
    table.write_text("\n".join(["index,mid,display_name", *rows, '3,/m/1,"More"']))
    assert base.sound_model(model, config).labels == ("Speech", "Animal", "Cry, sob")
    assert kit(model).labels == ("Speech", "Animal", "Cry, sob")
    table.write_text("\n".join(["index,mid,display_name", *rows[:2]]))
    with pytest.raises(ConfigError, match="/t/dd00001"):
        base.sound_model(model, config)
    Beats.random(BeatsConfig.tiny(), 0).save(model / "sound" / "beats.safetensors")
    with pytest.raises(ConfigError, match="names sounds"):
        base.sound_model(model, config)
    Beats.random(BeatsConfig.tiny(3), 0).save(model / "sound" / "beats.safetensors")
    table.write_text("\n".join(["index,mid,display_name", *rows]))
    assert base.sound_model(model, config).labels == ("Speech", "Animal", "Cry, sob")


def test_the_kit_of_a_folder_is_what_its_model_has(folder, tmp_path):
    omni = random.write("omni", tmp_path / "omni")
    for where in (folder, omni):
        found, model = kit(where), from_pretrained(where, dtype=torch.float32)
        again = pickle.loads(pickle.dumps(found))
        assert again == found
        assert (found.lm / "config.json").is_file()
        assert found.adapter is None
        assert (len(found.labels), found.sound_width, found.speech_width) == model.lalm.projector.sizes
        assert found.labels == tuple(model.perceiver.labels)
        assert found.chunk_ms * 16 == model.chunk_samples
        assert found.context().prefix("Tell me.", ["go"]) == model.context.prefix("Tell me.", ["go"])
        hearing = again.hearing()
        states = [p.init_state() for p in (hearing, model.perceiver)]
        draw = np.random.default_rng(0)
        for i in range(4):
            samples = (0.2 * draw.standard_normal(6_400)).astype(np.float32)
            chunk = AudioChunk(i, i * 6_400, samples)
            one, two = (p.step(chunk, s) for p, s in zip((hearing, model.perceiver), states, strict=True))
            for name in ("tags", "sound", "speech"):
                assert np.array_equal(getattr(one, name), getattr(two, name))
            assert one.sounds == two.sounds
            assert one.vad == two.vad
            assert one.speech.shape == (found.speech_width,)


def test_speech_is_as_loud_as_it_has_to_be():
    vad, draw = LevelActivity(), np.random.default_rng(0)
    state, found = vad.init_state(), []
    for i, level in enumerate([0.0, 0.1, 0.1, 0.0, 0.0, 0.0]):
        samples = (level * draw.standard_normal(6_400)).astype(np.float32)
        found.append(vad.step(AudioChunk(i, i * 6_400, samples), state))
    assert [v.speaking for v in found][:3] == [False, True, True]
    assert not found[-1].speaking
    assert 6_144 <= found[1].started <= 6_656
    assert found[-1].probs[-1] < 0.01


@pytest.mark.weights
def test_the_kit_of_nano_is_what_nano_has(nano_parts):
    from soundflow.tiers import nano

    found, model = kit(), nano.load()
    assert (len(found.labels), found.sound_width, found.speech_width) == model.lalm.projector.sizes
    assert (found.tier, found.chunk_ms * 16, found.labels) == ("nano", model.chunk_samples, model.perceiver.labels)
    assert pickle.loads(pickle.dumps(found)) == found
    assert found.lm == nano_parts / "lm"
    assert found.context().prefix("", []) == model.context.prefix("", [])
    hearing = found.hearing()
    chunk = AudioChunk(0, 0, (0.1 * np.random.default_rng(0).standard_normal(6_400)).astype(np.float32))
    one, two = (p.step(chunk, p.init_state()) for p in (hearing, nano.hearing()))
    for name in ("tags", "sound", "speech"):
        assert np.array_equal(getattr(one, name), getattr(two, name))
    assert one.alert == two.alert
    assert np.array_equal(hearing.calibration.a, model.perceiver.calibration.a)
