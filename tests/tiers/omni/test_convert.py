"""The converter: both layouts, what it leaves out, and checkpoints that are broken."""

from __future__ import annotations

import json
import os
import pickle
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from soundflow.decide.policy import Calibration
from soundflow.errors import ConfigError, WeightsError
from soundflow.tiers.omni import pieces
from soundflow.tiers.omni.convert import _main as run
from soundflow.tiers.omni.convert import convert
from soundflow.tiers.omni.load import around, hearing
from soundflow.tiers.omni.settings import Settings
from tests.tiers.omni.tiny import (
    TOKENS,
    VOCAB,
    change_shard,
    hub_folder,
    load,
    release_folder,
    released_tensors,
    thinker,
)

Q = "thinker.model.layers.1.self_attn.q_proj.weight"


@pytest.fixture
def copy(hub, tmp_path):
    """A checkpoint to break."""
    return shutil.copytree(hub, tmp_path / "hub")


def test_the_names_of_the_test_are_those_that_the_published_class_writes(tmp_path):
    """transformers writes the thinker alone, so without `thinker.`; that layout is read, too."""
    thinker().save_pretrained(tmp_path / "alone", max_shard_size="60KB")
    index = json.loads((tmp_path / "alone" / "model.safetensors.index.json").read_text())
    assert {"thinker." + name for name in index["weight_map"]} == set(released_tensors())
    assert len(set(index["weight_map"].values())) > 1
    shutil.copy(hub_folder(tmp_path / "hub") / "tokenizer.json", tmp_path / "alone")
    report = convert(tmp_path / "alone", tmp_path / "a", TOKENS)
    convert(tmp_path / "hub", tmp_path / "b", TOKENS)
    assert report.left_out.keys() == {"visual", "audio_tower"}
    for file in ("tower.safetensors", "lm/model.safetensors", "lm/config.json", "config.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_every_tensor_arrives_and_what_is_left_out_is_told(hub, tmp_path):
    told = []
    report = convert(hub, tmp_path / "out", TOKENS, lambda *args: told.append(args))
    source, tower = released_tensors(), load_file(tmp_path / "out" / "tower.safetensors")
    text = load_file(tmp_path / "out" / "lm" / "model.safetensors")
    assert (report.layout, report.tower, report.text) == ("hub", len(tower), len(text))
    visual = sum(name.startswith("thinker.visual.") for name in source)
    assert dict(report.left_out) == {"talker": 1, "token2wav": 1, "audio_tower": 1, "visual": visual}
    assert len(tower) + len(text) + sum(report.left_out.values()) == len(source) + 2
    assert all(torch.equal(tower[n], source[f"thinker.audio_tower.{n}"]) for n in tower)
    assert all(torch.equal(text[n], source[f"thinker.{n}"]) for n in text)
    assert told[-1][1] == told[-1][2] > 0
    assert not list((tmp_path / "out").rglob("*.part"))


def test_the_language_model_is_a_plain_qwen2(converted):
    """Its folder is read by transformers' own class, with the thinker's logits."""
    from transformers import Qwen2ForCausalLM

    ids = torch.randint(0, VOCAB, (1, 30), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = thinker()(input_ids=ids, use_cache=False).logits
        got = Qwen2ForCausalLM.from_pretrained(converted / "lm", dtype=torch.float32)(ids).logits
    assert torch.allclose(got, expected, atol=1e-4)


def test_the_released_codes_own_layout_gives_the_same_folder(converted, tmp_path):
    report = convert(release_folder(tmp_path / "release"), tmp_path / "out", TOKENS)
    assert report.layout == "release"
    assert dict(report.left_out) == {"audio_bos_eos_token": 1}
    for file in ("tower.safetensors", "lm/model.safetensors"):
        ours, theirs = load_file(tmp_path / "out" / file), load_file(converted / file)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    for file in ("config.json", "lm/config.json"):
        assert (tmp_path / "out" / file).read_text() == (converted / file).read_text()


@pytest.mark.parametrize("name", ["MiniOmni3_ChunkwisedEncoder.pth", "x_ChunkwisedEncoder.safetensors"])
@pytest.mark.parametrize("text", ["MiniOmni3_LM.pt", "x_LM.pth", "x_LM.safetensors", None])
def test_names_of_the_release_differ(converted, tmp_path, name, text):
    """Its code and its hub page name the same files in two ways; the paper's is one of them."""
    folder = release_folder(tmp_path / "release")
    first = folder / "audiointeraction_ChunkwisedEncoder.pth"
    renamed(first, folder / name)
    if text is not None:
        index = json.loads((folder / pieces.INDEX).read_text())
        held = {k: v for shard in set(index["weight_map"].values()) for k, v in load_file(folder / shard).items()}
        torch.save(held, folder / "held")
        renamed(folder / "held", folder / text)
        for path in [*folder.glob("model*")]:
            path.unlink()
        (folder / "qwen25OmniConfig").rename(folder / "qwen_2_5_omni_config")
    convert(folder, tmp_path / "out", TOKENS)
    for file in ("tower.safetensors", "lm/model.safetensors"):
        assert (tmp_path / "out" / file).read_bytes() == (converted / file).read_bytes()


def renamed(path, to):
    """The state dict of `path`, as `to` says by its name, and `path` gone."""
    tensors = torch.load(path, weights_only=True)
    path.unlink()
    if to.suffix == ".safetensors":
        save_file({k: v.contiguous() for k, v in tensors.items()}, to)
    else:
        torch.save(tensors, to)


def test_several_models_in_a_release_are_named(tmp_path):
    folder = release_folder(tmp_path / "release")
    first = folder / "audiointeraction_ChunkwisedEncoder.pth"
    shutil.copy(first, folder / "other_ChunkwisedEncoder.pth")
    with pytest.raises(WeightsError, match=f"was expected, got {first.name}, other_ChunkwisedEncoder.pth"):
        convert(folder, tmp_path / "out", TOKENS)
    (folder / "other_ChunkwisedEncoder.pth").unlink()
    for path in folder.glob("model*"):
        path.unlink()
    with pytest.raises(WeightsError, match=r"model\.safetensors"):
        convert(folder, tmp_path / "out", TOKENS)
    for name in ("a_LM.pt", "b_LM.safetensors"):
        (folder / name).write_bytes(b"")
    with pytest.raises(WeightsError, match=r"was expected, got b_LM\.safetensors, a_LM\.pt"):
        convert(folder, tmp_path / "out", TOKENS)


def test_types_of_tensors_that_are_left_out_do_not_matter(copy, converted, tmp_path):
    """Vocoders hold counters of int64; so may the tower's file."""
    counter = "token2wav.code2wav_dit_model.steps"
    path = copy / "model-00001-of-00002.safetensors"
    save_file(load_file(path) | {counter: torch.zeros(3, dtype=torch.int64)}, path)
    index = json.loads((copy / pieces.INDEX).read_text())
    index["weight_map"][counter] = path.name
    (copy / pieces.INDEX).write_text(json.dumps(index))
    assert convert(copy, tmp_path / "out", TOKENS).left_out["token2wav"] == 2
    release = release_folder(tmp_path / "release")
    tower = release / "audiointeraction_ChunkwisedEncoder.pth"
    held = torch.load(tower, weights_only=True)
    marks = {"audio_bos_eos_token.steps": torch.zeros(1, dtype=torch.float64)}
    torch.save(held | marks, tower)
    convert(release, tmp_path / "two", TOKENS)
    for out in ("out", "two"):
        assert (tmp_path / out / "tower.safetensors").read_bytes() == (converted / "tower.safetensors").read_bytes()
    torch.save(held | {"conv1.bias": held["conv1.bias"].double()}, tower)
    with pytest.raises(WeightsError, match=r"conv1\.bias: one of F32, BF16, F16 was expected, got float64"):
        convert(release, tmp_path / "three", TOKENS)


def test_types_are_kept_and_no_tensor_is_held_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(pieces, "BLOCK", 64)
    tensors = {"a": torch.randn(7, 5).bfloat16(), "b": torch.randn(3), "c": torch.randn(2, 3).half()}
    save_file(tensors, tmp_path / "in.safetensors")
    found = pieces.of_file(tmp_path / "in.safetensors")
    assert max(len(block) for piece in found.values() for block in piece.blocks()) <= 64
    pieces.write(tmp_path / "out.safetensors", found | {"rows": found["a"].rows(2, 3)})
    again = load_file(tmp_path / "out.safetensors")
    assert all(again[n].dtype == tensors[n].dtype and torch.equal(again[n], tensors[n]) for n in tensors)
    assert torch.equal(again["rows"], tensors["a"][2:5])


def test_tied_embeddings_need_no_head(copy, tmp_path):
    change_shard(copy, "thinker.lm_head.weight", lambda t: t.pop("thinker.lm_head.weight"))
    index = json.loads((copy / pieces.INDEX).read_text())
    del index["weight_map"]["thinker.lm_head.weight"]
    (copy / pieces.INDEX).write_text(json.dumps(index))
    convert(copy, tmp_path / "out", TOKENS)
    lalm = load(tmp_path / "out").lalm
    assert torch.equal(lalm.llama.head.weight, lalm.llama.embed.weight)


def test_missing_tensors_are_named_by_part(copy, tmp_path):
    index = json.loads((copy / pieces.INDEX).read_text())
    gone = [Q, "thinker.model.layers.2.mlp.down_proj.weight", "thinker.audio_tower.conv1.bias"]
    for name in gone[:2]:
        del index["weight_map"][name]
    (copy / pieces.INDEX).write_text(json.dumps(index))
    with pytest.raises(WeightsError, match=r"self_attn\.q_proj \(1, as 'thinker\.model\.layers\.1\.") as caught:
        convert(copy, tmp_path / "out", TOKENS)
    assert "down_proj" in str(caught.value)
    del index["weight_map"][gone[2]]
    (copy / pieces.INDEX).write_text(json.dumps(index))
    with pytest.raises(WeightsError, match=r"thinker\.audio_tower\.conv1 \(1"):
        convert(copy, tmp_path / "out", TOKENS)
    assert not (tmp_path / "out").exists()


def test_left_over_tensors_are_named_by_part(copy, tmp_path):
    path = copy / "model-00001-of-00002.safetensors"
    save_file(load_file(path) | {"thinker.model.layers.3.norm.weight": torch.ones(2)}, path)
    index = json.loads((copy / pieces.INDEX).read_text())
    index["weight_map"]["thinker.model.layers.3.norm.weight"] = path.name
    (copy / pieces.INDEX).write_text(json.dumps(index))
    with pytest.raises(WeightsError, match=r"does not tell of: thinker\.model.* \(1, as 'thinker\.model\.layers\.3"):
        convert(copy, tmp_path / "out", TOKENS)


def test_shapes_and_types_are_checked(copy, tmp_path):
    shape = change_shard(copy, Q, lambda t: t.update({Q: torch.zeros(5, 32)}))
    with pytest.raises(WeightsError, match=rf"{shape.name}.*q_proj\.weight \[32, 32\] was expected, got \[5, 32\]"):
        convert(copy, tmp_path / "out", TOKENS)
    change_shard(copy, Q, lambda t: t.update({Q: torch.zeros(32, 32, dtype=torch.int8)}))
    with pytest.raises(WeightsError, match=r"q_proj\.weight: one of F32, BF16, F16 was expected, got I8"):
        convert(copy, tmp_path / "out", TOKENS)


def test_broken_files_are_named(copy, tmp_path):
    shard = copy / "model-00002-of-00002.safetensors"
    whole = shard.read_bytes()
    for broken in (whole[:-1], whole[:100], b"", b"\xff" * 64):
        shard.write_bytes(broken)
        with pytest.raises(WeightsError, match=shard.name):
            convert(copy, tmp_path / "out", TOKENS)
    shard.unlink()
    with pytest.raises(WeightsError, match=shard.name):
        convert(copy, tmp_path / "out", TOKENS)
    shard.write_bytes(whole)
    index = json.loads((copy / pieces.INDEX).read_text())
    index["weight_map"][Q] = "model-00002-of-00002.safetensors" if Q in load_file(
        copy / "model-00001-of-00002.safetensors") else "model-00001-of-00002.safetensors"  # fmt: skip
    for text, match in (
        (json.dumps(index), "as model.safetensors.index.json says"), ("{", "weight_map"), ("[]", "a JSON object"),
        ('{"weight_map": {"a": "../secret.safetensors"}}', "beside it"), ('{"weight_map": {"a": 3}}', "beside it"),
    ):  # fmt: skip
        (copy / pieces.INDEX).write_text(text)
        with pytest.raises(WeightsError, match=match):
            convert(copy, tmp_path / "out", TOKENS)


def test_configs_are_checked(copy, tmp_path):
    good = json.loads((copy / "config.json").read_text())
    bad = json.loads(json.dumps(good))
    bad["thinker_config"]["text_config"]["hidden_act"] = "relu"
    wide = json.loads(json.dumps(good))
    wide["thinker_config"]["audio_config"]["output_dim"] = 31
    for config, match in (
        ({"model_type": "qwen2_5_omni"}, "audio_config"),
        (good | {"thinker_config": {"audio_config": 1}}, "audio_config"),
        (bad, "hidden_act"), (wide, "output_dim"),
    ):  # fmt: skip
        (copy / "config.json").write_text(json.dumps(config))
        with pytest.raises(WeightsError, match=match):
            convert(copy, tmp_path / "out", TOKENS)
    (copy / "config.json").write_text("nothing")
    with pytest.raises(WeightsError, match=r"config\.json"):
        convert(copy, tmp_path / "out", TOKENS)
    (copy / "config.json").write_text(json.dumps(good))
    with pytest.raises(ConfigError, match="online: an id from 0 to 127 was expected, got 151609"):
        convert(copy, tmp_path / "out")
    (copy / "tokenizer.json").unlink()
    with pytest.raises(WeightsError, match=r"tokenizer\.json"):
        convert(copy, tmp_path / "out", TOKENS)
    assert not (tmp_path / "out" / "config.json").exists()


def test_the_command_says_what_went_wrong(hub, converted, tmp_path, capsys):
    for arguments, said in (
        ([hub], "FROM TO"),
        ([hub, tmp_path / "out"], "an id from 0 to 127 was expected"),  # the paper's ids, and a small vocabulary
        ([hub, converted], "an empty folder was expected"),
    ):
        with pytest.raises(SystemExit) as caught:
            run([str(x) for x in arguments])
        assert caught.value.code == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert said in error
        assert error.count("\n") == 1


def test_a_model_is_not_written_over(hub, converted, tmp_path):
    out = shutil.copytree(converted, tmp_path / "out")
    (out / "config.json").write_text("mine")
    with pytest.raises(ConfigError, match="an empty folder was expected"):
        convert(hub, out, TOKENS)
    assert (out / "config.json").read_text() == "mine"


class _Trap:
    def __reduce__(self):
        return os.mkdir, (os.environ["SOUNDFLOW_TRAP"],)


def test_a_pickle_is_never_run(tmp_path, monkeypatch):
    monkeypatch.setenv("SOUNDFLOW_TRAP", str(tmp_path / "sprung"))
    folder = release_folder(tmp_path / "release")
    tower = folder / "audiointeraction_ChunkwisedEncoder.pth"
    torch.save({"conv1.weight": _Trap()}, tower)
    with pytest.raises(WeightsError, match=tower.name) as caught:
        convert(folder, tmp_path / "out", TOKENS)
    assert "likely succeed" not in str(caught.value)  # torch's advice
    tower.write_bytes(pickle.dumps(_Trap()))
    with pytest.raises(WeightsError, match=tower.name):
        convert(folder, tmp_path / "out", TOKENS)
    torch.save({"conv1.weight": 3}, tower)
    with pytest.raises(WeightsError, match=r"conv1\.weight: a tensor was expected, got int"):
        convert(folder, tmp_path / "out", TOKENS)
    tower.unlink()
    with pytest.raises(WeightsError, match="audio tower"):
        convert(folder, tmp_path / "out", TOKENS)
    hub = hub_folder(tmp_path / "hub")
    for path in hub.glob("*.safetensors*"):
        path.unlink()
    (hub / "pytorch_model.bin").write_bytes(pickle.dumps(_Trap()))
    with pytest.raises(WeightsError, match="other formats are not read"):
        convert(hub, tmp_path / "out", TOKENS)
    assert not (tmp_path / "sprung").exists()


def test_our_config_is_strict(converted, tmp_path):
    folder = shutil.copytree(converted, tmp_path / "omni")
    good = json.loads((folder / "config.json").read_text())
    assert Settings.read(folder).tokens == TOKENS
    for change, match in (
        ({"format": 2}, "format 1"), ({"tier": "nano"}, "tier 'omni'"), ({"other": 1}, "unknown key 'other'"),
        ({"chunk_ms": 200}, "10 audio tokens"), ({"left_chunks": -1}, "left_chunks"),
        ({"tokens": good["tokens"] | {"pad": 128}}, "pad"), ({"tokens": {"new": 1}}, "unknown key 'new'"),
        ({"vocab": "many"}, "vocab"),
        ({"tokens": good["tokens"] | {"act": TOKENS.keep_silence}}, "different ids"),
        ({"tokens": good["tokens"] | {"emotions": {"urgent": 3}}}, "'normal'"),
        ({"tokens": good["tokens"] | {"audio": 0}}, "audio"), ({"licences": {"ears": "MIT"}}, "unknown key 'ears'"),
        ({"licences": ["MIT"]}, "licences"),
    ):  # fmt: skip
        (folder / "config.json").write_text(json.dumps(good | change))
        with pytest.raises(ConfigError, match=match):
            Settings.read(folder)
    (folder / "config.json").unlink()
    with pytest.raises(WeightsError, match="omni folder"):
        load(folder)


def test_a_model_for_a_stream(omni, converted, tmp_path):
    model = omni.model
    assert (model.tier, model.chunk_samples, model.calibration) == ("omni", 6400, Calibration())
    folder = shutil.copytree(converted, tmp_path / "omni")
    Calibration(temperature=2.0).save(folder / "calibration.json")
    assert load(folder).model.calibration.temperature == 2.0


def test_loading_checks_types_and_parts(omni, converted, tmp_path):
    with pytest.raises(ConfigError, match="float16"):
        hearing(converted, torch.float16)
    with pytest.raises(ConfigError, match="float16"):
        around(converted, omni.model.perceiver, torch.float16)
    folder = shutil.copytree(converted, tmp_path / "omni")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"vocab": VOCAB + 1}))
    with pytest.raises(WeightsError, match="129 tokens of width 32 were expected, got 128"):
        load(folder)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(WeightsError, match=r"tokenizer\.json"):
        load(folder)
