"""Parts of a base folder that lie on the hub: fetched by part, found, read and written into a whole folder."""

from __future__ import annotations

import json
import logging
import shutil

import pytest
import torch
from typer.testing import CliRunner

from soundflow.cli import app
from soundflow.errors import ConfigError, WeightsError
from soundflow.perceive.beats import Beats, BeatsConfig
from soundflow.tiers import base, hub, pretrained, random
from soundflow.tiers.base_config import BaseConfig, Place
from tests.fake_hub import MISTRAL, WHISPER_LARGE, files, install

IDS = ("/m/09x0r", "/m/0jbk", "/t/dd00001")
NAMES = ("Speech", "Animal", "Cry, sob")
TABLE = "\n".join(["index,mid,display_name", *(f'{i},{IDS[i]},"{NAMES[i]}"' for i in range(3))])


@pytest.fixture
def repositories(monkeypatch, tmp_path):
    monkeypatch.setenv("SOUNDFLOW_HOME", str(tmp_path / "home"))
    return install(monkeypatch, tmp_path / "cache")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return random.write("base", tmp_path_factory.mktemp("base") / "m")


def published(path, ids=IDS):
    """Random BEATs in the form of the published checkpoints, which name their classes by AudioSet's ids."""
    made = Beats.random(BeatsConfig.tiny(len(ids)), 0, ids)
    cfg = {k: v for k, v in made.config.values().items() if k not in ("fbank_mean", "fbank_std", "multi_label")}
    held = {"cfg": cfg, "model": made.state_dict(), "label_dict": dict(enumerate(ids))}
    torch.save(held, path)
    return made


def test_a_part_of_the_hub_is_found_once_it_was_fetched(repositories, tmp_path):
    repositories.repositories["a/b"] = ("config.json", "model.safetensors")
    place, broken, local = Place(hub="a/b", revision="v1"), Place(hub="a/broken", revision="v1"), Place(path="lm")
    with pytest.raises(WeightsError, match="soundflow models pull"):
        hub.find(place, tmp_path / "m")
    said = []
    assert hub.fetch({"lm": place, "speech": local}, said.append) == 1
    assert hub.fetch({"lm": place}) == 0
    assert (said, repositories.asked) == (["a/b@v1"], [("a/b", "v1")])
    assert (hub.find(place, tmp_path / "m") / "config.json").is_file()
    with pytest.raises(WeightsError, match=r"a/broken@v1: cannot be fetched: .*no route"):
        hub.fetch({"lm": broken})
    with pytest.raises(WeightsError, match="not fetched"):
        hub.find(broken, tmp_path)
    for odd in (Place(hub="../../etc", revision="x"), Place(hub="a/b", revision="../x"), Place(hub="a", revision="x")):
        with pytest.raises(ConfigError, match="owner/name"):
            hub.find(odd, tmp_path)


def test_a_repository_of_two_parts_is_fetched_for_both(repositories, tmp_path):
    repositories.repositories["a/b"] = ("config.json", "preprocessor_config.json", "tokenizer.json", "x/a.pt", "x/b.pt")
    whole = Place(hub="a/b", revision="v")
    one, other = (Place(hub="a/b", revision="v", file=f"x/{name}.pt") for name in "ab")
    assert hub.fetch({"lm": whole}) == 1
    root = hub.find(whole, tmp_path)
    assert files(root) == {"FETCHED", "config.json", "tokenizer.json"}
    assert hub.fetch({"lm": whole, "speech": whole, "sound": one}) == 2
    assert files(root) == {"FETCHED", "config.json", "tokenizer.json", "preprocessor_config.json", "x/a.pt"}
    assert hub.find(one, tmp_path) == root / "x" / "a.pt"
    assert hub.find(whole, tmp_path) == root
    assert hub.fetch({"lm": whole, "speech": whole, "sound": one}) == 0, "what was there before still counts"
    with pytest.raises(WeightsError, match="not fetched"):
        hub.find(other, tmp_path)


def test_what_a_checkpoint_needs_beside_it_comes_with_it(repositories, tmp_path):
    """ESPnet publishes its models with the paths of the machine that trained them, and the settings beside them."""
    run = "work/exp/cls_base"
    beside = (f"{run}/config.yaml", f"{run}/class_labels_indices.csv")
    repositories.repositories["a/b"] = (f"{run}/best.pth", f"{run}/9.pth", *beside, "work/config.yaml", "README.md")
    place = Place(hub="a/b", revision="v", file=f"{run}/best.pth")
    assert hub.fetch({"sound": place}) == 1
    assert files(hub.folder_of(place)) == {"FETCHED", f"{run}/best.pth", *beside}
    assert hub.find(place, tmp_path).name == "best.pth"


def test_only_our_error_tells_of_tries_that_failed(repositories, monkeypatch):
    client, levels = logging.getLogger("huggingface_hub.utils._http"), []
    monkeypatch.setattr(hub, "download", lambda *arguments: levels.append(client.getEffectiveLevel()))
    before = client.getEffectiveLevel()
    place = Place(hub="a/b", revision="v")
    hub.folder_of(place).mkdir(parents=True)
    assert hub.fetch({"lm": place}) == 1
    assert levels == [logging.ERROR]
    assert client.getEffectiveLevel() == before < logging.ERROR


def test_the_folder_itself_is_not_there_for_one_of_its_files(repositories, tmp_path):
    repositories.repositories["a/b"] = ("x.pt", "config.json")
    hub.fetch({"sound": Place(hub="a/b", revision="v", file="x.pt")})
    with pytest.raises(WeightsError, match="not fetched"):
        hub.find(Place(hub="a/b", revision="v"), tmp_path)


def test_an_interrupted_pull_is_not_taken_for_a_whole_one(repositories, tmp_path):
    repositories.repositories["a/b"], repositories.lost = MISTRAL, {"tokenizer.json"}
    place = Place(hub="a/b", revision="v1")
    with pytest.raises(WeightsError, match=r"tokenizer\.json did not come"):
        hub.fetch({"lm": place})
    with pytest.raises(WeightsError, match="not fetched"):
        hub.find(place, tmp_path)
    repositories.lost = set()
    assert hub.fetch({"lm": place}) == 1


def test_the_command_fetches_what_a_whole_base_reads(repositories, folder, tmp_path):
    """lm, speech and sound of a base by name: each from a repository that holds far more than it needs."""
    sources = {"a/lm": folder / "lm", "a/speech": folder / "speech"}

    def write(name, path):
        source = next((s / name for key, s in sources.items() if key.replace("/", "--") in str(path)), None)
        if name == "fine/second.pt":
            published(path)
        elif source is not None and source.is_file():
            shutil.copyfile(source, path)
        else:
            path.write_text("{}" if name.endswith(".json") else name)

    repositories.write = write
    repositories.repositories = {
        "a/lm": (*files(folder / "lm"), "consolidated.safetensors", "onnx/model.onnx", "original/model.safetensors"),
        "a/speech": tuple(sorted({*WHISPER_LARGE, *files(folder / "speech")} - {"preprocessor_config.json"})),
        "a/sound": ("first.pt", "second.pt", "fine/first.pt", "fine/second.pt", "README.md"),
    }
    model = tmp_path / "m"
    model.mkdir()
    raw = json.loads((folder / "config.json").read_text())
    for name in ("lm", "speech", "sound"):
        del raw[name]["path"]
        raw[name] |= {"hub": f"a/{name}", "revision": "v1"}
    raw["sound"] |= {"file": "fine/second.pt", "labels": "names.csv"}
    (model / "names.csv").write_text(TABLE)
    (model / "config.json").write_text(json.dumps(raw))
    pulled = CliRunner().invoke(app, ["models", "pull", str(model)])
    assert pulled.output.startswith("3 parts"), pulled.output
    held = tmp_path / "home" / "models" / "hub"
    assert files(held / "a--lm" / "v1") == {"FETCHED", *files(folder / "lm")}
    assert files(held / "a--speech" / "v1") == {"FETCHED", "config.json", "model.safetensors", "LICENSE"}
    assert files(held / "a--sound" / "v1") == {"FETCHED", "fine/second.pt"}
    made = pretrained.from_pretrained(model, dtype=torch.float32)
    assert tuple(made.perceiver.labels) == NAMES

    named = pretrained.save_pretrained(model, tmp_path / "named", copy_parts=False)
    assert json.loads((named / "config.json").read_text())["sound"]["labels"] == "class_labels_indices.csv"
    assert (named / "class_labels_indices.csv").read_text() == TABLE
    assert "| sound | fine/second.pt | a/sound at v1 |" in (named / "README.md").read_text()
    whole = pretrained.save_pretrained(model, tmp_path / "whole")
    assert "labels" not in json.loads((whole / "config.json").read_text())["sound"]
    assert files(whole) == {
        *("config.json", "README.md", "sound/beats.safetensors", *(f"lm/{x}" for x in files(folder / "lm"))),
        *("speech/config.json", "speech/model.safetensors", "speech/LICENSE"),
    }
    for again in (named, whole):
        assert base.sound_model(again, BaseConfig.read(again)).labels == NAMES
    (model / "names.csv").unlink()
    with pytest.raises(WeightsError, match=r"names\.csv: AudioSet's table"):
        pretrained.save_pretrained(model, tmp_path / "none", copy_parts=False)


def test_saving_copies_what_is_read_and_no_other_format_of_it(folder, tmp_path):
    model = shutil.copytree(folder, tmp_path / "m")
    for name in ("lm/consolidated.safetensors", "speech/model.fp32-00001-of-00002.safetensors", "lm/notes.txt"):
        shutil.copyfile(model / "lm" / "model.safetensors", model / name)
    assert files(pretrained.save_pretrained(model, tmp_path / "n")) == files(
        pretrained.save_pretrained(folder, tmp_path / "o")
    )


@pytest.mark.parametrize("name", ["x.pt", "x.pth"])
def test_a_checkpoint_is_named_or_the_only_one(folder, tmp_path, name):
    model = shutil.copytree(folder, tmp_path / "m")
    (model / "sound" / "beats.safetensors").unlink()
    made = published(model / "sound" / name)
    config = BaseConfig.read(model)
    with pytest.raises(ConfigError, match=r"class_labels_indices\.csv"):
        base.sound_model(model, config)
    raw = config.to_json()
    for where in ("table.csv", str(tmp_path / "elsewhere.csv")):
        (model / where).write_text(TABLE)
        raw["sound"]["labels"] = where
        (model / "config.json").write_text(json.dumps(raw))
        found = base.sound_model(model, BaseConfig.read(model))
        assert found.labels == NAMES
    assert torch.equal(found.predictor.weight, made.predictor.weight)
    shutil.copyfile(model / "sound" / name, model / "sound" / f"other{name}")
    with pytest.raises(WeightsError, match=f"one file was expected as a checkpoint of BEATs, got other{name}, {name}"):
        base.sound_model(model, BaseConfig.read(model))
    raw["sound"]["file"] = name
    (model / "config.json").write_text(json.dumps(raw))
    assert base.sound_model(model, BaseConfig.read(model)).labels == NAMES
    assert BaseConfig.read(model).to_json() == raw


def test_voice_activity_may_be_one_file_of_many(tmp_path):
    (tmp_path / "vad" / "onnx").mkdir(parents=True)
    for name in ("model", "model_fp16"):
        (tmp_path / "vad" / "onnx" / f"{name}.onnx").write_text(name)
    place = Place(path="vad", file="onnx/model.onnx")
    assert base.vad_file(tmp_path, place).read_text() == "model"
    with pytest.raises(WeightsError, match=r"model_q4\.onnx"):
        base.vad_file(tmp_path, Place(path="vad", file="onnx/model_q4.onnx"))
