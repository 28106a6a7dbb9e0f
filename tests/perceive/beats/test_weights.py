"""Files: what is read, and what is refused by name."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from soundflow.errors import ConfigError, WeightsError
from soundflow.perceive.beats import Beats, BeatsConfig
from tests.perceive.beats.tiny import tiny

BIAS = "encoder.layers.{}.self_attn.relative_attention_bias.weight"
TOKENS = torch.linspace(-1, 1, 32 * 128).view(1, 32, 128)


@pytest.fixture
def held():
    """A published checkpoint of the tiny size, as torch saves it: every layer has the shared table."""
    model = tiny(classes=3)
    weights = dict(model.state_dict())
    weights[BIAS.format(1)] = weights[BIAS.format(0)]
    return {"cfg": model.config.values(), "model": weights, "label_dict": {i: f"/m/{i}" for i in range(3)}}


def save(tmp_path, held):
    path = tmp_path / "beats.pt"
    torch.save(held, path)
    return path


def test_a_published_checkpoint_is_read(tmp_path, held):
    model = Beats.load(save(tmp_path, held))
    assert torch.equal(model(TOKENS), tiny(classes=3)(TOKENS))
    assert model.labels == ("/m/0", "/m/1", "/m/2")
    assert not model.training
    assert not any(p.requires_grad for p in model.parameters())


def test_names_of_newer_torch_and_of_openbeats_are_read(tmp_path, held):
    weights = held["model"]
    for new, old in (("original0", "weight_g"), ("original1", "weight_v")):
        name = f"encoder.pos_conv.0.{old}"
        weights[f"encoder.pos_conv.0.parametrizations.weight.{new}"] = weights.pop(name)
    weights["patch_embedding_pad.weight"] = torch.ones(1, 1, 16, 16)
    weights["raw2fbank_pad.weight"] = torch.ones(1, 1, 400)
    del held["label_dict"]
    held["token_list"] = ["a", "b", "c", "<unk>"]
    model = Beats.load(save(tmp_path, held))
    assert torch.equal(model(TOKENS), tiny(classes=3)(TOKENS))
    assert model.labels == ("a", "b", "c")


def test_half_precision_is_read_as_float32(tmp_path, held):
    held["model"] = {name: tensor.half() for name, tensor in held["model"].items()}
    assert Beats.load(save(tmp_path, held)).dtype == torch.float32


def test_an_outline_has_all_but_weights(tmp_path):
    model = Beats.random(BeatsConfig.tiny(3), 0, ("Bark", "Meow", "Hiss"))
    model.save(tmp_path / "beats.safetensors")
    found = Beats.outline(tmp_path / "beats.safetensors")
    assert (found.config, found.labels) == (model.config, model.labels)
    assert all(x.is_meta for x in found.state_dict().values())
    with pytest.raises(WeightsError, match="gone"):
        Beats.outline(tmp_path / "gone.safetensors")


def test_saved_as_safetensors_and_read_again(tmp_path):
    model = tiny(classes=2, seed=3)
    model.labels = ("dog", "bell")
    path = tmp_path / "beats.safetensors"
    model.save(path)
    again = Beats.load(path)
    assert again.config == model.config
    assert again.labels == ("dog", "bell")
    assert torch.equal(again(TOKENS), model(TOKENS))
    assert [p.name for p in tmp_path.iterdir()] == ["beats.safetensors"]


def test_safetensors_of_others_need_the_architecture(tmp_path):
    model = tiny()
    path = tmp_path / "bare.safetensors"
    save_file(model.state_dict(), path)
    with pytest.raises(ConfigError, match=r"bare.safetensors.*base"):
        Beats.load(path)
    assert torch.equal(Beats.load(path, BeatsConfig.tiny())(TOKENS), model(TOKENS))


def test_missing_left_over_and_misshapen_tensors_are_named(tmp_path, held):
    weights = held["model"]
    del weights["encoder.layers.1.fc1.bias"]
    weights["quantize.embedding"] = torch.ones(2)
    weights["layer_norm.weight"] = torch.ones(25)
    with pytest.raises(WeightsError) as caught:
        Beats.load(save(tmp_path, held))
    said = str(caught.value)
    assert "beats.pt" in said
    assert "1 missing: encoder.layers.1.fc1.bias" in said
    assert "1 left over: quantize.embedding" in said
    assert "layer_norm.weight [24] was expected, got [25]" in said


def test_weights_that_are_not_finite_are_refused(tmp_path, held):
    held["model"]["encoder.layers.0.fc1.bias"] = torch.full((64,), float("nan"))
    with pytest.raises(WeightsError, match=r"1 not finite: encoder\.layers\.0\.fc1\.bias"):
        Beats.load(save(tmp_path, held))


def test_many_missing_tensors_are_counted(tmp_path, held):
    held["model"] = {"layer_norm.weight": held["model"]["layer_norm.weight"]}
    expected = len(tiny(classes=3).state_dict()) - 1
    with pytest.raises(WeightsError, match=rf"{expected} missing: .* and {expected - 6} more"):
        Beats.load(save(tmp_path, held))


def test_a_bias_table_that_differs_between_layers_is_refused(tmp_path, held):
    held["model"][BIAS.format(1)] = held["model"][BIAS.format(0)] + 1
    with pytest.raises(WeightsError, match="shared by all layers"):
        Beats.load(save(tmp_path, held))


class Evil:
    def __reduce__(self):
        return (exec, ("raise SystemExit('ran')",))


@pytest.mark.parametrize(
    ("held", "error", "said"),
    [
        ({"cfg": Evil(), "model": {}}, WeightsError, "weights_only"),
        ([1], WeightsError, "got list"),
        ({"cfg": {}}, WeightsError, "model is not there"),
        ({"cfg": {}, "model": {}}, WeightsError, "nothing"),
        ({"cfg": {"stranger": 1}, "model": {"a": torch.ones(1)}}, ConfigError, "stranger"),
        ({"cfg": {}, "model": {"a": 3}}, WeightsError, r"'a' \(int\)"),
        ({"a": torch.ones(1)}, ConfigError, "base"),
    ],
)
def test_what_is_no_checkpoint_is_refused(tmp_path, held, error, said):
    with pytest.raises(error, match=said):
        Beats.load(save(tmp_path, held))


def test_how_to_run_what_is_in_a_pickle_is_not_passed_on(tmp_path):
    with pytest.raises(WeightsError) as caught:
        Beats.load(save(tmp_path, {"cfg": Evil(), "model": {}}))
    assert "likely succeed" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["beats.pt", "beats.safetensors"])
@pytest.mark.parametrize(
    "data", [b"", b"not weights at all", b"PK\x03\x04 half a zip", pickle.dumps([1, 2], protocol=2)]
)
def test_broken_files_are_refused(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=name):
        Beats.load(path)
    with pytest.raises(WeightsError, match="found no file"):
        Beats.load(tmp_path / "nowhere.pt")


def test_a_file_cut_short_is_refused(tmp_path, held):
    path = save(tmp_path, held)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(WeightsError, match=r"beats\.pt"):
        Beats.load(path)


def test_labels_that_do_not_fit_the_head_are_refused(tmp_path, held):
    held["label_dict"] = {0: "a", 2: "c"}
    with pytest.raises(WeightsError, match="each of 3 classes was expected, got 2"):
        Beats.load(save(tmp_path, held))
    with pytest.raises(ConfigError, match="3 labels"):
        Beats.random(BeatsConfig.tiny(3), 0, ("a", "b"))


def test_classes_without_names_have_numbers(tmp_path, held):
    del held["label_dict"]
    assert Beats.load(save(tmp_path, held)).labels == ("0", "1", "2")
    assert tiny().labels == ()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("encoder_conf: {downsampling_rate: 2}", "downsampling_rate 2"),
        ("encoder_conf: {adapter_config: conformer.json}", "adapter_config"),
        ("decoder_conf: {pooling: max}", "pooling 'max'"),
        ("encoder_conf: {beats_config: {surprise: 1}}", "surprise"),
        ("encoder_conf: [", "readable YAML"),
    ],
)
def test_espnet_models_with_parts_that_are_not_computed_are_refused(tmp_path, settings, said):
    model = tiny(classes=3)
    weights = {f"encoder.{k}": v for k, v in model.state_dict().items() if not k.startswith("predictor.")}
    weights |= {"classifier.weight": torch.ones(3, 32), "classifier.bias": torch.ones(3)}
    path = save(tmp_path, weights)
    assert Beats.load(path, BeatsConfig.tiny()).config == replace(BeatsConfig.tiny(3), multi_label=False)
    (tmp_path / "config.yaml").write_text(settings)
    with pytest.raises(ConfigError, match=said):
        Beats.load(path, BeatsConfig.tiny())


def test_espnet_models_keep_what_stands_before_the_encoder_out(tmp_path):
    """A front end of its own would change what the encoder hears; a decoder of pre-training would not."""
    weights = {f"encoder.{k}": v for k, v in tiny().state_dict().items()}
    weights["decoder.mask_token"] = torch.ones(1, 1, 32)
    assert torch.equal(Beats.load(save(tmp_path, weights), BeatsConfig.tiny())(TOKENS), tiny()(TOKENS))
    weights["frontend.mel"] = torch.ones(2)
    with pytest.raises(WeightsError, match=r"left over: frontend\.mel"):
        Beats.load(save(tmp_path, weights), BeatsConfig.tiny())


def test_random_weights_follow_the_seed_and_leave_the_global_generator_alone(tmp_path):
    before = torch.random.get_rng_state()
    one, same, other = tiny(seed=1), tiny(seed=1), tiny(seed=2)
    assert torch.equal(one(TOKENS), same(TOKENS))
    assert not torch.allclose(one(TOKENS), other(TOKENS), atol=1e-2)
    assert torch.equal(torch.random.get_rng_state(), before)
    one.save(tmp_path / "one.safetensors")
    assert "encoder.layers.0.self_attn.grep_a" in load_file(tmp_path / "one.safetensors")
