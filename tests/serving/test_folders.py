"""Model folders behind the local engine as nano is: a process that hears, eight bits, weights loaded anew."""

from __future__ import annotations

import asyncio
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from serving.build import build_engine
from serving.config import Config
from serving.local import LocalWorkers
from serving.metrics import NoMetrics
from serving.tier import Tier, check_same, info_of
from soundflow.decide.backbones.four_bit import FourBitLinear
from soundflow.errors import ConfigError, WeightsError
from soundflow.int8 import Int8Linear, available
from soundflow.perceive import encoders
from soundflow.perceive.beats import Beats, BeatsConfig
from soundflow.perceive.omni.tower import Tower
from soundflow.tiers import base, nano, random
from soundflow.tiers.base_config import BaseConfig, write
from soundflow.tiers.pretrained import from_pretrained
from tests.serving.played import CHUNK, LISTENS, decisions, plain, play
from tests.tiers.whole import scene

TIERS = ("base", "omni")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("folders")
    return {tier: random.write(tier, root / tier) for tier in TIERS}


def settings(folder: Path, **more) -> Config:
    return Config(model=folder, voice=False, device="cpu", **more)


def heard(config: Config, pcm: np.ndarray) -> list:
    async def run():
        engine = await build_engine(config, NoMetrics())
        try:
            return await play(engine, LISTENS, pcm)
        finally:
            await engine.close()

    return plain(asyncio.run(run()))


@pytest.mark.parametrize("tier", TIERS)
def test_a_process_that_hears_changes_nothing(tier, folders, monkeypatch):
    audio, folder = scene(8), folders[tier]
    near = heard(settings(folder, hearing_process=False), audio)
    for owner, name in ((Beats, "load"), (encoders, "load"), (Tower, "load")):
        monkeypatch.setattr(owner, name, None)  # here: the encoders are over there
    far = heard(settings(folder), audio)
    assert far == near
    assert sum(e["type"] == "decision" for e in near) >= 20


@pytest.mark.parametrize("tier", TIERS)
def test_what_goes_to_another_process_says_where_the_folder_is(tier, folders, monkeypatch):
    monkeypatch.chdir(folders[tier].parent)
    tier_of = pickle.loads(pickle.dumps(Tier.of(settings(Path(tier)), None)))
    monkeypatch.chdir("/")
    model = tier_of.load()
    ears = tier_of.ears()
    assert ears.labels == tuple(model.perceiver.labels) == info_of(model).labels
    assert info_of(model).tier == tier
    assert info_of(model).chunk_ms == 400
    assert ears.own.names == ()
    ears.check(_chunk(0), type("State", (), {"position": 0}))
    assert pickle.loads(pickle.dumps(ears._make))().labels == model.perceiver.labels


def _chunk(index: int):
    from soundflow.types import AudioChunk

    return AudioChunk(index, index * CHUNK, np.zeros(CHUNK, np.float32))


def test_encoders_on_a_gpu_are_heard_where_they_lie(folders, monkeypatch):
    monkeypatch.setattr(nano, "device_of", torch.device)
    for folder in folders.values():
        assert Tier(folder=folder, device="cuda").ears() is None
        assert Tier(folder=folder, device="cpu").ears() is not None


def test_the_outline_of_encoders_is_theirs(folders):
    folder, config = folders["base"], BaseConfig.read(folders["base"])
    found = base.outline(folder, config)
    assert found == (base.sound_encoder(folder, config).spec, base.speech_encoder(folder, config).spec)


@pytest.mark.skipif(not available(), reason="this machine does not multiply int8")
@pytest.mark.parametrize("tier", TIERS)
def test_eight_bits_are_the_language_models(tier, folders):
    plain_model, small = (from_pretrained(folders[tier], eight_bit=x) for x in (False, True))
    assert not any(isinstance(m, Int8Linear) for m in plain_model.lalm.llama.modules())
    assert sum(isinstance(m, Int8Linear) for m in small.lalm.llama.modules()) == 4 * len(small.lalm.llama.blocks)
    got = []

    async def run():
        for eight_bit in (True, False):
            engine = await build_engine(
                settings(folders[tier], eight_bit=eight_bit, hearing_process=False), NoMetrics()
            )
            got.append([x.p["silent"] for x in decisions(await play(engine, LISTENS, scene(4)))])
            await engine.close()

    asyncio.run(run())
    assert np.isfinite(got).all()
    assert got[0] != got[1]  # the setting reaches the weights


def test_a_folder_that_says_how_it_is_quantised_is_obeyed(folders, tmp_path):
    folder = shutil.copytree(folders["base"], tmp_path / "m")
    raw = BaseConfig.read(folder).to_json()
    write(folder, raw | {"lm": raw["lm"] | {"quantise": "4bit"}})
    model = from_pretrained(folder, eight_bit=True)
    kinds = {type(m) for m in model.lalm.llama.modules()}
    assert FourBitLinear in kinds
    assert Int8Linear not in kinds


@pytest.mark.parametrize("hearing_process", [True, False])
def test_a_folder_that_is_not_there_is_named(tmp_path, hearing_process):
    config = settings(tmp_path / "gone", hearing_process=hearing_process)
    with pytest.raises(WeightsError, match="gone: a model folder was expected on"):
        asyncio.run(build_engine(config, NoMetrics()))
    with pytest.raises(ConfigError, match="adapter"):
        Tier.of(config, tmp_path)


@pytest.mark.parametrize("hearing_process", [True, False])
def test_a_folder_is_read_again_where_sessions_can_go_on(folders, tmp_path, hearing_process):
    folder = shutil.copytree(folders["base"], tmp_path / "m")
    workers = LocalWorkers(settings(folder, hearing_process=hearing_process))
    asyncio.run(workers.renew(None))
    first = workers.model
    shutil.copyfile(
        random.write("base", tmp_path / "other", 5) / "lm/model.safetensors", folder / "lm/model.safetensors"
    )
    undo = asyncio.run(workers.renew(None))
    assert not torch.equal(workers.model.lalm.llama.embed.weight, first.lalm.llama.embed.weight)
    undo()
    assert workers.model is first
    labels = [f"Sound {i}" for i in range(3)]
    Beats.random(BeatsConfig.tiny(3), 0, tuple(labels)).save(folder / "sound" / "beats.safetensors")
    with pytest.raises(ConfigError, match="labels changed"):
        asyncio.run(workers.renew(None))
    assert workers.model is first


def test_sessions_go_on_with_the_same_kind_of_model_only(folders):
    one, other = (info_of(from_pretrained(folders[tier])) for tier in TIERS)
    check_same(one, one)
    with pytest.raises(ConfigError, match="tier changed"):
        check_same(other, one)


@pytest.mark.weights
def test_words_are_recognised_over_there_too(folders, nano_parts, tmp_path):
    folder = shutil.copytree(folders["base"], tmp_path / "m")
    beats = Beats.load(folder / "sound" / "beats.safetensors")
    beats.predictor.bias[beats.labels.index("Speech")] += 10.0  # words are taken where speech is heard
    beats.save(folder / "sound" / "beats.safetensors")
    parts = {"vad": {"path": str(nano_parts / "vad")}, "words": {"path": str(nano_parts / "asr")}}
    write(folder, BaseConfig.read(folder).to_json() | parts)
    audio = scene(28)[16 * 16_000 :]
    far, near = (heard(settings(folder, hearing_process=x), audio) for x in (True, False))
    assert far == near
    assert any(e["type"] == "transcript" and e["final"] for e in far)


@pytest.mark.weights
def test_nano_may_be_a_folder(nano_parts, tmp_path):
    write(tmp_path, {"format": 1, "tier": "nano"})
    tier = Tier(folder=tmp_path)
    ears = tier.ears()
    labels, own, samples, headed = nano.heard()
    assert (ears.labels, ears.own.names, ears._chunk_samples, ears.headed) == (labels, own.names, samples, headed)
    assert (samples, bool(headed)) == (CHUNK, True)
    model = tier.load(1, ears)
    assert (model.tier, model.perceiver) == ("nano", ears)
    assert tier.hearing().labels == ears.labels
