"""Folders of the hub: shards, adapters, parts of larger models; and what is refused, by name."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from soundflow.decide.backbones.config import MOST_POSITIONS, DecoderConfig
from soundflow.decide.backbones.decoder import Decoder
from soundflow.errors import WeightsError
from tests.decide.families import FAMILIES, LLAMA3, SMALL, lively, make, save

IDS = torch.randint(0, 97, (1, 30), generator=torch.Generator().manual_seed(8))


def logits(own):
    return own.head(own(own.embed(IDS), torch.tensor([30]), own.init_state(1, 32)))


def same(own, hf) -> bool:
    with torch.no_grad():
        return bool((logits(own) - hf(IDS).logits).abs().max() < 1e-4)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A saved model of each family, as (folder, model)."""
    made = {}
    for name in FAMILIES:
        hf = make(name)
        made[name] = save(hf, tmp_path_factory.mktemp(name)), hf
    return made


@pytest.fixture
def folder(folders, tmp_path):
    """A copy of the plain Llama's, to spoil."""
    for path in folders["llama"][0].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def edit(folder, **changes):
    path = folder / "config.json"
    raw = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({k: v for k, v in raw.items() if v != "gone"}))
    return folder


def store(folder, change):
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")
    return folder


def load(folder, **options):
    return Decoder.load(folder, torch.float32, **options)


@pytest.mark.parametrize("name", FAMILIES)
def test_adapter_updates_are_merged_by_hugging_face_names(folders, name):
    folder, _ = folders[name]
    hf, generator = make(name), torch.Generator().manual_seed(2)
    changed = [n for n, _ in hf.named_parameters() if "_proj" in n and ("layers.1" in n or "layers.2" in n)]
    deltas = {}
    with torch.no_grad():
        for parameter_name in changed:
            parameter = hf.get_parameter(parameter_name)
            deltas[parameter_name] = 0.2 * torch.randn(parameter.shape, generator=generator)
            parameter += deltas[parameter_name]
    own = load(folder, deltas=deltas)
    assert same(own, hf)
    assert not torch.allclose(logits(own), logits(load(folder)), atol=0.05)


def test_adapter_updates_that_fit_nothing_are_refused(folder):
    with pytest.raises(WeightsError, match="nothing_here"):
        load(folder, deltas={"nothing_here": torch.ones(1)})
    with pytest.raises(WeightsError, match=r"q_proj.weight' of shape \[32, 32\] was expected, got \[1, 32\]"):
        load(folder, deltas={"model.layers.0.self_attn.q_proj.weight": torch.ones(1, 32)})


@pytest.mark.parametrize("name", ["llama", "qwen2"])
def test_shards_are_read_by_their_index(folders, tmp_path, name):
    hf = folders[name][1]
    save(hf, tmp_path, max_shard_size="20KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 2
    assert same(load(tmp_path), hf)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p, i: p.unlink(), "model-00001.*'? ?"),
        (lambda p, i: p.write_bytes(b"\x10\0\0\0\0\0\0\0nonsense"), r"model-00001.*a safetensors file was expected"),
        (lambda p, i: i.write_text("{"), "a readable model.safetensors.index.json was expected"),
        (lambda p, i: i.write_text("[]"), "a JSON object was expected, got list"),
        (lambda p, i: i.write_text('{"weight_map": 3}'), "weight_map"),
        (lambda p, i: i.write_text(i.read_text().replace("model-00001", "../model-00001")), r"a file beside it.*\.\./"),
        (lambda p, i: i.write_text(i.read_text().replace("layers.0", "layers.7")), "layers.7.*is not there"),
    ],
    ids=["missing shard", "spoilt shard", "spoilt index", "list", "no map", "elsewhere", "not in its shard"],
)
def test_spoilt_shards_are_named(folders, tmp_path, spoil, message):
    save(folders["llama"][1], tmp_path, max_shard_size="20KB")
    spoil(min(tmp_path.glob("*.safetensors")), tmp_path / "model.safetensors.index.json")
    with pytest.raises(WeightsError, match=message):
        load(tmp_path)


Q = "model.layers.1.self_attn.q_proj.weight"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop(Q), rf"tensor '{Q}' was expected and is not there"),
        (lambda t: t.pop("lm_head.weight"), "'lm_head.weight' was expected"),
        (lambda t: t.pop("model.embed_tokens.weight"), "'model.embed_tokens.weight' was expected"),
        (lambda t: t.update({Q: torch.ones(16, 32)}), rf"'{Q}' of shape \[32, 32\] was expected.*got \[16, 32\]"),
        (lambda t: t.update({Q: t[Q].int()}), rf"'{Q}' of floats was expected, got torch.int32"),
        (lambda t: t.update({Q.replace("weight", "bias"): torch.ones(32)}), "q_proj.bias' is of a part"),
        (lambda t: t.update({"model.layers.0.mlp.experts.0": torch.ones(1)}), "experts.0' is of a part"),
        (lambda t: t.update({"model.layers.3.input_layernorm.weight": torch.ones(32)}), "layers.3"),
    ],
    ids=["missing", "no head", "no table", "shape", "integers", "bias", "experts", "more layers"],
)
def test_tensors_that_do_not_fit_are_named(folder, change, message):
    with pytest.raises(WeightsError, match=message):
        load(store(folder, change))


def test_frequencies_in_an_old_file_are_not_a_part(folder, folders):
    store(folder, lambda t: t.update({"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(4)}))
    assert same(load(folder), folders["llama"][1])


def test_a_folder_without_safetensors_is_refused(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(WeightsError, match=r"model.safetensors is missing"):
        load(folder)
    (folder / "model.safetensors").write_bytes(b"not one")
    with pytest.raises(WeightsError, match="a safetensors file was expected"):
        load(folder)


@pytest.mark.parametrize("text", ["", "[1]", "{"])
def test_a_spoilt_config_is_refused(folder, text):
    (folder / "config.json").write_text(text)
    with pytest.raises(WeightsError, match=r"config\.json"):
        load(folder)


ROPE = "rope_parameters"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "gpt2"}, "model_type: one of gemma, llama, .*got 'gpt2'"),
        ({"model_type": "gone"}, "model_type: .*got None"),
        ({"hidden_act": "relu"}, "hidden_act: one of silu, .*got 'relu'"),
        ({"hidden_size": "32"}, "hidden_size: a whole number above 0 was expected, got '32'"),
        ({"hidden_size": "gone"}, "hidden_size: .*got None"),
        ({"num_hidden_layers": 0}, "num_hidden_layers.*got 0"),
        ({"num_attention_heads": True}, "num_attention_heads.*got True"),
        ({"num_key_value_heads": 3}, "num_key_value_heads: a divisor of num_attention_heads 4 was expected, got 3"),
        ({"head_dim": 9}, "head_dim: an even number was expected, got 9"),
        ({"rms_norm_eps": -1}, "rms_norm_eps.*got -1"),
        ({"attention_bias": "yes"}, "attention_bias: true or false was expected, got 'yes'"),
        ({"quantization_config": {"bits": 4}}, "quantization_config.*bits"),
        ({"rope_interleaved": True}, "rope_interleaved.*got True"),
        ({"partial_rotary_factor": 0.5}, "partial_rotary_factor.*got 0.5"),
        ({"final_logit_softcapping": 30.0}, "final_logit_softcapping.*got 30.0"),
        ({"use_sliding_window": True, "sliding_window": "x"}, "sliding_window.*got 'x'"),
        ({"layer_types": ["full_attention", "linear_attention", "full_attention"]}, "layer_types.*linear_attention"),
        ({ROPE: {"rope_type": "longrope"}}, "rope_parameters: rope_type: one of default, .*got 'longrope'"),
        ({ROPE: {"rope_type": "linear"}}, "rope_parameters: factor: .*got None"),
        ({ROPE: {"rope_type": "yarn", "factor": 2.0, "llama_4_scaling_beta": 0.1}}, "llama_4_scaling_beta.*got 0.1"),
        ({ROPE: {"rope_type": "default", "mrope_section": [1, 1, 2]}}, "mrope_section"),
        ({ROPE: {**LLAMA3, "high_freq_factor": 0.5}}, "high_freq_factor: more than low_freq_factor 1.0"),
        ({ROPE: {"rope_type": "default", "rope_theta": 0}}, "rope_theta.*got 0"),
        ({ROPE: "yarn"}, "rope_parameters: an object was expected, got 'yarn'"),
        (
            {"model_type": "smollm3", "no_rope_layers": [1, 0]},
            r"no_rope_layers: a list of 3 times 0 or 1.*got \[1, 0\]",
        ),
        ({"model_type": "qwen2_5_omni_thinker"}, "text_config: model_type: .*got None"),
    ],
    ids=lambda x: "" if isinstance(x, str) else ",".join(x),
)
def test_fields_that_we_do_not_have_are_named(folder, changes, message):
    with pytest.raises(WeightsError, match=message):
        load(edit(folder, **changes))


@pytest.mark.parametrize(
    ("name", "kind"), [("llama3", "rope_type"), ("yarn", "type"), ("linear", "type"), ("qwen2", "none")]
)
def test_configs_of_older_releases_say_the_same(folders, tmp_path, name, kind):
    """`rope_scaling` and `rope_theta` beside each other, and the kind called `type`."""
    folder, hf = folders[name]
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    rope = dict(json.loads((folder / "config.json").read_text())[ROPE])
    theta = rope.pop("rope_theta")
    rope = None if kind == "none" else {kind: rope.pop("rope_type"), **rope}
    edit(tmp_path, **{ROPE: "gone", "rope_scaling": rope, "rope_theta": theta})
    assert same(load(tmp_path), hf)


def test_defaults_of_the_families_where_a_config_is_silent():
    def config(kind, **changes):
        return DecoderConfig.of({**SMALL, "model_type": kind, **changes}, "config.json")

    assert config("smollm3", num_hidden_layers=8).still == (3, 7)
    assert config("smollm3").rope_theta == 2e6
    assert config("qwen3").head_dim == 128
    assert [config(k).tied for k in ("llama", "smollm3", "gemma")] == [False, True, True]
    assert [config(k).qkv_bias for k in ("llama", "qwen2", "qwen3", "mistral")] == [False, True, False, False]
    assert config("qwen2", sliding_window=64).window is None
    assert config("qwen2", sliding_window=64, use_sliding_window=True).limit == 64
    assert config("mistral", sliding_window=None).limit == 256
    assert config("llama", max_position_embeddings=131_072).limit == MOST_POSITIONS


@pytest.fixture(scope="module")
def thinker(tmp_path_factory):
    from transformers import Qwen2_5OmniThinkerConfig, Qwen2_5OmniThinkerForConditionalGeneration

    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [1, 1, 2]}
    hf = lively(
        Qwen2_5OmniThinkerForConditionalGeneration(
            Qwen2_5OmniThinkerConfig(
                text_config={**SMALL, "rope_parameters": rope},
                audio_config=dict(
                    d_model=16, encoder_layers=1, encoder_attention_heads=2, encoder_ffn_dim=16, output_dim=32,
                    num_mel_bins=8,
                ),
                vision_config=dict(depth=1, hidden_size=16, num_heads=2, intermediate_size=16, out_hidden_size=32),
            )
        )
    )  # fmt: skip
    return save(hf, tmp_path_factory.mktemp("thinker")), hf


def test_the_thinker_of_qwen_omni_by_itself(thinker):
    folder, hf = thinker
    assert same(load(folder), hf)


def test_the_thinker_inside_the_released_layout(thinker, tmp_path):
    folder, hf = thinker
    tensors = {f"thinker.{k}": v for k, v in load_file(folder / "model.safetensors").items()}
    tensors["talker.model.embed_tokens.weight"] = torch.ones(5, 7)
    save_file(tensors, tmp_path / "model.safetensors")
    part = json.loads((folder / "config.json").read_text())
    text = part["text_config"]
    rope = {"mrope_section": [1, 1, 2], "rope_type": "default", "type": "mrope"}
    text |= {ROPE: None, "rope_scaling": rope, "rope_theta": 1e6}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "qwen2_5_omni", "thinker_config": part}))
    for prefix in ("thinker.", ""):
        assert same(load(tmp_path, prefix=prefix), hf)
    bare, whole = "model.layers.0.mlp.up_proj.weight", "thinker.model.layers.0.mlp.up_proj.weight"
    one, other = (load(tmp_path, deltas={n: torch.ones(48, 32)}, prefix="thinker.") for n in (bare, whole))
    assert torch.equal(logits(one), logits(other))
    with pytest.raises(WeightsError, match=r"'nowhere\.model\.embed_tokens\.weight' was expected"):
        load(tmp_path, prefix="nowhere.")
