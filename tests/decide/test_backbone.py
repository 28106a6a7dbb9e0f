"""A model by folder or hub name: what is fetched and when, how it is held, and what is said where it is not there."""

from __future__ import annotations

import shutil

import huggingface_hub
import pytest
import torch
from huggingface_hub.utils import filter_repo_objects

from soundflow import int8
from soundflow.decide.backbones.backbone import Backbone
from soundflow.decide.backbones.four_bit import FourBitLinear
from soundflow.decide.backbones.quantise import Biased
from soundflow.errors import ConfigError, WeightsError
from soundflow.int8 import Int8Linear
from tests.decide.families import make, save
from tests.decide.test_dialect import tokenizer
from tests.fake_hub import MISTRAL, files, install

NAME = "Qwen/Qwen2.5-0.5B-Instruct"
IDS = torch.randint(0, 97, (1, 20), generator=torch.Generator().manual_seed(8))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = save(make("qwen2"), tmp_path_factory.mktemp("qwen2"))
    tokenizer("<|im_start|>", "<|im_end|>").save(str(out / "tokenizer.json"))
    return out


def logits(own):
    return own.head(own(own.embed(IDS), torch.tensor([20]), own.init_state(1, 32))).float()


def test_a_folder_is_loaded_as_it_is_asked_for(folder):
    full = Backbone(str(folder), dtype="float32").load()
    half = Backbone(str(folder)).load()
    assert (full.norm.dtype, half.norm.dtype) == (torch.float32, torch.bfloat16)
    four = Backbone(str(folder), dtype="float32", quantise="4bit").load()
    for own in (half, four):
        assert torch.nn.functional.cosine_similarity(logits(own).flatten(), logits(full).flatten(), dim=0) > 0.85
        assert not torch.equal(logits(own), logits(full))
    assert isinstance(four.blocks[0].down, FourBitLinear)
    assert isinstance(four.blocks[0].qkv, Biased)
    if int8.available():
        assert isinstance(Backbone(str(folder), quantise="int8").load().blocks[0].down, Int8Linear)
    name = "model.layers.0.mlp.up_proj.weight"
    changed = Backbone(str(folder), dtype="float32").load({name: torch.ones(48, 32)})
    assert torch.allclose(changed.blocks[0].gate_up.weight[48:], full.blocks[0].gate_up.weight[48:] + 1)


def test_a_folder_asks_nobody_and_has_config_and_tokenizer(folder, monkeypatch):
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *a, **k: pytest.fail("asked the hub"))
    backbone = Backbone(str(folder))
    assert backbone.fetch() == backbone.folder() == folder
    assert backbone.config().qkv_bias
    assert backbone.context().dialect.name == "chatml"


def test_a_name_is_fetched_and_only_by_fetch(folder, tmp_path, monkeypatch):
    hub = install(monkeypatch, tmp_path, lambda name, path: shutil.copyfile(folder / name, path))
    hub.repositories[NAME] = (*(x.name for x in folder.iterdir()), *MISTRAL[5:9])
    backbone = Backbone(NAME, dtype="float32", revision="abc")
    found = backbone.fetch()
    assert hub.asked == [(NAME, "abc")]
    assert files(found) == files(folder)
    asked = []

    def held(name, **options):
        asked.append((name, options))
        return str(found)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", held)
    assert torch.equal(logits(backbone.load()), logits(Backbone(str(folder), dtype="float32").load()))
    assert backbone.context().dialect.name == "chatml"
    assert {(name, o["revision"], o["local_files_only"]) for name, o in asked} == {(NAME, "abc", True)}
    patterns = {key: asked[0][1][key] for key in ("allow_patterns", "ignore_patterns")}
    assert set(filter_repo_objects(hub.repositories[NAME], **patterns)) == files(folder), "not asked for what is left"


def test_a_model_of_the_hub_s_own_cache_is_found_where_all_that_is_read_lies_there(folder, tmp_path, monkeypatch):
    """The cache as huggingface_hub itself lays it out, with the weights in it and the other formats not."""
    monkeypatch.setattr("socket.socket.connect", lambda *a: pytest.fail("asked the network"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    root = tmp_path / f"models--{NAME.replace('/', '--')}"
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text("a" * 40)
    shutil.copytree(folder, root / "snapshots" / ("a" * 40))
    assert Backbone(NAME).folder() == root / "snapshots" / ("a" * 40)
    assert Backbone(NAME, dtype="float32").config().layers == Backbone(str(folder)).config().layers


def test_a_model_that_was_not_fetched_is_not_fetched_by_loading(tmp_path, monkeypatch):
    monkeypatch.setattr("socket.socket.connect", lambda *a: pytest.fail("asked the network"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match=rf"{NAME} is no folder and was not fetched \(`Backbone.fetch`\)"):
        Backbone(NAME).load()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "no/such/folder"}, "name: a folder or owner/name on the hub was expected, got 'no/such/folder'"),
        ({"name": ""}, "name: "),
        ({"name": NAME, "dtype": "int3"}, "dtype: one of float32, bfloat16, float16 was expected, got 'int3'"),
        ({"name": NAME, "quantise": "2bit"}, "quantise: one of int8, 4bit was expected, got '2bit'"),
        ({"name": NAME, "device": "gramophone"}, "device: a device of torch was expected, got 'gramophone'"),
    ],
    ids=["path", "empty", "dtype", "quantise", "device"],
)
def test_wrong_settings_are_named(options, message):
    with pytest.raises(ConfigError, match=message):
        Backbone(**options)
