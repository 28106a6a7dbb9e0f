"""The tower against transformers, and files that are not a tower."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from soundflow.errors import WeightsError
from soundflow.perceive.omni.tower import Tower, TowerConfig
from tests.perceive.omni.tiny import CONFIG, tower


def reference(model: Tower):
    from transformers.models.qwen2_5_omni.configuration_qwen2_5_omni import Qwen2_5OmniAudioEncoderConfig
    from transformers.models.qwen2_5_omni.modeling_qwen2_5_omni import Qwen2_5OmniAudioEncoder

    c = model.config
    made = Qwen2_5OmniAudioEncoder(
        Qwen2_5OmniAudioEncoderConfig(
            num_mel_bins=c.mels, d_model=c.width, encoder_layers=c.layers, encoder_attention_heads=c.heads,
            encoder_ffn_dim=c.hidden, n_window=c.half_block, max_source_positions=c.positions, output_dim=c.out,
        )
    ).eval()  # fmt: skip
    missing, unknown = made.load_state_dict(model.state_dict(), strict=False)
    assert (missing, unknown) == (["audio_bos_eos_token.weight"], [])
    return made


@pytest.mark.parametrize("frames", [4, 40, 200])
def test_parity_with_transformers(frames):
    """Blocks of one token, of a chunk (the paper's regime) and of the published 2 s; relative error 1e-4, float32."""
    ours = tower()
    blocks = torch.randn(3, frames, CONFIG.mels, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = reference(ours)(
            input_features=blocks.flatten(0, 1).T, feature_lens=torch.full((3,), frames)
        ).last_hidden_state
    got = ours(blocks).flatten(0, 1)
    error = (got - expected).norm() / expected.norm()
    assert got.shape == (3 * frames // 4, CONFIG.out)
    assert error < 1e-5, float(error)


def test_blocks_that_it_cannot_read_are_refused():
    for frames in (0, 41, 204):
        with pytest.raises(ValueError, match="200"):
            tower()(torch.zeros(1, frames, CONFIG.mels))


def test_a_file_is_read_back(tmp_path):
    ours = tower()
    save_file(ours.state_dict(), tmp_path / "tower.safetensors")
    again = Tower.load(tmp_path / "tower.safetensors", CONFIG, torch.float32)
    x = torch.randn(1, 40, CONFIG.mels)
    assert torch.equal(again(x), ours(x))
    assert Tower.load(tmp_path / "tower.safetensors", CONFIG, torch.bfloat16)(x).dtype == torch.bfloat16


def test_a_broken_file_is_named(tmp_path):
    path, good = tmp_path / "tower.safetensors", tower().state_dict()
    with pytest.raises(WeightsError, match=r"tower\.safetensors"):
        Tower.load(path, CONFIG, torch.float32)
    path.write_bytes(b"\x80\x04not a tower")
    with pytest.raises(WeightsError, match=r"tower\.safetensors"):
        Tower.load(path, CONFIG, torch.float32)
    save_file({k: v for k, v in good.items() if k != "conv2.bias"}, path)
    with pytest.raises(WeightsError, match=r"conv2\.bias.*missing"):
        Tower.load(path, CONFIG, torch.float32)
    save_file(good | {"layers.2.fc1.bias": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match=r"layers\.2\.fc1\.bias.*unknown"):
        Tower.load(path, CONFIG, torch.float32)
    save_file(good | {"proj.bias": torch.zeros(5)}, path)
    with pytest.raises(WeightsError, match=r"proj\.bias \[24\] was expected, got \[5\]"):
        Tower.load(path, CONFIG, torch.float32)


def test_a_wrong_config_is_named():
    hub = {
        "num_mel_bins": 128, "d_model": 1280, "encoder_layers": 32, "encoder_attention_heads": 20,
        "encoder_ffn_dim": 5120, "n_window": 100, "max_source_positions": 1500, "output_dim": 2048, "other": 1,
    }  # fmt: skip
    assert TowerConfig.of_hub(hub, "config.json").out == 2048
    for change, match in (
        ({"d_model": None}, "d_model"), ({"encoder_layers": 0}, "encoder_layers"), ({"n_window": True}, "n_window"),
        ({"encoder_attention_heads": 7}, "7 heads"), ({"activation_function": "relu"}, "relu"),
    ):  # fmt: skip
        with pytest.raises(WeightsError, match=match):
            TowerConfig.of_hub(hub | change, "config.json")
    with pytest.raises(WeightsError, match=r"config\.json: unknown key 'extra'"):
        TowerConfig.read(CONFIG.to_json() | {"extra": 1}, "config.json")
    assert TowerConfig.read(CONFIG.to_json(), "config.json") == CONFIG
